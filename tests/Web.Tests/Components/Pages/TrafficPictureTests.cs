using Bunit;
using FailoverHub.Web.Components.Pages.Pairs;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Components.Pages;

public sealed class TrafficPictureTests : DashboardTest
{
    [Fact]
    public void Drawing_HealthyPair_OneLivePathToTheActiveNode()
    {
        TrafficDrawing drawing = TrafficDrawing.Of(Make.HealthyPair(), ReachabilityState.Reachable, vertical: false);

        Assert.Equal([Flow.Live, Flow.Live], drawing.Routes.Select(route => route.Flow));
        Assert.Equal(4, drawing.Servers.Length);
        Assert.Equal(8, drawing.Sessions.Length);
        Assert.All(drawing.Sessions, session => Assert.Equal(Flow.Live, session.Flow));
        Assert.Equal("node-a", Assert.Single(drawing.Nodes, node => node.IsActive).Member.Node.Name);
    }

    [Fact]
    public void Drawing_SilentNode_ItsSessionsAreUnknownNotDown()
    {
        PairView pair = Make.Pair("web", PairState.Degraded, "", "node-a", Make.Node("node-a", Role.Primary), Make.Node("node-b", Role.Secondary, NodeLink.Offline));

        TrafficDrawing drawing = TrafficDrawing.Of(pair, ReachabilityState.Reachable, vertical: false);

        Assert.Equal(4, drawing.Sessions.Count(session => session.Flow == Flow.Unknown));
        Assert.Equal(4, drawing.Sessions.Count(session => session.Flow == Flow.Live));
        Assert.Contains("node-b is silent.", drawing.Words, StringComparison.Ordinal);
    }

    [Fact]
    public void Drawing_ActiveNodeSilentAndNotProbed_NothingIsShownAsLive()
    {
        PairView pair = Make.Pair("web", PairState.Unknown, "", "node-a", Make.Node("node-a", Role.Primary, NodeLink.Stale), Make.Node("node-b", Role.Secondary, NodeLink.Stale));

        TrafficDrawing drawing = TrafficDrawing.Of(pair, ReachabilityState.Unknown, vertical: true);

        Assert.All(drawing.Routes, route => Assert.Equal(Flow.Unknown, route.Flow));
        Assert.All(drawing.Sessions, session => Assert.Equal(Flow.Unknown, session.Flow));
    }

    [Fact]
    public void Drawing_ActiveNodeNotKnownBecauseOneIsSilent_LeadsToBothAndPromisesNeither()
    {
        PairView pair = Make.Pair("web", PairState.Degraded, "", null, Make.Node("node-a", Role.Primary, NodeLink.Stale), Make.Node("node-b", Role.Secondary));

        TrafficDrawing drawing = TrafficDrawing.Of(pair, ReachabilityState.Reachable, vertical: false);

        Assert.Equal([Flow.Live, Flow.Unknown, Flow.Unknown], drawing.Routes.Select(route => route.Flow));
        Assert.Contains("Which node clients reach is not known.", drawing.Words, StringComparison.Ordinal);
    }

    [Fact]
    public void Drawing_NobodyAnnounces_ThePathEndsAtTheRouteServers()
    {
        PairView pair = Make.Pair("web", PairState.NoAnnouncer, "", null, Make.Node("node-a", null), Make.Node("node-b", null));

        TrafficDrawing drawing = TrafficDrawing.Of(pair, ReachabilityState.Unreachable, vertical: false);

        Assert.Equal(Flow.Down, Assert.Single(drawing.Routes).Flow);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Drawing_EveryBox_IsInsideTheView(bool vertical)
    {
        TrafficDrawing drawing = TrafficDrawing.Of(Make.HealthyPair(), ReachabilityState.Reachable, vertical);

        foreach (Box box in drawing.Nodes.Select(node => node.Box).Append(drawing.Clients).Append(drawing.Routers))
        {
            Assert.True(box.X >= 0 && box.Y >= 0 && box.X + box.Width <= drawing.Width && box.Y + box.Height <= drawing.Height, $"{box} is outside {drawing.Width} x {drawing.Height}");
        }
    }

    [Fact]
    public void Picture_SaysInWordsWhatItDraws()
    {
        var picture = Render<TrafficPicture>(p => p
            .Add(t => t.Pair, Make.HealthyPair())
            .Add(t => t.Now, Make.At)
            .Add(t => t.Targets, [Make.Target(ReachabilityState.Reachable, Make.Samples(3))]));

        Assert.Equal("Clients reach node-a through the route servers. The address answers.", picture.Find("[data-testid=traffic-picture]").GetAttribute("aria-label"));
    }
}
