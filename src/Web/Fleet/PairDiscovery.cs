using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Web.Fleet;

/// <summary>
/// Finds pairs: two nodes of one data center (or both of an unknown one) that report a common prefix. A pair once found keeps its id, its
/// name and its members, for whoever reports one of its prefixes later may be anybody: such a node is shown as a claimant
/// (<see cref="PairView.Claimants"/>), and is let in, or not, by an operator.
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
        foreach (var (one, other, shared) in Couples(facts))
        {
            ImmutableSortedSet<string> members = ImmutableSortedSet.Create(StringComparer.OrdinalIgnoreCase, one.Name, other.Name);
            var id = newId();
            pairs = pairs.Add(id, new PairFacts
            {
                Id = id,
                Name = NameFor(members, shared[0], pairs.Values.Select(p => p.Name)),
                DataCenter = one.DataCenter,
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

    /// <summary>The pair with what its members share now.</summary>
    public static PairFacts Refresh(PairFacts pair, FleetFacts facts)
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

    private static bool Reports(NodeFacts node, IPNetwork prefix) => node.Report?.Find(prefix) is not null;

    /// <summary>
    /// Nodes without a pair that share a prefix which no pair has yet, two by two. Of several that share one it is those that have been in the
    /// hub's table for the longest time, which is on its disk: it does not depend on who comes first after a restart.
    /// </summary>
    private static IEnumerable<(NodeFacts One, NodeFacts Other, ImmutableArray<IPNetwork> Shared)> Couples(FleetFacts facts)
    {
        var owned = facts.Pairs.Values.SelectMany(p => p.Prefixes.Select(x => (p.DataCenter, Prefix: x))).ToHashSet();
        var byPrefix = new Dictionary<(string DataCenter, IPNetwork Prefix), List<NodeFacts>>();
        var free = facts.Nodes.Values.Where(n => n.Report is not null && facts.PairOf(n.Name) is null).OrderBy(n => n.Identity?.JoinedAt ?? DateTimeOffset.MaxValue).ToList();
        foreach (var node in free)
        {
            foreach (var key in node.Report!.Prefixes.Select(p => (node.DataCenter, p.Prefix)).Where(k => !owned.Contains(k)))
            {
                (byPrefix.TryGetValue(key, out var holders) ? holders : byPrefix[key] = []).Add(node);
            }
        }

        var place = new Dictionary<NodeFacts, int>(free.Select((node, i) => KeyValuePair.Create(node, i)), ReferenceEqualityComparer.Instance);
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var one in free)
        {
            var keys = one.Report!.Prefixes.Select(p => (one.DataCenter, p.Prefix)).Where(k => !owned.Contains(k)).ToList();
            if (taken.Contains(one.Name) || keys.SelectMany(k => byPrefix[k]).Where(n => !ReferenceEquals(n, one) && !taken.Contains(n.Name)).MinBy(n => place[n]) is not { } other)
            {
                continue;
            }

            taken.UnionWith([one.Name, other.Name]);
            ImmutableArray<IPNetwork> shared = [.. Shared([one, other]).Where(p => !owned.Contains((one.DataCenter, p)))];
            owned.UnionWith(shared.Select(p => (one.DataCenter, p)));
            yield return (one, other, shared);
        }
    }
}

/// <summary>IPv4 before IPv6, then by address, then by length.</summary>
internal sealed class PrefixOrder : IComparer<IPNetwork>
{
    public static PrefixOrder Instance { get; } = new();

    public int Compare(IPNetwork x, IPNetwork y)
    {
        Span<byte> a = stackalloc byte[16];
        Span<byte> b = stackalloc byte[16];
        a = x.BaseAddress.TryWriteBytes(a, out var written) ? a[..written] : [];
        b = y.BaseAddress.TryWriteBytes(b, out written) ? b[..written] : [];
        var byLength = a.Length.CompareTo(b.Length);
        if (byLength != 0)
        {
            return byLength;
        }

        var byAddress = a.SequenceCompareTo(b);
        return byAddress != 0 ? byAddress : x.PrefixLength.CompareTo(y.PrefixLength);
    }
}
