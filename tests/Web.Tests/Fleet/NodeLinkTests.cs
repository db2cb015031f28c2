using FailoverHub.Web.Fleet;
using static FailoverHub.Web.Tests.Fleet.Fleets;

namespace FailoverHub.Web.Tests.Fleet;

/// <summary>How much is known of a node, from ages and from whether its stream is open.</summary>
public sealed class NodeLinkTests
{
    private static readonly NodeFacts Fresh = Node("web-1", Role.Primary);

    [Theory]
    [InlineData(0, NodeLink.Connected)]
    [InlineData(3, NodeLink.Connected)]
    [InlineData(3.001, NodeLink.Stale)]
    [InlineData(15, NodeLink.Stale)]
    [InlineData(15.001, NodeLink.Offline)]
    public void OpenStream_ByTheAgeOfTheLastReport(double seconds, NodeLink expected) =>
        Assert.Equal(expected, FleetProjection.LinkOf(Fresh, Now.After(seconds)));

    [Fact]
    public void WallClockSetAnHourBack_ChangesNothing() =>
        Assert.Equal(NodeLink.Connected, FleetProjection.LinkOf(Fresh, new Moment(Now.Wall.AddHours(-1), Now.Uptime)));

    [Fact]
    public void StreamThatHasJustEnded_IsStaleAtOnceAndOfflineSoon()
    {
        var ended = Fresh with { Stream = null, StreamEndedAt = Now };

        Assert.Equal(NodeLink.Stale, FleetProjection.LinkOf(ended, Now));
        Assert.Equal(NodeLink.Offline, FleetProjection.LinkOf(ended, Now.After(3.001)));
    }

    [Fact]
    public void NewStreamWithoutAReport_IsNotConnectedByWhatCameOnTheOldOne()
    {
        var reopened = Fresh with { Stream = new StreamFacts(2, "boot", Now, Now) };

        Assert.Equal(NodeLink.Stale, FleetProjection.LinkOf(reopened, Now));
    }

    [Fact]
    public void KnownFromTheDatabaseOnly_IsOfflineOrNeverSeen()
    {
        Assert.Equal(NodeLink.NeverSeen, FleetProjection.LinkOf(new NodeFacts { Name = "web-1" }, Now));
        Assert.Equal(NodeLink.Offline, FleetProjection.LinkOf(new NodeFacts { Name = "web-1", LastReportAt = Now.Wall }, Now));
    }
}
