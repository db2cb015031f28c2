using System.Collections.Immutable;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Fleet;

/// <summary>What is known after a message, and what has to be done because of it. Pure: the store carries the effects out.</summary>
internal static class FleetReducer
{
    /// <summary>Takes in one message.</summary>
    /// <param name="facts">What was known.</param>
    /// <param name="message">What came.</param>
    /// <param name="now">When.</param>
    /// <param name="newId">Makes the id of a new pair.</param>
    /// <param name="effects">What has to be done is added here.</param>
    /// <returns>What is known now; the same object when nothing has changed.</returns>
    public static FleetFacts Apply(FleetFacts facts, FleetMessage message, Moment now, Func<string> newId, ICollection<FleetEffect> effects) => message switch
    {
        FleetMessage.StreamOpened opened => Open(facts, opened, now, effects),
        FleetMessage.StreamEnded ended => End(facts, ended, now, effects),
        FleetMessage.Reported reported => Report(facts, reported, now, newId, effects),
        FleetMessage.IntentAnswered answered => OfStream(facts, answered.Node, answered.StreamId) is { } node
            ? facts.With(node with { Answer = answered.Answer, Stream = node.Stream! with { LastMessageAt = now } })
            : facts,
        FleetMessage.Heard heard => OfStream(facts, heard.Node, heard.StreamId) is { } node
            ? facts.With(node with { Stream = node.Stream! with { LastMessageAt = now } })
            : facts,
        FleetMessage.IntentReleased released => Release(facts, released, effects),
        FleetMessage.OperationChanged changed => Operation(facts, changed, effects),
        FleetMessage.Tick => facts,
        _ => throw new InvalidOperationException($"Unknown message {message.GetType().Name}."),
    };

    /// <summary>Whether someone who looks should see the difference at once; else the next second is soon enough.</summary>
    public static bool IsUrgent(FleetFacts facts, FleetMessage message, Moment now) => message switch
    {
        FleetMessage.Heard => false,
        FleetMessage.Reported reported => facts.Nodes.GetValueOrDefault(reported.Node)?.Report is not { } before
            || now.Uptime - before.ReceivedAt.Uptime > FleetProjection.FreshFor
            || !before.SaysTheSameAs(reported.Report with { StreamId = reported.StreamId }),
        _ => true,
    };

    /// <summary>Remembers where each prefix is, for telling later who was there first.</summary>
    public static FleetFacts RememberActive(FleetFacts facts, FleetSnapshot snapshot)
    {
        foreach (var view in snapshot.Pairs)
        {
            var pair = facts.Pairs[view.Id];
            var active = view.Prefixes
                .Select(p => (Prefix: p.ToString(), Node: FleetProjection.InferActive(view.Members, p, pair.Active.GetValueOrDefault(p.ToString()))))
                .Where(a => a.Node is not null)
                .ToImmutableSortedDictionary(a => a.Prefix, a => a.Node!, StringComparer.Ordinal);
            if (!active.SequenceEqual(pair.Active))
            {
                facts = facts with { Pairs = facts.Pairs.SetItem(pair.Id, pair with { Active = active }) };
            }
        }

        return facts;
    }

    private static FleetFacts With(this FleetFacts facts, NodeFacts node) => facts with { Nodes = facts.Nodes.SetItem(node.Name, node) };

    private static NodeFacts? OfStream(FleetFacts facts, string node, long streamId) =>
        facts.Nodes.GetValueOrDefault(node) is { Stream: { } stream } found && stream.Id == streamId ? found : null;

    private static FleetFacts Open(FleetFacts facts, FleetMessage.StreamOpened opened, Moment now, ICollection<FleetEffect> effects)
    {
        var hello = opened.Hello;
        var known = facts.Nodes.GetValueOrDefault(hello.Node);
        if (known?.Stream is { } old)
        {
            // The same run of the agent dials again when its connection broke before we saw it; any other run may take the place
            // only of one that has gone silent. Two living machines with one name must not take turns.
            var alive = now.Uptime - old.LastMessageAt.Uptime <= FleetProjection.FreshFor;
            if (old.BootId != hello.BootId && alive)
            {
                var why = $"Another machine that is connected now ({known.RemoteAddress ?? "address unknown"}) calls itself '{known.Name}'. Give one of them another name with --node.";
                effects.Add(new FleetEffect.Refuse(opened.StreamId, why));
                effects.Add(new FleetEffect.Happened(new EventDraft
                {
                    At = now.Wall,
                    Kind = EventKinds.NodeNameClash,
                    Severity = EventSeverity.Warning,
                    Node = known.Name,
                    Pair = facts.PairOf(known.Name)?.Name,
                    Text = $"An agent from {opened.RemoteAddress ?? "an unknown address"} was refused: {why}",
                }));
                return facts;
            }

            effects.Add(new FleetEffect.EndStream(old.Id, "A newer stream of the same node took its place."));
        }

        effects.Add(new FleetEffect.Admit(opened.StreamId));
        if (known is null)
        {
            effects.Add(new FleetEffect.Happened(new EventDraft
            {
                At = now.Wall,
                Kind = EventKinds.NodeFound,
                Node = hello.Node,
                Text = $"{hello.Node} connected for the first time, from {opened.RemoteAddress ?? "an unknown address"}.",
            }));
        }

        var node = (known ?? new NodeFacts { Name = hello.Node }) with
        {
            AgentVersion = hello.AgentVersion,
            DataCenter = hello.DataCenter,
            RemoteAddress = opened.RemoteAddress,
            Stream = new StreamFacts(opened.StreamId, hello.BootId, now, now),
            StreamEndedAt = null,
        };
        effects.Add(new FleetEffect.SaveNode(node));

        // It missed something, or lost what it had.
        if (node.Intent is { } intent && intent.Revision > hello.IntentRevision)
        {
            effects.Add(new FleetEffect.Offer(opened.StreamId, intent));
        }

        return facts.With(node);
    }

