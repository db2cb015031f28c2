using System.Collections.Immutable;

namespace FailoverHub.Web.Fleet.Present;

/// <summary>
/// Computes one snapshot after the other and computes anew only what has changed since the one before: a node whose facts and link are the same keeps its view, a pair
/// whose facts and nodes are the same keeps its own, and one whose nodes only said the same once more keeps its judgement. What a report costs therefore
/// does not grow with the fleet; what remains for the others is to see that nothing has changed. The result is always that of a projector that remembers nothing.
/// It has one owner and is not safe for several threads.
/// </summary>
internal sealed class FleetProjector
{
    private readonly Dictionary<string, NodeMemory> _nodes = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, PairMemory> _pairs = new(StringComparer.Ordinal);
    private readonly PrefixHolders _holders = new();
    private ImmutableArray<string> _order = [];

    /// <summary>The present as it follows from what is known.</summary>
    /// <param name="facts">What is known.</param>
    /// <param name="now">The moment for which ages are computed.</param>
    /// <param name="version">The snapshot's number.</param>
    public FleetSnapshot Project(FleetFacts facts, Moment now, long version)
    {
        var nodes = ProjectNodes(facts, now);
        return new FleetSnapshot
        {
            At = now.Wall,
            Version = version,
            Nodes = nodes,
            Freeze = FreezeFacts.InForce(facts.Freezes, null, now.Wall),
            Pairs = ProjectPairs(facts, now),
        };
    }

    private ImmutableArray<NodeView> ProjectNodes(FleetFacts facts, Moment now)
    {
        var views = ImmutableArray.CreateBuilder<NodeView>(facts.Nodes.Count);
        foreach (var node in facts.Nodes.Values)
        {
            views.Add(ViewOf(node, now));
        }

        if (_nodes.Count > facts.Nodes.Count)
        {
            foreach (var (name, gone) in _nodes.Where(n => !facts.Nodes.ContainsKey(n.Key)).ToList())
            {
                _holders.Move(gone.View, null);
                _nodes.Remove(name);
            }
        }

        return views.MoveToImmutable();
    }

    private NodeView ViewOf(NodeFacts node, Moment now)
    {
        var link = FleetProjection.LinkOf(node, now);
        var clone = FleetProjection.YoungSign(node, now);
        var counts = node.Report is { CountsDown: true };
        var known = _nodes.GetValueOrDefault(node.Name);
        if (known is not null && ReferenceEquals(known.Facts, node) && known.View.Link == link && known.View.CloneSignAt == clone?.At.Wall && !counts)
        {
            return known.View;
        }

        var view = FleetProjection.ProjectNode(node, link, link == NodeLink.Connected && node.Report is { } report ? now.Uptime - report.ReceivedAt.Uptime : null, clone);
        if (known is not null && view.Prefixes.AsSpan().SequenceEqual(known.View.Prefixes.AsSpan()))
        {
            // One array for the same content: whoever compares the two views sees at once that nothing has changed.
            view = view with { Prefixes = known.View.Prefixes };
        }

        _holders.Move(known?.View, view);
        _nodes[node.Name] = new NodeMemory(node, view);
        return view;
    }

