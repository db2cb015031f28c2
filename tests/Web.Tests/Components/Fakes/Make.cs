using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Tests.Components.Fakes;

/// <summary>Well-formed values of the rooms' models; a test changes with `with` what it is about.</summary>
internal static class Make
{
    public static readonly DateTimeOffset At = new(2026, 11, 22, 14, 0, 0, TimeSpan.Zero);

    public static readonly IPNetwork Prefix = IPNetwork.Parse("203.0.113.10/32");

    public static SessionView Session(int number, BgpSessionState state = BgpSessionState.Established, string? error = null, DateTimeOffset? now = null) => new()
    {
        Neighbor = $"2600:3c0f:18:34::{number}",
        State = state,
        StateSince = (now ?? At) - TimeSpan.FromMinutes(42),
        LastError = error,
        LastErrorAt = error is null ? null : (now ?? At) - TimeSpan.FromMinutes(43),
        LastErrorFromPeer = error is not null && number % 2 == 1,
        HoldTime = state == BgpSessionState.Established ? TimeSpan.FromSeconds(9) : null,
        MessagesReceived = 840 + number,
        MessagesSent = 842 + number,
        Flaps = error is null ? 0 : 1,
    };

    public static PrefixView PrefixOn(Role? assigned, Role? reported, IPNetwork? prefix = null) => new()
    {
        Prefix = prefix ?? Prefix,
        AssignedRole = assigned,
        ReportedRole = reported,
        Announced = reported is not null,
        WithdrawnReason = reported is null ? WithdrawnReason.Drained : null,
        AddressPresent = true,
        SessionsCarrying = reported is null ? 0 : 4,
    };

    public static NodeView Node(string name, Role? role, NodeLink link = NodeLink.Connected, DateTimeOffset? heard = null, params ImmutableArray<SessionView> sessions) => new()
    {
        Name = name,
        Link = link,
        LastReportAt = heard ?? At,
        ConnectedSince = link == NodeLink.Connected ? (heard ?? At) - TimeSpan.FromHours(3) : null,
        AgentVersion = "0.1.0",
        DataCenter = "18",
        RemoteAddress = "127.0.0.1",
        IntentRevision = 7,
        ReportedRevision = 7,
        AssignedDrained = role is null,
        Drained = role is null,
        Health = Health.Healthy,
        Prefixes = [PrefixOn(role ?? Role.Secondary, role)],
        Sessions = sessions.IsDefaultOrEmpty ? [Session(1, now: heard), Session(2, now: heard), Session(3, now: heard), Session(4, now: heard)] : sessions,
    };

    public static PairView Pair(string name, PairState state, string reason, string? active, params ImmutableArray<NodeView> nodes) => new()
    {
        Id = "id-" + name,
        Name = name,
        State = state,
        StateReason = reason,
        PreferredNode = nodes[0].Name,
        ActiveNode = active,
        ActiveNodeBasis = active is null ? ActiveNodeBasis.Unknown : ActiveNodeBasis.Inferred,
        Prefixes = [.. nodes.SelectMany(node => node.Prefixes).Select(prefix => prefix.Prefix).Distinct()],
        Revision = 7,
        OperationId = null,
        Members = [.. nodes.Select(node => new MemberView { Node = node, Prefixes = node.Prefixes })],
    };

    public static PairView HealthyPair(string name = "web") =>
        Pair(name, PairState.Healthy, "Both nodes announce, node-a is active.", "node-a", Node("node-a", Role.Primary), Node("node-b", Role.Secondary));

    public static FleetSnapshot Fleet(params ImmutableArray<PairView> pairs) => new()
    {
        At = At,
        Version = 1,
        Pairs = pairs,
        Nodes = [.. pairs.SelectMany(pair => pair.Members).Select(member => member.Node)],
    };

