using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Web.Fleet;

/// <summary>
/// Finds pairs: nodes of one data center (or both of an unknown one) that report a common prefix. A pair once found keeps its id, its
/// name and its members; a node without a pair joins the pair whose prefix it reports.
/// </summary>
internal static class PairDiscovery
{
    /// <summary>The pairs as they follow from what nodes report now.</summary>
    /// <param name="facts">All that is known.</param>
    /// <param name="newId">Makes the id of a new pair.</param>
    /// <param name="reporter">The only node that reports otherwise than before; null: look at all of them.</param>
    /// <returns>The same object when nothing has changed.</returns>
    public static ImmutableSortedDictionary<string, PairFacts> Find(FleetFacts facts, Func<string> newId, string? reporter = null)
    {
        // A node that has its pair changes nobody else's: whoever has none is looked at only when one of those reports.
        if (reporter is not null && facts.PairOf(reporter) is { } own && Refresh(own, facts) is var fresh && fresh.Prefixes.Equals(own.Prefixes))
        {
            return ReferenceEquals(fresh, own) ? facts.Pairs : facts.Pairs.SetItem(own.Id, fresh);
        }

        var pairs = facts.Pairs;
        var free = new List<NodeFacts>();
        var ownerOf = FirstByPrefix(pairs.Values);
        foreach (var node in facts.Nodes.Values.Where(n => n.Report is not null && facts.PairOf(n.Name) is null))
        {
            if (FirstOf(node, ownerOf) is { } id)
            {
                pairs = pairs.SetItem(id, pairs[id] with { Members = pairs[id].Members.Add(node.Name) });
            }
            else
            {
                free.Add(node);
            }
        }

        foreach (var component in Components(free))
        {
            var members = component.Select(n => n.Name).ToImmutableSortedSet(StringComparer.OrdinalIgnoreCase);
            var shared = Shared(component);
            var id = newId();
            pairs = pairs.Add(id, new PairFacts
            {
                Id = id,
                Name = NameFor(members, shared[0], pairs.Values.Select(p => p.Name)),
                DataCenter = component[0].DataCenter,
                PreferredNode = null,
                Revision = 1,
                Members = members,
                Prefixes = shared,
            });
        }

        // Of the others nobody reports anything new.
        var concerned = reporter is null ? pairs.Values : pairs.Values.Where(p => p.Members.Contains(reporter) || !ReferenceEquals(p, facts.Pairs.GetValueOrDefault(p.Id)));
        foreach (var pair in concerned)
        {
            var refreshed = Refresh(pair, facts);
            pairs = ReferenceEquals(refreshed, pair) ? pairs : pairs.SetItem(pair.Id, refreshed);
        }

        return pairs;
    }

    /// <summary>A readable name: what the nodes' names have in common ("web" of web-1 and web-2), else the address.</summary>
    internal static string NameFor(IReadOnlyCollection<string> members, IPNetwork prefix, IEnumerable<string> taken)
    {
        var stem = members.Aggregate((a, b) => a[..a.Zip(b).TakeWhile(c => char.ToLowerInvariant(c.First) == char.ToLowerInvariant(c.Second)).Count()])
            .TrimEnd('-', '.', '_');
        var name = stem.Length >= 2 ? stem : prefix.BaseAddress.ToString();
        var names = taken.ToHashSet(StringComparer.OrdinalIgnoreCase);
        return Enumerable.Range(1, names.Count + 1).Select(i => i == 1 ? name : $"{name}-{i}").First(n => !names.Contains(n));
    }

    /// <summary>Which pair has a prefix, of several the first. A fleet that comes for the first time has as many nodes without a pair as it has pairs: no node can be compared with each of them.</summary>
    private static Dictionary<(string DataCenter, IPNetwork Prefix), (int Place, string Id)> FirstByPrefix(IEnumerable<PairFacts> pairs)
    {
        var first = new Dictionary<(string, IPNetwork), (int, string)>();
        var place = 0;
        foreach (var pair in pairs)
        {
            place++;
            foreach (var prefix in pair.Prefixes)
            {
                first.TryAdd((pair.DataCenter, prefix), (place, pair.Id));
            }
        }

        return first;
    }