    private static FleetFacts End(FleetFacts facts, FleetMessage.StreamEnded ended, Moment now, ICollection<FleetEffect> effects)
    {
        if (OfStream(facts, ended.Node, ended.StreamId) is not { } node)
        {
            return facts;
        }

        node = node with { Stream = null, StreamEndedAt = now };
        effects.Add(new FleetEffect.SaveNode(node));
        return facts.With(node);
    }

    private static FleetFacts Report(FleetFacts facts, FleetMessage.Reported reported, Moment now, Func<string> newId, ICollection<FleetEffect> effects)
    {
        if (OfStream(facts, reported.Node, reported.StreamId) is not { } node)
        {
            return facts;
        }

        var before = node.Report;
        if (before is not null && before.StreamId == reported.StreamId && reported.Report.Sequence <= before.Sequence)
        {
            return facts;
        }

        var report = reported.Report with { ReceivedAt = now, StreamId = reported.StreamId };

        // Once a minute is enough: after a restart the stored time only has to tell "just now" from "last week".
        var save = node.LastReportAt is not { } last || now.Wall.Minute != last.Minute;
        node = node with { Report = report, LastReportAt = now.Wall, Stream = node.Stream! with { LastMessageAt = now } };
        if (report.IntentRevision > (node.Intent?.Revision ?? 0))
        {
            node = Adopt(facts, node, report, now, effects);
        }

        if (save)
        {
            effects.Add(new FleetEffect.SaveNode(node));
        }

        facts = facts.With(node);
        return before is null || !SamePrefixes(before, report) ? Discover(facts, now, newId, effects) : facts;
    }

    // The node obeys something that the hub has never said: the hub's database was lost. What the node does is then what is wanted.
    private static NodeFacts Adopt(FleetFacts facts, NodeFacts node, ReportFacts report, Moment now, ICollection<FleetEffect> effects)
    {
        var intent = new IntentFacts
        {
            Revision = report.IntentRevision,
            Drained = report.Drained,
            Roles = IntentFacts.RolesFrom(report.Prefixes.Where(p => p.AssignedRole is not null).Select(p => (p.Prefix, p.AssignedRole!.Value))),
            Reason = "Adopted from the node.",
        };
        effects.Add(new FleetEffect.SaveAdoptedIntent(node.Name, intent));
        effects.Add(new FleetEffect.Happened(new EventDraft
        {
            At = now.Wall,
            Kind = EventKinds.IntentAdopted,
            Severity = EventSeverity.Warning,
            Node = node.Name,
            Pair = facts.PairOf(node.Name)?.Name,
            Text = $"{node.Name} obeys revision {intent.Revision}, which the hub does not know; the hub takes it over from the node.",
        }));
        return node with { Intent = intent };
    }

    private static FleetFacts Release(FleetFacts facts, FleetMessage.IntentReleased released, ICollection<FleetEffect> effects)
    {
        if (facts.Nodes.GetValueOrDefault(released.Node) is not { } node || released.Intent.Revision <= (node.Intent?.Revision ?? 0))
        {
            return facts;
        }

        if (node.Stream is { } stream)
        {
            effects.Add(new FleetEffect.Offer(stream.Id, released.Intent));
        }

        return facts.With(node with { Intent = released.Intent });
    }

    private static FleetFacts Operation(FleetFacts facts, FleetMessage.OperationChanged changed, ICollection<FleetEffect> effects)
    {
        if (facts.Pairs.GetValueOrDefault(changed.PairId) is not { } pair)
        {
            return facts;
        }

        // The end of an older operation must not hide a newer one.
        var running = changed.Running ?? (pair.Running?.Id == changed.OperationId ? null : pair.Running);
        pair = pair with
        {
            Running = running,
            Revision = Math.Max(pair.Revision, changed.Revision ?? 0),
            LastMove = changed.Move ?? pair.LastMove,
        };
        if (changed.Move is not null)
        {
            effects.Add(new FleetEffect.SavePair(pair));
        }

        return facts with { Pairs = facts.Pairs.SetItem(pair.Id, pair) };
    }

    private static FleetFacts Discover(FleetFacts facts, Moment now, Func<string> newId, ICollection<FleetEffect> effects)
    {
        var pairs = PairDiscovery.Find(facts, newId);
        foreach (var pair in pairs.Values)
        {
            var known = facts.Pairs.GetValueOrDefault(pair.Id);
            if (ReferenceEquals(known, pair))
            {
                continue;
            }

            effects.Add(new FleetEffect.SavePair(pair));
            if (known is null)
            {
                effects.Add(new FleetEffect.Happened(new EventDraft
                {
                    At = now.Wall,
                    Kind = EventKinds.PairFound,
                    Pair = pair.Name,
                    Text = $"{string.Join(" and ", pair.Members)} share {string.Join(", ", pair.Prefixes)}: they are the pair '{pair.Name}'.",
                }));
            }
        }

        return facts with { Pairs = pairs };
    }

    private static bool SamePrefixes(ReportFacts a, ReportFacts b) =>
        a.Prefixes.Length == b.Prefixes.Length && a.Prefixes.Zip(b.Prefixes).All(p => p.First.Prefix.Equals(p.Second.Prefix) && p.First.AssignedRole == p.Second.AssignedRole);
}
