using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using CsCheck;
using FailoverHub.Web.Api;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Fleet.Present;
using static FailoverHub.Web.Tests.Fleet.Fleets;

namespace FailoverHub.Web.Tests.Fleet;

/// <summary>A projector that remembers says the same as one that does not, and computes only what has changed.</summary>
[Trait("Kind", "Long")]
public sealed class FleetProjectorTests
{
    private static readonly IPNetwork[] Prefixes = [.. Enumerable.Range(1, 4).Select(n => IPNetwork.Parse($"203.0.113.{n}/32"))];

    /// <summary>What happens to one of six nodes of two data centers, as four small numbers.</summary>
    private static readonly Gen<(int What, int Node, int Shape, int Roles)[]> Stories =
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 5], Gen.Int[0, 31], Gen.Int[0, 15]).Array[10, 80];

    [Fact]
    public void WhateverHappened_TheSnapshotIsThatOfAProjectorThatRemembersNothing() => Stories.Sample(
        story =>
        {
            var projector = new FleetProjector();
            var facts = FleetFacts.Empty;
            var (now, stream, sequence, next) = (Now, 0L, 0UL, 0);
            var (before, plainBefore) = (FleetSnapshot.Empty, FleetSnapshot.Empty);
            for (var version = 0; version < story.Length; version++)
            {
                var (what, number, shape, roles) = story[version];
                var name = $"node-{number}";
                foreach (var message in MessagesOf(facts, what, name, number, shape, roles, ref stream, ref sequence, ref now))
                {
                    facts = FleetReducer.Apply(facts, message, now, () => $"p{next++}", []);
                }

                var snapshot = projector.Project(facts, now, version);
                var plain = new FleetProjector().Project(facts, now, version);
                Assert.Equal(TextOf(plain), TextOf(snapshot));
                Assert.Equal(FleetTransitions.Between(plainBefore, plain).Select(e => e.Text), FleetTransitions.Between(before, snapshot).Select(e => e.Text));
                Assert.Equal(TextOf(FleetReducer.RememberActive(facts, plain)), TextOf(FleetReducer.RememberActive(facts, snapshot, before)));
                facts = FleetReducer.RememberActive(facts, snapshot, before);
                (before, plainBefore) = (snapshot, plain);
            }
        },
        iter: 300);

    [Fact]
    public void OneReport_OfALargeFleet_HasOneNodeAndOnePairComputedAnew()
    {
        var (facts, now, projector) = (FleetOf(200), Now, new FleetProjector());
        var before = projector.Project(facts, now, 1);

        facts = FleetReducer.Apply(facts, new FleetMessage.Reported(1, "web-7a", facts.Nodes["web-7a"].Report! with { Sequence = 2 }), now.After(0.5), () => "none", []);
        var after = projector.Project(facts, now.After(0.5), 2);

        Assert.Equal(["web-7a"], after.Nodes.Zip(before.Nodes).Where(n => !ReferenceEquals(n.First, n.Second)).Select(n => n.First.Name));
        Assert.Equal(["web-7"], after.Pairs.Zip(before.Pairs).Where(p => !ReferenceEquals(p.First, p.Second)).Select(p => p.First.Name));
        Assert.Same(before.FindPair("web-7")!.StateReason, after.FindPair("web-7")!.StateReason);
    }

    [Fact]
    public void TimeAlone_ComputesNothingAnewUntilALinkGrowsOld()
    {
        var (facts, projector) = (FleetOf(50), new FleetProjector());
        var before = projector.Project(facts, Now, 1);

        var soon = projector.Project(facts, Now.After(2.9), 2);
        var late = projector.Project(facts, Now.After(3.1), 3);

        Assert.All(before.Nodes.Zip(soon.Nodes), n => Assert.Same(n.First, n.Second));
        Assert.All(late.Nodes, n => Assert.Equal(NodeLink.Stale, n.Link));
        Assert.All(late.Pairs, p => Assert.Equal(PairState.Unknown, p.State));
    }

    /// <summary>Pairs web-0, web-1 and so on, all well.</summary>
    private static FleetFacts FleetOf(int pairs)
    {
        var facts = FleetFacts.Empty;
        for (var i = 0; i < pairs; i++)
        {
            var prefix = IPNetwork.Parse($"198.51.{100 + (i / 250)}.{i % 250}/32");
            NodeFacts[] nodes =
            [
                Node($"web-{i}a", Report(View(Role.Primary, Role.Primary, prefix: prefix))),
                Node($"web-{i}b", Report(View(Role.Secondary, Role.Secondary, prefix: prefix))),
            ];
            var pair = Pair(nodes[0].Name, nodes[1].Name) with { Id = $"id{i}", Name = $"web-{i}", PreferredNode = nodes[0].Name, Prefixes = [prefix] };
            facts = facts with { Nodes = facts.Nodes.SetItems(nodes.Select(n => KeyValuePair.Create(n.Name, n))), Pairs = facts.Pairs.SetItem(pair.Id, pair) };
        }

        return facts;
    }

    private static IEnumerable<FleetMessage> MessagesOf(FleetFacts facts, int what, string name, int number, int shape, int roles, ref long stream, ref ulong sequence, ref Moment now)
    {
        var open = facts.Nodes.GetValueOrDefault(name)?.Stream;
        switch (what)
        {
            case 0:
                now = now.After(1 + (shape % 5));
                return [];
            case 1 when open is not null:
                return [new FleetMessage.StreamEnded(open.Id, name)];
            case 2 when open is not null:
                return [new FleetMessage.IntentReleased(name, new IntentFacts { Revision = (facts.Nodes[name].Intent?.Revision ?? 0) + 1, Drained = shape > 24, Roles = IntentFacts.RolesFrom([(Prefixes[shape % 4], (Role)(roles % 2))]) })];
            case 3 when facts.PairOf(name) is { } pair:
                return [new FleetMessage.OperationChanged(pair.Id, shape < 16 ? new RunningOperation("op", "at random", true) : null, "op", pair.Revision + 1, null)];
            case 4 when open is not null && facts.Nodes[name].Report is { } same:
                return [new FleetMessage.Reported(open.Id, name, same with { Sequence = ++sequence })];
            default:
                var report = new FleetMessage.Reported(open?.Id ?? ++stream, name, RandomReport(facts, name, shape, roles) with { Sequence = ++sequence });
                return open is not null
                    ? [report]
                    : [new FleetMessage.StreamOpened(stream, new AgentHello { Node = name, AgentVersion = "1", BootId = $"boot-{stream}", IntentRevision = 0, DataCenter = number < 4 ? "1" : "2", Capabilities = [] }, null), report];
        }
    }

    private static ReportFacts RandomReport(FleetFacts facts, string name, int shape, int roles)
    {
        var views = Prefixes.Where((_, i) => (shape & (1 << i)) != 0).Select((prefix, i) =>
        {
            var role = (roles & (1 << i)) != 0 ? Role.Primary : Role.Secondary;
            var announced = shape < 28;
            return View(role, announced ? role : null, announced ? null : WithdrawnReason.Unhealthy, prefix: prefix) with { Hold = roles == 5 ? new FailbackHold(TimeSpan.FromSeconds(30), "held") : null };
        });
        return Report([.. views]) with { IntentRevision = facts.Nodes.GetValueOrDefault(name)?.Intent?.Revision ?? 0, Sessions = [.. Enumerable.Range(1, 2).Select(n => Session(n) with { MessagesReceived = shape })] };
    }

    private static string TextOf(FleetSnapshot snapshot) => JsonSerializer.Serialize(new
    {
        Pairs = snapshot.Pairs.Select(p => new { Pair = p.ToDto(), p.StateReason, Primary = p.Members.Select(m => m.MayBePrimary) }),
        Nodes = snapshot.Nodes.Select(n => n.ToDto(null, snapshot.At)),
    });

    private static string TextOf(FleetFacts facts) => string.Join('\n', facts.Pairs.Values.Select(p => $"{p.Name} {string.Join(' ', p.Active.Select(a => $"{a.Key}={a.Value}"))}"));
}
