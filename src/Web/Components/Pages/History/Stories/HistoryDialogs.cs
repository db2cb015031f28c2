using FailoverHub.Web.History;
using MudBlazor;

namespace FailoverHub.Web.Components.Pages.History.Stories;

/// <summary>Opens the story of an entry at the right edge.</summary>
internal static class HistoryDialogs
{
    private static readonly DialogOptions Edge = new() { BackdropClick = true, CloseOnEscapeKey = true, MaxWidth = MaxWidth.False };

    public static Task OpenAsync(this IDialogService dialogs, EventRecord record) =>
        dialogs.ShowAsync<EventDialog>("Event", new DialogParameters<EventDialog> { { dialog => dialog.Record, record } }, Edge);

    public static Task OpenAsync(this IDialogService dialogs, AuditEntry entry) =>
        dialogs.ShowAsync<AuditDialog>("Audit entry", new DialogParameters<AuditDialog> { { dialog => dialog.Entry, entry } }, Edge);
}
