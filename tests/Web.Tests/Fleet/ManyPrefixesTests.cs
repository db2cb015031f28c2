using System.Net;
using System.Runtime.InteropServices;
using CsCheck;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Fleet.Present;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Operations.Running;
using FailoverHub.Web.Tests.Operations;
using static FailoverHub.Web.Tests.Fleet.Fleets;

namespace FailoverHub.Web.Tests.Fleet;

/// <summary>Nodes with thousands of prefixes, and nodes that say they have those of a thousand pairs: nothing looks at each for each.</summary>
public sealed class ManyPrefixesTests
{
    private const int Many = 4_096;

    // Processor time of the test's own thread, whatever else the machine does: ten to a hundred times what it takes. Each for each takes longer than this.
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(5);
    private const int OfThisThread = 3; // CLOCK_THREAD_CPUTIME_ID

    private static readonly IPNetwork[] Prefixes = [.. Enumerable.Range(0, Many).Select(n => new IPNetwork(new IPAddress([10, 1, (byte)(n / 256), (byte)n]), 32))];

    /// <summary>Few are looked through, many found by a table: nobody sees which.</summary>
    [Fact]
    public void Find_SaysWhatLookingThroughThemWouldSay() =>
        Gen.Select(Gen.Int[0, 20].Array[0, 30], Gen.Int[0, 20].Array[1, 5], Gen.Int[0, 20].Array[0, 30]).Sample((has, asked, then) =>
        {
            var node = Viewed(has);
            var notAsked = node with { Name = node.Name };
            var other = node with { Prefixes = Viewed(then).Prefixes };
            foreach (var n in asked)
            {
                Assert.Same(node.Prefixes.FirstOrDefault(p => p.Prefix.Equals(Prefixes[n])), node.Find(Prefixes[n]));
                Assert.Same(other.Prefixes.FirstOrDefault(p => p.Prefix.Equals(Prefixes[n])), other.Find(Prefixes[n]));
                Assert.Same(node.Prefixes.FirstOrDefault(p => p.Prefix.Equals(Prefixes[n])), (other with { Prefixes = node.Prefixes }).Find(Prefixes[n]));
            }

            // That one of them has been asked is no difference.
            Assert.Equal(notAsked, node);
        });

    /// <summary>From the report to the page: found as a pair, judged, and judged again with each report; and a third node claims all of it.</summary>
    [Fact]
    public void PairOfFourThousandPrefixes_IsFoundAndJudgedAndClaimedInNoTime()
    {
        var since = Spent();
        var projector = new FleetProjector();
        var facts = FleetFacts.Empty;
        var before = FleetSnapshot.Empty;
        for (ulong round = 1; round <= 3; round++)
        {
            foreach (var (name, role, stream) in new[] { ("web-1", Role.Primary, 1L), ("web-2", Role.Secondary, 2L), ("web-3", Role.Primary, 3L) })
            {
                if (round == 1)
                {
                    facts = facts with { Nodes = facts.Nodes.SetItem(name, Node(name, Report()) with { Report = null, Stream = new StreamFacts(stream, "boot", Now, Now) }) };
                }

                var report = Report([.. Prefixes.Select(p => View(role, role, carrying: (int)round, prefix: p))]) with { Sequence = round };
                facts = FleetReducer.Apply(facts, new FleetMessage.Reported(stream, name, report), Now.After(round), () => "p1", []);
                var snapshot = projector.Project(facts, Now.After(round), (long)round);
                facts = FleetReducer.RememberActive(facts, snapshot, before);
                before = snapshot;
            }
        }

        var pair = Assert.Single(before.Pairs);
        Assert.Equal((Many, PairState.DualPrimary, Many), (pair.Prefixes.Length, pair.State, Assert.Single(pair.Claimants).Prefixes.Length));
        AssertQuick(since);
    }

