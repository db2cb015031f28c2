using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Web.Fleet;

/// <summary>The fleet as it was known at one moment. Immutable; a newer one replaces it.</summary>
public sealed record FleetSnapshot
{
    /// <summary>When it was computed. Ages and links in it are as of then.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Grows with every change, within one run of the hub.</summary>
    public required long Version { get; init; }

    /// <summary>Pairs by name.</summary>
    public required ImmutableArray<PairView> Pairs { get; init; }

    /// <summary>Nodes by name.</summary>
    public required ImmutableArray<NodeView> Nodes { get; init; }

    /// <summary>All pairs are frozen; null: they are not, though one or the other may be.</summary>
    public FreezeView? Freeze { get; init; }

    /// <summary>Nothing known yet.</summary>
    public static FleetSnapshot Empty { get; } = new() { At = DateTimeOffset.UnixEpoch, Version = 0, Pairs = [], Nodes = [] };

    /// <summary>The pair with this id or name, or null.</summary>
    public PairView? FindPair(string idOrName) =>
        Pairs.FirstOrDefault(p => p.Id == idOrName) ?? Pairs.FirstOrDefault(p => string.Equals(p.Name, idOrName, StringComparison.OrdinalIgnoreCase));

    /// <summary>The node with this name, or null.</summary>
    public NodeView? FindNode(string name) => Nodes.FirstOrDefault(n => string.Equals(n.Name, name, StringComparison.OrdinalIgnoreCase));
}

/// <summary>A pair as it is now.</summary>
public sealed record PairView
{
    /// <summary>Never changes, also when the pair is renamed.</summary>
    public required string Id { get; init; }

    /// <summary>For people and URLs; unique.</summary>
    public required string Name { get; init; }

    /// <summary>The worst that holds.</summary>
    public required PairState State { get; init; }

    /// <summary>Why it is in that state, one English sentence.</summary>
    public required string StateReason { get; init; }

    /// <summary>The node that should be active when all is well.</summary>
    public required string? PreferredNode { get; init; }

    /// <summary>The node that the address is routed to, null when that is not known.</summary>
    public required string? ActiveNode { get; init; }

    /// <summary>How <see cref="ActiveNode"/> is known.</summary>
    public required ActiveNodeBasis ActiveNodeBasis { get; init; }

    /// <summary>When the node that was observed answered the oldest of the questions that say so; null: it was not observed.</summary>
    public DateTimeOffset? ActiveObservedAt { get; init; }

    /// <summary>Who answers on the pair's addresses, as far as is known now; in the order of the prefixes.</summary>
    public ImmutableArray<AnswerView> Answers { get; init; } = [];

    /// <summary>What is wrong with who answers, the worst of it; null: nothing that is known.</summary>
    public AnswerMark? AnswerMark => Answers.Select(a => a.Mark).OfType<AnswerMark>().MinBy(m => m.Kind switch { AnswerMarkKind.Forged => 0, AnswerMarkKind.Split => 1, _ => 2 });

    /// <summary>What the nodes share, in order.</summary>
    public required ImmutableArray<IPNetwork> Prefixes { get; init; }

    /// <summary>What becomes of the preferred node when it returns: what was set for the pair, else what the hub asks for with the next intent.</summary>
    public Failback Failback { get; init; } = Failback.Default;

    /// <summary>An operator has set it.</summary>
    public bool FailbackIsSet { get; init; }

    /// <summary>Nothing may be done to it, and nothing fails back by itself, until its end; null: it is not frozen.</summary>
    public FreezeView? Freeze { get; init; }

    /// <summary>Grows with every accepted change of what is wanted; an operator's request names the one it saw (SR-04).</summary>
    public required long Revision { get; init; }

    /// <summary>Id of the operation that is under way, or null; of the drill while one is, from its beginning to its end.</summary>
    public required string? OperationId { get; init; }

    /// <summary>Id of the operation that moves its addresses just now, or null; a drill makes two such operations, and between them nothing moves.</summary>
    public string? MoveId { get; init; }

    /// <summary>The nodes, by name.</summary>
    public required ImmutableArray<MemberView> Members { get; init; }

    /// <summary>The physical host that more than one of its nodes runs on: when that breaks there is none left to take over. Null: none that is known.</summary>
    public string? SharedHost => Members.Length < 2 ? null : Members.Select(m => m.Node.Host).OfType<string>().GroupBy(h => h, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Skip(1).Any())?.Key;

