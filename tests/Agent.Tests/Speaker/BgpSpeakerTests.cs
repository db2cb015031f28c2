using System.Collections.Immutable;
using System.Net.Sockets;
using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Speaker;
using FailoverHub.Agent.Speaker.Sockets;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Speaker;

/// <summary>The speaker and its connections against real sockets.</summary>
public sealed class BgpSpeakerTests : IAsyncDisposable
{
    private const string Prefix = "203.0.113.10/32";

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
    public async Task Started_RouterListens_EstablishesAndAnnounces_WithOurAddressAsNextHop()
    {
        await using var router = new FakeRouter();
        Start(Peer(router.Endpoint) with { LocalAddress = IPAddress.Parse("127.0.0.11") });

        var update = await router.Log.FirstAsync<Seen.Update>();
        Assert.True(update.Announces(Prefix, FakeRouter.Primary));
        Assert.Equal(IPAddress.Parse("127.0.0.11"), update.Routes.NextHop);
        Assert.Equal([65001u], update.Routes.AsPath.ToArray());
        Assert.Equal(Origin.Incomplete, update.Routes.Origin);
        await _news.FirstAsync<NodeEvent.SessionEstablished>(established => established.Parameters.HoldTime.Seconds == 9);
        await _news.FirstAsync<NodeEvent.AdvertisementsWritten>(written => written.Version == 1);
    }

    [Fact]
    public async Task RoleChange_IsOneUpdate_OnTheSameSession_WithoutAWithdraw()
    {
        await using var router = new FakeRouter();
        Start(Peer(router.Endpoint));
        await router.Log.FirstAsync<Seen.Update>();

        _speaker!.SetAdvertisements(2, [Advertise(FakeRouter.Secondary)]);

        var update = await router.Log.FirstAsync<Seen.Update>(seen => seen.Announces(Prefix, FakeRouter.Secondary));
        Assert.Equal(1, update.Connection);
        Assert.DoesNotContain(router.Log.Seen.OfType<Seen.Update>(), seen => !seen.Routes.Withdrawn.IsEmpty);
        await _news.FirstAsync<NodeEvent.AdvertisementsWritten>(written => written.Version == 2);
    }

    [Fact]
    public async Task Stopped_WithdrawsThenSaysGoodbyeInWords()
    {
        await using var router = new FakeRouter();
        Start(Peer(router.Endpoint));
        await router.Log.FirstAsync<Seen.Update>();

        _speaker!.Stop("failoverhub-agent stopping: SIGTERM on node-a");
        await _speaker.Ended;

        var goodbye = await router.Log.FirstAsync<Seen.Failed>();
        Assert.Equal((6, 2), (goodbye.Error.Code, goodbye.Error.Subcode));
        Assert.Contains("failoverhub-agent stopping: SIGTERM on node-a", goodbye.Error.Text, StringComparison.Ordinal);
        var seen = router.Log.Seen;
        Assert.True(seen.FindIndex(item => item is Seen.Update update && update.Withdraws(Prefix)) < seen.IndexOf(goodbye));
        Assert.Contains(seen, item => item is Seen.Update update && update.Withdraws(Prefix));
    }

    [Fact]
    public async Task OneNeighborIsAway_TheOthersAreAnnouncedTo()
    {
        await using var router = new FakeRouter();
        using var closed = new ReservedPort();
        var away = new NeighborEndpoint(IPAddress.Loopback, closed.Number);
        Start(Peer(away), Peer(router.Endpoint));

        await router.Log.FirstAsync<Seen.Update>();
        var failed = await _news.FirstAsync<NodeEvent.SessionFailed>(failed => failed.Neighbor == away);
        Assert.Equal("connection refused", failed.Error.Text);
    }

    [Fact]
    public async Task NoSocketForOneNeighbor_IsAFailureOfThatSessionOnly_AndIsTriedAgain()
    {
        await using var router = new FakeRouter();
        await using var starved = new FakeRouter();
        var refusals = 0;
        Start(
            Peer(starved.Endpoint) with
            {
                NewSocket = family => Interlocked.Increment(ref refusals) == 1
                    ? throw new SocketException((int)SocketError.TooManyOpenSockets)
                    : new Socket(family, SocketType.Stream, ProtocolType.Tcp),
            },
            Peer(router.Endpoint));

        await router.Log.FirstAsync<Seen.Update>();
        var failed = await _news.FirstAsync<NodeEvent.SessionFailed>();
        Assert.Equal(starved.Endpoint, failed.Neighbor);
        Assert.Contains("too many open files", failed.Error.Text, StringComparison.Ordinal);
        await starved.Log.FirstAsync<Seen.Update>();
        Assert.False(_speaker!.Ended.IsCompleted);
    }

