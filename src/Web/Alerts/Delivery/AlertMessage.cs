using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Alerts.Delivery;

/// <summary>What a channel is told, whichever way it tells it. Kept as JSON while it waits.</summary>
internal sealed record AlertMessage
{
    public required AlertNoticeKind Kind { get; init; }

    /// <summary>When it was decided, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    public required EventSeverity Severity { get; init; }

    /// <summary>One line.</summary>
    public required string Title { get; init; }

    /// <summary>What it is about; of a summary all that it tells of.</summary>
    public ImmutableArray<AlertTold> Alerts { get; init; } = [];

    /// <summary>Where the dashboard shows it, null: it is not known where people reach that.</summary>
    public string? Url { get; init; }

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) } };

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public static AlertMessage FromJson(string json) => JsonSerializer.Deserialize<AlertMessage>(json, Json) ?? throw new JsonException("A message is null.");

    public static AlertMessage Of(Alert alert, AlertNoticeKind kind, DateTimeOffset at) => new()
    {
        Kind = kind,
        At = at,
        Severity = alert.Severity,
        Title = TitleOf(alert, kind),
        Alerts = [AlertTold.Of(alert, kind)],
    };

    /// <summary>A message that shows that a channel works.</summary>
    public static AlertMessage Test(string channel, string by, DateTimeOffset at) => new()
    {
        Kind = AlertNoticeKind.Test,
        At = at,
        Severity = EventSeverity.Info,
        Title = $"Test of channel {channel}, asked for by {by}. Nothing is wrong.",
    };

    /// <summary>One message instead of many.</summary>
    /// <param name="messages">At least one.</param>
    /// <param name="at">When it is put together.</param>
    /// <param name="haveWaited">They are not of the last minute.</param>
    public static AlertMessage Summary(IReadOnlyCollection<AlertMessage> messages, DateTimeOffset at, bool haveWaited = false)
    {
        IEnumerable<string> parts = messages.GroupBy(m => m.Kind).OrderBy(g => g.Key).Select(g => $"{g.Count()} {Word(g.Key)}");
        return new AlertMessage
        {
            Kind = AlertNoticeKind.Summary,
            At = at,
            Severity = messages.Max(m => m.Severity),
            Title = $"{messages.Count} {(haveWaited ? "messages that have waited" : "more messages of the last minute")} in one: {string.Join(", ", parts)}.",
            Alerts = [.. messages.SelectMany(m => m.Alerts).OrderByDescending(a => a.Severity).ThenBy(a => a.RaisedAt)],
        };
    }

    public static string Word(AlertNoticeKind kind) => kind switch
    {
        AlertNoticeKind.Reminder => "still there",
        AlertNoticeKind.Resolved => "over",
        _ => kind.ToString().ToLowerInvariant(),
    };

    private static string TitleOf(Alert alert, AlertNoticeKind kind) => kind switch
    {
        AlertNoticeKind.Resolved => $"Over: {alert.RuleName}, {alert.About}. {alert.ResolvedText}",
        AlertNoticeKind.Acknowledged => $"Acknowledged by {alert.Acknowledged?.By}: {alert.RuleName}, {alert.About}. {alert.Acknowledged?.Reason}",
        AlertNoticeKind.Unacknowledged => $"Nobody's any more: {alert.RuleName}, {alert.About}. {alert.Text}",
        AlertNoticeKind.Reminder => $"Still: {alert.RuleName}, {alert.About}. {alert.Text}",
        _ => $"{alert.RuleName}, {alert.About}. {alert.Text}",
    };
}

/// <summary>An alert as a message tells it.</summary>
internal sealed record AlertTold
{
    public required string Id { get; init; }

    public required AlertNoticeKind Notice { get; init; }

    public required string Rule { get; init; }

    /// <summary>The kind's word.</summary>
    public required string Kind { get; init; }

    public required EventSeverity Severity { get; init; }

    public required string About { get; init; }

    public string? Pair { get; init; }

    public string? Node { get; init; }

    public string? Prefix { get; init; }

    public string? OperationId { get; init; }

    public required string Text { get; init; }

    public required DateTimeOffset RaisedAt { get; init; }

    public DateTimeOffset? ResolvedAt { get; init; }

    public string? AcknowledgedBy { get; init; }

    public string? AcknowledgedReason { get; init; }

    /// <summary>Where the dashboard shows it, null: it is not known where people reach that.</summary>
    public string? Url { get; init; }

    /// <summary>Where it shows its pair, likewise; null too: it has none.</summary>
    public string? PairUrl { get; init; }

    public static AlertTold Of(Alert alert, AlertNoticeKind notice) => new()
    {
        Id = alert.Id,
        Notice = notice,
        Rule = alert.RuleName,
        Kind = Rules.AlertKinds.Of(alert.Kind).Word,
        Severity = alert.Severity,
        About = alert.About,
        Pair = alert.Pair,
        Node = alert.Node,
        Prefix = alert.Prefix,
        OperationId = alert.OperationId,
        Text = alert.Text,
        RaisedAt = alert.RaisedAt,
        ResolvedAt = alert.ResolvedAt,
        AcknowledgedBy = alert.Acknowledged?.By,
        AcknowledgedReason = alert.Acknowledged?.Reason,
    };
}