    public static RuleResult Rule(string id, string name, bool passed, bool canOverride = false, string message = "As it should be.", string? remedy = null) => new()
    {
        RuleId = id,
        Name = name,
        Passed = passed,
        Overridden = false,
        CanOverride = canOverride,
        Message = message,
        Remedy = remedy,
        HttpStatus = passed ? 200 : 409,
    };

    public static OperationPreview Preview(bool outage = false, params ImmutableArray<RuleResult> rules) => new()
    {
        Rules = rules.IsDefaultOrEmpty ? [Rule("SR-01", "AtLeastOneAnnouncer", true), Rule("SR-03", "TargetReady", true), Rule("SR-14", "ReasonRequired", true)] : rules,
        Steps = ["Promote node-b to primary", "Demote node-a to secondary", "See node-b answer"],
        TrafficEffect = "203.0.113.10 moves from node-a to node-b. Open TCP connections break.",
        OutagePossible = outage,
        ApiCall = "POST /api/v1/pairs/web/operations\n{\"type\":\"switchover\",\"reason\":\"…\"}",
    };

    public static OperationView Operation(string id = "op-1", OperationStatus status = OperationStatus.Running) => new()
    {
        Id = id,
        Type = OperationType.Switchover,
        PairId = "id-web",
        PairName = "web",
        Node = "node-b",
        Title = "Switch web over to node-b",
        Status = status,
        Outcome = status == OperationStatus.Running ? null : "node-b answers for 203.0.113.10.",
        Reason = "Kernel update on node-a",
        Actor = "operator",
        RequestedAt = At,
        FinishedAt = status == OperationStatus.Running ? null : At.AddSeconds(2),
        Steps =
        [
            new("Promote node-b to primary", StepStatus.Succeeded, At, At.AddSeconds(0.4), "Applied on 4 sessions."),
            new("Demote node-a to secondary", status == OperationStatus.Running ? StepStatus.Running : StepStatus.Succeeded, At.AddSeconds(0.4), status == OperationStatus.Running ? null : At.AddSeconds(1), null),
            new("See node-b answer", status == OperationStatus.Running ? StepStatus.Pending : StepStatus.Succeeded, null, null, null),
        ],
    };

    public static EventRecord Event(long id, string kind = "role-changed", EventSeverity severity = EventSeverity.Info, string text = "node-b announces 203.0.113.10/32 as primary.", string? operation = null) => new()
    {
        Id = id,
        At = At.AddSeconds(id),
        RecordedAt = At.AddSeconds(id),
        Kind = kind,
        Severity = severity,
        Pair = "web",
        Node = "node-b",
        Prefix = "203.0.113.10/32",
        Text = text,
        OperationId = operation,
    };

    public static AuditEntry AuditEntry(long id, string action = "switchover", string outcome = "accepted", string? operation = null) => new()
    {
        Id = id,
        At = At.AddSeconds(id),
        Actor = "operator",
        RemoteAddress = "127.0.0.1",
        ForwardedFor = null,
        Action = action,
        Target = "pair web",
        Reason = "Kernel update on node-a",
        Before = "{\"active\":\"node-a\"}",
        After = "{\"active\":\"node-b\"}",
        Outcome = outcome,
        CorrelationId = operation,
        PreviousHash = new string('0', 64),
        Hash = new string('a', 64),
    };

    public static TargetReachability Target(ReachabilityState state, params ImmutableArray<ProbeSample> samples) => new()
    {
        Prefix = Prefix,
        Address = Prefix.BaseAddress,
        Method = ProbeMethod.Icmp,
        Port = null,
        VantagePoint = "hub",
        State = state,
        Recent = samples,
        Problem = null,
    };

    /// <summary>Answered probes, one a second, the newest at <see cref="At"/>.</summary>
    public static ImmutableArray<ProbeSample> Samples(int count, double milliseconds = 1) =>
        [.. Enumerable.Range(0, count).Select(i => new ProbeSample(At.AddSeconds(i - count + 1), TimeSpan.FromMilliseconds(milliseconds), null))];
}
