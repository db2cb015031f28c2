using System.Collections.Immutable;
using FailoverHub.Web.Api.Fleet;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Api.Live;

/// <summary>
/// What one client has to be told so that it knows the newest snapshot: the difference from the one that it was told before. Pure but for that memory; one for each client.
/// Nothing is queued: a client that reads slowly is told one difference instead of ten, and one that has fallen far behind takes a new snapshot.
/// </summary>
internal sealed class FleetDifference
{
    /// <summary>Whoever has not read for so long takes a new snapshot.</summary>
    public static readonly TimeSpan TooFarBehind = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan AgesEvery = TimeSpan.FromSeconds(1);

    private FleetSnapshot? _told;
    private DateTimeOffset _agesToldAt;

    /// <summary>The message for a client; null: there is nothing to tell.</summary>
    public FleetChangeDto? To(FleetSnapshot now)
    {
        FleetSnapshot? before = _told;
        _told = now;
        if (before is null || now.At - before.At > TooFarBehind || now.Version < before.Version)
        {
            _agesToldAt = now.At;
            return Snapshot(now);
        }

        Dictionary<string, DateTimeOffset> ages = [];
        ImmutableArray<PairView> pairs = [.. Changed(before.Pairs, now.Pairs, p => p.Id).Where(c => c.Was is null || !SaysTheSame(c.Was, c.Is)).Select(c => c.Is)];
        var nodes = new List<NodeView>();
        foreach ((NodeView? was, NodeView node) in Changed(before.Nodes, now.Nodes, n => n.Name))
        {
            if (was is null || !FleetProjection.SaysTheSame(was, node))
            {
                nodes.Add(node);
            }
        }

        // What a node says of its pair is the pair's doing, not the node's.
        Dictionary<string, string> pairWas = PairNames(before);
        Dictionary<string, string> pairIs = PairNames(now);
        nodes.AddRange(now.Nodes.Where(n => pairWas.GetValueOrDefault(n.Name) != pairIs.GetValueOrDefault(n.Name)).Except(nodes));

        // Also after the clock was set back.
        if (now.At - _agesToldAt >= AgesEvery || now.At < _agesToldAt)
        {
            DateTimeOffset since = now.At < _agesToldAt ? DateTimeOffset.MinValue : _agesToldAt;
            _agesToldAt = now.At;
            foreach (NodeView node in now.Nodes)
            {
                if (node.LastReportAt is { } at && at > since)
                {
                    ages[node.Name] = at;
                }
            }
        }

        string[] removedPairs = Removed(before.Pairs, now.Pairs, p => p.Id);
        string[] removedNodes = Removed(before.Nodes, now.Nodes, n => n.Name);
        if (pairs.IsEmpty && nodes.Count == 0 && ages.Count == 0 && removedPairs.Length == 0 && removedNodes.Length == 0)
        {
            return null;
        }

        return new FleetChangeDto
        {
            Kind = "changes",
            Version = now.Version,
            At = now.At,
            Pairs = [.. pairs.Select(p => p.ToDto())],
            Nodes = Nodes(now, nodes),
            RemovedPairs = removedPairs,
            RemovedNodes = removedNodes,
            LastReportAt = ages,
        };
    }

    private static FleetChangeDto Snapshot(FleetSnapshot now) => new()
    {
        Kind = "snapshot",
        Version = now.Version,
        At = now.At,
        Pairs = [.. now.Pairs.Select(p => p.ToDto())],
        Nodes = Nodes(now, now.Nodes),
        RemovedPairs = [],
        RemovedNodes = [],
        LastReportAt = ImmutableDictionary<string, DateTimeOffset>.Empty,
    };

    private static NodeDto[] Nodes(FleetSnapshot now, IReadOnlyCollection<NodeView> nodes)
    {
        if (nodes.Count == 0)
        {
            return [];
        }

        ILookup<string, string> pairOf = now.Pairs.SelectMany(p => p.Members.Select(m => (Node: m.Node.Name, Pair: p.Name))).ToLookup(m => m.Node, m => m.Pair);
        return [.. nodes.Select(n => n.ToDto(pairOf[n.Name].FirstOrDefault(), now.At))];
    }

    private static Dictionary<string, string> PairNames(FleetSnapshot fleet)
    {
        var names = new Dictionary<string, string>(fleet.Nodes.Length, StringComparer.OrdinalIgnoreCase);
        foreach (PairView pair in fleet.Pairs)
        {
            foreach (MemberView member in pair.Members)
            {
                names.TryAdd(member.Node.Name, pair.Name);
            }
        }

        return names;
    }

    private static bool SaysTheSame(PairView was, PairView now) =>
        was with { Members = now.Members } == now
        && was.Members.Length == now.Members.Length
        && was.Members.Zip(now.Members).All(m => FleetProjection.SaysTheSame(m.First.Node, m.Second.Node));

    private static string[] Removed<T>(ImmutableArray<T> before, ImmutableArray<T> now, Func<T, string> keyOf) =>
        before.Length <= now.Length && before.Zip(now).All(b => keyOf(b.First) == keyOf(b.Second)) ? [] : [.. before.Select(keyOf).Except(now.Select(keyOf), StringComparer.OrdinalIgnoreCase)];

    private static IEnumerable<(T? Was, T Is)> Changed<T>(ImmutableArray<T> before, ImmutableArray<T> now, Func<T, string> keyOf)
        where T : class => FleetTransitions.Changed(before, now, keyOf);
}
