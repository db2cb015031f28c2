using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Data;

/// <summary>An operation, with its steps as JSON: they are only ever read and written as a whole.</summary>
internal sealed class OperationEntity
{
    public required string Id { get; set; }

    /// <summary>Order of acceptance; the key is random, this is not.</summary>
    public long Number { get; set; }

    public required OperationType Type { get; set; }

    public required string PairId { get; set; }

    public required string PairName { get; set; }

    public string? Node { get; set; }

    public required string Title { get; set; }

    public required OperationStatus Status { get; set; }

    public string? Outcome { get; set; }

    public required string Reason { get; set; }

    public required string Actor { get; set; }

    public required long RequestedAtMs { get; set; }

    public long? FinishedAtMs { get; set; }

    public required string StepsJson { get; set; }

    /// <summary>What has to be seen for it to have succeeded: needed again when the hub restarts in the middle.</summary>
    public required string WantedJson { get; set; }

    /// <summary>What was asked for, while it waits for a second person or for its time; null: it does not wait.</summary>
    public string? RequestJson { get; set; }

    public long? ScheduledForMs { get; set; }

    public long? WindowEndsMs { get; set; }

    public long? ApprovalEndsMs { get; set; }

    public string? ApprovedBy { get; set; }

    /// <summary>What the rules said when it was let in; null: written by an earlier version.</summary>
    public string? RulesJson { get; set; }
}

/// <summary>What is frozen; the row goes when it ends.</summary>
internal sealed class FreezeEntity
{
    /// <summary>Id of the pair, or "*": all pairs.</summary>
    public required string Scope { get; set; }

    public required long UntilMs { get; set; }

    public required string Actor { get; set; }

    public required string Reason { get; set; }

    public required string OperationId { get; set; }
}

/// <summary>What a node kept as failback policies before a freeze made it hold everything back; the row goes when it has them again.</summary>
internal sealed class HeldFailbackEntity
{
    public required string Node { get; set; }

    /// <summary>"203.0.113.10/32=AfterStable:60", separated by one blank.</summary>
    public required string Failback { get; set; }
}