    [Fact]
    public async Task BugInOneSession_EndsThatSessionOnly_WithAnError_AndItBeginsAnew()
    {
        await using var router = new FakeRouter();
        await using var unlucky = new FakeRouter();
        var dials = 0;
        Start(
            Peer(unlucky.Endpoint) with
            {
                NewSocket = family => Interlocked.Increment(ref dials) <= 2
                    ? throw new InvalidOperationException("a bug")
                    : new Socket(family, SocketType.Stream, ProtocolType.Tcp),
            },
            Peer(router.Endpoint));

        await router.Log.FirstAsync<Seen.Update>();
        var failed = await _news.FirstAsync<NodeEvent.SessionFailed>();
        Assert.Equal((unlucky.Endpoint, false), (failed.Neighbor, failed.Error.FromPeer));
        Assert.Contains("an internal error of this agent", failed.Error.Text, StringComparison.Ordinal);

        // With what is wanted now, not with what was wanted when it broke.
        _speaker!.SetAdvertisements(2, [Advertise(FakeRouter.Secondary)]);
        Assert.True((await unlucky.Log.FirstAsync<Seen.Update>()).Announces(Prefix, FakeRouter.Secondary));
        Assert.False(_speaker.Ended.IsCompleted);
        Assert.Equal(1, router.Connections);
        Assert.Equal(SessionState.Established, (await _speaker.ReadAsync(unlucky.Endpoint, TestContext.Current.CancellationToken))!.Session.State);
    }

    [Fact]
    public async Task BugInEverySession_OfWhatIsAnnounced_TheSpeakerIsThereForTheNextWord()
    {
        await using var router = new FakeRouter();
        Start(Peer(router.Endpoint));
        await router.Log.FirstAsync<Seen.Update>();

        // More than an attribute can have.
        _speaker!.SetAdvertisements(2, [Advertise(FakeRouter.Primary) with { Communities = [.. Enumerable.Range(1, 300).Select(value => new Community(65000, (ushort)value))] }]);
        await _news.FirstAsync<NodeEvent.SessionChanged>(changed => changed.To == SessionState.Idle && changed.Reason.Contains("internal error", StringComparison.Ordinal));
        Assert.Equal(SessionState.Idle, (await _speaker.ReadAsync(router.Endpoint, TestContext.Current.CancellationToken))!.Session.State);
        _speaker.SetAdvertisements(3, [Advertise(FakeRouter.Secondary)]);

        Assert.Equal(2, (await router.Log.FirstAsync<Seen.Update>(update => update.Announces(Prefix, FakeRouter.Secondary))).Connection);
    }

    [Fact]
    public async Task NeighborComesUpLater_IsDialledAgain()
    {
        using var port = new ReservedPort();
        Start(Peer(new NeighborEndpoint(IPAddress.Loopback, port.Number)));
        await _news.FirstAsync<NodeEvent.SessionFailed>();

        await using var router = new FakeRouter(port.Number);
        await router.Log.FirstAsync<Seen.Update>();
    }

    [Fact]
    public async Task NeighborGoesAway_IsNews_AndItIsDialledAgain()
    {
        using var port = new ReservedPort();
        var router = new FakeRouter(port.Number);
        Start(Peer(router.Endpoint));
        await router.Log.FirstAsync<Seen.Update>();
        await router.DisposeAsync();

        await _news.FirstAsync<NodeEvent.SessionChanged>(changed => changed.To == SessionState.Idle);
        await using var again = new FakeRouter(router.Endpoint.Port);
        Assert.True((await again.Log.FirstAsync<Seen.Update>()).Announces(Prefix, FakeRouter.Primary));
    }

