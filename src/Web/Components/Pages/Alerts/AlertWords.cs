using FailoverHub.Web.Alerts;
using FailoverHub.Web.Components.Shared.Clock;
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

    /// <summary>Who has it, until when nobody is told, and why: "acknowledged by ann 4 m ago", "shelved by ann until 14:00".</summary>
    /// <param name="alert">Which.</param>
    /// <param name="now">The moment.</param>
    /// <param name="zone">Where times are shown.</param>
    public static string Handled(Alert alert, DateTimeOffset now, TimeZoneInfo zone) => alert switch
    {
        { QuietBecause: { } quiet } when quiet.StartsWith("maintenance", StringComparison.Ordinal) => "nobody is told: maintenance",
        { QuietBecause: { } quiet } => $"nobody is told: {quiet}",
        { Shelf: { } shelf } => $"shelved by {shelf.By} until {AgeText.Minute(shelf.Until, now, zone)}",
        { Acknowledged: { } by } => $"acknowledged by {by.By} {AgeText.Ago(now - by.At)}",
        _ => $"{State(alert).Word.ToLowerInvariant()}, since {AgeText.Of(now - alert.RaisedAt)}",
    };

    /// <summary>The page of what it is about, null: there is none.</summary>
    public static string? Link(Alert alert) => alert switch
    {
        { OperationId: { } operation } => $"/operations/{Uri.EscapeDataString(operation)}",
        { Kind: FailoverHub.Web.Alerts.Rules.AlertKind.TargetLost, Key.Subject: var target } => $"/reachability/{Uri.EscapeDataString(target.StartsWith("target:node:", StringComparison.Ordinal) ? target["target:".Length..] : target)}",
        { Pair: { } pair, Node: null } => $"/pairs/{Uri.EscapeDataString(pair)}",
        { Node: { } node } => $"/nodes/{Uri.EscapeDataString(node)}",
        { Key.Subject: var subject } when subject.StartsWith("channel:", StringComparison.Ordinal) => "/settings/alert-channels",
        _ => null,
    };
}
