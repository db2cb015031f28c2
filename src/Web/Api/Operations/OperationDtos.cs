namespace FailoverHub.Web.Api.Operations;

/// <summary>What to set going.</summary>
public sealed record OperationBody
{
    /// <summary>switchover, failback, set-failback, force-promote, freeze or unfreeze (of a pair; freeze and unfreeze also of all), set-role, drain, undrain or reset-session (of a node).</summary>
    public string? Type { get; init; }

    /// <summary>Why, 3 to 500 characters; it stands in the audit.</summary>
    public string? Reason { get; init; }

    /// <summary>One prefix, CIDR; left out: all that the pair shares.</summary>
    public string? Prefix { get; init; }

    /// <summary>primary or secondary (set-role).</summary>
    public string? Role { get; init; }

    /// <summary>The node that is to be active (switchover; left out: the other one), or the node that is meant where the path names a pair.</summary>
    public string? Target { get; init; }

    /// <summary>The new failback policy (set-failback).</summary>
    public FailbackBody? Failback { get; init; }

    /// <summary>The neighbor of the session, as the node reports it (reset-session).</summary>
    public string? Neighbor { get; init; }

    /// <summary>When it ends by itself (freeze): 60 to 604800 seconds from now.</summary>
    public long? ExpiresInSeconds { get; init; }

    /// <summary>How long it may take, 1 to 600 seconds; left out: 30.</summary>
    public int? DeadlineSeconds { get; init; }

    /// <summary>The pair's revision that you saw; if it has changed, the answer is 412 (SR-04). Left out: not checked.</summary>
    public long? ExpectedRevision { get; init; }

    /// <summary>Rules to override, by id: SR-01.</summary>
    public IReadOnlyList<string>? OverrideRules { get; init; }
}

/// <summary>A failback policy to set.</summary>
public sealed record FailbackBody
{
    /// <summary>immediate, after-stable, manual or sticky.</summary>
    public string? Policy { get; init; }

    /// <summary>With after-stable: 1 to 86400; left out: 60.</summary>
    public int? StableSeconds { get; init; }
}

/// <summary>An operation was accepted, audited and set going.</summary>
/// <param name="Id">Follow it at /api/v1/operations/{id}.</param>
public sealed record OperationAcceptedDto(string Id);

/// <summary>What an operation would do; nothing was done or stored.</summary>
public sealed record PreviewDto
{
    /// <summary>Nothing stands in the way.</summary>
    public required bool Allowed { get; init; }

    /// <summary>Every rule that applies.</summary>
    public required IReadOnlyList<RuleDto> Rules { get; init; }

    /// <summary>The steps, in words.</summary>
    public required IReadOnlyList<string> Steps { get; init; }

    /// <summary>What happens to traffic.</summary>
    public required string TrafficEffect { get; init; }

    /// <summary>Someone could lose the address for a while.</summary>
    public required bool OutagePossible { get; init; }

    /// <summary>The same as a call: method, path, body.</summary>
    public required string ApiCall { get; init; }
}

/// <summary>What one rule says.</summary>
public sealed record RuleDto
{
    /// <summary>SR-01 and so on.</summary>
    public required string RuleId { get; init; }

    /// <summary>AtLeastOneAnnouncer and so on.</summary>
    public required string Name { get; init; }

    /// <summary>It allows the request.</summary>
    public required bool Passed { get; init; }

    /// <summary>The request overrides it.</summary>
    public required bool Overridden { get; init; }

    /// <summary>It can be overridden at all.</summary>
    public required bool CanOverride { get; init; }

    /// <summary>What it saw.</summary>
    public required string Message { get; init; }

    /// <summary>What to do about it, null when it passed.</summary>
    public required string? Remedy { get; init; }
}

/// <summary>An operation as it stands.</summary>
public sealed record OperationDto
{
    /// <summary>Unique; also the operation of its events and the correlationId of its audit entry.</summary>
    public required string Id { get; init; }

    /// <summary>switchover, failback, set-failback, force-promote, freeze, unfreeze, set-role, drain, undrain or reset-session.</summary>
    public required string Type { get; init; }

    /// <summary>PendingApproval, Queued, Running, Succeeded, Failed, Refused, TimedOut, Cancelled or OutcomeUnknown.</summary>
    public required string Status { get; init; }

    /// <summary>It has ended.</summary>
    public required bool Finished { get; init; }

    /// <summary>Outcome in a sentence, null while it runs.</summary>
    public required string? Outcome { get; init; }

    /// <summary>What it is about, in words.</summary>
    public required string Title { get; init; }

    /// <summary>Id of the pair; "*": it is about all pairs.</summary>
    public required string PairId { get; init; }

    /// <summary>Name of the pair when it was asked for.</summary>
    public required string Pair { get; init; }

    /// <summary>The node it is about.</summary>
    public required string? Node { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>Who.</summary>
    public required string Actor { get; init; }

    /// <summary>When it was accepted.</summary>
    public required DateTimeOffset RequestedAt { get; init; }

    /// <summary>When it ended, null while it runs.</summary>
    public required DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The steps, with times.</summary>
    public required IReadOnlyList<StepDto> Steps { get; init; }
}

/// <summary>One step of an operation.</summary>
/// <param name="Title">What is done.</param>
/// <param name="Status">Pending, Running, Succeeded, Failed or Skipped.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="FinishedAt">When it ended.</param>
/// <param name="Detail">What was observed, or why it failed.</param>
public sealed record StepDto(string Title, string Status, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, string? Detail);
