namespace FailoverHub.Web.Api.Reachability;

/// <summary>What a move of an address cost, by the probes of one vantage point.</summary>
public sealed record OutageDto
{
    /// <summary>When the move was asked for, or was seen.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Name of the pair at that time.</summary>
    public required string Pair { get; init; }

    /// <summary>The shared prefix, CIDR.</summary>
    public required string Prefix { get; init; }

    /// <summary>hub, or the id of the node that probed.</summary>
    public required string VantagePoint { get; init; }

    /// <summary>hub, or what that node is called now.</summary>
    public required string VantageName { get; init; }

    /// <summary>switchover, failback, force-promote, change (a drain, a role), failover, failback-by-itself, or take-back (of an operation, later than the rest of it).</summary>
    public required string Kind { get; init; }

    /// <summary>The operation that moved it, null: none.</summary>
    public required string? OperationId { get; init; }

    /// <summary>The node that was active before, null: not known.</summary>
    public required string? From { get; init; }

    /// <summary>The node that was active afterwards, null: not known.</summary>
    public required string? To { get; init; }

    /// <summary>Probes that were sent; 0: nothing is known.</summary>
    public required int Sent { get; init; }

    /// <summary>Those without an answer.</summary>
    public required int Lost { get; init; }

    /// <summary>When the first unanswered probe was sent, null: every one was answered.</summary>
    public required DateTimeOffset? FirstLossAt { get; init; }

    /// <summary>When the last unanswered probe was sent.</summary>
    public required DateTimeOffset? LastLossAt { get; init; }

    /// <summary>The longest time from one answer to the next with an unanswered probe between; 0: none. The outage was no longer than that.</summary>
    public required double LongestMs { get; init; }

    /// <summary>From the first to the last unanswered probe of that time: the outage was no shorter. Null: it was measured by a hub that did not keep that.</summary>
    public required double? ShortestMs { get; init; }

    /// <summary>So long of that time nobody probed, because the vantage point was not there: whether it answered then is not known. Null: it was probed all the time.</summary>
    public required double? UnprobedMs { get; init; }

    /// <summary>It had not ended when it was measured.</summary>
    public required bool GoesOn { get; init; }

    /// <summary>From one probe to the next while it lasted. Without a loss: the longest time without a probe during the move; a shorter outage may not have been seen.</summary>
    public required double ResolutionMs { get; init; }
}