    [Fact]
    public async Task AddressToDialFromIsNotOurs_SaysWhichFlagToLookAt()
    {
        await using var router = new FakeRouter();
        Start(Peer(router.Endpoint) with { LocalAddress = IPAddress.Parse("192.0.2.55") });

        var failed = await _news.FirstAsync<NodeEvent.SessionFailed>();
        Assert.Contains("192.0.2.55", failed.Error.Text, StringComparison.Ordinal);
        Assert.Contains("--local-address", failed.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DialWithoutAnAnswer_IsGivenUp_WhenItsTimeIsOver()
    {
        // A listener whose queue is full does not answer.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(0);
        var endpoint = (IPEndPoint)listener.LocalEndpoint;
        using var filling = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await filling.ConnectAsync(endpoint, TestContext.Current.CancellationToken);
        var time = new FakeTimeProvider();
        Start(time, Peer(new NeighborEndpoint(endpoint.Address, endpoint.Port)) with { DialTimeout = TimeSpan.FromSeconds(2) });
        await _news.FirstAsync<NodeEvent.SessionChanged>(changed => changed.To == SessionState.Connect);

        time.Advance(TimeSpan.FromSeconds(2));
        _speaker!.Wake();

        var failed = await _news.FirstAsync<NodeEvent.SessionFailed>();
        Assert.Equal("no answer within 2 s", failed.Error.Text);
    }

    [Fact]
    public async Task KeepaliveThatComesLate_IsMeasured()
    {
        await using var router = new FakeRouter();
        var time = new FakeTimeProvider();
        Start(time, Peer(router.Endpoint));
        await router.Log.FirstAsync<Seen.Update>();
        await _news.FirstAsync<NodeEvent.AdvertisementsWritten>();
        Assert.Equal(TimeSpan.Zero, _speaker!.Metrics(router.Endpoint).MostKeepaliveLateness);
        var sent = _speaker.Metrics(router.Endpoint).MessagesSent;

        // Between two and four seconds after its time, whatever the jitter of the keepalive timer was, and well within the hold time.
        time.Advance(TimeSpan.FromSeconds(6));
        _speaker.Wake();
        var metrics = await UntilAsync(() => _speaker.Metrics(router.Endpoint), metrics => metrics.MessagesSent > sent);

        Assert.InRange(metrics.MostKeepaliveLateness, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4));
        Assert.Equal(metrics.MostKeepaliveLateness, metrics.LastKeepaliveLateness);
    }

    [Fact]
    public async Task ThreadIsAwakeForSomethingElse_AKeepaliveThatMayGoByNow_GoesAlong_AndIsNotLate()
    {
        await using var router = new FakeRouter();
        var time = new FakeTimeProvider();
        Start(time, Peer(router.Endpoint));
        await router.Log.FirstAsync<Seen.Update>();
        await _news.FirstAsync<NodeEvent.AdvertisementsWritten>();
        var sent = _speaker!.Metrics(router.Endpoint).MessagesSent;

        // Three quarters of the interval: it has to go at some time between now and 3 s.
        time.Advance(TimeSpan.FromSeconds(2.25));
        _speaker.Wake();
        var metrics = await UntilAsync(() => _speaker.Metrics(router.Endpoint), metrics => metrics.MessagesSent > sent);

        Assert.Equal(TimeSpan.Zero, metrics.MostKeepaliveLateness);
    }

    [Fact]
    public void DialWithoutAnAnswer_EndsBeforeTheSessionsOwnWaitCan()
    {
        var peer = Peer(new NeighborEndpoint(IPAddress.Loopback, 179));

        Assert.True(peer.DialTimeout < 0.75 * peer.Session.ConnectRetry);
    }

    [Fact]
    public async Task ThreadWasStalledPastTheHoldTime_WhatTheNeighborSaidMeanwhileCounts()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var endpoint = (IPEndPoint)listener.LocalEndpoint;
        var neighbor = new NeighborEndpoint(endpoint.Address, endpoint.Port);
        var time = new StallingTime();
        Start(time, Peer(neighbor));
        using var accepted = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        var marker = Enumerable.Repeat((byte)0xff, 16).ToArray();
        byte[] open = [.. marker, 0, 29, 1, 4, 0xfd, 0xe8, 0, 9, 192, 0, 2, 1, 0];
        byte[] keepalive = [.. marker, 0, 19, 4];
        accepted.Send([.. open, .. keepalive]);
        await _news.FirstAsync<NodeEvent.AdvertisementsWritten>();

        // The next look at the clock is the one after the wait for the sockets: the keepalive comes too late to have ended that wait.
        time.AtNextLook(() =>
        {
            accepted.Send(keepalive);
            time.Advance(TimeSpan.FromSeconds(10));
        });
        _speaker!.Wake();
        await UntilAsync(
            () => (Heard: _speaker.Metrics(neighbor).MessagesReceived, Failed: _news.Seen.OfType<NodeEvent.SessionFailed>().Any()),
            seen => seen.Heard == 3 || seen.Failed);

        Assert.Empty(_news.Seen.OfType<NodeEvent.SessionFailed>());
    }

