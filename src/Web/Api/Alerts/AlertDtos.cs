using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Alerts.Rules;

namespace FailoverHub.Web.Api.Alerts;

/// <summary>Something that is wrong, or was.</summary>
public sealed record AlertDto
{
    /// <summary>Unique.</summary>
    public required string Id { get; init; }

    /// <summary>"active", "acknowledged", "shelved", "suppressed" or "resolved": of several the last.</summary>
    public required string State { get; init; }

    /// <summary>Id of the rule.</summary>
    public required string RuleId { get; init; }

    /// <summary>Name of the rule when it was raised.</summary>
    public required string Rule { get; init; }

    /// <summary>What the rule looks at: "pair-state".</summary>
    public required string Kind { get; init; }

    /// <summary>"info", "warning" or "critical".</summary>
    public required string Severity { get; init; }

    /// <summary>What it is about: "pair web", "check http of node-a".</summary>
    public required string About { get; init; }

    /// <summary>Name of the pair, null: none.</summary>
    public required string? Pair { get; init; }

    /// <summary>Name of the node, null: none.</summary>
    public required string? Node { get; init; }

    /// <summary>The shared address, null: none.</summary>
    public required string? Prefix { get; init; }

    /// <summary>Id of the operation, null: none.</summary>
    public required string? Operation { get; init; }

    /// <summary>What is wrong.</summary>
    public required string Text { get; init; }

    /// <summary>When it was raised.</summary>
    public required DateTimeOffset RaisedAt { get; init; }

    /// <summary>When it ended, null: it is active.</summary>
    public required DateTimeOffset? ResolvedAt { get; init; }

    /// <summary>Why it ended, null: it is active.</summary>
    public required string? ResolvedText { get; init; }

    /// <summary>Who has taken it on, null: nobody.</summary>
    public required AlertAcknowledgementDto? Acknowledged { get; init; }

    /// <summary>Until when nobody is told, null: it is not shelved.</summary>
    public required AlertShelfDto? Shelved { get; init; }

    /// <summary>Why nobody is told: a freeze or maintenance. Null: nothing keeps it quiet.</summary>
    public required string? SuppressedBecause { get; init; }

    /// <summary>When people were last told of it, null: never.</summary>
    public required DateTimeOffset? LastToldAt { get; init; }
}

/// <summary>Somebody has taken it on.</summary>
/// <param name="By">Who.</param>
/// <param name="At">When.</param>
/// <param name="Reason">Why, or what is being done.</param>
public sealed record AlertAcknowledgementDto(string By, DateTimeOffset At, string Reason);

/// <summary>Nobody is told for a time.</summary>
/// <param name="By">Who said so.</param>
/// <param name="At">When.</param>
/// <param name="Until">When it ends by itself.</param>
/// <param name="Reason">Why.</param>
public sealed record AlertShelfDto(string By, DateTimeOffset At, DateTimeOffset Until, string Reason);

/// <summary>An alert with who was told of it.</summary>
public sealed record AlertStoryDto
{
    /// <summary>The alert.</summary>
    public required AlertDto Alert { get; init; }

    /// <summary>Messages about it, newest first; at most 100.</summary>
    public required DeliveryDto[] Deliveries { get; init; }
}

/// <summary>A message to a channel and what became of it.</summary>
public sealed record DeliveryDto
{
    /// <summary>Grows with time; a webhook's X-FailoverHub-Delivery.</summary>
    public required long Id { get; init; }

    /// <summary>Id of the channel.</summary>
    public required string Channel { get; init; }

    /// <summary>Id of the alert, null: of more than one, or a test.</summary>
    public required string? Alert { get; init; }

    /// <summary>"raised", "reminder", "acknowledged", "unacknowledged", "resolved", "summary" or "test".</summary>
    public required string Notice { get; init; }

    /// <summary>"waiting", "delivered", "given-up", "summarised", "split", "expired" or "dropped".</summary>
    public required string State { get; init; }

