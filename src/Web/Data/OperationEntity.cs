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
}
