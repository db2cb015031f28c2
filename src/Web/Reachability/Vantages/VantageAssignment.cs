using System.Collections.Immutable;

namespace FailoverHub.Web.Reachability.Vantages;

/// <summary>A node that asks for the hub.</summary>
/// <param name="Id">By which its probes are kept.</param>
/// <param name="Name">What it is called now.</param>
/// <param name="DataCenter">Empty: not known.</param>
internal sealed record VantageNode(string Id, string Name, string DataCenter);

/// <summary>Something that nodes may ask.</summary>
/// <param name="Id">Of the target.</param>
/// <param name="DataCenter">Of the pair that shares it; empty: none, or not known.</param>
/// <param name="NotFrom">Names of nodes from which asking it says nothing: they have the address themselves, or say so. In order.</param>
internal sealed record VantageTarget(string Id, string DataCenter, ImmutableArray<string> NotFrom)
{
    public bool Equals(VantageTarget? other) => other is not null && Id == other.Id && DataCenter == other.DataCenter && NotFrom.SequenceEqual(other.NotFrom);

    public override int GetHashCode() => HashCode.Combine(Id, DataCenter, NotFrom.Length);
}

/// <summary>Why no node asks a target.</summary>
internal enum VantageShortage
{
    /// <summary>Nodes are asked for nothing.</summary>
    TurnedOff,

    /// <summary>No connected node offers itself.</summary>
    NoNode,

    /// <summary>Every node that does has the address itself.</summary>
    OnlyItsOwn,

    /// <summary>Every other one has as many targets as it may.</summary>
    AllBusy,

    /// <summary>Its address has a zone, which means something on the hub's machine only.</summary>
    NotElsewhere,
}

/// <summary>Who asks what.</summary>
/// <param name="ByNode">Targets of each node by its id, in the order in which they were given; a node without any has an empty list.</param>
/// <param name="Short">Why no node asks a target, by the target's id; what is asked is absent.</param>
internal sealed record AssignedVantages(ImmutableDictionary<string, ImmutableArray<string>> ByNode, ImmutableDictionary<string, VantageShortage> Short)
{
    public static AssignedVantages None { get; } = new(ImmutableDictionary<string, ImmutableArray<string>>.Empty, ImmutableDictionary<string, VantageShortage>.Empty);
}

/// <summary>
/// Which nodes ask which targets, pure: rendezvous hashing. Each target ranks the nodes by a hash of both, and takes the first ones: those of its own data center, then others.
/// So a node that comes takes its own share of each of the others, and what a node that goes leaves is spread over the rest; nothing else moves, as long as no node is full.
/// </summary>
internal static class VantageAssignment
{
    /// <summary>Targets of one node at most: what an agent's plan may have.</summary>
    public const int MostTasks = 200;

    /// <summary>Nodes that ask one target at most.</summary>
    public const int MostPerTarget = 3;

    /// <summary>Decides. Every target gets its first node before any gets a second.</summary>
    /// <param name="targets">Each id once; where nodes are few the first ones are served first.</param>
    /// <param name="nodes">Each id once.</param>
    /// <param name="perTarget">Nodes that ask one target, 0 to <see cref="MostPerTarget"/>.</param>
    public static AssignedVantages Assign(ImmutableArray<VantageTarget> targets, ImmutableArray<VantageNode> nodes, int perTarget)
    {
        var ranking = new Ranking(nodes);
        var taken = new List<string>[nodes.Length];
        for (int i = 0; i < taken.Length; i++)
        {
            taken[i] = [];
        }

        int[][] chosen = [.. targets.Select(_ => Array.Empty<int>())];
        ulong[] hashes = [.. targets.Select(t => Hash(t.Id))];
        for (int round = 0; round < perTarget; round++)
        {
            for (int t = 0; t < targets.Length; t++)
            {
                // Who found nobody in the round before finds nobody now.
                if (chosen[t].Length == round && ranking.Best(targets[t], hashes[t], chosen[t], taken) is { } best)
                {
                    chosen[t] = [.. chosen[t], best];
                    taken[best].Add(targets[t].Id);
                }
            }
        }

        return new AssignedVantages(
            nodes.Select((node, i) => KeyValuePair.Create(node.Id, taken[i].ToImmutableArray())).ToImmutableDictionary(StringComparer.Ordinal),
            Enumerable.Range(0, targets.Length).Where(t => chosen[t].Length == 0)
                .ToImmutableDictionary(t => targets[t].Id, t => WhyNone(targets[t], nodes, perTarget), StringComparer.Ordinal));
    }

    private static VantageShortage WhyNone(VantageTarget target, ImmutableArray<VantageNode> nodes, int perTarget) =>
        perTarget == 0 ? VantageShortage.TurnedOff
        : nodes.IsEmpty ? VantageShortage.NoNode
        : nodes.All(n => target.NotFrom.Contains(n.Name, StringComparer.OrdinalIgnoreCase)) ? VantageShortage.OnlyItsOwn
        : VantageShortage.AllBusy;

    /// <summary>FNV-1a: the same after every restart of the hub.</summary>
    private static ulong Hash(string text)
    {
        ulong hash = 14695981039346656037;
        foreach (char c in text)
        {
            hash = (hash ^ c) * 1099511628211;
        }

        return hash;
    }

    /// <summary>The finalizer of SplitMix64: each bit of what goes in moves half of those that come out.</summary>
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    private sealed class Ranking
    {
        private readonly ImmutableArray<VantageNode> _nodes;
        private readonly ulong[] _hashes;
        private readonly int[] _all;
        private readonly Dictionary<string, int[]> _byDataCenter;

        public Ranking(ImmutableArray<VantageNode> nodes)
        {
            _nodes = nodes;
            _hashes = [.. nodes.Select(n => Hash(n.Id))];
            _all = [.. Enumerable.Range(0, nodes.Length)];
            _byDataCenter = _all.Where(i => nodes[i].DataCenter.Length > 0).GroupBy(i => nodes[i].DataCenter).ToDictionary(g => g.Key, g => g.ToArray());
        }

        /// <summary>The first by rank that may ask it and has room: of its data center, else of any.</summary>
        public int? Best(VantageTarget target, ulong hash, int[] not, List<string>[] taken) =>
            (_byDataCenter.TryGetValue(target.DataCenter, out int[]? near) ? BestOf(near, target, hash, not, taken) : null) ?? BestOf(_all, target, hash, not, taken);

        private int? BestOf(int[] some, VantageTarget target, ulong hash, int[] not, List<string>[] taken)
        {
            int? best = null;
            ulong score = 0;
            foreach (int node in some)
            {
                ulong now = Mix(_hashes[node] ^ (hash * 0x9E3779B97F4A7C15));
                if ((best is null || now > score) && taken[node].Count < MostTasks && Array.IndexOf(not, node) < 0 && !target.NotFrom.Contains(_nodes[node].Name, StringComparer.OrdinalIgnoreCase))
                {
                    (best, score) = (node, now);
                }
            }

            return best;
        }
    }
}
