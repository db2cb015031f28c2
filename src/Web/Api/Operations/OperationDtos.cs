namespace FailoverHub.Web.Api.Operations;

/// <summary>What to set going.</summary>
public sealed record OperationBody
{
    /// <summary>switchover, failback, set-failback, force-promote, drill, freeze or unfreeze (of a pair; freeze and unfreeze also of all), bulk-drain (of a data center), set-role, drain, undrain or reset-session (of a node).</summary>
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

    /// <summary>Decimal id of the data center (bulk-drain: of each of its pairs the node with that role, one after the other).</summary>
    public string? DataCenter { get; init; }

    /// <summary>The neighbor of the session, as the node reports it (reset-session).</summary>
    public string? Neighbor { get; init; }

    /// <summary>When it ends by itself (freeze; drain: it is then undrained): 60 to 604800 seconds from now.</summary>
    public long? ExpiresInSeconds { get; init; }

    /// <summary>When it is to begin: later than now, within 30 days; the rules are checked again then. Left out: at once.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>When it must not begin any more, at most 24 h after startAt; left out: 15 minutes after it.</summary>
    public DateTimeOffset? WindowEndsAt { get; init; }

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

    /// <summary>A second person has to approve it before anything is sent (SR-11).</summary>
    public required bool NeedsApproval { get; init; }

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

    /// <summary>switchover, failback, set-failback, force-promote, freeze, unfreeze, bulk-drain, set-role, drain, undrain or reset-session.</summary>
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

    /// <summary>When it is to begin, or was; null: as soon as it was accepted.</summary>
    public required DateTimeOffset? ScheduledFor { get; init; }

    /// <summary>When it must not begin any more; null: it was not scheduled.</summary>
    public required DateTimeOffset? WindowEndsAt { get; init; }

    /// <summary>Until when a second person may approve it; null: nobody is waited for.</summary>
    public required DateTimeOffset? ApprovalEndsAt { get; init; }

    /// <summary>The second person, or null.</summary>
    public required string? ApprovedBy { get; init; }

    /// <summary>What each rule said when it was let in; of one that has waited, when it began.</summary>
    public required IReadOnlyList<RuleDto> Rules { get; init; }

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
