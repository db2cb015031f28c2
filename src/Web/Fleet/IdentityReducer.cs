using FailoverHub.Web.History;

namespace FailoverHub.Web.Fleet;

/// <summary>What changes in the present when the table of nodes does. Pure, as <see cref="FleetReducer"/>, which asks it.</summary>
internal static class IdentityReducer
{
    // A node whose certificate is refused dials on; once in so long is enough to tell it.
    private static readonly TimeSpan RefusalToldEvery = TimeSpan.FromMinutes(10);

    public static FleetFacts Changed(FleetFacts facts, FleetMessage.IdentityChanged changed, ICollection<FleetEffect> effects)
    {
        var node = facts.Nodes.GetValueOrDefault(changed.Node) ?? new NodeFacts { Name = changed.Node };
        node = node with { Identity = changed.Identity };
        if (changed.Identity.RevokedAt is null)
        {
            node = node with { Refusal = null };
        }

        if (node.Stream is { Identity: { } used } stream && !changed.Identity.Valid.Contains(used.Serial))
        {
            effects.Add(new FleetEffect.EndStream(stream.Id, StreamEnd.NotAllowed, changed.Why));
            node = node with { Stream = null, StreamEndedAt = null };
        }

        effects.Add(new FleetEffect.SaveNode(node));
        return With(facts, node);
    }

    public static FleetFacts Held(FleetFacts facts, FleetMessage.NodeHeld held, Moment now, ICollection<FleetEffect> effects)
    {
        if (facts.Nodes.GetValueOrDefault(held.Node) is not { } node || (held.UnlessConnected && node.Stream is not null))
        {
            return facts;
        }

        if (held.Why is { } why && node.Stream is { } stream)
        {
            effects.Add(new FleetEffect.EndStream(stream.Id, StreamEnd.NotNow, why));
            node = node with { Stream = null, StreamEndedAt = now };
        }

        return With(facts, node with { Held = held.Why });
    }

    /// <summary>The node and the pair that has it go on under the new name; what was told of it before keeps the old one.</summary>
    public static FleetFacts Renamed(FleetFacts facts, FleetMessage.NodeRenamed renamed, ICollection<FleetEffect> effects)
    {
        if (facts.Nodes.GetValueOrDefault(renamed.From) is not { } node)
        {
            return facts;
        }

        string NewName(string name) => string.Equals(name, renamed.From, StringComparison.OrdinalIgnoreCase) ? renamed.To : name;
        foreach (var pair in facts.Pairs.Values.Where(p => p.Members.Contains(renamed.From)).ToList())
        {
            var changed = pair with
            {
                Members = pair.Members.Remove(renamed.From).Add(renamed.To),
                PreferredNode = pair.PreferredNode is { } preferred ? NewName(preferred) : null,
                LastMove = pair.LastMove is { } move ? move with { To = NewName(move.To) } : null,
                Active = pair.Active.SetItems(pair.Active.Select(a => KeyValuePair.Create(a.Key, NewName(a.Value)))),
            };
            facts = facts with { Pairs = facts.Pairs.SetItem(pair.Id, changed) };
            effects.Add(new FleetEffect.SavePair(changed));
        }

        node = node with { Name = renamed.To, Held = null };
        facts = With(facts with { Nodes = facts.Nodes.Remove(renamed.From) }, node);
        if (!string.Equals(renamed.From, renamed.To, StringComparison.Ordinal))
        {
            effects.Add(new FleetEffect.ForgetNode(renamed.From));
        }

        effects.Add(new FleetEffect.SaveNode(node));
        return facts;
    }

    public static FleetFacts Removed(FleetFacts facts, FleetMessage.NodeRemoved removed, ICollection<FleetEffect> effects)
    {
        if (facts.Nodes.GetValueOrDefault(removed.Node) is not { } node)
        {
            return facts;
        }

        if (node.Stream is { } stream)
        {
            effects.Add(new FleetEffect.EndStream(stream.Id, StreamEnd.NotAllowed, $"{node.Name} was removed from the hub."));
        }

        foreach (var pair in facts.Pairs.Values.Where(p => p.Members.Contains(node.Name)).ToList())
        {
            var left = pair with
            {
                Members = pair.Members.Remove(node.Name),
                PreferredNode = string.Equals(pair.PreferredNode, node.Name, StringComparison.OrdinalIgnoreCase) ? null : pair.PreferredNode,
            };
            facts = facts with { Pairs = left.Members.IsEmpty ? facts.Pairs.Remove(pair.Id) : facts.Pairs.SetItem(pair.Id, left) };
            effects.Add(left.Members.IsEmpty ? new FleetEffect.ForgetPair(pair.Id) : new FleetEffect.SavePair(left));
        }

        effects.Add(new FleetEffect.ForgetNode(node.Name));
        return facts with { Nodes = facts.Nodes.Remove(node.Name) };
    }

    /// <summary>A certificate of the node was turned away before it had a stream.</summary>
    public static FleetFacts Refused(FleetFacts facts, FleetMessage.NodeRefused refused, Moment now, ICollection<FleetEffect> effects)
    {
        if (facts.Nodes.GetValueOrDefault(refused.Node) is not { } node)
        {
            return facts;
        }

        if (node.Refusal is not { } before || before.Why != refused.Why || now.Wall - before.At > RefusalToldEvery)
        {
            effects.Add(new FleetEffect.Happened(new EventDraft
            {
                At = now.Wall,
                Kind = EventKinds.NodeRefused,
                Severity = EventSeverity.Warning,
                Node = node.Name,
                Pair = facts.PairOf(node.Name)?.Name,
                Text = $"An agent from {refused.RemoteAddress ?? "an unknown address"} was refused. {refused.Why}",
            }));
            return With(facts, node with { Refusal = new RefusalFacts(now.Wall, refused.RemoteAddress, refused.Why) });
        }

        return facts;
    }

    private static FleetFacts With(FleetFacts facts, NodeFacts node) => facts with { Nodes = facts.Nodes.SetItem(node.Name, node) };
}