    /// <summary>Nodes of its data center that report an address of it, or of one of its nodes, and are not of it, by name. Only an operator makes one of them a member.</summary>
    public ImmutableArray<ClaimantView> Claimants { get; init; } = [];
}

/// <summary>A node that reports addresses of a pair that it is not of.</summary>
/// <param name="Node">Its name.</param>
/// <param name="Prefixes">Which.</param>
public sealed record ClaimantView(string Node, ImmutableArray<IPNetwork> Prefixes);

/// <summary>One node seen as a member of one pair.</summary>
public sealed record MemberView
{
    /// <summary>The node.</summary>
    public required NodeView Node { get; init; }

    /// <summary>The pair's prefixes on this node, in the pair's order; a prefix that it does not have is absent.</summary>
    public required ImmutableArray<PrefixView> Prefixes { get; init; }

    /// <summary>Nothing that the hub keeps speaks against its being primary by its own configuration.</summary>
    internal bool MayBePrimary { get; init; }

    private PrefixLookup _lookup;

    /// <summary>The pair's prefix on this node; null: it does not have it.</summary>
    internal PrefixView? Find(IPNetwork prefix) => _lookup.Find(Prefixes, prefix);
}

/// <summary>
/// What the configuration of a node lets the hub ask of it. The node refuses an intent that asks for more as a whole; on the node itself everything may be
/// ordered all the same.
/// </summary>
/// <param name="Drain">To drain it, and to lift a drain that was ordered on the node itself.</param>
/// <param name="Promote">To make a prefix primary that is not assigned primary.</param>
/// <param name="Demote">To take the role of primary from a prefix that is assigned primary.</param>
public sealed record IntentLimits(bool Drain, bool Promote, bool Demote)
{
    /// <summary>Everything may be asked.</summary>
    public bool AllowEverything => Drain && Promote && Demote;
}

/// <summary>A node as it is now, with the age of that knowledge.</summary>
public sealed record NodeView
{
    /// <summary>Unique in the fleet.</summary>
    public required string Name { get; init; }

    /// <summary>How much is known of it now.</summary>
    public required NodeLink Link { get; init; }

    /// <summary>Who it is, with its certificate; null: it has none.</summary>
    public NodeIdentityView? Identity { get; init; }

    /// <summary>The last sign that two machines use its identity, one English sentence; null: none within the last hour.</summary>
    public string? CloneSign { get; init; }

    /// <summary>When that was.</summary>
    public DateTimeOffset? CloneSignAt { get; init; }

    /// <summary>Why its certificate was turned away the last time, with what to do; null: it was not, or it has come in since.</summary>
    public string? Refusal { get; init; }

    /// <summary>When that was.</summary>
    public DateTimeOffset? RefusedAt { get; init; }

    /// <summary>Where that came from.</summary>
    public string? RefusedFrom { get; init; }

    /// <summary>When the last report came (hub's clock), null: never.</summary>
    public required DateTimeOffset? LastReportAt { get; init; }

    /// <summary>Since when the stream is open, null: it is not.</summary>
    public required DateTimeOffset? ConnectedSince { get; init; }

    /// <summary>Agent's version, empty when never seen.</summary>
    public required string AgentVersion { get; init; }

    /// <summary>Decimal data-center id, empty when not known.</summary>
    public required string DataCenter { get; init; }

    /// <summary>Address that the stream comes from, null when never seen.</summary>
    public required string? RemoteAddress { get; init; }

    /// <summary>Revision of the intent that the hub wants it to obey; 0: its own configuration.</summary>
    public required long IntentRevision { get; init; }

    /// <summary>Revision that its last report obeys.</summary>
    public required long ReportedRevision { get; init; }

    /// <summary>The hub wants it drained.</summary>
    public required bool AssignedDrained { get; init; }

    /// <summary>It reports itself drained: by the hub's intent, or by a command on the node itself.</summary>
    public required bool Drained { get; init; }

    /// <summary>Somebody drained it on the node itself.</summary>
    public bool LocallyDrained { get; init; }

    /// <summary>Why it did not take its newest configuration and goes on with the one before; null: it took it.</summary>
    public string? ConfigurationProblem { get; init; }

    /// <summary>Which address its kernel does not add or take off, as of its last report; null: none.</summary>
    public string? AddressProblem { get; init; }

    /// <summary>Id of the physical host that it runs on, as its platform says; null: not known.</summary>
    public string? Host { get; init; }

    /// <summary>UDP port on which it answers who it is, as of its last report; null: it does not.</summary>
    public int? IdentityPort { get; init; }

