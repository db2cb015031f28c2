using FailoverHub.Web.Api.Identity;

namespace FailoverHub.Web.Api.Fleet;

/// <summary>A failover pair as it is now.</summary>
public sealed record PairDto
{
    /// <summary>Never changes, also when the pair is renamed.</summary>
    public required string Id { get; init; }

    /// <summary>For people and URLs; unique.</summary>
    public required string Name { get; init; }

    /// <summary>Healthy, Degraded, FailedOver, Switching, DualPrimary, NoAnnouncer, Frozen, Maintenance or Unknown: the worst that holds.</summary>
    public required string State { get; init; }

    /// <summary>How the preferred node gets the addresses back: what is wanted. What is in force stands with each node's prefixes.</summary>
    public required FailbackDto Failback { get; init; }

    /// <summary>An operator has set it; else it is what the hub asks for with the next change of the pair.</summary>
    public required bool FailbackIsSet { get; init; }

    /// <summary>The node that should be active when all is well.</summary>
    public required string? PreferredNode { get; init; }

    /// <summary>The node that the addresses are routed to now, null when that is not known.</summary>
    public required string? ActiveNode { get; init; }

    /// <summary>How activeNode is known: observed, inferred or unknown.</summary>
    public required string ActiveNodeBasis { get; init; }

    /// <summary>What the nodes share, CIDR.</summary>
    public required IReadOnlyList<string> Prefixes { get; init; }

    /// <summary>Grows with every accepted change; send it back as expectedRevision.</summary>
    public required long Revision { get; init; }

    /// <summary>Nothing may be done to it, and nothing fails back by itself, until its end; null: it is not frozen.</summary>
    public required FreezeDto? Freeze { get; init; }

    /// <summary>Id of the operation that is under way, or null.</summary>
    public required string? Operation { get; init; }

    /// <summary>The nodes, by name.</summary>
    public required IReadOnlyList<MemberDto> Members { get; init; }

    /// <summary>Nodes that report addresses of the pair, or of one of its nodes, and are not of it. No rule relies on them; POST /pairs/{pair}/members lets one in.</summary>
    public required IReadOnlyList<ClaimantDto> Claimants { get; init; }

    /// <summary>When the node answered that was observed; null: it was not observed. Never older than three seconds.</summary>
    public required DateTimeOffset? ActiveObservedAt { get; init; }

    /// <summary>Who answers on the addresses, as far as that is known now.</summary>
    public required IReadOnlyList<AnswerDto> Answers { get; init; }

    /// <summary>Id of the physical host that more than one of its nodes runs on: when that breaks nobody can take over. Null: none that is known.</summary>
    public required string? SharedHost { get; init; }
}

/// <summary>A node that reports addresses of a pair that it is not of.</summary>
/// <param name="Node">Its name.</param>
/// <param name="Prefixes">Which, CIDR.</param>
public sealed record ClaimantDto(string Node, IReadOnlyList<string> Prefixes);

/// <summary>Who answers on a shared address.</summary>
/// <param name="Prefix">CIDR.</param>
/// <param name="Node">The node that has proved that it answers; null: none has, or two do in turn.</param>
/// <param name="At">When it was asked.</param>
/// <param name="Ttl">TTL or hop limit with which its answer came; null: not known.</param>
/// <param name="Problem">split (two nodes answer in turn), elsewhere (another node than the one that announces it as primary) or forged (somebody answers as a node that he is not); null: none.</param>
/// <param name="Text">The same in a sentence; null: there is no problem.</param>
/// <param name="Since">Since when there is one.</param>
public sealed record AnswerDto(string Prefix, string? Node, DateTimeOffset At, int? Ttl, string? Problem, string? Text, DateTimeOffset? Since);

/// <summary>A freeze that is in force.</summary>
/// <param name="Until">When it ends by itself.</param>
/// <param name="By">Who asked for it.</param>
/// <param name="Reason">Why.</param>
/// <param name="AllPairs">It is of all pairs.</param>
public sealed record FreezeDto(DateTimeOffset Until, string By, string Reason, bool AllPairs);

/// <summary>Failback policy: what becomes of an assigned primary that returns.</summary>
/// <param name="Policy">immediate (primary at once), after-stable (secondary until it has been well for a while), manual (secondary until an operator fails back) or sticky (nothing is held back).</param>
/// <param name="StableSeconds">With after-stable: how long it has to be well without a break, seconds; else 0.</param>
public sealed record FailbackDto(string Policy, int StableSeconds);

