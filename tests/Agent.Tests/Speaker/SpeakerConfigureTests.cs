using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Speaker;

/// <summary>Other neighbors while the sessions are up, over real sockets.</summary>
public sealed class SpeakerConfigureTests : IAsyncDisposable
{
    private const string Prefix = "203.0.113.10/32";

    private readonly Signal<NodeEvent> _news = new();
    private readonly FakeRouter[] _routers = [new(), new(), new()];
    private BgpSpeaker? _speaker;
    private TimeProvider _time = TimeProvider.System;

    public async ValueTask DisposeAsync()
    {
        if (_speaker is not null)
        {
            _speaker.Stop("test over");
            while (_time is FakeTimeProvider time && !_speaker.Ended.IsCompleted)
            {
                await PassAsync(time, TimeSpan.FromSeconds(1));
            }

            await _speaker.Ended;
            _speaker.Dispose();
        }

        foreach (var router in _routers)
        {
            await router.DisposeAsync();
        }
    }

    [Fact]
    public async Task TheSameNeighborsAgain_NothingIsSaidToAnybody()
    {
        await StartAsync(Peer(0), Peer(1));

        _speaker!.Configure([Peer(1), Peer(0)]);

        await UntouchedAsync(0, 1);
    }

    [Fact]
    public async Task NeighborAdded_IsDialledAndTold_AndTheOthersKeepTheirConnections()
    {
        await StartAsync(Peer(0), Peer(1));

        _speaker!.Configure([Peer(0), Peer(1), Peer(2)]);

        Assert.True((await _routers[2].Log.FirstAsync<Seen.Update>()).Announces(Prefix, FakeRouter.Primary));
        await UntouchedAsync(0, 1);
    }

    [Fact]
    public async Task NeighborTakenAway_IsWithdrawnFrom_AndToldThatItIsDeconfigured_AndTheOthersKeepTheirConnections()
    {
        await StartAsync(Peer(0), Peer(1), Peer(2));

        _speaker!.Configure([Peer(0), Peer(2)]);

        var goodbye = await _routers[1].Log.FirstAsync<Seen.Failed>();
        Assert.Equal((6, 3), (goodbye.Error.Code, goodbye.Error.Subcode));
        Assert.Contains(_routers[1].Log.Seen.TakeWhile(seen => seen != goodbye), seen => seen is Seen.Update update && update.Withdraws(Prefix));
        await _routers[1].Log.FirstAsync<Seen.Ended>();
        await UntouchedAsync(0, 2);
        Assert.Equal(1, _routers[1].Connections);
        Assert.Equal([_routers[0].Endpoint, _routers[2].Endpoint], (await _speaker.ReadAsync(TestContext.Current.CancellationToken)).Select(peer => peer.Neighbor));
    }

    [Fact]
    public async Task OptionsOfOneNeighborChange_ItsSessionAloneIsRestarted_WithThem()
    {
        await StartAsync(Peer(0), Peer(1), Peer(2));

        _speaker!.Configure([Peer(0), Peer(1, holdTime: 30), Peer(2)]);

        var goodbye = await _routers[1].Log.FirstAsync<Seen.Failed>();
        Assert.Equal((6, 6), (goodbye.Error.Code, goodbye.Error.Subcode));
        await _routers[1].Log.FirstAsync<Seen.Update>(update => update.Connection == 2 && update.Announces(Prefix, FakeRouter.Primary));
        await _news.FirstAsync<NodeEvent.SessionEstablished>(established => established.Neighbor == _routers[1].Endpoint && established.Parameters.HoldTime.Seconds == 9);
        await UntouchedAsync(0, 2);
    }

    [Fact]
    public async Task OptionsOfAllChange_TheyAreRestartedOneAfterTheOther_SoThatTheAddressStaysAnnounced()
    {
        await StartAsync(Peer(0), Peer(1), Peer(2));
        var from = _news.Seen.Count;

        _speaker!.Configure([Peer(0, holdTime: 30), Peer(1, holdTime: 30), Peer(2, holdTime: 30)]);

        foreach (var router in _routers)
        {
            await router.Log.FirstAsync<Seen.Update>(update => update.Connection == 2 && update.Announces(Prefix, FakeRouter.Primary));
        }

        var established = 3;
        foreach (var change in _news.Seen.Skip(from).OfType<NodeEvent.SessionChanged>())
        {
            // All were established: the first change of each is the loss of that, and only the last of the others is the return.
            established += change.To == SessionState.Established ? 1 : change.To == SessionState.Idle ? -1 : 0;
            Assert.InRange(established, 2, 3);
        }
    }

