using FailoverHub.Web.Api.History;
using FailoverHub.Web.Api.Reachability;

namespace FailoverHub.Web.Api.Operations;

/// <summary>Everything that belongs to one operation, from the request to what traffic felt of it.</summary>
public sealed record OperationStoryDto
{
    /// <summary>The operation with its steps.</summary>
    public required OperationDto Operation { get; init; }

    /// <summary>Who asked for it, which rules were overridden, what was refused on the way; newest first.</summary>
    public required IReadOnlyList<AuditDto> Audit { get; init; }

    /// <summary>What was wanted of the nodes, in the order of writing.</summary>
    public required IReadOnlyList<IntentDto> Intents { get; init; }

    /// <summary>What came of it on hub and nodes, newest first: at most 500.</summary>
    public required IReadOnlyList<EventDto> Events { get; init; }

    /// <summary>What probes of its addresses showed meanwhile.</summary>
    public required IReadOnlyList<MeasuredOutageDto> Outages { get; init; }

    /// <summary>The same from each vantage point, as it was measured some seconds after the end and is kept; empty: not yet.</summary>
    public required IReadOnlyList<OutageDto> Measured { get; init; }

    /// <summary>The same until it is kept: what the probes of each vantage point show so far. Empty: it is kept, or the operation moves nothing.</summary>
    public required IReadOnlyList<OutageDto> MeasuredSoFar { get; init; }
}

/// <summary>What was wanted of one node.</summary>
public sealed record IntentDto
{
    /// <summary>The node.</summary>
    public required string Node { get; init; }

    /// <summary>Grows for each node; newer supersedes older.</summary>
    public required long Revision { get; init; }

    /// <summary>The role of each prefix, by CIDR: primary or secondary.</summary>
    public required IReadOnlyDictionary<string, string> Roles { get; init; }

    /// <summary>It is to announce nothing.</summary>
    public required bool Drained { get; init; }

    /// <summary>What has become of it: planned, released, confirmed, superseded, abandoned or dropped.</summary>
    public required string Stage { get; init; }

    /// <summary>When it was written: before anything was sent.</summary>
    public required DateTimeOffset WrittenAt { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }
}

/// <summary>What probes of one address showed while an operation ran.</summary>
public sealed record MeasuredOutageDto
{
    /// <summary>The shared prefix, CIDR.</summary>
    public required string Prefix { get; init; }

    /// <summary>Probes that were sent; 0: nothing is known.</summary>
    public required int Probes { get; init; }

    /// <summary>Those without an answer.</summary>
    public required int Unanswered { get; init; }

    /// <summary>The longest time from one answer to the next with an unanswered probe between them; never too short. Null: every probe was answered.</summary>
    public required double? LongestMs { get; init; }

    /// <summary>The last answer before that.</summary>
    public required DateTimeOffset? BeganAt { get; init; }

    /// <summary>The first answer after it; null: none until the last probe.</summary>
    public required DateTimeOffset? EndedAt { get; init; }
}
