namespace FailoverHub.Web.History;

/// <summary>An event before it has a number.</summary>
internal sealed record EventDraft
{
    public required DateTimeOffset At { get; init; }

    /// <summary>A stable word of <see cref="EventKinds"/> or of a node's journal.</summary>
    public required string Kind { get; init; }

    public EventSeverity Severity { get; init; } = EventSeverity.Info;

    public string? Pair { get; init; }

    public string? Node { get; init; }

    public string? Prefix { get; init; }

    /// <summary>One English sentence with the cause.</summary>
    public required string Text { get; init; }

    public string? OperationId { get; init; }
}

/// <summary>Kinds of the events that the hub itself makes. Scripts filter by them: a word once given stays.</summary>
internal static class EventKinds
{
    public const string HubStarted = "hub-started";
    public const string HubStopped = "hub-stopped";
    public const string PairFound = "pair-found";
    public const string PairClaimed = "pair-claimed";
    public const string PairMemberLetIn = "pair-member-let-in";
    public const string PairOnOneHost = "pair-on-one-host";
    public const string PairPrefixGone = "pair-prefix-gone";
    public const string PrefixInTwoPairs = "prefix-in-two-pairs";
    public const string PairStateChanged = "pair-state-changed";
    public const string NodeLinkChanged = "node-link-changed";
    public const string NodeFound = "node-found";
    public const string NodeNameClash = "node-name-clash";
    public const string NodeJoined = "node-joined";
    public const string NodeRenamed = "node-renamed";
    public const string NodeRevoked = "node-revoked";
    public const string NodeRemoved = "node-removed";
    public const string NodeRefused = "node-refused";
    public const string NodeCloned = "node-cloned";
    public const string NodeSaid = "node-said";
    public const string JournalSlowed = "journal-slowed";
    public const string IntentAdopted = "intent-adopted";
    public const string IntentDropped = "intent-dropped";
    public const string OperationStarted = "operation-started";
    public const string OperationStep = "operation-step";
    public const string OperationFinished = "operation-finished";
    public const string OperationApproved = "operation-approved";
    public const string OperationCancelled = "operation-cancelled";
    public const string FailbackNotKept = "failback-not-kept";
    public const string FreezeExpired = "freeze-expired";
    public const string OutageMeasured = "outage-measured";
    public const string VantageLost = "vantage-lost";
    public const string VantageBack = "vantage-back";
    public const string HistoryLost = "history-lost";
}