    [Fact]
    public void SwitchoverOfFourThousandPrefixes_IsPlannedAndObservedInNoTime()
    {
        var facts = PairOf(
            Node("web-1", Report([.. Prefixes.Select(p => View(Role.Primary, Role.Primary, prefix: p))])), Node("web-2", Report([.. Prefixes.Select(p => View(Role.Secondary, Role.Secondary, prefix: p))])));
        facts = facts with { Pairs = facts.Pairs.SetItem("p1", facts.Pairs["p1"] with { Prefixes = [.. Prefixes] }) };
        var since = Spent();

        var target = SafetyRulesTests.Target(facts, SafetyRulesTests.Switchover());
        Assert.All(FailoverHub.Web.Operations.Rules.SafetyRules.Check(target, SafetyRulesTests.Known), rule => Assert.True(rule.Passed, rule.Message));
        var plan = OperationPlanner.Plan(target);
        foreach (var step in plan.Steps)
        {
            Assert.False(StepObservation.Shows(target.Fleet.FindNode(step.Wanted.Node)!, WantedOfNode.Of(step, 1)));
            Assert.True(StepObservation.Shows(target.Fleet.FindNode(step.Wanted.Node)!, WantedOfNode.Of(step.Before, 1, [])));
        }

        AssertQuick(since);
    }

    /// <summary>A node that says now this and now that, of thousands of pairs.</summary>
    [Fact]
    public void ClaimantOfThousandsOfPairs_IsLookedAtInNoTime()
    {
        const int Pairs = 3_000;
        var facts = FleetFacts.Empty;
        for (var n = 0; n < Pairs; n++)
        {
            facts = facts with
            {
                Nodes = facts.Nodes.Add($"web-{n}a", Node($"web-{n}a", Report(View(Role.Primary, Role.Primary, prefix: Prefixes[n])))).Add($"web-{n}b", Node($"web-{n}b", Report(View(Role.Secondary, Role.Secondary, prefix: Prefixes[n])))),
                Pairs = facts.Pairs.Add($"p{n}", Pair($"web-{n}a", $"web-{n}b") with { Id = $"p{n}", Name = $"web-{n}", Prefixes = [Prefixes[n]] }),
            };
        }

        var projector = new FleetProjector();
        facts = facts with { Nodes = facts.Nodes.Add("stranger", Node("stranger", Report())) };
        projector.Project(facts, Now, 1);
        var since = Spent();
        var snapshot = FleetSnapshot.Empty;
        for (ulong round = 2; round < 6; round++)
        {
            PrefixView[] said = [.. Prefixes.Take(Pairs).Select(p => View(Role.Primary, Role.Primary, prefix: p))];
            facts = FleetReducer.Apply(facts, new FleetMessage.Reported(1, "stranger", Report(round % 2 == 0 ? said : said[1..]) with { Sequence = round }), Now.After(round), () => "none", []);
            snapshot = projector.Project(facts, Now.After(round), (long)round);
        }

        Assert.Equal(Pairs - 1, snapshot.Pairs.Count(p => p.Claimants.Length == 1));
        AssertQuick(since);
    }

    private static NodeView Viewed(int[] prefixes) =>
        FleetProjection.Project(Facts(null, Node("web-1", Role.Primary)), Now, 1).Nodes.Single() with { Prefixes = [.. prefixes.Distinct().Select(n => View(Role.Primary, Role.Primary, prefix: Prefixes[n]))] };

    private static void AssertQuick(TimeSpan since)
    {
        var spent = Spent() - since;
        Assert.True(spent < Enough, $"It took {spent.TotalSeconds:0.0} s.");
    }

    private static TimeSpan Spent()
    {
        Assert.Equal(0, ReadClock(OfThisThread, out var read));
        return TimeSpan.FromSeconds(read.Seconds) + TimeSpan.FromMicroseconds(read.Nanoseconds / 1_000.0);
    }

    [DllImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ReadClock(int clock, out Read read);

    private readonly record struct Read(nint Seconds, nint Nanoseconds);
}
