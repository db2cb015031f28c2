using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using MudBlazor;

namespace FailoverHub.Web.Components.Pages.Operations.Confirm;

/// <summary>Asks for a confirmation.</summary>
internal static class ConfirmDialogs
{
    private static readonly DialogOptions Options = new() { MaxWidth = MaxWidth.Small, FullWidth = true, BackdropClick = false, CloseOnEscapeKey = true, DefaultFocus = DefaultFocus.None };

    /// <summary>Shows what the request would do and sends it when it is confirmed.</summary>
    /// <param name="dialogs">Where.</param>
    /// <param name="request">What is asked for, without reason.</param>
    /// <param name="pair">Of which pair; null: it is about more than one.</param>
    /// <returns>Id of the operation; null: nothing was set going.</returns>
    public static async Task<string?> ConfirmAsync(this IDialogService dialogs, OperationRequest request, PairView? pair)
    {
        IDialogReference reference = await dialogs.ShowAsync<ConfirmDialog>(
            ConfirmWords.Title(request, pair),
            new DialogParameters<ConfirmDialog> { { dialog => dialog.Pair, pair }, { dialog => dialog.Request, request } },
            Options);
        return (await reference.Result)?.Data as string;
    }
}
