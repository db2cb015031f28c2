using System.Net;
using FailoverHub.Web.Fleet;
using static FailoverHub.Web.Tests.Fleet.Fleets;

namespace FailoverHub.Web.Tests.Fleet;

/// <summary>Every state of a pair, by what its two nodes report: (facts, now) in, what may be shown out.</summary>
public sealed class PairStateTests
{
    private static NodeFacts A(ReportFacts report) => Node("web-1", report);

    private static NodeFacts B(ReportFacts report) => Node("web-2", report);

    private static readonly NodeFacts Primary1 = Node("web-1", Role.Primary);
    private static readonly NodeFacts Standby2 = Node("web-2", Role.Secondary);

    public static TheoryData<string, PairState, string?, string> Rows { get; } = new()
    {
        { "both announce", PairState.Healthy, "web-1", "All nodes announce, and web-1 is active" },
        { "primary silent", PairState.Degraded, null, "It is announced, but web-1 is silent: if it is down, 203.0.113.10/32 is on web-2, which announces it as secondary." },
        { "primary silent, its checks failed", PairState.Degraded, null, "web-1 is silent: if it is down, 203.0.113.10/32 is on web-2" },
        { "primary silent, was drained", PairState.FailedOver, "web-2", "web-1 is silent, and when it was last heard it was not primary" },
        { "primary silent, demotion not confirmed", PairState.Degraded, null, "web-1 is silent: if it is down, 203.0.113.10/32 is on web-2" },
        { "primary not heard since the hub started", PairState.Degraded, null, "web-1 is silent: if it is down, 203.0.113.10/32 is on web-2" },
        { "standby silent", PairState.Degraded, "web-1", "It is announced, but web-2 is silent." },
        { "standby silent, promotion not confirmed", PairState.Degraded, null, "web-2 is silent: if it is down, 203.0.113.10/32 is on web-1, which announces it as primary" },
        { "standby not heard since the hub started", PairState.Degraded, "web-1", "It is announced, but web-2 is silent." },
        { "equal roles, silent one was not there", PairState.Degraded, "web-1", "web-2 is silent." },
        { "equal roles, silent one was there", PairState.Degraded, null, "web-1 is silent: if it is down, 203.0.113.10/32 is on web-2" },
        { "address gone from both", PairState.NoAnnouncer, null, "Nobody announces 203.0.113.10/32: web-1 does not have 203.0.113.10/32; web-2 does not" },
        { "pair that lost its address in an earlier hub", PairState.NoAnnouncer, null, "web-1 and web-2 share no address any more" },
        { "both silent", PairState.Unknown, null, "No fresh report from web-1 or web-2" },
        { "never heard", PairState.Unknown, null, "No fresh report" },
        { "primary drained", PairState.FailedOver, "web-2", "web-1 is drained" },
        { "standby drained", PairState.Degraded, "web-1", "Web-2 is drained" },
        { "both withdrawn", PairState.NoAnnouncer, null, "Nobody announces 203.0.113.10/32: web-1 is drained; web-2 withdrew" },
        { "standby withdrawn, primary silent", PairState.Unknown, null, "Nothing fresh from web-1, and web-2" },
        { "primary without a session", PairState.FailedOver, "web-2", "web-1 has no established session" },
        { "newest UPDATE of the primary not written yet", PairState.Healthy, "web-1", "web-1 is active" },
        { "two primaries, one assigned", PairState.DualPrimary, null, "web-1 and web-2 announce 203.0.113.10/32 as primary" },
        { "two primaries, both assigned", PairState.Healthy, null, "All nodes are assigned primary" },
        { "two secondaries, here first", PairState.Degraded, "web-1", "no node is assigned primary" },
        { "two secondaries, there first", PairState.FailedOver, "web-2", "announces it as secondary. Fail back to web-1" },
        { "roles swapped by an operation", PairState.FailedOver, "web-2", "moved by alice" },
        { "switching", PairState.Switching, "web-1", "Switch web over to web-2" },
        { "switching, both withdrawn", PairState.NoAnnouncer, null, "Nobody announces" },
        { "one session down", PairState.Degraded, "web-1", "Web-1 has 3 of 4 sessions" },
        { "unhealthy standby", PairState.Degraded, "web-1", "the checks of web-2 fail" },
        { "role not as wanted", PairState.Degraded, "web-1", "but primary is wanted" },
        { "standby lacks the prefix", PairState.Degraded, "web-1", "web-2 does not have 203.0.113.10/32" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void Pair_ByWhatItsNodesReport_ShowsTheWorstStateAndWhy(string row, PairState state, string? active, string reason)
    {
        var view = View(FactsOf(row));

        Assert.Equal((state, active), (view.State, view.ActiveNode));
        Assert.Contains(reason, view.StateReason, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(active is null ? ActiveNodeBasis.Unknown : ActiveNodeBasis.Inferred, view.ActiveNodeBasis);
    }

    private static FleetFacts FactsOf(string row)
    {
        var drained = Report(View(Role.Primary, null, WithdrawnReason.Drained)) with { Drained = true };
        var swapped = PairOf(Node("web-1", Role.Secondary), Node("web-2", Role.Primary));
        return row switch
        {
            "both announce" => Healthy,
            "primary silent" => PairOf(Primary1.Gone(), Standby2),
            "primary silent, its checks failed" => PairOf(A(Report(View(Role.Primary, null, WithdrawnReason.Unhealthy))).Gone(), Standby2),
            "primary silent, was drained" => PairOf(A(drained).Gone(), Standby2),
            "primary silent, demotion not confirmed" => PairOf(Primary1.Gone() with { Intent = Wanted(Role.Secondary) }, Standby2),
            "primary not heard since the hub started" => PairOf(new NodeFacts { Name = "web-1", LastReportAt = Now.Wall }, Standby2),
            "standby silent, promotion not confirmed" => PairOf(Primary1, Standby2.Gone() with { Intent = Wanted(Role.Primary) }),
            "standby not heard since the hub started" => PairOf(Primary1, new NodeFacts { Name = "web-2", LastReportAt = Now.Wall }),
            "equal roles, silent one was not there" => With(PairOf(Primary1, Node("web-2", Role.Primary).Gone()), p => p with { Active = p.Active.SetItem(Prefix.ToString(), "web-1") }),
            "equal roles, silent one was there" => With(PairOf(Primary1.Gone(), Node("web-2", Role.Primary)), p => p with { Active = p.Active.SetItem(Prefix.ToString(), "web-1") }),
            "address gone from both" => PairOf(A(Report()), B(Report())),
            "pair that lost its address in an earlier hub" => With(PairOf(A(Report()), B(Report())), p => p with { Prefixes = [] }),
            "standby silent" => PairOf(Primary1, Standby2.Gone()),
            "both silent" => PairOf(Primary1.Gone(), Standby2.Gone()),
            "never heard" => PairOf(new NodeFacts { Name = "web-1" }, new NodeFacts { Name = "web-2" }),
            "primary drained" => PairOf(A(drained), Standby2),
            "standby drained" => PairOf(Primary1, B(drained with { Prefixes = [View(Role.Secondary, null, WithdrawnReason.Drained)] })),
            "both withdrawn" => PairOf(A(drained), B(Report(View(Role.Secondary, null, WithdrawnReason.Unhealthy)))),
            "standby withdrawn, primary silent" => PairOf(Primary1.Gone(), B(Report(View(Role.Secondary, null, WithdrawnReason.Unhealthy)))),
            "primary without a session" => PairOf(A(Report(View(Role.Primary, Role.Primary, carrying: 0)) with { Sessions = [Session(1, BgpSessionState.Active)] }), Standby2),
            "newest UPDATE of the primary not written yet" => PairOf(A(Report(View(Role.Primary, Role.Primary, carrying: 0))), Standby2),
            "two primaries, one assigned" => PairOf(Primary1, B(Report(View(Role.Secondary, Role.Primary)))),
            "two primaries, both assigned" => PairOf(Primary1, Node("web-2", Role.Primary)),
            "two secondaries, here first" => With(PairOf(Node("web-1", Role.Secondary), Standby2), p => p with { Active = p.Active.SetItem(Prefix.ToString(), "web-1") }),
            "two secondaries, there first" => With(PairOf(Node("web-1", Role.Secondary), Standby2), p => p with { Active = p.Active.SetItem(Prefix.ToString(), "web-2") }),
            "roles swapped by an operation" => With(swapped, p => p with { LastMove = new PairMove("web-2", "alice", "op1", Now.Wall) }),
            "switching" => With(Healthy, p => p with { Running = new RunningOperation("op1", "Switch web over to web-2", MovesTraffic: true) }),
            "switching, both withdrawn" => With(PairOf(A(drained), B(drained)), p => p with { Running = new RunningOperation("op1", "Switch", MovesTraffic: true) }),
            "one session down" => PairOf(A(Report(View(Role.Primary, Role.Primary)) with { Sessions = [Session(1), Session(2), Session(3), Session(4, BgpSessionState.Active)] }), Standby2),
            "unhealthy standby" => PairOf(Primary1, B(Report(View(Role.Secondary, Role.Secondary)) with { Health = Health.Unhealthy })),
            "role not as wanted" => With(PairOf(A(Report(View(Role.Primary, Role.Secondary))), Standby2), p => p with { Active = p.Active.SetItem(Prefix.ToString(), "web-1") }),
            "standby lacks the prefix" => PairOf(Primary1, B(Report())),
            _ => throw new ArgumentOutOfRangeException(nameof(row), row, null),
        };
    }

    [Fact]
    public void Pair_WithADrainUnderWay_IsNotShownAsSwitchingWhenNoTrafficMoves()
    {
        var view = View(With(Healthy, p => p with { Running = new RunningOperation("op1", "Drain web-2", MovesTraffic: false) }));

        Assert.Equal((PairState.Healthy, "op1"), (view.State, view.OperationId));
    }

    [Theory]
    [InlineData(true, "op1")]
    [InlineData(false, null)]
    public void Pair_WithADrillUnderWay_IsTheDrills_WhetherOneOfItsMovesRunsOrNot(bool moves, string? move)
    {
        var view = View(With(Healthy, p => p with
        {
            Drill = new RunningOperation("drill1", "Drill of web: over to web-2 and back to web-1", MovesTraffic: true),
            Running = moves ? new RunningOperation("op1", "Switch web over to web-2", MovesTraffic: true) : null,
        }));

        Assert.Equal((PairState.Switching, "drill1", move), (view.State, view.OperationId, view.MoveId));
        Assert.Equal("A drill is under way: Drill of web: over to web-2 and back to web-1.", view.StateReason);
    }

    [Fact]
    public void Pair_WithEachNodePrimaryForOnePrefix_IsHealthyAndHasNoSingleActiveNode()
    {
        var other = IPNetwork.Parse("2001:db8:e001:1b8c::/64");
        var one = A(Report(View(Role.Primary, Role.Primary), View(Role.Secondary, Role.Secondary, prefix: other)));
        var two = B(Report(View(Role.Secondary, Role.Secondary), View(Role.Primary, Role.Primary, prefix: other)));

        var view = View(With(PairOf(one, two), p => p with { PreferredNode = null, Prefixes = [Prefix, other] }));

        Assert.Equal((PairState.Healthy, null), (view.State, view.ActiveNode));
        Assert.Contains("every prefix is on the node that is assigned primary", view.StateReason, StringComparison.Ordinal);
    }

    [Fact]
    public void Pair_WhosePrefixAnotherPairAnnouncesAsPrimary_IsDualPrimaryAndNobodyIsSaidToBeActive()
    {
        var stranger = Node("db-1", Role.Primary);
        var facts = Healthy with { Nodes = Healthy.Nodes.SetItem("db-1", stranger) };

        var view = View(facts);

        Assert.Equal((PairState.DualPrimary, null), (view.State, view.ActiveNode));
        Assert.Contains("web-1 and db-1 announce 203.0.113.10/32 as primary, and they are not of one pair", view.StateReason, StringComparison.Ordinal);
        Assert.Equal(PairState.Healthy, View(facts with { Nodes = facts.Nodes.SetItem("db-1", stranger with { DataCenter = "18" }) }).State);
    }

    [Fact]
    public void Pair_WithTwoPrefixesAndASilentNode_SaysWhereEachIsIfItIsDown()
    {
        var other = IPNetwork.Parse("2001:db8:e001:1b8c::/64");
        var one = A(Report(View(Role.Primary, Role.Primary), View(Role.Primary, Role.Primary, prefix: other))).Gone();
        var two = B(Report(View(Role.Secondary, Role.Secondary), View(Role.Secondary, Role.Secondary, prefix: other)));

        var view = View(With(PairOf(one, two), p => p with { Prefixes = [Prefix, other] }));

        Assert.Contains("if it is down, 203.0.113.10/32 and 2001:db8:e001:1b8c::/64 are on web-2, which announces them as secondary", view.StateReason, StringComparison.Ordinal);
    }

    private static IntentFacts Wanted(Role role) => new() { Revision = 1, Drained = false, Roles = IntentFacts.RolesFrom([(Prefix, role)]) };

    private static FleetFacts With(FleetFacts facts, Func<PairFacts, PairFacts> change) => facts with { Pairs = facts.Pairs.SetItem("p1", change(facts.Pairs["p1"])) };
}