    private static string? FirstOf(NodeFacts node, Dictionary<(string DataCenter, IPNetwork Prefix), (int Place, string Id)> ownerOf)
    {
        (int Place, string Id)? first = null;
        foreach (var prefix in node.Report!.Prefixes)
        {
            if (ownerOf.TryGetValue((node.DataCenter, prefix.Prefix), out var owner) && (first is null || owner.Place < first.Value.Place))
            {
                first = owner;
            }
        }

        return first?.Id;
    }

    private static PairFacts Refresh(PairFacts pair, FleetFacts facts)
    {
        var members = pair.Members.Select(m => facts.Nodes.GetValueOrDefault(m)).OfType<NodeFacts>().ToList();
        var everyoneReported = members.Count == pair.Members.Count && members.All(m => m.Report is not null);

        // A prefix leaves the pair only when every member has said so; silence removes nothing. The last one stays: a pair whose address has
        // gone from everywhere is to be seen, not to be forgotten.
        var kept = pair.Prefixes.Where(p => !everyoneReported || members.Any(m => Reports(m, p)));
        var prefixes = kept.Union(Shared(members)).OrderBy(p => p, PrefixOrder.Instance).ToImmutableArray();
        if (!prefixes.IsEmpty && !prefixes.AsSpan().SequenceEqual(pair.Prefixes.AsSpan()))
        {
            pair = pair with { Prefixes = prefixes };
        }

        return pair.PreferredNode is null && PreferredOf(pair, members) is { } preferred ? pair with { PreferredNode = preferred } : pair;
    }

    /// <summary>The one member that is assigned primary for all the pair's prefixes; null when roles are mixed or equal.</summary>
    private static string? PreferredOf(PairFacts pair, IEnumerable<NodeFacts> members)
    {
        var primaries = members.SelectMany(m => pair.Prefixes.Where(p => FleetProjection.AssignedRole(m, p) == Role.Primary).Select(p => (m.Name, Prefix: p))).ToList();
        return pair.Prefixes.Length > 0 && primaries.Count == pair.Prefixes.Length && primaries.Select(p => p.Name).Distinct().Count() == 1
            ? primaries[0].Name
            : null;
    }

    private static ImmutableArray<IPNetwork> Shared(IEnumerable<NodeFacts> nodes) =>
        [.. nodes.SelectMany(n => n.Report?.Prefixes.Select(p => p.Prefix).Distinct() ?? []).GroupBy(p => p).Where(g => g.Skip(1).Any()).Select(g => g.Key).OrderBy(p => p, PrefixOrder.Instance)];

    private static bool Reports(NodeFacts node, IPNetwork prefix) => node.Report?.Prefixes.Any(p => p.Prefix.Equals(prefix)) == true;

    private static IEnumerable<List<NodeFacts>> Components(List<NodeFacts> nodes)
    {
        var byPrefix = nodes.SelectMany(n => n.Report!.Prefixes.Select(p => (Key: (n.DataCenter, p.Prefix), Node: n))).ToLookup(x => x.Key, x => x.Node);
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var start in nodes)
        {
            if (!seen.Add(start.Name))
            {
                continue;
            }

            var component = new List<NodeFacts> { start };
            for (var i = 0; i < component.Count; i++)
            {
                var node = component[i];
                component.AddRange(node.Report!.Prefixes.SelectMany(p => byPrefix[(node.DataCenter, p.Prefix)]).Where(n => seen.Add(n.Name)));
            }

            if (component.Count > 1)
            {
                yield return component;
            }
        }
    }
}

/// <summary>IPv4 before IPv6, then by address, then by length.</summary>
internal sealed class PrefixOrder : IComparer<IPNetwork>
{
    public static PrefixOrder Instance { get; } = new();

    public int Compare(IPNetwork x, IPNetwork y)
    {
        var a = x.BaseAddress.GetAddressBytes();
        var b = y.BaseAddress.GetAddressBytes();
        var byLength = a.Length.CompareTo(b.Length);
        if (byLength != 0)
        {
            return byLength;
        }

        var byAddress = a.AsSpan().SequenceCompareTo(b);
        return byAddress != 0 ? byAddress : x.PrefixLength.CompareTo(y.PrefixLength);
    }
}
