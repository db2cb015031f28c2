using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Operations;

/// <summary>What an operator can set going.</summary>
public enum OperationType
{
    /// <summary>Planned move of a pair's prefixes to the other node, or to the named one.</summary>
    Switchover,

    /// <summary>One node, one prefix (or all it has) gets a role.</summary>
    SetRole,

    /// <summary>A node announces nothing; its sessions stay up.</summary>
    Drain,

    /// <summary>A drained node announces again, as secondary first.</summary>
    Undrain,

    /// <summary>The pair's prefixes go back to the preferred node, also when that one is held back by its failback policy.</summary>
    Failback,

    /// <summary>What becomes of the pair's primary when it returns is changed.</summary>
    SetFailback,

    /// <summary>A node becomes primary while the other one cannot be reached: that one may be primary too, so SR-02 has to be overridden by name.</summary>
    ForcePromote,

    /// <summary>One BGP session of a node is ended and comes up again by itself.</summary>
    ResetSession,

    /// <summary>Until its end nothing is done to the pair, or to all pairs, and nothing fails back by itself.</summary>
    Freeze,

    /// <summary>Ends a freeze before its time.</summary>
    Unfreeze,

    /// <summary>Of each pair in a data center the node with a role is drained, one pair after the other.</summary>
    BulkDrain,

    /// <summary>A rehearsed failover and failback of a pair, with the outage of each measured, as a report.</summary>
    Drill,
}

/// <summary>What kinds of operations there are.</summary>
internal static class OperationTypes
{
    /// <summary>It moves a pair's prefixes, in the order of a switchover.</summary>
    public static bool IsMove(this OperationType type) => type is OperationType.Switchover or OperationType.Failback;

    /// <summary>It is about a pair; every other one is about a node.</summary>
    public static bool IsOfPair(this OperationType type) =>
        type is OperationType.Switchover or OperationType.Failback or OperationType.SetFailback or OperationType.ForcePromote or OperationType.BulkDrain or OperationType.Drill || type.IsOfFreeze();

    /// <summary>It changes what may be done, and nothing that a node does.</summary>
    public static bool IsOfFreeze(this OperationType type) => type is OperationType.Freeze or OperationType.Unfreeze;
}

/// <summary>Where an operation stands.</summary>
public enum OperationStatus
{
    /// <summary>A second person has to agree.</summary>
    PendingApproval,

    /// <summary>Accepted and audited, not begun.</summary>
    Queued,

    /// <summary>Steps are being taken.</summary>
    Running,

    /// <summary>What was wanted was observed.</summary>
    Succeeded,

    /// <summary>A step failed; what had been done was undone where it could be.</summary>
    Failed,

    /// <summary>A rule forbade it; nothing was sent.</summary>
    Refused,

    /// <summary>The deadline passed.</summary>
    TimedOut,

    /// <summary>An operator stopped it.</summary>
    Cancelled,

    /// <summary>Lost sight of it after sending; settled by what is observed, never repeated blindly.</summary>
    OutcomeUnknown,
}

/// <summary>Where a step stands.</summary>
public enum StepStatus
{
    /// <summary>Not begun.</summary>
    Pending,

    /// <summary>Under way.</summary>
    Running,

    /// <summary>Done, as observed.</summary>
    Succeeded,

    /// <summary>Did not happen in time, or was rejected.</summary>
    Failed,

    /// <summary>Not needed, or not reached.</summary>
    Skipped,
}

/// <summary>What is asked for. Either <see cref="Pair"/> or <see cref="Node"/> is named.</summary>
public sealed record OperationRequest
{
    /// <summary>What to do.</summary>
    public required OperationType Type { get; init; }

    /// <summary>Id or name of the pair (switchover, failback, set-failback).</summary>
    public string? Pair { get; init; }

    /// <summary>The node (set-role, drain, undrain, reset-session).</summary>
    public string? Node { get; init; }

    /// <summary>Decimal id of the data center (bulk-drain).</summary>
    public string? DataCenter { get; init; }

    /// <summary>The session's neighbor, as the node reports it (reset-session).</summary>
    public string? Neighbor { get; init; }

    /// <summary>How long a freeze lasts, or a drain that is to end by itself: 1 min to 7 days, whole seconds.</summary>
    public TimeSpan? ExpiresIn { get; init; }

    /// <summary>When it is to begin: later than now, within 30 days; null: at once. The rules are asked again then.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>When it must not begin any more: at most 24 h after <see cref="StartAt"/>; null: 15 min after it.</summary>
    public DateTimeOffset? WindowEndsAt { get; init; }

    /// <summary>The hub itself does it: two signals have to say that it is safe (SR-09).</summary>
    internal bool Automatic { get; init; }

    /// <summary>It is part of something that a second person has approved; null: it is not.</summary>
    internal string? ApprovedBy { get; init; }