    private ImmutableArray<PairView> ProjectPairs(FleetFacts facts, Moment now)
    {
        var sameOrder = _order.Length == facts.Pairs.Count;
        foreach (var pair in facts.Pairs.Values)
        {
            var known = _pairs.GetValueOrDefault(pair.Id);
            sameOrder &= known?.Facts.Name == pair.Name;
            var members = NodesOf(pair);
            var strangers = known is not null && known.Strangers.AreStillOf(pair, _holders.Version) ? known.Strangers : new Strangers(pair, _holders.Version, _holders.Outsiders(pair, members));
            ImmutableArray<NodeView> outsiders = strangers.Names.IsEmpty ? [] : [.. strangers.Names.Select(name => _nodes[name].View)];

            // Ends by the clock, without anything being told.
            var freeze = facts.Freezes.IsEmpty ? null : FreezeFacts.InForce(facts.Freezes, pair.Id, now.Wall);
            var answers = AnswersOf(facts, pair, now);
            if (known is null || known.View.Freeze != freeze || !known.IsOf(pair, members, outsiders) || !answers.AsSpan().SequenceEqual(known.View.Answers.AsSpan()))
            {
                _pairs[pair.Id] = new PairMemory(pair, members, outsiders, strangers, known is not null && known.View.Freeze == freeze && known.SaysTheSameAs(pair, members, outsiders) && SayTheSame(answers, known.View.Answers)
                    ? ObservedActive.WithAges(FleetProjection.WithMembers(known.View, pair, members), answers)
                    : FleetProjection.ProjectPair(pair, members, outsiders, freeze, answers));
            }
            else if (!ReferenceEquals(known.Strangers, strangers))
            {
                _pairs[pair.Id] = known with { Strangers = strangers };
            }
        }

        if (!sameOrder)
        {
            foreach (var gone in _pairs.Keys.Where(id => !facts.Pairs.ContainsKey(id)).ToList())
            {
                _pairs.Remove(gone);
            }

            _order = [.. facts.Pairs.Values.OrderBy(p => p.Name, StringComparer.OrdinalIgnoreCase).Select(p => p.Id)];
        }

        var views = ImmutableArray.CreateBuilder<PairView>(_order.Length);
        foreach (var id in _order)
        {
            views.Add(_pairs[id].View);
        }

        return views.MoveToImmutable();
    }

    private static ImmutableArray<AnswerView> AnswersOf(FleetFacts facts, PairFacts pair, Moment now)
    {
        if (facts.Answers.IsEmpty)
        {
            return [];
        }

        var answers = ImmutableArray.CreateBuilder<AnswerView>(pair.Prefixes.Length);
        foreach (var prefix in pair.Prefixes)
        {
            if (facts.Answers.TryGetValue(prefix, out var answer) && answer.ViewAt(now) is { } current)
            {
                answers.Add(current);
            }
        }

        return answers.DrainToImmutable();
    }

    private static bool SayTheSame(ImmutableArray<AnswerView> a, ImmutableArray<AnswerView> b)
    {
        if (a.Length != b.Length)
        {
            return false;
        }

        for (var i = 0; i < a.Length; i++)
        {
            if (!a[i].SaysTheSameAs(b[i]))
            {
                return false;
            }
        }

        return true;
    }

    private ImmutableArray<NodeView> NodesOf(PairFacts pair)
    {
        var nodes = ImmutableArray.CreateBuilder<NodeView>(pair.Members.Count);
        foreach (var name in pair.Members)
        {
            if (_nodes.TryGetValue(name, out var known))
            {
                nodes.Add(known.View);
            }
        }

        return nodes.DrainToImmutable();
    }

    private sealed record NodeMemory(NodeFacts Facts, NodeView View);

    /// <summary>Who else has prefixes of a pair, by name; to be looked for again when the pair is another one, or anybody's prefixes are.</summary>
    private sealed class Strangers(PairFacts pair, long version, ImmutableArray<string> names)
    {
        public ImmutableArray<string> Names => names;

        public bool AreStillOf(PairFacts other, long now) =>
            version == now && pair.Prefixes == other.Prefixes && ReferenceEquals(pair.Members, other.Members) && pair.DataCenter == other.DataCenter;
    }

    private sealed record PairMemory(PairFacts Facts, ImmutableArray<NodeView> Members, ImmutableArray<NodeView> Outsiders, Strangers Strangers, PairView View)
    {
        public bool IsOf(PairFacts pair, ImmutableArray<NodeView> members, ImmutableArray<NodeView> outsiders) =>
            ReferenceEquals(Facts, pair) && AreTheSame(Members, members, ReferenceEquals) && AreTheSame(Outsiders, outsiders, ReferenceEquals);

        public bool SaysTheSameAs(PairFacts pair, ImmutableArray<NodeView> members, ImmutableArray<NodeView> outsiders) =>
            ReferenceEquals(Facts, pair) && AreTheSame(Members, members, FleetProjection.SaysTheSame) && AreTheSame(Outsiders, outsiders, FleetProjection.SaysTheSame);

        private static bool AreTheSame(ImmutableArray<NodeView> a, ImmutableArray<NodeView> b, Func<NodeView, NodeView, bool> same)
        {
            if (a.Length != b.Length)
            {
                return false;
            }

            for (var i = 0; i < a.Length; i++)
            {
                if (!same(a[i], b[i]))
                {
                    return false;
                }
            }

            return true;
        }
    }
}