    [Fact]
    public async Task ToldBetweenTheTopOfATurnAndTheLookBeforeItsTimers_IsTakenWithoutWaitingForAnythingElse()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var endpoint = (IPEndPoint)listener.LocalEndpoint;
        var time = new StallingTime();
        Start(time, Peer(new NeighborEndpoint(endpoint.Address, endpoint.Port)) with
        {
            Session = new SessionOptions { LocalAs = 65001, PeerAs = 65000, RouterId = new RouterId(0x7f00000b), HoldTime = new HoldTime(3600) },
        });
        using var accepted = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        var marker = Enumerable.Repeat((byte)0xff, 16).ToArray();
        byte[] open = [.. marker, 0, 29, 1, 4, 0xfd, 0xe8, 3600 >> 8, 3600 & 0xff, 192, 0, 2, 1, 0];
        byte[] keepalive = [.. marker, 0, 19, 4];
        accepted.Send([.. open, .. keepalive]);
        await _news.FirstAsync<NodeEvent.AdvertisementsWritten>(written => written.Version == 1);

        // A keepalive falls due, so that there is a look at the sockets before the timers; and in that turn, before that look, the node wants something else.
        // Nobody else wakes the thread: this neighbor is silent, and the next keepalive is twenty minutes away.
        var (armed, looks) = (_speaker!.Turns, 0);
        time.AtNextLook(() => time.Advance(TimeSpan.FromSeconds(1200)));
        time.AtEachLook(() =>
        {
            if (_speaker.Turns != armed && ++looks == 2)
            {
                // The first look at the clock is that at the top, the second the one before the sockets.
                time.AtEachLook(null);
                _speaker.SetAdvertisements(2, [Advertise(FakeRouter.Secondary)]);
            }
        });
        _speaker.Wake();

        await _news.FirstAsync<NodeEvent.AdvertisementsWritten>(written => written.Version == 2);
    }

    [Fact]
    public async Task NeighborThatReadsNothing_IsAFailureWithAReason_NotAQueueThatGrows()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var endpoint = (IPEndPoint)listener.LocalEndpoint;
        var options = Peer(new NeighborEndpoint(endpoint.Address, endpoint.Port));
        var (socket, _) = PeerSocket.Dial(options);
        using var accepted = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        Assert.Null(socket!.FinishDial(options));

        var chunk = new byte[64 * 1024];
        string? problem = null;
        for (var sent = 0; problem is null && sent < 4096; sent++)
        {
            problem = socket.Send(chunk, limit: 1024 * 1024);
        }

        Assert.Contains("reads too slowly", problem, StringComparison.Ordinal);
        socket.Dispose();
    }

    /// <summary>A clock at which something can happen between two looks.</summary>
    private sealed class StallingTime : TimeProvider
    {
        private readonly FakeTimeProvider _time = new();
        private Action? _next;
        private Action? _each;

        public override long TimestampFrequency => _time.TimestampFrequency;

        public void AtNextLook(Action happens) => Volatile.Write(ref _next, happens);

        /// <summary>Null: no longer.</summary>
        public void AtEachLook(Action? happens) => Volatile.Write(ref _each, happens);

        public void Advance(TimeSpan by) => _time.Advance(by);

        public override DateTimeOffset GetUtcNow() => _time.GetUtcNow();

        public override long GetTimestamp()
        {
            Interlocked.Exchange(ref _next, null)?.Invoke();
            Volatile.Read(ref _each)?.Invoke();
            return _time.GetTimestamp();
        }
    }

    private static async Task<T> UntilAsync<T>(Func<T> read, Func<T, bool> holds)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            var value = read();
            if (holds(value))
            {
                return value;
            }

            safety.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static PeerOptions Peer(NeighborEndpoint neighbor) => new()
    {
        Neighbor = neighbor,
        Session = new SessionOptions { LocalAs = 65001, PeerAs = 65000, RouterId = new RouterId(0x7f00000b) },
    };

    private static Advertisement Advertise(Community community) => new() { Prefix = IPNetwork.Parse(Prefix), Communities = [community] };

    private void Start(params PeerOptions[] peers) => Start(TimeProvider.System, peers);

    private void Start(TimeProvider time, params PeerOptions[] peers)
    {
        _speaker = new BgpSpeaker(
            peers,
            occurred =>
            {
                _news.Add(occurred);
                return true;
            },
            time,
            NullLogger<BgpSpeaker>.Instance);
        _speaker.SetAdvertisements(1, ImmutableArray.Create(Advertise(FakeRouter.Primary)));
        _speaker.Start();
    }
}