    /// <summary>Id of the drain that it ends by itself, and no other one; null: it is not the end of a drain.</summary>
    internal string? Ends { get; init; }

    /// <summary>The drill that it is a part of; null: it stands for itself.</summary>
    internal string? PartOf { get; init; }

    /// <summary>One prefix; null: all that the pair shares.</summary>
    public IPNetwork? Prefix { get; init; }

    /// <summary>The new role (set-role).</summary>
    public Role? Role { get; init; }

    /// <summary>The node that is to be active (switchover); null: the other one.</summary>
    public string? Target { get; init; }

    /// <summary>The new policy (set-failback).</summary>
    public Failback? Failback { get; init; }

    /// <summary>Why, in the operator's words (SR-14): 3 to 500 characters.</summary>
    public string? Reason { get; init; }

    /// <summary>How long it may take; null: 30 s. 1 s to 10 min.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>The pair's revision that the operator saw (SR-04); null: not checked.</summary>
    public long? ExpectedRevision { get; init; }

    /// <summary>Rules that the operator overrides, by id: "SR-01".</summary>
    public ImmutableArray<string> OverrideRules { get; init; } = [];
}

/// <summary>Who asks, from where: what the audit keeps.</summary>
/// <param name="Name">User, "token NAME", or "token NAME of USER".</param>
/// <param name="RemoteAddress">Address that the request came from, or for which a trusted proxy asked; null: not from the network.</param>
/// <param name="ForwardedFor">What the request said for whom it was forwarded, as it stands there; "… via ADDRESS" when a trusted proxy said it. Only to be shown.</param>
public sealed record Actor(string Name, string? RemoteAddress, string? ForwardedFor)
{
    /// <summary>What it may do, as known when it asked. Nothing, unless whoever knows it says more.</summary>
    public Rights Rights { get; init; }

    /// <summary>Why somebody may not administer, for him.</summary>
    internal const string NeedsAdmin = "This needs the role Admin, or a token of scope admin.";

    /// <summary>It may change users, tokens, nodes that join, certificates and settings.</summary>
    internal bool MayAdminister => Rights.HasFlag(Rights.Administer);

    /// <summary>Session of the browser that it is done in; null: none.</summary>
    internal string? Session { get; init; }

    /// <summary>Who is behind the name, as the hub's tables know it; null: that is not known.</summary>
    internal Requester? Behind { get; init; }

    /// <summary>The request, when its sender may send it again: what it changes is written together with its key. Null: it has none.</summary>
    internal Data.Requests.RepeatableRequest? Request { get; init; }
}

/// <summary>What somebody may do. Roles of people and scopes of tokens come to these; rules and policies ask for one of them.</summary>
[Flags]
public enum Rights
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>See the fleet, operations and events.</summary>
    View = 1,

    /// <summary>See, verify and export the audit.</summary>
    Audit = 2,

    /// <summary>Set operations going.</summary>
    Operate = 4,

    /// <summary>Approve what somebody else asked for.</summary>
    Approve = 8,

    /// <summary>Users, tokens, nodes that join, certificates, settings.</summary>
    Administer = 16,

    /// <summary>Every one of them.</summary>
    All = View | Audit | Operate | Approve | Administer,
}

/// <summary>What one rule says to one request.</summary>
public sealed record RuleResult
{
    /// <summary>"SR-01".</summary>
    public required string RuleId { get; init; }

    /// <summary>"AtLeastOneAnnouncer".</summary>
    public required string Name { get; init; }

    /// <summary>Whether it allows the request.</summary>
    public required bool Passed { get; init; }

    /// <summary>The operator named this rule in the request and it may be overridden.</summary>
    public required bool Overridden { get; init; }

    /// <summary>Whether an override is possible at all.</summary>
    public required bool CanOverride { get; init; }

    /// <summary>What it saw, one English sentence.</summary>
    public required string Message { get; init; }

    /// <summary>What to do about it; null when it passed.</summary>
    public required string? Remedy { get; init; }

    /// <summary>HTTP status of a refusal by this rule.</summary>
    public required int HttpStatus { get; init; }

    /// <summary>When it may allow the same request; null: not by waiting, or it allows it now.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>It stands in the way.</summary>
    public bool Blocks => !Passed && !Overridden;
}

/// <summary>What would happen.</summary>
public sealed record OperationPreview
{
    /// <summary>Every rule that applies, in order of number.</summary>
    public required ImmutableArray<RuleResult> Rules { get; init; }

    /// <summary>The steps, in words.</summary>
    public required ImmutableArray<string> Steps { get; init; }

    /// <summary>"203.0.113.10 moves from node-a to node-b. Open TCP connections break."</summary>
    public required string TrafficEffect { get; init; }

    /// <summary>Someone could lose the address for a while: the operator types the pair's name.</summary>
    public required bool OutagePossible { get; init; }

    /// <summary>A second person has to approve it before anything is sent (SR-11).</summary>
    public bool NeedsApproval { get; init; }