/// <summary>An assigned primary that announces as secondary for the present.</summary>
/// <param name="RemainingSeconds">Until it announces as primary by itself, as of now; null: it waits for an operator, nothing is counting, or the node is not connected.</param>
/// <param name="Reason">What it came back from and what it waits for, as the node says it.</param>
public sealed record FailbackHoldDto(double? RemainingSeconds, string Reason);

/// <summary>One node as a member of one pair.</summary>
public sealed record MemberDto
{
    /// <summary>Its name.</summary>
    public required string Node { get; init; }

    /// <summary>Connected, Stale, Offline, NeverSeen or Revoked.</summary>
    public required string Link { get; init; }

    /// <summary>When the last report came, by the hub's clock; everything below is as old as that. Null: never.</summary>
    public required DateTimeOffset? LastReportAt { get; init; }

    /// <summary>It reports itself drained: by the hub's intent, or by a command on the node itself.</summary>
    public required bool Drained { get; init; }

    /// <summary>Somebody drained it on the node itself.</summary>
    public required bool LocallyDrained { get; init; }

    /// <summary>Unknown, Healthy or Unhealthy.</summary>
    public required string Health { get; init; }

    /// <summary>Its BGP sessions, counted.</summary>
    public required SessionCountDto Sessions { get; init; }

    /// <summary>The pair's prefixes on this node.</summary>
    public required IReadOnlyList<MemberPrefixDto> Prefixes { get; init; }
}

/// <summary>BGP sessions, counted.</summary>
/// <param name="Established">In state Established.</param>
/// <param name="Configured">All.</param>
public sealed record SessionCountDto(int Established, int Configured);

/// <summary>One prefix on one node: wanted beside reported.</summary>
public record MemberPrefixDto
{
    /// <summary>CIDR.</summary>
    public required string Prefix { get; init; }

    /// <summary>What is wanted: primary or secondary; null: nothing.</summary>
    public required string? AssignedRole { get; init; }

    /// <summary>What is on the wire: primary or secondary; null: withdrawn.</summary>
    public required string? ReportedRole { get; init; }

    /// <summary>On the wire.</summary>
    public required bool Announced { get; init; }

    /// <summary>drained, unhealthy, address-missing, not-assigned or stopping; null when announced.</summary>
    public required string? WithdrawnReason { get; init; }

    /// <summary>Unknown, Healthy or Unhealthy: verdict of the checks that concern it.</summary>
    public required string Health { get; init; }

    /// <summary>Failback policy in force on the node; null: its agent keeps none.</summary>
    public required FailbackDto? Failback { get; init; }

    /// <summary>It is held back by its failback policy; null: it is not.</summary>
    public required FailbackHoldDto? FailbackHold { get; init; }

    /// <summary>Withdrawn because it came and went too often.</summary>
    public required bool Damped { get; init; }

    /// <summary>Role that somebody gave it on the node itself, against the hub's intent: primary or secondary; null: nobody did.</summary>
    public required string? LocalRole { get; init; }
}

/// <summary>One prefix on one node, with what only the node itself knows.</summary>
public sealed record NodePrefixDto : MemberPrefixDto
{
    /// <summary>The address is on an interface of the node.</summary>
    public required bool AddressPresent { get; init; }

    /// <summary>Established sessions on which the last UPDATE for it was written.</summary>
    public required int SessionsCarrying { get; init; }
}

/// <summary>A node as it is now.</summary>
public sealed record NodeDto
{
    /// <summary>Unique in the fleet.</summary>
    public required string Name { get; init; }

    /// <summary>Connected, Stale, Offline, NeverSeen or Revoked.</summary>
    public required string Link { get; init; }

    /// <summary>When the last report came, by the hub's clock; everything below is as old as that. Null: never.</summary>
    public required DateTimeOffset? LastReportAt { get; init; }

    /// <summary>Since when its stream is open, null: it is not.</summary>
    public required DateTimeOffset? ConnectedSince { get; init; }

    /// <summary>Empty when never seen.</summary>
    public required string AgentVersion { get; init; }

    /// <summary>Decimal data-center id, empty when not known.</summary>
    public required string DataCenter { get; init; }

    /// <summary>Address that its stream comes from.</summary>
    public required string? RemoteAddress { get; init; }

    /// <summary>Id of the physical host that it runs on, as its platform says; null: not known.</summary>
    public required string? Host { get; init; }

    /// <summary>Name of its pair, null: in none.</summary>
    public required string? Pair { get; init; }

    /// <summary>Who it is, with its newest certificate; null: it has none.</summary>
    public required NodeCertificateDto? Certificate { get; init; }

    /// <summary>A sign, not older than an hour, that two machines use its identity; null: none.</summary>
    public required string? CloneSign { get; init; }

    /// <summary>Why its certificate was turned away the last time, with what to do; null: it was not, or has come in since.</summary>
    public required string? Refusal { get; init; }

