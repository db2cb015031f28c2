using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using static FailoverHub.Web.Tests.Fleet.Fleets;

namespace FailoverHub.Web.Tests.Fleet;

public sealed class FleetTransitionsTests
{
    private static List<EventDraft> Between(FleetFacts before, FleetFacts after, Moment? now = null) =>
        [.. FleetTransitions.Between(FleetProjection.Project(before, Now, 1), FleetProjection.Project(after, now ?? Now, 2))];

    [Fact]
    public void NothingChanged_NothingHappened() => Assert.Empty(Between(Healthy, Healthy));

    [Fact]
    public void NodeThatFallsSilent_IsToldWithWhatItMeansForThePair()
    {
        var happened = Between(Healthy, PairOf(Healthy.Nodes["web-1"].Gone(), Healthy.Nodes["web-2"]));

        Assert.Equal([EventKinds.NodeLinkChanged, EventKinds.PairStateChanged], happened.Select(e => e.Kind));
        Assert.StartsWith("web-1: Connected -> Offline.", happened[0].Text, StringComparison.Ordinal);
        Assert.StartsWith("web: Healthy -> Degraded. It is announced, but web-1 is silent: if it is down", happened[1].Text, StringComparison.Ordinal);
        Assert.All(happened, e => Assert.Equal(("web", EventSeverity.Warning), (e.Pair, e.Severity)));
    }

    [Fact]
    public void NodeThatComesBackFromSilence_HasMovedNothing()
    {
        var silent = PairOf(Healthy.Nodes["web-1"].Gone(), Healthy.Nodes["web-2"]);

        var happened = Between(silent, Healthy);

        Assert.Equal([EventKinds.NodeLinkChanged, EventKinds.PairStateChanged], happened.Select(e => e.Kind));
        Assert.StartsWith("web: Degraded -> Healthy.", happened[1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void ActiveNodeThatIsNoLongerKnown_IsToldAlsoWhenTheStateIsTheSame()
    {
        var report = Healthy.Nodes["web-1"].Report!;
        var limping = Node("web-1", report with { Sessions = report.Sessions.SetItem(0, Session(1, BgpSessionState.Idle)) });

        var happened = Between(PairOf(limping, Healthy.Nodes["web-2"]), PairOf(limping.Gone(), Healthy.Nodes["web-2"]));

        Assert.StartsWith("web: the active node changed from web-1 to not known.", happened[1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void PrefixThatLeavesAPair_IsCriticalAndToldOnce()
    {
        var without = Healthy with { Pairs = Healthy.Pairs.SetItem("p1", Healthy.Pairs["p1"] with { Prefixes = [] }) };

        var gone = Between(Healthy, without).Single(e => e.Kind == EventKinds.PairPrefixGone);

        Assert.Equal((EventSeverity.Critical, "web", "203.0.113.10/32"), (gone.Severity, gone.Pair, gone.Prefix));
        Assert.Empty(Between(without, without));
    }

    [Fact]
    public void PrefixThatNodesOfTwoPairsAnnounce_IsToldOnceWithTheirNames()
    {
        var other = System.Net.IPNetwork.Parse("203.0.113.99/32");
        var both = Node("web-1", Report(View(Role.Primary, Role.Primary), View(Role.Primary, Role.Primary, prefix: other)));
        FleetFacts Of(NodeFacts web1) => Facts(Pair("web-1", "web-2"), web1, Healthy.Nodes["web-2"], Node("db-1", Report(View(Role.Primary, Role.Primary, prefix: other)))) is var facts
            ? facts with { Pairs = facts.Pairs.SetItem("p2", Pair("db-1", "db-2") with { Id = "p2", Name = "db", Prefixes = [System.Net.IPNetwork.Parse("203.0.113.77/32")] }) }
            : facts;

        var told = Assert.Single(Between(Of(Healthy.Nodes["web-1"]), Of(both)));

        Assert.Equal((EventKinds.PrefixInTwoPairs, EventSeverity.Critical, "203.0.113.99/32"), (told.Kind, told.Severity, told.Prefix));
        Assert.Contains("db-1 of db, web-1 of web", told.Text, StringComparison.Ordinal);
        Assert.Empty(Between(Of(both), Of(both)));
    }

    [Fact]
    public void NodesOfAPairOnOneHost_AreToldOnce_AndToldAgainWhenTheyComeTogetherAgain()
    {
        FleetFacts On(string? first, string? second) => PairOf(
            Healthy.Nodes["web-1"] with { Report = Healthy.Nodes["web-1"].Report! with { Host = first } },
            Healthy.Nodes["web-2"] with { Report = Healthy.Nodes["web-2"].Report! with { Host = second } });

        Assert.Empty(Between(On(null, null), On("aa11", null)));
        var told = Assert.Single(Between(On("aa11", "bb22"), On("aa11", "AA11")));
        Assert.Equal((EventKinds.PairOnOneHost, EventSeverity.Warning, "web"), (told.Kind, told.Severity, told.Pair));
        Assert.Contains("(aa11): web-1, web-2.", told.Text, StringComparison.Ordinal);
        Assert.Empty(Between(On("aa11", "aa11"), On("cc33", "cc33")));
        Assert.Empty(Between(On("aa11", "aa11"), On("aa11", "bb22")));
        Assert.Single(Between(On("aa11", "bb22"), On("bb22", "bb22")));
    }

    [Fact]
    public void PairWithoutAnAnnouncer_IsCritical()
    {
        var drained = Report(View(Role.Primary, null, WithdrawnReason.Drained)) with { Drained = true };

        Assert.Equal(EventSeverity.Critical, Assert.Single(Between(Healthy, PairOf(Node("web-1", drained), Node("web-2", drained)))).Severity);
    }

    [Fact]
    public void ChangeWhileAnOperationRuns_NamesTheOperation()
    {
        var running = Healthy with { Pairs = Healthy.Pairs.SetItem("p1", Healthy.Pairs["p1"] with { Running = new RunningOperation("op1", "Switch", true) }) };

        Assert.Equal("op1", Assert.Single(Between(Healthy, running)).OperationId);
        Assert.Equal("op1", Assert.Single(Between(running, Healthy)).OperationId);
    }

    [Fact]
    public void PairThatIsOnlyKnownFromTheDatabase_IsNoEvent() =>
        Assert.Empty(Between(FleetFacts.Empty, PairOf(new NodeFacts { Name = "web-1" }, new NodeFacts { Name = "web-2" })));
}