    /// <summary>One line of what it says.</summary>
    public required string Title { get; init; }

    /// <summary>When it was decided that it is sent.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it is tried next; null: it is not.</summary>
    public required DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>When the channel took it, null: it has not.</summary>
    public required DateTimeOffset? DeliveredAt { get; init; }

    /// <summary>How often it was tried.</summary>
    public required int Attempts { get; init; }

    /// <summary>Why the last attempt did not work, null: it did, or there was none.</summary>
    public required string? LastError { get; init; }

    /// <summary>The message that tells of it among others, null: none.</summary>
    public required long? SummaryId { get; init; }

    /// <summary>The newest attempts, oldest first; at most ten.</summary>
    public required DeliveryAttemptDto[] Log { get; init; }
}

/// <summary>One attempt.</summary>
/// <param name="At">When.</param>
/// <param name="Milliseconds">How long it took.</param>
/// <param name="Answer">What was answered, null: nothing.</param>
/// <param name="Error">Why it did not work, null: it did.</param>
public sealed record DeliveryAttemptDto(DateTimeOffset At, long Milliseconds, string? Answer, string? Error);

/// <summary>Body of POST /api/v1/alerts/{id}/acknowledge.</summary>
public sealed record AlertReasonBody
{
    /// <summary>Why, or what is being done: 3 to 500 characters.</summary>
    public required string Reason { get; init; }
}

/// <summary>Body of POST /api/v1/alerts/{id}/shelve.</summary>
public sealed record AlertShelveBody
{
    /// <summary>Why: 3 to 500 characters.</summary>
    public required string Reason { get; init; }

    /// <summary>For so many seconds from now: 60 to 2592000.</summary>
    public required int Seconds { get; init; }
}

/// <summary>Body of a change that needs no words.</summary>
public sealed record AlertEmptyBody;

/// <summary>From alerts to what the API says of them.</summary>
internal static class AlertMapping
{
    public static AlertDto ToDto(this Alert alert) => new()
    {
        Id = alert.Id,
        State = alert switch
        {
            { ResolvedAt: not null } => "resolved",
            { QuietBecause: not null } => "suppressed",
            { Shelf: not null } => "shelved",
            { Acknowledged: not null } => "acknowledged",
            _ => "active",
        },
        RuleId = alert.Key.RuleId,
        Rule = alert.RuleName,
        Kind = AlertKinds.Of(alert.Kind).Word,
        Severity = ApiWords.Kebab(alert.Severity),
        About = alert.About,
        Pair = alert.Pair,
        Node = alert.Node,
        Prefix = alert.Prefix,
        Operation = alert.OperationId,
        Text = alert.Text,
        RaisedAt = alert.RaisedAt,
        ResolvedAt = alert.ResolvedAt,
        ResolvedText = alert.ResolvedText,
        Acknowledged = alert.Acknowledged is { } by ? new AlertAcknowledgementDto(by.By, by.At, by.Reason) : null,
        Shelved = alert.Shelf is { } shelf ? new AlertShelfDto(shelf.By, shelf.At, shelf.Until, shelf.Reason) : null,
        SuppressedBecause = alert.QuietBecause,
        LastToldAt = alert.LastToldAt,
    };

    public static DeliveryDto ToDto(this DeliveryRecord record) => new()
    {
        Id = record.Id,
        Channel = record.ChannelId,
        Alert = record.AlertId,
        Notice = record.Notice,
        State = record.State,
        Title = record.Title,
        CreatedAt = record.CreatedAt,
        NextAttemptAt = record.State == DeliveryStates.Waiting ? record.DueAt : null,
        DeliveredAt = record.DeliveredAt,
        Attempts = record.Attempts,
        LastError = record.LastError,
        SummaryId = record.SummaryId,
        Log = [.. record.Log.Select(a => new DeliveryAttemptDto(a.At, a.Milliseconds, a.Answer, a.Error))],
    };
}
