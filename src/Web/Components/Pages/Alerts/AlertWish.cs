using FailoverHub.Web.Alerts;
using MudBlazor;

namespace FailoverHub.Web.Components.Pages.Alerts;

/// <summary>What can be done about an alert.</summary>
public enum AlertAction
{
    /// <summary>Take it on.</summary>
    Acknowledge,

    /// <summary>Give it back.</summary>
    Unacknowledge,

    /// <summary>Tell nobody for a time.</summary>
    Shelve,

    /// <summary>Tell people again.</summary>
    Unshelve,
}

/// <summary>What somebody has pressed.</summary>
/// <param name="Alert">On which alert.</param>
/// <param name="Action">What.</param>
public sealed record AlertWish(Alert Alert, AlertAction Action);

/// <summary>Asks why, and for how long.</summary>
internal static class AlertDialogs
{
    private static readonly DialogOptions Options = new() { MaxWidth = MaxWidth.Small, FullWidth = true, BackdropClick = false, CloseOnEscapeKey = true, DefaultFocus = DefaultFocus.None };

    /// <summary>Shows the dialog; it says itself what became of it.</summary>
    public static async Task AskAsync(this IDialogService dialogs, AlertWish wish, FailoverHub.Web.Operations.Actor actor)
    {
        IDialogReference reference = await dialogs.ShowAsync<AlertChangeDialog>(
            wish.Action.ToString(), new DialogParameters<AlertChangeDialog> { { dialog => dialog.Wish, wish }, { dialog => dialog.Actor, actor } }, Options);
        await reference.Result;
    }
}
