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
        Assert.StartsWith("web: Healthy -> FailedOver. 203.0.113.10/32 is on web-2 instead of web-1", happened[1].Text, StringComparison.Ordinal);
        Assert.All(happened, e => Assert.Equal(("web", EventSeverity.Warning), (e.Pair, e.Severity)));
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