    /// <summary>What its own configuration lets an intent ask; null: its agent does not say, and may refuse all the same.</summary>
    public IntentLimits? Limits { get; init; }

    /// <summary>What its agent says it can: "failback", "local-commands".</summary>
    public ImmutableArray<string> Capabilities { get; init; } = [];

    /// <summary>Its health checks as last reported.</summary>
    public ImmutableArray<CheckView> Checks { get; init; } = [];

    /// <summary>Verdict of its checks as last reported.</summary>
    public required Health Health { get; init; }

    /// <summary>All prefixes of the node.</summary>
    public required ImmutableArray<PrefixView> Prefixes { get; init; }

    /// <summary>Its BGP sessions as last reported.</summary>
    public required ImmutableArray<SessionView> Sessions { get; init; }

    /// <summary>Number of sessions in Established.</summary>
    public int EstablishedSessions => Sessions.Count(s => s.State == BgpSessionState.Established);

    /// <summary>Whether its last report may be called current.</summary>
    public bool IsFresh => Link == NodeLink.Connected;

    /// <summary>Whether its agent keeps failback policies by itself.</summary>
    public bool KeepsFailback => Capabilities.Contains("failback");

    /// <summary>It has reported in this run of the hub: what it does not have it said itself.</summary>
    internal bool HasReported { get; init; }

    private PrefixLookup _lookup;

    /// <summary>The prefix on this node; null: it does not have it.</summary>
    internal PrefixView? Find(IPNetwork prefix) => _lookup.Find(Prefixes, prefix);
}

/// <summary>One prefix on one node: wanted beside reported.</summary>
public sealed record PrefixView
{
    /// <summary>The prefix.</summary>
    public required IPNetwork Prefix { get; init; }

    /// <summary>What is wanted, null: nothing.</summary>
    public required Role? AssignedRole { get; init; }

    /// <summary>What was on the wire at the last report, null: withdrawn.</summary>
    public required Role? ReportedRole { get; init; }

    /// <summary>Announced at the last report.</summary>
    public required bool Announced { get; init; }

    /// <summary>Why not announced, null when it is.</summary>
    public required WithdrawnReason? WithdrawnReason { get; init; }

    /// <summary>The address is on an interface of the node.</summary>
    public required bool AddressPresent { get; init; }

    /// <summary>Established sessions on which the last UPDATE for it was written.</summary>
    public required int SessionsCarrying { get; init; }

    /// <summary>Verdict of the checks that concern it.</summary>
    public Health Health { get; init; }

    /// <summary>Failback policy in force on the node; null: an agent that keeps none, or not known.</summary>
    public Failback? Failback { get; init; }

    /// <summary>It announces as secondary although it is assigned primary; null: nothing is held back.</summary>
    public FailbackHold? Hold { get; init; }

    /// <summary>Withdrawn because it came and went too often.</summary>
    public bool Damped { get; init; }

    /// <summary>Role that somebody gave it on the node itself, against the hub's intent; null: nobody did.</summary>
    public Role? LocalRole { get; init; }
}

/// <summary>One BGP session as its node reports it.</summary>
public sealed record SessionView
{
    /// <summary>Neighbor's address, with the port when it is not 179.</summary>
    public required string Neighbor { get; init; }

    /// <summary>State.</summary>
    public required BgpSessionState State { get; init; }

    /// <summary>Since when (node's clock).</summary>
    public required DateTimeOffset? StateSince { get; init; }

    /// <summary>Last error in words, null: none yet.</summary>
    public required string? LastError { get; init; }

    /// <summary>When that was (node's clock).</summary>
    public required DateTimeOffset? LastErrorAt { get; init; }

    /// <summary>The neighbor said so, else the node did.</summary>
    public required bool LastErrorFromPeer { get; init; }

    /// <summary>Negotiated hold time, null while not established.</summary>
    public required TimeSpan? HoldTime { get; init; }

    /// <summary>Messages received since the agent started.</summary>
    public required long MessagesReceived { get; init; }

    /// <summary>Messages sent since the agent started.</summary>
    public required long MessagesSent { get; init; }

    /// <summary>Times it left Established since the agent started.</summary>
    public required int Flaps { get; init; }
}

/// <summary>A freeze that is in force.</summary>
/// <param name="Until">When it ends by itself.</param>
/// <param name="By">Who asked for it.</param>
/// <param name="Reason">Why.</param>
/// <param name="OfAll">It is of all pairs.</param>
public sealed record FreezeView(DateTimeOffset Until, string By, string Reason, bool OfAll);
