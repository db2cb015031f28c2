using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverHub.Agent.Tests.Speaker;

/// <summary>What other threads learn of the sessions.</summary>
public sealed class DiagnosticsTests : IAsyncDisposable
{
    private readonly Signal<NodeEvent> _news = new();
    private BgpSpeaker? _speaker;

    public async ValueTask DisposeAsync()
    {
        if (_speaker is not null)
        {
            _speaker.Stop("test over");
            await _speaker.Ended;
            _speaker.Dispose();
        }
    }

    [Fact]
    public async Task Asked_EveryNeighborIsShownAsItStands()
    {
        await using var router = new FakeRouter();
        using var closed = new ReservedPort();
        var away = new NeighborEndpoint(IPAddress.Loopback, closed.Number);
        Start(router.Endpoint, away);
        await _news.FirstAsync<NodeEvent.AdvertisementsWritten>();
        await _news.FirstAsync<NodeEvent.SessionFailed>();

        var peers = await _speaker!.ReadAsync(TestContext.Current.CancellationToken);

        Assert.Equal([router.Endpoint, away], peers.Select(peer => peer.Neighbor));
        Assert.Equal(SessionState.Established, peers[0].State);
        Assert.Null(peers[0].Session.LastFailure);
        Assert.True(peers[0].Metrics.MessagesSent >= 3);
        Assert.Equal((SessionState.Established, 1), (peers[0].Session.State, peers[0].Session.Announced));
        Assert.Contains(peers[0].Trace, row => row.Text().StartsWith("UPDATE", StringComparison.Ordinal));
        Assert.Equal("connection refused", peers[1].Session.LastFailure!.Error.Text);
        Assert.InRange(peers[1].Session.LastFailure!.At, TimeSpan.Zero, peers[1].Now);
        Assert.True(peers[0].WallClock(peers[0].Session.Since!.Value) <= peers[0].ReadAt);
        Assert.Equal(peers[0].ReadAt - TimeSpan.FromSeconds(5), peers[0].WallClock(peers[0].Now - TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task NeighborIsNoneOfOurs_IsNoAnswer_NotAnError()
    {
        await using var router = new FakeRouter();
        Start(router.Endpoint);
        var cancellation = TestContext.Current.CancellationToken;

        Assert.Null(await _speaker!.ReadAsync(new NeighborEndpoint(IPAddress.Parse("192.0.2.1"), 179), cancellation));
        Assert.Equal(router.Endpoint, (await _speaker.ReadAsync(router.Endpoint, cancellation))?.Neighbor);
    }

    [Fact]
    public async Task NothingToAnnounceYet_IsAnsweredToo()
    {
        await using var router = new FakeRouter();
        _speaker = NewSpeaker(router.Endpoint);
        _speaker.Start();

        var peer = Assert.Single(await _speaker.ReadAsync(TestContext.Current.CancellationToken));

        Assert.Equal((SessionState.Idle, null), (peer.State, peer.Session.Since));
    }

    [Fact]
    public async Task ManyAskAtOnce_AllAreAnswered()
    {
        await using var router = new FakeRouter();
        Start(router.Endpoint);

        var answers = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => Task.Run(() => _speaker!.ReadAsync(TestContext.Current.CancellationToken))));

        Assert.All(answers, peers => Assert.Equal(router.Endpoint, Assert.Single(peers).Neighbor));
    }

    [Fact]
    public async Task Ended_TheLastIsKept()
    {
        await using var router = new FakeRouter();
        Start(router.Endpoint);
        await _news.FirstAsync<NodeEvent.AdvertisementsWritten>();
        _speaker!.Stop("maintenance");
        await _speaker.Ended;

        var peer = Assert.Single(await _speaker.ReadAsync(TestContext.Current.CancellationToken));

        Assert.Equal(SessionState.Idle, peer.State);
    }

    [Fact]
    public async Task NotStarted_TheWaitCanBeGivenUp()
    {
        _speaker = NewSpeaker(new NeighborEndpoint(IPAddress.Loopback, 179));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var answer = _speaker.ReadAsync(patience.Token);
        Assert.False(answer.IsCompleted);

        await patience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        _speaker.Start();
    }

    private void Start(params NeighborEndpoint[] neighbors)
    {
        _speaker = NewSpeaker(neighbors);
        _speaker.SetAdvertisements(1, ImmutableArray.Create(new Advertisement { Prefix = IPNetwork.Parse("203.0.113.10/32"), Communities = [FakeRouter.Primary] }));
        _speaker.Start();
    }

    private BgpSpeaker NewSpeaker(params NeighborEndpoint[] neighbors) => new(
        neighbors.Select(neighbor => new PeerOptions
        {
            Neighbor = neighbor,
            Session = new SessionOptions { LocalAs = 65001, PeerAs = 65000, RouterId = new RouterId(0x7f00000b) },
        }),
        occurred =>
        {
            _news.Add(occurred);
            return true;
        },
        TimeProvider.System,
        NullLogger<BgpSpeaker>.Instance);
}
