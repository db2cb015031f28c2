using FailoverHub.Web.Alerts;
using FailoverHub.Web.Components.Shared.Status;

namespace FailoverHub.Web.Components.Pages.Alerts;

/// <summary>Alerts in words and links. Pure.</summary>
internal static class AlertWords
{
    /// <summary>Where the alert stands. Red is kept for what needs a person now.</summary>
    public static StatusWord State(Alert alert) => alert switch
    {
        { ResolvedAt: not null } => new(StatusTone.Good, "Over"),
        { QuietBecause: not null } => new(StatusTone.Off, "Kept quiet"),
        { Shelf: not null } => new(StatusTone.Off, "Shelved"),
        { Acknowledged: not null } => new(StatusTone.Notice, "Acknowledged"),
        { Severity: FailoverHub.Web.History.EventSeverity.Critical } => new(StatusTone.Critical, "Needs you"),
        _ => new(StatusTone.Warning, "Needs somebody"),
    };

    /// <summary>The page of what it is about, null: there is none.</summary>
    public static string? Link(Alert alert) => alert switch
    {
        { OperationId: { } operation } => $"/operations/{Uri.EscapeDataString(operation)}",
        { Pair: { } pair, Node: null } => $"/pairs/{Uri.EscapeDataString(pair)}",
        { Node: { } node } => $"/nodes/{Uri.EscapeDataString(node)}",
        { Key.Subject: var subject } when subject.StartsWith("channel:", StringComparison.Ordinal) => "/settings/alert-channels",
        _ => null,
    };
}