    [Fact]
    public async Task NeighborWithoutASession_IsRestartedAtOnce_AndHoldsUpNobody()
    {
        using var closed = new ReservedPort();
        var away = new NeighborEndpoint(IPAddress.Loopback, closed.Number);
        await StartAsync([Peer(0), Peer(1)], Peer(0) with { Neighbor = away });

        _speaker!.Configure([Peer(0, holdTime: 30), Peer(1, holdTime: 30), Peer(0, holdTime: 30) with { Neighbor = away }]);

        await _routers[0].Log.FirstAsync<Seen.Update>(update => update.Connection == 2);
        await _routers[1].Log.FirstAsync<Seen.Update>(update => update.Connection == 2);
    }

    [Fact]
    public async Task NobodyHasASession_AndTheOptionsAreCorrected_TheyAreDialledAtOnceWithThem()
    {
        using var closed = new ReservedPort();
        _time = new FakeTimeProvider();
        var away = Peer(0, holdTime: 0) with { Neighbor = new NeighborEndpoint(IPAddress.Loopback, closed.Number) };
        await StartAsync([], away);
        await _news.FirstAsync<NodeEvent.SessionChanged>(change => change.Neighbor == away.Neighbor && change.To is SessionState.Active or SessionState.Idle);
        await using var router = new FakeRouter(closed.Number);

        // Its time stands still and nobody else wakes the thread: only the new configuration can make it dial.
        _speaker!.Configure([away with { Ttl = 17 }]);

        await router.Log.FirstAsync<Seen.Established>();
    }

    [Fact]
    public async Task NeighborDoesNotComeBack_TheOthersKeepTheirSessions_AndWhoLosesItsOwnGetsTheNewOptions()
    {
        await using var deaf = new FakeRouter(readsNoMoreOnceEstablished: true);
        var log = new RecordedLog<BgpSpeaker>();
        var (first, others) = await RestartedAndNotBackAsync(deaf, log);

        // Long after the patience with the first one.
        await PassAsync((FakeTimeProvider)_time, TimeSpan.FromMinutes(2));
        await UntouchedAsync(1, 2);
        Assert.Single(log.Lines.Seen, entry => entry.Text.StartsWith($"{first.Neighbor} has no session 10 s after it was restarted", StringComparison.Ordinal) && entry.Text.Contains("2 others", StringComparison.Ordinal));

        await _routers[1].DisposeAsync();
        await using var again = new FakeRouter(others[0].Neighbor.Port);
        await _news.FirstAsync<NodeEvent.SessionChanged>(change => change.Neighbor == again.Endpoint && change.To == SessionState.Idle);
        await PassAsync((FakeTimeProvider)_time, TimeSpan.FromSeconds(30));
        Assert.Equal(9, (await again.Log.FirstAsync<Seen.Established>()).Parameters.HoldTime.Seconds);
        Assert.Equal(1, _routers[2].Connections);
    }

    [Fact]
    public async Task NeighborDoesNotComeBack_AndTheOptionsAreAsBeforeAgain_TheOthersWereNeverTouched()
    {
        await using var deaf = new FakeRouter(readsNoMoreOnceEstablished: true);
        var (first, others) = await RestartedAndNotBackAsync(deaf, new RecordedLog<BgpSpeaker>());
        await PassAsync((FakeTimeProvider)_time, TimeSpan.FromSeconds(15));

        _speaker!.Configure([first, .. others]);

        await PassAsync((FakeTimeProvider)_time, TimeSpan.FromSeconds(15));
        await UntouchedAsync(1, 2);
    }

