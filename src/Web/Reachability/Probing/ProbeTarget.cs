using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability.Targets;

namespace FailoverHub.Web.Reachability.Probing;

/// <summary>One address that is to be probed.</summary>
/// <param name="Prefix">The shared prefix that it stands for; of what is not shared, the address alone.</param>
/// <param name="Address">The address; <see cref="IPAddress.Any"/>: a URL whose name is looked up each time.</param>
/// <param name="Pair">Name of the pair that shares it, for events; empty: no pair.</param>
internal sealed record ProbeTarget(IPNetwork Prefix, IPAddress Address, string Pair)
{
    /// <summary>So many are probed at most: what is shared first, then what operators have added, then nodes.</summary>
    public const int Most = 5_000;

    /// <summary>What the id of a node's own address begins with.</summary>
    public const string NodePrefix = "node:";

    private static readonly TimeSpan LongestTimeout = TimeSpan.FromSeconds(5);

    /// <summary>By which it is known among all targets and in the database.</summary>
    public string Id { get; init; } = Prefix.ToString();

    /// <summary>As an operator knows it.</summary>
    public string Label => Named?.Name ?? (Node is { } node ? $"{node} ({Address})" : Address.ToString());

    /// <summary>What operators have said of it; null: they have not added it.</summary>
    public NamedTarget? Named { get; init; }

    /// <summary>The node whose own address it is; null: it is none.</summary>
    public string? Node { get; init; }

    /// <summary>It is a gateway of the hub's own machine, asked so that the hub notices when it is itself cut off.</summary>
    public bool IsGateway { get; init; }

    /// <summary>How it is asked; null: as all shared addresses are.</summary>
    public IProbe? Probe { get; init; }

    /// <summary>It is shared by a pair, which is why it may be looked at closely, and why its loss is critical.</summary>
    public bool IsShared => Named is null && Node is null;

    /// <summary>From one probe to the next while nothing happens.</summary>
    public TimeSpan Interval => Named?.Draft.Interval ?? ProbePace.Default.Period;

    /// <summary>An answer has to come within that: always before the next probe, unless it is looked at closely.</summary>
    public TimeSpan Timeout => Interval * 0.9 < LongestTimeout && Named?.Draft.Kind == NamedTargetKind.Http ? Interval * 0.9
        : Named?.Draft.Kind == NamedTargetKind.Http ? LongestTimeout : ProbePace.Default.Period * 0.9;

    /// <summary>How long after a session came or went the address is still looked at closely.</summary>
    private static readonly TimeSpan NewsFor = TimeSpan.FromSeconds(30);

    /// <summary>Something happens to it by what the nodes report: an operation runs, or a session has just come or gone.</summary>
    public bool Changing { get; init; }

    /// <summary>The operation that is moving it now; null: none is.</summary>
    public string? MoveId { get; init; }

    /// <summary>What should be probed by what is known of the fleet: every shared prefix once, in order of its text.</summary>
    public static ImmutableArray<ProbeTarget> Of(FleetSnapshot fleet) =>
    [
        .. fleet.Pairs
            .SelectMany(pair => pair.Prefixes.Select(prefix => new ProbeTarget(prefix, AddressOf(prefix), pair.Name) { Changing = IsChanging(pair, fleet.At), MoveId = pair.MoveId }))
            .DistinctBy(target => target.Prefix)
            .OrderBy(target => target.Prefix.ToString(), StringComparer.Ordinal),
    ];

    /// <summary>Everything: what is shared, what operators have added, and the nodes by the address that they connect from, where that is not the hub's own machine.</summary>
    public static ImmutableArray<ProbeTarget> Of(FleetSnapshot fleet, ImmutableArray<ProbeTarget> named) =>
    [
        .. Of(fleet).Concat(named).Concat(fleet.Nodes.Select(OfNode).OfType<ProbeTarget>().OrderBy(t => t.Id, StringComparer.Ordinal)).Take(Most),
    ];

    private static ProbeTarget? OfNode(NodeView node) =>
        IPAddress.TryParse(node.RemoteAddress, out IPAddress? parsed) && (parsed.IsIPv4MappedToIPv6 ? parsed.MapToIPv4() : parsed) is var address && !IPAddress.IsLoopback(address)
            ? new ProbeTarget(Alone(address), address, "") { Id = NodePrefix + node.Name, Node = node.Name }
            : null;

    /// <summary>The prefix of one address.</summary>
    public static IPNetwork Alone(IPAddress address) => new(new IPAddress(address.GetAddressBytes()), address.GetAddressBytes().Length * 8);

    /// <summary>Whether both snapshots give the same targets, found without making them; false when that is not plain.</summary>
    public static bool AreTheSame(FleetSnapshot a, FleetSnapshot b)
    {
        if (ReferenceEquals(a, b))
        {
            return true;
        }

        if (a.Pairs.Length != b.Pairs.Length || a.Nodes.Length != b.Nodes.Length)
        {
            return false;
        }

        for (int i = 0; i < a.Pairs.Length; i++)
        {
            // A pair keeps its prefixes, the very same array, until they change.
            if (!ReferenceEquals(a.Pairs[i], b.Pairs[i]) && (a.Pairs[i].Prefixes != b.Pairs[i].Prefixes || a.Pairs[i].Name != b.Pairs[i].Name || IsMoving(a.Pairs[i]) != IsMoving(b.Pairs[i]) || a.Pairs[i].MoveId != b.Pairs[i].MoveId))
            {
                return false;
            }
        }

        for (int i = 0; i < a.Nodes.Length; i++)
        {
            if (a.Nodes[i].RemoteAddress != b.Nodes[i].RemoteAddress || a.Nodes[i].Name != b.Nodes[i].Name)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether an operation has begun to move an address from one snapshot to the next, found by a glance.</summary>
    public static bool BeginsToMove(FleetSnapshot before, FleetSnapshot after)
    {
        for (int i = 0; i < after.Pairs.Length; i++)
        {
            PairView? was = i < before.Pairs.Length ? before.Pairs[i] : null;
            if (!ReferenceEquals(was, after.Pairs[i]) && after.Pairs[i].MoveId is { } move && was?.MoveId != move)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A single address stands for itself; a wider prefix is probed at its first host.</summary>
    public static IPAddress AddressOf(IPNetwork prefix)
    {
        byte[] bytes = prefix.BaseAddress.GetAddressBytes();
        if (prefix.PrefixLength < bytes.Length * 8)
        {
            // The host bits of a network's base address are zero, so its last byte is even and this cannot carry.
            bytes[^1]++;
        }

        return new IPAddress(bytes);
    }

    private static bool IsMoving(PairView pair) => pair.OperationId is not null || pair.State == PairState.Switching;

    private static bool IsChanging(PairView pair, DateTimeOffset at) =>
        IsMoving(pair)
        || pair.Members.Any(m => m.Node.IsFresh && m.Node.Sessions.Any(s => s.StateSince is { } since && (at - since).Duration() < NewsFor));
}