    /// <summary>Revision of the intent that the hub wants it to obey; 0: its own configuration.</summary>
    public required long IntentRevision { get; init; }

    /// <summary>Revision that its last report obeys.</summary>
    public required long ReportedRevision { get; init; }

    /// <summary>The hub wants it drained.</summary>
    public required bool AssignedDrained { get; init; }

    /// <summary>It reports itself drained: by the hub's intent, or by a command on the node itself.</summary>
    public required bool Drained { get; init; }

    /// <summary>Somebody drained it on the node itself.</summary>
    public required bool LocallyDrained { get; init; }

    /// <summary>Unknown, Healthy or Unhealthy.</summary>
    public required string Health { get; init; }

    /// <summary>All prefixes of the node.</summary>
    public required IReadOnlyList<NodePrefixDto> Prefixes { get; init; }

    /// <summary>Its BGP sessions.</summary>
    public required IReadOnlyList<SessionDto> Sessions { get; init; }

    /// <summary>Its health checks.</summary>
    public required IReadOnlyList<CheckDto> Checks { get; init; }

    /// <summary>Why it did not take its newest configuration and goes on with the one before; null: it took it.</summary>
    public required string? ConfigurationProblem { get; init; }

    /// <summary>Which address its kernel does not add or take off, and why; null: none.</summary>
    public required string? AddressProblem { get; init; }

    /// <summary>UDP port on which it answers who it is; null: it does not.</summary>
    public required int? IdentityPort { get; init; }

    /// <summary>What its own configuration lets the hub ask of it; null: its agent does not say.</summary>
    public required IntentLimitsDto? Limits { get; init; }

    /// <summary>What its agent says it can, such as failback or local-commands; empty until it connects.</summary>
    public required IReadOnlyList<string> Capabilities { get; init; }
}

/// <summary>What the configuration of a node lets the hub ask; what it does not the node refuses.</summary>
/// <param name="Drain">To drain it, and to lift a drain that was ordered on the node itself.</param>
/// <param name="Promote">To make a prefix primary that is not assigned primary.</param>
/// <param name="Demote">To take the role of primary from a prefix that is assigned primary.</param>
public sealed record IntentLimitsDto(bool Drain, bool Promote, bool Demote);

/// <summary>A health check as its node reports it. Times are the hub's clock, computed from how long ago it was by the node's.</summary>
public sealed record CheckDto
{
    /// <summary>Its name in the node's configuration.</summary>
    public required string Name { get; init; }

    /// <summary>tcp, http, command or process.</summary>
    public required string Kind { get; init; }

    /// <summary>Unknown (no verdict yet), Healthy or Unhealthy.</summary>
    public required string Verdict { get; init; }

    /// <summary>Since when, null: not known.</summary>
    public required DateTimeOffset? VerdictSince { get; init; }

    /// <summary>When it ran last, null: not yet.</summary>
    public required DateTimeOffset? LastRunAt { get; init; }

    /// <summary>How long that run took, milliseconds.</summary>
    public required long LastRunMs { get; init; }

    /// <summary>What it said, null: nothing.</summary>
    public required string? LastOutput { get; init; }

    /// <summary>What happens to the prefixes while it fails: withdraw or demote.</summary>
    public required string Consequence { get; init; }

    /// <summary>What it is about, CIDR; empty: all prefixes of the node.</summary>
    public required IReadOnlyList<string> Prefixes { get; init; }
}

/// <summary>One BGP session as its node reports it.</summary>
public sealed record SessionDto
{
    /// <summary>Address, with the port when it is not 179.</summary>
    public required string Neighbor { get; init; }

    /// <summary>Idle, Connect, Active, OpenSent, OpenConfirm or Established.</summary>
    public required string State { get; init; }

    /// <summary>Since when, by the node's clock.</summary>
    public required DateTimeOffset? StateSince { get; init; }

    /// <summary>Last error in words, null: none yet.</summary>
    public required string? LastError { get; init; }

    /// <summary>When that was, by the node's clock.</summary>
    public required DateTimeOffset? LastErrorAt { get; init; }

    /// <summary>The neighbor said so, else the node did.</summary>
    public required bool LastErrorFromPeer { get; init; }

    /// <summary>Negotiated hold time in seconds, null while not established.</summary>
    public required double? HoldTimeSeconds { get; init; }

    /// <summary>Since the agent started.</summary>
    public required long MessagesReceived { get; init; }

    /// <summary>Since the agent started.</summary>
    public required long MessagesSent { get; init; }

    /// <summary>Times it left Established since the agent started.</summary>
    public required int Flaps { get; init; }
}
