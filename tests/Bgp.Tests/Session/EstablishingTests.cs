using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Bgp.Tests.Session;

public sealed class EstablishingTests
{
    [Fact]
    public void Start_BothSides_AreEstablishedAndAgree()
    {
        var pair = SessionPair.Up();

        var parameters = Assert.Single(pair.Agent.Seen<SessionEffect.Established>()).Parameters;
        Assert.Equal(new RouterId(0xc0000201), parameters.PeerRouterId);
        Assert.Equal(65000u, parameters.PeerAs);
        Assert.Equal(new HoldTime(9), parameters.HoldTime);
        Assert.Equal([RouteFamily.Ipv4Unicast, RouteFamily.Ipv6Unicast], parameters.Families);
        Assert.True(parameters.FourOctetAs);
        Assert.True(parameters.Ipv4WithIpv6NextHop);
        Assert.True(parameters.RouteRefresh);
    }

    [Fact]
    public void SetAdvertisements_BeforeEstablished_IsSentAtEstablished()
    {
        var pair = new SessionPair();
        pair.Agent.Announce(new Advertisement { Prefix = IPNetwork.Parse("203.0.113.57/32"), Communities = [new Community(65000, 1)] });
        pair.Start();
        pair.Run(TimeSpan.FromSeconds(1));

        Assert.Equal(1, pair.Agent.Seen<SessionEffect.AdvertisementsSent>().Last().Announced);
        var routes = Assert.Single(pair.Router.Seen<SessionEffect.RoutesReceived>()).Update;
        Assert.Equal([IPNetwork.Parse("203.0.113.57/32")], routes.Announced);
        Assert.Equal([65001u], routes.AsPath);
        Assert.Equal(Origin.Incomplete, routes.Origin);
        Assert.Equal([new Community(65000, 1)], routes.Communities);
        Assert.Equal(pair.AgentAddress, routes.NextHop);
    }

    [Fact]
    public void Established_NothingHappens_StaysUpForADay()
    {
        var pair = SessionPair.Up();

        pair.Run(TimeSpan.FromDays(1));

        Assert.Equal(SessionState.Established, pair.Agent.State);
        Assert.Single(pair.Agent.Seen<SessionEffect.Established>());
        Assert.Empty(pair.Agent.Seen<SessionEffect.Failed>());
        Assert.Empty(pair.Router.Seen<SessionEffect.Failed>());
    }
}
