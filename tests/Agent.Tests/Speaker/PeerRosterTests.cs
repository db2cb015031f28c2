using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Tests.Speaker;

/// <summary>What takes the place of a session that broke, and when.</summary>
public sealed class PeerRosterTests : IDisposable
{
    private static readonly PeerOptions _peer = new()
    {
        Neighbor = new NeighborEndpoint(IPAddress.Loopback, 1),
        Session = new SessionOptions { LocalAs = 65001, PeerAs = 65000, RouterId = new RouterId(1) },
    };

    private readonly PeerRoster _roster = new([_peer], Connect);

    public void Dispose() => _roster.Dispose();

    [Fact]
    public void Broken_AnotherTakesItsPlaceAfterAPause_ThatGrowsToItsBound()
    {
        var now = TimeSpan.FromSeconds(100);
        foreach (var (times, seconds) in new[] { (1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 64), (8, 128), (9, 256), (10, 300), (11, 300) })
        {
            var broken = _roster.Members[0];
            broken.Abandon();
            Assert.Equal((times, TimeSpan.FromSeconds(seconds)), _roster.Replace(broken, now));
            Assert.Equal(now + TimeSpan.FromSeconds(seconds), _roster.NextDeadline);

            Assert.Empty(_roster.Next(now + TimeSpan.FromSeconds(seconds) - TimeSpan.FromTicks(1)));
            now += TimeSpan.FromSeconds(seconds);
            var change = Assert.Single(_roster.Next(now));
            Assert.Null(change.Goodbye);
            Assert.NotSame(broken, change.Connection);
            Assert.Equal(_peer, change.Connection.Options);
            Assert.Null(_roster.NextDeadline);
        }
    }

    [Fact]
    public void BrokenAndTakenAwayMeanwhile_NothingTakesItsPlace()
    {
        var broken = _roster.Members[0];
        broken.Abandon();
        _roster.Replace(broken, TimeSpan.Zero);
        _roster.Configure([]);

        Assert.Empty(_roster.Next(TimeSpan.FromHours(1)));
        Assert.Empty(_roster.All);
        Assert.Null(_roster.NextDeadline);
    }

    /// <summary>Taken away, given back and changed, all while its first connection still has a socket.</summary>
    [Fact]
    public void GivenBackAndChanged_BeforeTheOldOneHasEnded_IsStartedOnce_AfterIt_WithTheNewestOptions()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var peer = _peer with { Neighbor = new NeighborEndpoint(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndpoint).Port) };
        using var roster = new PeerRoster([peer], Connect);
        var old = roster.Members[0];
        old.Start(TimeSpan.Zero);
        Assert.False(old.IsQuiet);

        roster.Configure([]);
        Assert.Equal(new PeerChange(old, StopReason.PeerDeconfigured), Assert.Single(roster.Next(TimeSpan.Zero)));
        roster.Configure([peer]);
        Assert.Empty(roster.Next(TimeSpan.Zero));
        roster.Configure([peer with { Ttl = 17 }]);
        Assert.Empty(roster.Next(TimeSpan.Zero));
        Assert.Empty(roster.Next(TimeSpan.Zero));

        old.Stop("gone", TimeSpan.Zero, StopReason.PeerDeconfigured);
        Assert.True(old.IsQuiet);
        Assert.Equal(new PeerChange(Assert.Single(roster.Members), null), Assert.Single(roster.Next(TimeSpan.Zero)));
        Assert.Equal(17, Assert.Single(roster.All).Options.Ttl);
        Assert.Empty(roster.Next(TimeSpan.Zero));
        Assert.False(roster.HasWork);
    }

    /// <summary>Another agent of the node's name may dial it when this one is done with it, and not before.</summary>
    [Fact]
    public void TakenAway_IsConnectedUntilItsGoodbyeIsSaid()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var peer = _peer with { Neighbor = new NeighborEndpoint(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndpoint).Port) };
        using var roster = new PeerRoster([peer], Connect);
        var connection = roster.Members[0];
        connection.Start(TimeSpan.Zero);

        roster.Configure([]);
        Assert.True(roster.Has(peer.Neighbor));
        roster.Next(TimeSpan.Zero);
        Assert.Empty(roster.Members);
        Assert.True(roster.Has(peer.Neighbor));

        connection.Stop("gone", TimeSpan.Zero, StopReason.PeerDeconfigured);
        roster.Next(TimeSpan.Zero);
        Assert.False(roster.Has(peer.Neighbor));
        Assert.False(roster.Has(_peer.Neighbor));
    }

    private static PeerConnection Connect(PeerOptions peer) => new(peer, new BgpSession(peer.Session, new Random(1)), () => TimeSpan.Zero, _ => { });
}
