using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Alerts;

/// <summary>What an alert is known by: of each there is one at a time.</summary>
/// <param name="RuleId">The rule.</param>
/// <param name="Subject">What it is about: "pair:ID", "node:node-a", "address:203.0.113.10/32", "hub".</param>
public readonly record struct AlertKey(string RuleId, string Subject);

/// <summary>Something that is wrong, or was.</summary>
public sealed record Alert
{
    /// <summary>Unique; grows with time.</summary>
    public required string Id { get; init; }

    /// <summary>Rule and subject.</summary>
    public required AlertKey Key { get; init; }

    /// <summary>What the rule looks at.</summary>
    public required AlertKind Kind { get; init; }

    /// <summary>Name of the rule when it was raised.</summary>
    public required string RuleName { get; init; }

    /// <summary>How much it matters.</summary>
    public required EventSeverity Severity { get; init; }

    /// <summary>What it is about, for people: "pair web", "check http of node-a".</summary>
    public required string About { get; init; }

    /// <summary>Name of the pair, null: none.</summary>
    public string? Pair { get; init; }

    /// <summary>Name of the node, null: none.</summary>
    public string? Node { get; init; }

    /// <summary>The shared address, null: none.</summary>
    public string? Prefix { get; init; }

    /// <summary>The operation, null: none.</summary>
    public string? OperationId { get; init; }

    /// <summary>What is wrong, a sentence, as it was last found.</summary>
    public required string Text { get; init; }

    /// <summary>When it was raised, UTC.</summary>
    public required DateTimeOffset RaisedAt { get; init; }

    /// <summary>When it ended, null: it is active.</summary>
    public DateTimeOffset? ResolvedAt { get; init; }

    /// <summary>Why it ended, null: it is active.</summary>
    public string? ResolvedText { get; init; }

    /// <summary>Who has taken it on, null: nobody.</summary>
    public AlertAcknowledgement? Acknowledged { get; init; }

    /// <summary>Nobody is told of it until a time; null: it is not shelved.</summary>
    public AlertShelf? Shelf { get; init; }

    /// <summary>Why nobody is told of it by itself: a freeze or maintenance. Null: nothing keeps it quiet.</summary>
    public string? QuietBecause { get; init; }

    /// <summary>Ids of the channels that were told of it.</summary>
    public ImmutableSortedSet<string> ToldTo { get; init; } = [];

    /// <summary>When they were last told, null: never.</summary>
    public DateTimeOffset? LastToldAt { get; init; }

    /// <summary>The operation that they were told of then, null: none, or that is not known any more. Found again in the message after a restart.</summary>
    internal string? ToldOperationId { get; init; }

    /// <summary>It needs somebody: active, not taken on, not shelved and not kept quiet.</summary>
    public bool NeedsSomebody => ResolvedAt is null && Acknowledged is null && Shelf is null && QuietBecause is null;
}

/// <summary>Somebody has taken an alert on.</summary>
/// <param name="By">Who.</param>
/// <param name="At">When.</param>
/// <param name="Reason">Why, or what is being done.</param>
public sealed record AlertAcknowledgement(string By, DateTimeOffset At, string Reason);

/// <summary>Of a rule and a subject nobody is told until a time, also when it ends and begins again meanwhile.</summary>
/// <param name="By">Who put it there.</param>
/// <param name="At">When.</param>
/// <param name="Until">When it ends by itself.</param>
/// <param name="Reason">Why.</param>
public sealed record AlertShelf(string By, DateTimeOffset At, DateTimeOffset Until, string Reason);

/// <summary>What people are told of an alert.</summary>
public enum AlertNoticeKind
{
    /// <summary>It is there.</summary>
    Raised,

    /// <summary>It is still there, and nobody has taken it on.</summary>
    Reminder,

    /// <summary>Somebody has taken it on.</summary>
    Acknowledged,

    /// <summary>Nobody has taken it on any more.</summary>
    Unacknowledged,

    /// <summary>It is over.</summary>
    Resolved,

    /// <summary>Several of the others in one message, because there were too many.</summary>
    Summary,

    /// <summary>Somebody wanted to see that the channel works.</summary>
    Test,
}

/// <summary>What is active now.</summary>
/// <param name="Version">Grows with every change, within one run of the hub.</param>
/// <param name="Active">Active alerts, the most severe first, then the newest.</param>
public sealed record AlertsNow(long Version, ImmutableArray<Alert> Active)
{
    /// <summary>Nothing.</summary>
    public static AlertsNow None { get; } = new(0, []);

    /// <summary>How many need somebody.</summary>
    public int NeedSomebody => Active.Count(a => a.NeedsSomebody);
}
