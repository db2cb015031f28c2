using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Fleet;

/// <summary>What happened between two snapshots, as events: only transitions, so a state that lasts is told once.</summary>
internal static class FleetTransitions
{
    public static IEnumerable<EventDraft> Between(FleetSnapshot before, FleetSnapshot after)
    {
        var concerned = new HashSet<IPNetwork>();
        foreach (var (was, node) in Changed(before.Nodes, after.Nodes, n => n.Name))
        {
            if (was is null || !was.Prefixes.Equals(node.Prefixes) || was.DataCenter != node.DataCenter)
            {
                concerned.UnionWith(node.Prefixes.Where(p => p.Announced).Select(p => p.Prefix));
            }

            if ((was?.Link ?? NodeLink.NeverSeen) is var link && link != node.Link)
            {
                yield return LinkChanged(after, node, link);
            }
        }

        foreach (var (was, pair) in Changed(before.Pairs, after.Pairs, p => p.Id))
        {
            if (was is null || was.Members.Length != pair.Members.Length)
            {
                concerned.UnionWith(pair.Members.SelectMany(m => m.Node.Prefixes.Where(p => p.Announced).Select(p => p.Prefix)));
            }

            foreach (var gone in was is null ? [] : was.Prefixes.Except(pair.Prefixes))
            {
                yield return PrefixGone(after, pair, gone);
            }

            if (pair.SharedHost is { } host && was?.SharedHost is null)
            {
                yield return OnOneHost(after, pair, host);
            }

            if (was is null ? pair.State != PairState.Unknown : was.State != pair.State || was.ActiveNode != pair.ActiveNode)
            {
                yield return StateChanged(after, pair, was);
            }
        }

        if (concerned.Count == 0)
        {
            yield break;
        }

        var known = InTwoPairs(before, concerned).Select(p => p.Prefix).ToHashSet();
        foreach (var (prefix, nodes) in InTwoPairs(after, concerned).Where(p => !known.Contains(p.Prefix)))
        {
            yield return new EventDraft
            {
                At = after.At,
                Kind = EventKinds.PrefixInTwoPairs,
                Severity = EventSeverity.Critical,
                Prefix = prefix.ToString(),
                Text = $"{prefix} is announced by nodes of different pairs: {nodes}. The hub never joins or splits pairs, so no rule guards that address as one. Give it to the nodes of one pair.",
            };
        }
    }

    /// <summary>What is another object than before, with what it was before; what has not changed is passed over by a glance.</summary>
    internal static IEnumerable<(T? Was, T Is)> Changed<T>(ImmutableArray<T> before, ImmutableArray<T> after, Func<T, string> keyOf)
        where T : class
    {
        Dictionary<string, T>? byKey = null;
        for (var i = 0; i < after.Length; i++)
        {
            var was = i < before.Length ? before[i] : null;
            if (was is null || !string.Equals(keyOf(was), keyOf(after[i]), StringComparison.OrdinalIgnoreCase))
            {
                byKey ??= before.ToDictionary(keyOf, StringComparer.OrdinalIgnoreCase);
                was = byKey.GetValueOrDefault(keyOf(after[i]));
            }

            if (!ReferenceEquals(was, after[i]))
            {
                yield return (was, after[i]);
            }
        }
    }

    /// <summary>Which of these prefixes nodes of more than one pair of a data center announce, with the names of the nodes.</summary>
    private static List<(IPNetwork Prefix, string Nodes)> InTwoPairs(FleetSnapshot fleet, HashSet<IPNetwork> concerned)
    {
        var announced = fleet.Pairs.SelectMany(pair => pair.Members
            .SelectMany(m => m.Node.Prefixes.Where(p => p.Announced && concerned.Contains(p.Prefix)).Select(p => (Key: (p.Prefix, m.Node.DataCenter), Node: m.Node.Name, Pair: pair.Name))));
        return
        [
            .. announced.GroupBy(a => a.Key).Where(g => g.DistinctBy(a => a.Pair).Skip(1).Any())
                .Select(g => (g.Key.Prefix, string.Join(", ", g.Select(a => $"{a.Node} of {a.Pair}").Order(StringComparer.Ordinal)))),
        ];
    }

    private static EventDraft PrefixGone(FleetSnapshot after, PairView pair, IPNetwork gone) => new()
    {
        At = after.At,
        Kind = EventKinds.PairPrefixGone,
        Severity = EventSeverity.Critical,
        Pair = pair.Name,
        Prefix = gone.ToString(),
        Text = $"{gone} is no longer an address of {pair.Name}: no node of it has it any more, so nobody announces it.",
    };

    private static EventDraft OnOneHost(FleetSnapshot after, PairView pair, string host) => new()
    {
        At = after.At,
        Kind = EventKinds.PairOnOneHost,
        Severity = EventSeverity.Warning,
        Pair = pair.Name,
        Text = PairWords.OnOneHost(pair, host),
    };

    private static EventDraft LinkChanged(FleetSnapshot after, NodeView node, NodeLink was) => new()
    {
        At = after.At,
        Kind = EventKinds.NodeLinkChanged,
        Severity = node.Link == NodeLink.Connected || Arrives(node, was) ? EventSeverity.Info : EventSeverity.Warning,
        Node = node.Name,
        Pair = after.Pairs.FirstOrDefault(p => p.Members.Any(m => m.Node.Name == node.Name))?.Name,
        Text = $"{node.Name}: {was} -> {node.Link}. " + node.Link switch
        {
            NodeLink.Connected => "Its reports are current.",
            NodeLink.Stale when Arrives(node, was) => "Its stream is open; its first report is awaited.",
            NodeLink.Stale when node.ConnectedSince is null => "Its stream has ended; what it announces now is not known.",
            NodeLink.Stale => "Its stream is open, but no report has come for a while.",
            NodeLink.Revoked => "Its certificate is revoked, so it cannot connect; what it announces is not known.",
            _ => "It is silent; what it announces now is not known.",
        },
    };

    private static bool Arrives(NodeView node, NodeLink was) =>
        node is { Link: NodeLink.Stale, ConnectedSince: not null } && was is NodeLink.NeverSeen or NodeLink.Offline;

    private static EventDraft StateChanged(FleetSnapshot after, PairView pair, PairView? was) => new()
    {
        At = after.At,
        Kind = EventKinds.PairStateChanged,
        Severity = pair.State switch
        {
            PairState.NoAnnouncer or PairState.DualPrimary => EventSeverity.Critical,
            PairState.Unknown or PairState.Degraded or PairState.FailedOver => EventSeverity.Warning,
            _ => EventSeverity.Info,
        },
        Pair = pair.Name,
        Text = was?.State == pair.State
            ? $"{pair.Name}: the active node changed from {was.ActiveNode ?? "not known"} to {pair.ActiveNode ?? "not known"}. {pair.StateReason}"
            : $"{pair.Name}: {(was?.State ?? PairState.Unknown)} -> {pair.State}. {pair.StateReason}",
        OperationId = pair.OperationId ?? was?.OperationId,
    };
}
