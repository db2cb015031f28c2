using System.Text;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Components.Pages.Alerts;

/// <summary>What the alerts page shows, as it stands in its URL. Pure.</summary>
public sealed record AlertQuery
{
    /// <summary>Words of rule, subject or sentence.</summary>
    public string? Text { get; init; }

    /// <summary>"warning" or "critical": at least so severe.</summary>
    public string? Severity { get; init; }

    /// <summary>Name of a pair.</summary>
    public string? Pair { get; init; }

    /// <summary>Name of a node.</summary>
    public string? Node { get; init; }

    /// <summary>What is over is shown instead of what is active.</summary>
    public bool IsHistory { get; init; }

    /// <summary>Nothing is filtered.</summary>
    public bool IsEmpty => this with { IsHistory = false } == new AlertQuery();

    /// <summary>At least so severe, null: all.</summary>
    public EventSeverity? MinimumSeverity => Enum.TryParse(Severity, ignoreCase: true, out EventSeverity severity) ? severity : null;

    /// <summary>The same for what is over.</summary>
    public AlertFilter ToFilter() => new() { Active = false, MinimumSeverity = MinimumSeverity, Pair = Value(Pair), Node = Value(Node), Text = Value(Text) };

    /// <summary>Whether an active alert is shown.</summary>
    public bool Has(Alert alert) =>
        (MinimumSeverity is not { } severity || alert.Severity >= severity)
        && (Value(Pair) is not { } pair || string.Equals(alert.Pair, pair, StringComparison.OrdinalIgnoreCase))
        && (Value(Node) is not { } node || string.Equals(alert.Node, node, StringComparison.OrdinalIgnoreCase))
        && (Value(Text)?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? []).All(word => $"{alert.RuleName} {alert.About} {alert.Text}".Contains(word, StringComparison.OrdinalIgnoreCase));

    /// <summary>The page's address with this query.</summary>
    public string ToUrl()
    {
        var url = new StringBuilder("/alerts");
        char next = '?';
        foreach ((string name, string? value) in new[] { ("tab", IsHistory ? "history" : null), ("q", Text), ("severity", Severity), ("pair", Pair), ("node", Node) })
        {
            if (Value(value) is { } present)
            {
                url.Append(next).Append(name).Append('=').Append(Uri.EscapeDataString(present));
                next = '&';
            }
        }

        return url.ToString();
    }

    private static string? Value(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();
}
