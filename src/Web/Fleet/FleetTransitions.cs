using FailoverHub.Web.History;

namespace FailoverHub.Web.Fleet;

/// <summary>What happened between two snapshots, as events: only transitions, so a state that lasts is told once.</summary>
internal static class FleetTransitions
{
    public static IEnumerable<EventDraft> Between(FleetSnapshot before, FleetSnapshot after)
    {
        var oldNodes = before.Nodes.ToDictionary(n => n.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var node in after.Nodes)
        {
            var was = oldNodes.GetValueOrDefault(node.Name)?.Link ?? NodeLink.NeverSeen;
            if (was != node.Link)
            {
                yield return LinkChanged(after, node, was);
            }
        }

        var oldPairs = before.Pairs.ToDictionary(p => p.Id);
        foreach (var pair in after.Pairs)
        {
            var was = oldPairs.GetValueOrDefault(pair.Id);
            if (was is null ? pair.State != PairState.Unknown : was.State != pair.State || (was.ActiveNode != pair.ActiveNode && was.ActiveNode is not null && pair.ActiveNode is not null))
            {
                yield return StateChanged(after, pair, was);
            }
        }
    }

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
            ? $"{pair.Name}: the active node changed from {was.ActiveNode} to {pair.ActiveNode}. {pair.StateReason}"
            : $"{pair.Name}: {(was?.State ?? PairState.Unknown)} -> {pair.State}. {pair.StateReason}",
        OperationId = pair.OperationId ?? was?.OperationId,
    };
}
