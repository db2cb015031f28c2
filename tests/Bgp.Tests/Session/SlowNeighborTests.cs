using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Bgp.Tests.Session;

// Two sessions with kernels between them that take 8 KiB, and a router that talks but does not always listen.
public sealed class SlowNeighborTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    [Fact]
    public void RouterThatListensAgainInTime_HasEveryRouteAndTheSessionLives()
    {
        var pair = Up();
        pair.Router.IsDeaf = true;
        pair.Agent.Announce(Routes(10_000, Announcements.Primary));
        pair.Run(5 * _second);
        Assert.NotNull(pair.Agent.Diagnostics.OutputBlockedSince);

        pair.Router.IsDeaf = false;
        pair.Run(5 * _second);

        Assert.Null(pair.Agent.Diagnostics.OutputBlockedSince);
        Assert.Equal(10_000, pair.Router.Seen<SessionEffect.RoutesReceived>().Sum(routes => routes.Update.Announced.Length));
        pair.Run(TimeSpan.FromHours(1));
        Assert.Equal(SessionState.Established, pair.Agent.State);
        Assert.Empty(pair.Agent.Seen<SessionEffect.Failed>());
    }

    [Fact]
    public void RouterThatHearsNoKeepalive_EndsIt_AndTheSessionIsBackWhenItListensAgain()
    {
        var pair = Up();
        pair.Router.IsDeaf = true;
        pair.Agent.Announce(Routes(10_000, Announcements.Primary));
        pair.Run(12 * _second);
        Assert.Equal((4, 0, true), (pair.Agent.LastError.Code, pair.Agent.LastError.Subcode, pair.Agent.LastError.FromPeer));
        Assert.Null(pair.Agent.Diagnostics.OutputBlockedSince);

        pair.Router.IsDeaf = false;
        pair.Run(5 * _second);

        Assert.Equal(SessionState.Established, pair.Agent.State);
        Assert.Equal(10_000, pair.Agent.Diagnostics.Announced);
    }

    [Fact]
    public void DeafRouterThatAsksForARefreshWithoutEnd_IsSentNothingMore()
    {
        var pair = Up();
        pair.Agent.Announce(Routes(5_000, Announcements.Primary));
        pair.Run(5 * _second);
        pair.Router.IsDeaf = true;
        pair.Agent.Announce(Routes(5_000, Announcements.Secondary));
        pair.Run(_second);
        var waiting = pair.Agent.Output!.MostWaiting;
        var request = new SessionInput.Received(Wire.Codec.Encode(new RouteRefreshMessage(new AfiSafi(1, 1))));

        for (var i = 0; i < 5_000; i++)
        {
            pair.Agent.Give(request);
            pair.Run(TimeSpan.FromMilliseconds(1));
        }

        // Two keepalives or three.
        Assert.InRange(pair.Agent.Output.MostWaiting - waiting, 0, 3 * 19);
        pair.Router.IsDeaf = false;
        var before = pair.Router.Seen<SessionEffect.RoutesReceived>().Sum(routes => routes.Update.Announced.Length);
        pair.Run(5 * _second);
        Assert.Equal(SessionState.Established, pair.Agent.State);
        // What waited, and one answer for all that was asked.
        Assert.InRange(pair.Router.Seen<SessionEffect.RoutesReceived>().Sum(routes => routes.Update.Announced.Length) - before, 5_000, 10_000);
    }

    [Fact]
    public void StopWhileOutputWaits_EndsAtOnce()
    {
        var pair = Up();
        pair.Router.IsDeaf = true;
        pair.Agent.Announce(Routes(10_000, Announcements.Primary));
        pair.Run(_second);

        pair.Agent.Give(new SessionInput.Stop("maintenance"));

        Assert.Equal(SessionState.Idle, pair.Agent.State);
        Assert.Null(pair.Agent.NextDeadline);
        Assert.Null(pair.Agent.Diagnostics.OutputBlockedSince);
    }

    private static SessionPair Up()
    {
        var pair = new SessionPair { Buffer = 8192 };
        pair.Start();
        pair.Run(TimeSpan.FromMilliseconds(100));
        Assert.Equal(SessionState.Established, pair.Agent.State);
        return pair;
    }

    private static Advertisement[] Routes(int count, Community role) =>
        [.. Enumerable.Range(0, count).Select(number => Announcements.Ipv4(role, $"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}/32"))];
}
