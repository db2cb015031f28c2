using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability.Probing;

namespace FailoverHub.Web.Reachability.Vantages;

/// <summary>What there is to assign, and to whom.</summary>
/// <param name="Targets">Shared addresses first, then what operators have added.</param>
/// <param name="Nodes">Nodes that are connected and offer themselves, by id.</param>
/// <param name="OnlyHere">Ids of targets that mean something on the hub's machine only.</param>
internal sealed record VantageCandidates(ImmutableArray<VantageTarget> Targets, ImmutableArray<VantageNode> Nodes, ImmutableArray<string> OnlyHere)
{
    public static VantageCandidates None { get; } = new([], [], []);

    /// <summary>Asks for the same assignment.</summary>
    public bool IsTheSameAs(VantageCandidates other) => Nodes.SequenceEqual(other.Nodes) && OnlyHere.SequenceEqual(other.OnlyHere) && Targets.SequenceEqual(other.Targets);

    /// <summary>
    /// Finds them. Pure. A node does not ask an address that it has itself: of a pair that it is of or claims to be of, one that it reports, or the one that it connects from.
    /// </summary>
    /// <param name="fleet">Who shares what.</param>
    /// <param name="known">What the hub probes.</param>
    /// <param name="offered">Ids and present names of the nodes that offer themselves.</param>
    public static VantageCandidates Of(FleetSnapshot fleet, ImmutableArray<KnownTarget> known, IEnumerable<VantageName> offered)
    {
        Dictionary<string, VantageName> byName = new(StringComparer.OrdinalIgnoreCase);
        foreach (VantageName node in offered)
        {
            byName[node.Name] = node;
        }

        NodeView[] views = [.. fleet.Nodes.Where(n => byName.ContainsKey(n.Name))];
        ImmutableArray<VantageNode> nodes = [.. views.Select(v => new VantageNode(byName[v.Name].Id, v.Name, v.DataCenter)).OrderBy(n => n.Id, StringComparer.Ordinal)];
        ILookup<IPNetwork, string> holders = views.SelectMany(v => v.Prefixes.Select(p => (p.Prefix, v.Name))).Concat(views.SelectMany(OwnAddress)).ToLookup(h => h.Item1, h => h.Item2);
        Dictionary<string, PairView> pairs = fleet.Pairs.DistinctBy(p => p.Name).ToDictionary(p => p.Name, StringComparer.Ordinal);
        var targets = ImmutableArray.CreateBuilder<VantageTarget>();
        var onlyHere = ImmutableArray.CreateBuilder<string>();
        foreach (ProbeTarget target in known.Select(k => k.Target).Where(t => t.IsShared || t.Named is not null).OrderBy(t => !t.IsShared))
        {
            if (target.Address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 })
            {
                onlyHere.Add(target.Id);
                continue;
            }

            PairView? pair = pairs.GetValueOrDefault(target.Pair);
            IEnumerable<string> sharing = pair is null ? [] : pair.Members.Select(m => m.Node.Name).Concat(pair.Claimants.Select(c => c.Node));
            IEnumerable<string> not = sharing.Where(byName.ContainsKey).Concat(NetworksOf(target).SelectMany(n => holders[n]));
            targets.Add(new VantageTarget(
                target.Id,
                pair?.Members.Select(m => m.Node.DataCenter).FirstOrDefault(d => d.Length > 0) ?? "",
                [.. not.Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase)]));
        }

        return new VantageCandidates(targets.ToImmutable(), nodes, onlyHere.ToImmutable());
    }

    private static IEnumerable<(IPNetwork, string)> OwnAddress(NodeView node) =>
        IPAddress.TryParse(node.RemoteAddress, out IPAddress? address) ? [(ProbeTarget.Alone(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address), node.Name)] : [];

    /// <summary>Every network that a node may share and this address may be in.</summary>
    private static IEnumerable<IPNetwork> NetworksOf(ProbeTarget target)
    {
        if (target.IsShared)
        {
            yield return target.Prefix;
        }

        if (target.Named is { Host: null })
        {
            yield break;
        }

        IPAddress address = target.Address.IsIPv4MappedToIPv6 ? target.Address.MapToIPv4() : target.Address;
        yield return ProbeTarget.Alone(address);
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            yield return Around(address, 64);
            yield return Around(address, 56);
        }
    }

    private static IPNetwork Around(IPAddress address, int length)
    {
        byte[] bytes = address.GetAddressBytes();
        bytes.AsSpan(length / 8).Clear();
        return new IPNetwork(new IPAddress(bytes), length);
    }
}