    /// <summary>The same as a call of the API: method, path, body.</summary>
    public required string ApiCall { get; init; }

    /// <summary>What is left of it when one rule refuses before anything else was looked at.</summary>
    internal static OperationPreview Only(RuleResult rule) => new() { Rules = [rule], Steps = [], TrafficEffect = "", OutagePossible = false, ApiCall = "" };

    /// <summary>Nothing stands in the way.</summary>
    public bool Allowed => Rules.All(r => !r.Blocks);
}

/// <summary>An operation as it stands.</summary>
public sealed record OperationView
{
    /// <summary>Unique; also the correlation id of its events and audit entry.</summary>
    public required string Id { get; init; }

    /// <summary>What it does.</summary>
    public required OperationType Type { get; init; }

    /// <summary>Id of the pair.</summary>
    public required string PairId { get; init; }

    /// <summary>Name of the pair when it was asked for.</summary>
    public required string PairName { get; init; }

    /// <summary>The node it is about: target of a switchover.</summary>
    public required string? Node { get; init; }

    /// <summary>What it is about, in words: "Switch web over to node-b".</summary>
    public required string Title { get; init; }

    /// <summary>Where it stands.</summary>
    public required OperationStatus Status { get; init; }

    /// <summary>Outcome in one English sentence, null while it runs.</summary>
    public required string? Outcome { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>Who.</summary>
    public required string Actor { get; init; }

    /// <summary>When it was accepted.</summary>
    public required DateTimeOffset RequestedAt { get; init; }

    /// <summary>When it ended, null while it runs.</summary>
    public required DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The steps, with times.</summary>
    public required ImmutableArray<OperationStep> Steps { get; init; }

    /// <summary>When it is to begin, or was; null: as soon as it was accepted.</summary>
    public DateTimeOffset? ScheduledFor { get; init; }

    /// <summary>When it must not begin any more; null: it was not scheduled.</summary>
    public DateTimeOffset? WindowEndsAt { get; init; }

    /// <summary>Until when a second person may approve it; null: nobody is waited for.</summary>
    public DateTimeOffset? ApprovalEndsAt { get; init; }

    /// <summary>The second person; null: nobody was asked, or nobody has approved it.</summary>
    public string? ApprovedBy { get; init; }

    /// <summary>What each rule said when it was let in; of one that has waited, when it began. Empty: it was let in by an earlier version, or nothing of it has begun.</summary>
    public ImmutableArray<RuleResult> Rules { get; init; } = [];

    /// <summary>It waits for a second person or for its time: nothing of it has been begun.</summary>
    public bool IsWaiting => Status == OperationStatus.PendingApproval || (Status == OperationStatus.Queued && ScheduledFor is not null);

    /// <summary>It has ended. <see cref="OperationStatus.OutcomeUnknown"/> has not: it is still to be settled.</summary>
    public bool IsFinished => Status is OperationStatus.Succeeded or OperationStatus.Failed or OperationStatus.Refused or OperationStatus.TimedOut or OperationStatus.Cancelled;
}

/// <summary>One step of an operation.</summary>
/// <param name="Title">"Demote node-a to secondary".</param>
/// <param name="Status">Where it stands.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="FinishedAt">When it ended.</param>
/// <param name="Detail">What was observed, or why it failed.</param>
public sealed record OperationStep(string Title, StepStatus Status, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, string? Detail);

/// <summary>Answer to a submitted request. A closed family.</summary>
public abstract record SubmitResult
{
    private SubmitResult()
    {
    }

    /// <summary>Audited, stored, under way.</summary>
    /// <param name="OperationId">To follow it by.</param>
    public sealed record Accepted(string OperationId) : SubmitResult;

    /// <summary>A rule stands in the way; the attempt is in the audit.</summary>
    /// <param name="Preview">All rules, the blocking ones among them.</param>
    public sealed record Refused(OperationPreview Preview) : SubmitResult;

    /// <summary>Whoever asks may not do that; the attempt is in the audit.</summary>
    /// <param name="Why">Which role is missing, for the operator.</param>
    public sealed record Forbidden(string Why) : SubmitResult;

    /// <summary>No such pair, node or prefix, or the request does not make sense.</summary>
    /// <param name="Problem">Each problem by the name of its field.</param>
    public sealed record Invalid(ImmutableDictionary<string, string> Problem) : SubmitResult;

    /// <summary>No such pair or node.</summary>
    /// <param name="What">"No pair is called 'web'."</param>
    public sealed record NotFound(string What) : SubmitResult;

    /// <summary>It comes too late: the operation that it is about is not in a state in which that can be done.</summary>
    /// <param name="Why">For the operator.</param>
    public sealed record TooLate(string Why) : SubmitResult;

    /// <summary>The audit entry could not be written, so nothing was done.</summary>
    /// <param name="Why">For the operator.</param>
    public sealed record Unavailable(string Why) : SubmitResult;
}
