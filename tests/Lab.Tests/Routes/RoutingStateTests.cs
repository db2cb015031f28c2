using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;
using FailoverHub.Lab.Routes;

namespace FailoverHub.Lab.Tests.Routes;

public sealed class RoutingStateTests
{
    private const long SessionA = 1;
    private const long SessionB = 2;
    private static readonly IPNetwork Prefix = IPNetwork.Parse("203.0.113.10/32");
    private static readonly IPAddress NodeA = IPAddress.Parse("127.0.0.11");
    private static readonly IPAddress NodeB = IPAddress.Parse("127.0.0.12");

    private RoutingState _state = RoutingState.Of([IPAddress.Parse("127.34.0.1"), IPAddress.Parse("127.34.0.2")]);

    [Fact]
    public void Holders_PrimaryAndSecondary_ThePrimaryHolds()
    {
        Up(0, SessionB, NodeB);
        Announce(0, SessionB, NodeB, RoutePreference.Secondary);
        Up(0, SessionA, NodeA);
        Announce(0, SessionA, NodeA, RoutePreference.Primary);

        Assert.Equal(NodeA, Holder());
    }

    [Fact]
    public void Holders_SessionEnds_TheOtherNodeHoldsAtOnce()
    {
        Pair(0);

        Apply(new RoutingEvent.SessionEnded(0, SessionA, "connection reset"));

        Assert.Equal(NodeB, Holder());
        Assert.DoesNotContain(SessionA, _state.Servers[0].Neighbors.Keys);
    }

    [Fact]
    public void Holders_SessionLeavesEstablished_ItsRoutesAreGoneBeforeItsConnection()
    {
        Pair(0);

        Apply(new RoutingEvent.SessionMoved(0, SessionA, NodeA, SessionState.Idle, "hold timer expired"));

        Assert.Equal(NodeB, Holder());
        Assert.Empty(_state.Servers[0].Neighbors[SessionA].Routes);
    }

    [Fact]
    public void Holders_Withdrawn_TheOtherNodeHoldsAndTheSessionStays()
    {
        Pair(0);

        Withdraw(0, SessionA);

        Assert.Equal(NodeB, Holder());
        Assert.Equal(SessionState.Established, _state.Servers[0].Neighbors[SessionA].State);
    }

    [Fact]
    public void Holders_EveryRouteGone_NobodyHolds()
    {
        Pair(0);
        Withdraw(0, SessionA);
        Withdraw(0, SessionB);

        Assert.Null(Holder());
    }

    [Fact]
    public void Holders_Switchover_StaysUntilTheOtherIsPromoted()
    {
        Pair(0);

        Announce(0, SessionA, NodeA, RoutePreference.Secondary);
        Assert.Equal(NodeA, Holder());

        Announce(0, SessionB, NodeB, RoutePreference.Primary);
        Assert.Equal(NodeB, Holder());
    }

    [Fact]
    public void Holders_BothPrimary_AReturningNodeDoesNotTakeTheAddressBack()
    {
        Pair(0);
        Announce(0, SessionB, NodeB, RoutePreference.Primary);
        Apply(new RoutingEvent.SessionEnded(0, SessionA, "connection reset"));
        Up(0, 3, NodeA);
        Announce(0, 3, NodeA, RoutePreference.Primary);

        Assert.Equal(NodeB, Holder());
    }

    [Fact]
    public void Holders_TakeoverWithIgp_WinsOverTheDeadPrimary()
    {
        Pair(0);

        Announce(0, SessionB, NodeB, RoutePreference.Primary, Origin.Igp);

        Assert.Equal(NodeB, Holder());
    }

    [Fact]
    public void Holders_ServersDisagree_TheFirstWithARouteDecides()
    {
        Pair(0);
        Pair(1);
        Withdraw(1, SessionA);
        Assert.Equal(NodeA, Holder());

        Withdraw(0, SessionA);
        Withdraw(0, SessionB);
        Assert.Equal(NodeB, Holder());
    }

    [Fact]
    public void Holders_TheSameRouteAgain_ChangesNothing()
    {
        Pair(0);
        var before = _state;

        Announce(0, SessionA, NodeA, RoutePreference.Primary);

        Assert.Same(before.Holders, _state.Holders);
    }

    [Fact]
    public void RoutesChanged_AfterTheSessionEnded_AreIgnored()
    {
        Apply(new RoutingEvent.SessionEnded(0, SessionA, "gone"));
        Announce(0, SessionA, NodeA, RoutePreference.Primary);

        Assert.Null(Holder());
    }

    [Fact]
    public void RoutesChanged_MoreThanANodeMayHave_AreNotTaken()
    {
        Up(0, SessionA, NodeA);
        for (var host = 0; host < RouteServerTable.MaximumRoutesPerNode + 10; host++)
        {
            Announce(0, SessionA, NodeA, RoutePreference.Primary, prefix: IPNetwork.Parse($"10.0.{host / 256}.{host % 256}/32"));
        }

        Assert.Equal(RouteServerTable.MaximumRoutesPerNode, _state.Servers[0].Neighbors[SessionA].Routes.Count);
    }

    private void Pair(int server)
    {
        Up(server, SessionA, NodeA);
        Announce(server, SessionA, NodeA, RoutePreference.Primary);
        Up(server, SessionB, NodeB);
        Announce(server, SessionB, NodeB, RoutePreference.Secondary);
    }

    private void Up(int server, long session, IPAddress node) =>
        Apply(new RoutingEvent.SessionMoved(server, session, node, SessionState.Established, "KEEPALIVE received"));

    private void Announce(int server, long session, IPAddress node, RoutePreference preference, Origin origin = Origin.Incomplete, IPNetwork? prefix = null)
    {
        var offer = new OfferedRoute
        {
            Prefix = prefix ?? Prefix,
            NextHop = node,
            Preference = preference,
            AsPathLength = 1,
            Origin = origin,
        };
        Apply(new RoutingEvent.RoutesChanged(server, session, new ImportedUpdate([offer], [], [])));
    }

    private void Withdraw(int server, long session) =>
        Apply(new RoutingEvent.RoutesChanged(server, session, new ImportedUpdate([], [Prefix], [])));

    private void Apply(RoutingEvent happened) => _state = _state.Apply(happened, DateTimeOffset.UnixEpoch);

    private IPAddress? Holder() => _state.Holders.GetValueOrDefault(Prefix)?.Offer.NextHop;
}