    // The deaf one has the first turn: it stands before the others.
    private async Task<(PeerOptions First, PeerOptions[] Others)> RestartedAndNotBackAsync(FakeRouter deaf, RecordedLog<BgpSpeaker> log)
    {
        var first = Peer(0, holdTime: 0) with { Neighbor = deaf.Endpoint };
        PeerOptions[] others = [Peer(1, holdTime: 0), Peer(2, holdTime: 0)];
        _time = new FakeTimeProvider();
        await StartAsync(others, [first], log);
        await deaf.Log.FirstAsync<Seen.Established>();
        await _news.FirstAsync<NodeEvent.SessionEstablished>(established => established.Neighbor == deaf.Endpoint);

        PeerOptions With30(PeerOptions peer) => peer with { Session = Peer(0, holdTime: 30).Session };
        _speaker!.Configure([With30(first), .. others.Select(With30)]);
        return (first, others);
    }

    [Fact]
    public async Task TakenAwayAndGivenBackAtOnce_ComesBack()
    {
        await StartAsync(Peer(0), Peer(1));

        for (var i = 0; i < 20; i++)
        {
            _speaker!.Configure([Peer(0)]);
            await _speaker.ReadAsync(TestContext.Current.CancellationToken);
            _speaker.Configure([Peer(0), Peer(1)]);
            await _speaker.ReadAsync(TestContext.Current.CancellationToken);
        }

        await _routers[1].Log.UntilAsync(seen => seen.OfType<Seen.Update>().LastOrDefault()?.Announces(Prefix, FakeRouter.Primary) == true && seen.OfType<Seen.Connected>().Count() > 1);
        await UntouchedAsync(0);
    }

    [Fact]
    public async Task StoppedInTheMiddleOfRestarts_SaysGoodbyeToAll()
    {
        await StartAsync(Peer(0), Peer(1), Peer(2));

        _speaker!.Configure([Peer(0, holdTime: 30), Peer(1, holdTime: 30)]);
        _speaker.Stop("test over");
        await _speaker.Ended;

        foreach (var router in _routers)
        {
            await router.Log.FirstAsync<Seen.Failed>();
        }
    }

    // Proved by the next UPDATE: it comes on the first connection, and is the second there.
    private async Task UntouchedAsync(params int[] routers)
    {
        _speaker!.SetAdvertisements(2, [Advertise(FakeRouter.Secondary)]);
        foreach (var router in routers.Select(index => _routers[index]))
        {
            var update = await router.Log.FirstAsync<Seen.Update>(seen => seen.Announces(Prefix, FakeRouter.Secondary));
            Assert.Equal(1, update.Connection);
            Assert.Equal(2, router.Log.Seen.OfType<Seen.Update>().Count());
            Assert.Equal(1, router.Connections);
        }
    }

    // In small steps, each of them seen by the speaker before the next.
    private async Task PassAsync(FakeTimeProvider time, TimeSpan span)
    {
        for (var passed = TimeSpan.Zero; passed < span; passed += TimeSpan.FromMilliseconds(500))
        {
            time.Advance(TimeSpan.FromMilliseconds(500));
            _speaker!.Wake();
            await _speaker.ReadAsync(TestContext.Current.CancellationToken);
        }
    }

    private PeerOptions Peer(int router, ushort holdTime = 9) => new()
    {
        Neighbor = _routers[router].Endpoint,
        Authentication = null,
        Session = new SessionOptions { LocalAs = 65001, PeerAs = 65000, RouterId = new RouterId(0x7f00000b), HoldTime = new HoldTime(holdTime) },
    };

    private static Advertisement Advertise(Community community) => new() { Prefix = IPNetwork.Parse(Prefix), Communities = [community] };

    private Task StartAsync(params PeerOptions[] peers) => StartAsync(peers, []);

    private Task StartAsync(PeerOptions[] peers, params PeerOptions[] away) => StartAsync(peers, away, NullLogger<BgpSpeaker>.Instance);

    private async Task StartAsync(PeerOptions[] peers, PeerOptions[] away, ILogger<BgpSpeaker> log)
    {
        _speaker = new BgpSpeaker(
            [.. peers, .. away],
            occurred =>
            {
                _news.Add(occurred);
                return true;
            },
            _time,
            log);
        _speaker.SetAdvertisements(1, ImmutableArray.Create(Advertise(FakeRouter.Primary)));
        _speaker.Start();
        foreach (var router in _routers.Where(router => peers.Any(peer => peer.Neighbor == router.Endpoint)))
        {
            await router.Log.FirstAsync<Seen.Update>();
        }
    }
}
