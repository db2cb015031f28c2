using System.Collections.Immutable;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Fleet;

/// <summary>What is known after a message, and what has to be done because of it. Pure: the store carries the effects out.</summary>
internal static class FleetReducer
{
    /// <summary>
    /// A hub that has lost its database learns once from each node what it obeys. A node that says a newer revision with each report would else fill the table of intents and the history; what it
    /// says meanwhile is seen in its reports, and no revision of the hub's own is ever below it.
    /// </summary>
    public static readonly TimeSpan AdoptedEvery = TimeSpan.FromMinutes(10);

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
        FleetMessage.IntentAnswered answered => Answered(facts, answered, now, effects),
        FleetMessage.Heard heard => OfStream(facts, heard.Node, heard.StreamId) is { } node
            ? facts.With(node with { Stream = node.Stream! with { LastMessageAt = now } })
            : facts,
        FleetMessage.RequestAnswered answered => OfStream(facts, answered.Node, answered.StreamId) is { } node
            ? facts.With(node with { RequestAnswer = answered.Answer, Stream = node.Stream! with { LastMessageAt = now } })
            : facts,
        FleetMessage.RequestReleased asked => Ask(facts, asked, effects),
        FleetMessage.FreezesChanged changed => facts with { Freezes = changed.Freezes },
        FleetMessage.IntentReleased released => Release(facts, released, effects),
        FleetMessage.OfferAgain again => OfferAgain(facts, again, effects),
        FleetMessage.OperationChanged changed => Operation(facts, changed, now, effects),
        FleetMessage.DrillChanged changed => facts.Pairs.GetValueOrDefault(changed.PairId) is { } pair && (changed.Drill is not null || pair.Drill?.Id == changed.DrillId)
            ? facts with { Pairs = facts.Pairs.SetItem(pair.Id, pair with { Drill = changed.Drill }) }
            : facts,
        FleetMessage.MemberLetIn letIn => PairClaims.LetIn(facts, letIn, effects),
        FleetMessage.IdentityChanged changed => IdentityReducer.Changed(facts, changed, effects),
        FleetMessage.NodeHeld held => IdentityReducer.Held(facts, held, now, effects),
        FleetMessage.NodeRenamed renamed => IdentityReducer.Renamed(facts, renamed, effects),
        FleetMessage.NodeRemoved removed => IdentityReducer.Removed(facts, removed, effects),
        FleetMessage.NodeRefused refused => IdentityReducer.Refused(facts, refused, now, effects),
        FleetMessage.Answered answered => facts with { Answers = answered.Answers },
        FleetMessage.Tick => facts,
        _ => throw new InvalidOperationException($"Unknown message {message.GetType().Name}."),
    };

    /// <summary>Whether someone who looks should see the difference at once; else the next second is soon enough.</summary>
    public static bool IsUrgent(FleetFacts facts, FleetMessage message, Moment now) => message switch
    {
        FleetMessage.Heard => false,
        FleetMessage.Answered answered => !PrefixAnswer.SayTheSame(facts.Answers, answered.Answers),
        FleetMessage.Reported reported => facts.Nodes.GetValueOrDefault(reported.Node)?.Report is not { } before
            || now.Uptime - before.ReceivedAt.Uptime > FleetProjection.FreshFor
            || !before.SaysTheSameAs(reported.Report with { StreamId = reported.StreamId }),
        FleetMessage.IntentAnswered answered => facts.Nodes.GetValueOrDefault(answered.Node)?.Answer != answered.Answer,
        _ => true,
    };

    /// <summary>Remembers where each prefix is, for telling later who was there first.</summary>
    /// <param name="facts">What was known.</param>
    /// <param name="snapshot">What was computed from it.</param>
    /// <param name="before">The snapshot before, after which it was remembered too; null: there is none.</param>
    public static FleetFacts RememberActive(FleetFacts facts, FleetSnapshot snapshot, FleetSnapshot? before = null)
    {
        for (var i = 0; i < snapshot.Pairs.Length; i++)
        {
            var view = snapshot.Pairs[i];
            if (before is not null && i < before.Pairs.Length && ReferenceEquals(before.Pairs[i], view))
            {
                continue;
            }

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
        if (StreamAdmission.Against(known, opened, now) is { } refused)
        {
            effects.Add(refused);
            return refused.End == StreamEnd.NameClash && known is not null ? Clash(facts, known, opened, refused.Why, now, effects) : facts;
        }

        if (known?.Stream is { } old)
        {
            effects.Add(new FleetEffect.EndStream(old.Id, StreamEnd.Replaced, "A newer stream of the same node took its place."));
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
            Capabilities = hello.Capabilities,
            Stream = new StreamFacts(opened.StreamId, hello.BootId, now, now) { Identity = opened.Identity },
            StreamEndedAt = null,
            Refusal = null,
        };
        var admitted = StreamAdmission.Admitted(known is null ? node : node with { RemoteAddress = known.RemoteAddress }, opened, now) with { RemoteAddress = opened.RemoteAddress };
        if (StreamAdmission.Told(facts, node, admitted, now) is { } told)
        {
            effects.Add(told);
        }

        node = admitted;
        effects.Add(new FleetEffect.SaveNode(node));

        node = Confirm(node, hello.IntentRevision, effects);
        if (node.Intent is not { } intent || intent.Revision <= hello.IntentRevision)
        {
            return facts.With(node);
        }

        if (intent.OnReturn && node.Confirmed?.Revision != intent.Revision)
        {
            node = Offer(node, intent, effects);
        }
        else if (node.Confirmed?.Revision == intent.Revision)
        {
            node = OfferWhatItLost(facts, node, intent, now, effects);
        }
        else if (!IsAwaited(facts, node, intent))
        {
            node = OfferIfLost(facts, Drop(facts, node, now, effects), hello.IntentRevision, now, effects);
        }

        return facts.With(node);
    }

    private static FleetFacts Clash(FleetFacts facts, NodeFacts known, FleetMessage.StreamOpened opened, string why, Moment now, ICollection<FleetEffect> effects)
    {
        var node = StreamAdmission.Refused(known, opened, now);
        if (StreamAdmission.Told(facts, known, node, now) is { } told)
        {
            effects.Add(told);
        }
        else if (opened.Identity is null)
        {
            effects.Add(new FleetEffect.Happened(new EventDraft
            {
                At = now.Wall,
                Kind = EventKinds.NodeNameClash,
                Severity = EventSeverity.Warning,
                Node = known.Name,
                Pair = facts.PairOf(known.Name)?.Name,
                Text = $"An agent from {opened.RemoteAddress ?? "an unknown address"} was refused: {why}",
            }));
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
        node = Confirm(node, report.IntentRevision, effects);
        if (report.IntentRevision > (node.Intent?.Revision ?? 0) && (node.AdoptedAt is not { } adopted || now.Uptime - adopted.Uptime >= AdoptedEvery))
        {
            node = Adopt(facts, node, report, now, effects);
        }

        if (save)
        {
            effects.Add(new FleetEffect.SaveNode(node));
        }

        facts = facts.With(node);
        return before is null || !SamePrefixes(before, report) ? Discover(facts, node.Name, now, newId, effects) : facts;
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
        return node with { Intent = intent, Confirmed = intent, AdoptedAt = now };
    }

    private static FleetFacts Answered(FleetFacts facts, FleetMessage.IntentAnswered answered, Moment now, ICollection<FleetEffect> effects)
    {
        if (OfStream(facts, answered.Node, answered.StreamId) is not { } node)
        {
            return facts;
        }

        // An agent that has just connected answers once more what it was last told; that may be older than what was answered since.
        node = node with
        {
            Answer = answered.Answer.Revision >= (node.Answer?.Revision ?? 0) ? answered.Answer : node.Answer,
            Stream = node.Stream! with { LastMessageAt = now },
        };
        return facts.With(answered.Answer.Outcome == IntentOutcome.Rejected ? node : Confirm(node, answered.Answer.Revision, effects));
    }

    private static NodeFacts Confirm(NodeFacts node, long revision, ICollection<FleetEffect> effects)
    {
        if (node.Intent is not { } intent || intent.Revision != revision || node.Confirmed?.Revision == revision)
        {
            return node;
        }

        effects.Add(new FleetEffect.IntentConfirmed(node.Name, revision));
        return node with { Confirmed = intent };
    }

    /// <summary>The operation that it belongs to still runs: that one decides whether it may be sent once more.</summary>
    private static bool IsAwaited(FleetFacts facts, NodeFacts node, IntentFacts intent) =>
        intent.OperationId is { } id && (facts.PairOf(node.Name)?.Running?.Id == id || facts.Pairs.Values.Any(p => p.Running?.Id == id));

    /// <summary>
    /// The node never showed the intent, and nobody waits for it any more. What was right when it was asked for may take the address away
    /// now: it is not sent again, what the node does is what is wanted, and whoever still wants it asks again.
    /// </summary>
    private static NodeFacts Drop(FleetFacts facts, NodeFacts node, Moment now, ICollection<FleetEffect> effects)
    {
        GiveUp(facts, node, $"{node.Name} came back without revision {node.Intent!.Revision}, which it had never confirmed. It is not sent again: ask for it again if it is still wanted.", now, effects);
        return node with { Intent = node.Confirmed, OfferedOn = null, GivenUp = Math.Max(node.GivenUp, node.Intent.Revision) };
    }

    private static NodeFacts OfferIfLost(FleetFacts facts, NodeFacts node, long obeyed, Moment now, ICollection<FleetEffect> effects) =>
        node.Intent is { } earlier && earlier.Revision > obeyed ? OfferWhatItLost(facts, node, earlier, now, effects) : node;

    /// <summary>
    /// The node obeyed the intent once and lost what it had. It is told again, unless that would now take the last announcer of a prefix away
    /// or make a second primary: nobody has asked for that.
    /// </summary>
    private static NodeFacts OfferWhatItLost(FleetFacts facts, NodeFacts node, IntentFacts intent, Moment now, ICollection<FleetEffect> effects)
    {
        if (FleetProjection.AgainstReturningTo(facts, node, intent, now) is not { } against)
        {
            return Offer(node, intent.WithoutTheMoment(), effects);
        }

        GiveUp(facts, node, $"{node.Name} came back without revision {intent.Revision}, which it had obeyed before. It is not sent again, because {against}: ask for it again if it is still wanted.", now, effects);
        return node with { Intent = null, Confirmed = null, OfferedOn = null, GivenUp = Math.Max(node.GivenUp, intent.Revision) };
    }

    private static void GiveUp(FleetFacts facts, NodeFacts node, string text, Moment now, ICollection<FleetEffect> effects)
    {
        effects.Add(new FleetEffect.IntentDropped(node.Name, node.Intent!.Revision));
        effects.Add(new FleetEffect.Happened(new EventDraft
        {
            At = now.Wall,
            Kind = EventKinds.IntentDropped,
            Severity = EventSeverity.Warning,
            Node = node.Name,
            Pair = facts.PairOf(node.Name)?.Name,
            OperationId = node.Intent.OperationId,
            Text = text,
        }));
    }

    private static NodeFacts Offer(NodeFacts node, IntentFacts intent, ICollection<FleetEffect> effects)
    {
        if (node.Stream is { } stream)
        {
            effects.Add(new FleetEffect.Offer(stream.Id, intent));
        }

        return node with { Intent = intent, OfferedOn = node.Stream?.Id };
    }

    private static FleetFacts OfferAgain(FleetFacts facts, FleetMessage.OfferAgain again, ICollection<FleetEffect> effects) =>
        facts.Nodes.GetValueOrDefault(again.Node) is { Intent: { } intent, Stream: { } stream } node && intent.Revision == again.Revision && node.OfferedOn != stream.Id
            ? facts.With(Offer(node, intent, effects))
            : facts;

    private static FleetFacts Release(FleetFacts facts, FleetMessage.IntentReleased released, ICollection<FleetEffect> effects)
    {
        if (facts.Nodes.GetValueOrDefault(released.Node) is not { } node || released.Intent.Revision <= (node.Intent?.Revision ?? 0))
        {
            return facts;
        }

        return facts.With(Offer(node, released.Intent, effects));
    }

    private static FleetFacts Ask(FleetFacts facts, FleetMessage.RequestReleased asked, ICollection<FleetEffect> effects)
    {
        if (facts.Nodes.GetValueOrDefault(asked.Node)?.Stream is { } stream)
        {
            effects.Add(new FleetEffect.Ask(stream.Id, asked.Request));
        }

        return facts;
    }

    private static FleetFacts Operation(FleetFacts facts, FleetMessage.OperationChanged changed, Moment now, ICollection<FleetEffect> effects)
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
            Failback = changed.Failback ?? pair.Failback,
        };
        facts = facts with { Pairs = facts.Pairs.SetItem(pair.Id, pair) };
        if (running is null)
        {
            // Who dialled again meanwhile and was not told again is not told any more. First for all of them, then what they had lost is offered:
            // what the one is told depends on what is wanted of the other.
            var claimants = facts.Nodes.Values.Where(n => n.Intent is { OperationId: { } id } && id == changed.OperationId && !pair.Members.Contains(n.Name));
            var dropped = pair.Members.Select(m => facts.Nodes.GetValueOrDefault(m)).OfType<NodeFacts>().Concat(claimants)
                .Where(node => node is { Intent: { OnReturn: false } intent, Stream: { } stream } && node.OfferedOn != stream.Id && node.Confirmed?.Revision != intent.Revision)
                .ToList();
            foreach (var node in dropped)
            {
                facts = facts.With(Drop(facts, node, now, effects));
            }

            foreach (var node in dropped.Select(n => facts.Nodes[n.Name]))
            {
                facts = facts.With(OfferIfLost(facts, node, node.Report?.StreamId == node.Stream!.Id ? node.Report.IntentRevision : 0, now, effects));
            }
        }

        return facts;
    }

    private static FleetFacts Discover(FleetFacts facts, string reporter, Moment now, Func<string> newId, ICollection<FleetEffect> effects)
    {
        var pairs = PairDiscovery.Find(facts, newId, reporter);
        if (ReferenceEquals(pairs, facts.Pairs))
        {
            return PairClaims.Tell(facts, reporter, now, effects);
        }

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

        return PairClaims.Tell(facts with { Pairs = pairs }, reporter, now, effects);
    }

    private static bool SamePrefixes(ReportFacts a, ReportFacts b) =>
        a.Prefixes.Length == b.Prefixes.Length && a.Prefixes.Zip(b.Prefixes).All(p => p.First.Prefix.Equals(p.Second.Prefix) && p.First.AssignedRole == p.Second.AssignedRole);
}
