using FailoverHub.Web.Api.Live;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Api.Live;

public sealed class FleetDifferenceTests
{
    private static readonly PairView Healthy = Make.HealthyPair();

    private readonly FleetDifference _difference = new();

    [Fact]
    public void FirstOfAll_IsAWholeSnapshot()
    {
        FleetChangeDto told = _difference.To(Make.Fleet(Make.HealthyPair()))!;

        Assert.Equal(("snapshot", 1, 2), (told.Kind, told.Pairs.Count, told.Nodes.Count));
    }

    [Fact]
    public void ReportsThatSayTheSame_AreToldAsAgesOnceASecond()
    {
        _difference.To(Fleet(0));

        Assert.Null(_difference.To(Fleet(0.5)));
        FleetChangeDto told = _difference.To(Fleet(1.2))!;

        Assert.Equal((0, 0), (told.Pairs.Count, told.Nodes.Count));
        Assert.Equal(Make.At.AddSeconds(1.2), told.LastReportAt["node-a"]);
    }

    [Fact]
    public void ClientThatReadSlowly_IsToldOneDifferenceForAllThatHappened()
    {
        _difference.To(Fleet(0));

        // What was published in between was never asked for.
        FleetChangeDto told = _difference.To(Fleet(4) with { Version = 40, Pairs = [Healthy with { State = PairState.Degraded }] })!;

        Assert.Equal(("changes", "Degraded"), (told.Kind, told.Pairs.Single().State));
    }

    [Fact]
    public void ClientThatHasFallenFarBehind_TakesANewSnapshot()
    {
        _difference.To(Fleet(0));

        Assert.Equal("snapshot", _difference.To(Fleet(FleetDifference.TooFarBehind.TotalSeconds + 1))!.Kind);
    }

    [Fact]
    public void NodeWhosePairIsFoundLater_IsToldAgainThoughItSaidNothingNew()
    {
        var alone = Make.Fleet() with { Nodes = [.. Healthy.Members.Select(m => m.Node)] };
        Assert.All(_difference.To(alone)!.Nodes, n => Assert.Null(n.Pair));

        var told = _difference.To(alone with { Version = alone.Version + 1, Pairs = [Healthy] })!;

        Assert.Equal(["web", "web"], told.Nodes.Select(n => n.Pair));
    }

    [Fact]
    public void ClockThatWasSetBack_AgesAreToldAllTheSame()
    {
        _difference.To(Fleet(100));

        var told = _difference.To(Fleet(40) with { Version = 1_001 });

        Assert.NotNull(told);
    }

    private static FleetSnapshot Fleet(double seconds)
    {
        var at = Make.At.AddSeconds(seconds);
        return Make.Fleet(Healthy) with { At = at, Version = (long)(seconds * 10), Nodes = [.. Healthy.Members.Select(m => m.Node with { LastReportAt = at })] };
    }
}
