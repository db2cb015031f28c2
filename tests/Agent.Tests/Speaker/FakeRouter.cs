using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Configuration;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Tests.Speaker;

/// <summary>What a router saw of its neighbor, in order.</summary>
internal abstract record Seen
{
    /// <summary>Of the connection, from 1.</summary>
    public required int Connection { get; init; }

    internal sealed record Connected : Seen;

    internal sealed record Established(NegotiatedParameters Parameters) : Seen;

    internal sealed record Update(ReceivedRoutes Routes) : Seen
    {
        public bool Announces(string prefix, Community community) =>
            Routes.Announced.Contains(IPNetwork.Parse(prefix)) && Routes.Communities.Contains(community);

        public bool Withdraws(string prefix) => Routes.Withdrawn.Contains(IPNetwork.Parse(prefix));
    }

    internal sealed record Failed(SessionError Error) : Seen;

    internal sealed record Ended : Seen;
}

/// <summary>A route server: the passive side of a BGP session on a real listener, on loopback, on a port of its own.</summary>
internal sealed class FakeRouter : IAsyncDisposable
{
    public static readonly Community Primary = new(65000, 1);
    public static readonly Community Secondary = new(65000, 2);

    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _end = new();
    private readonly bool _readsNoMoreOnceEstablished;
    private readonly Task _serving;

    /// <param name="port">0: any free one.</param>
    /// <param name="readsNoMoreOnceEstablished">From then on it is deaf: it neither reads nor closes.</param>
    public FakeRouter(int port = 0, bool readsNoMoreOnceEstablished = false)
    {
        _readsNoMoreOnceEstablished = readsNoMoreOnceEstablished;
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        Endpoint = new NeighborEndpoint(IPAddress.Loopback, ((IPEndPoint)_listener.LocalEndpoint).Port);
        _serving = ServeAsync();
    }

    public NeighborEndpoint Endpoint { get; }

    public Signal<Seen> Log { get; } = new();

    public int Connections => Log.Seen.OfType<Seen.Connected>().Count();

    public async ValueTask DisposeAsync()
    {
        if (_end.IsCancellationRequested)
        {
            return;
        }

        await _end.CancelAsync();
        _listener.Stop();
        await _serving;
        _end.Dispose();
    }

    private async Task ServeAsync()
    {
        for (var number = 1; !_end.IsCancellationRequested; number++)
        {
            try
            {
                using var socket = await _listener.AcceptSocketAsync(_end.Token);
                socket.NoDelay = true;
                await new Conversation(this, socket, number).RunAsync(_end.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    // One connection, one session.
    private sealed class Conversation(FakeRouter router, Socket socket, int number)
    {
        private readonly BgpSession _session = new(
            new SessionOptions { LocalAs = 65000, PeerAs = 65001, RouterId = new RouterId(0xC0000201), Passive = true },
            new Random(number));

        private readonly long _origin = TimeProvider.System.GetTimestamp();
        private bool _closed;
        private bool _established;

        public async Task RunAsync(CancellationToken end)
        {
            router.Log.Add(new Seen.Connected { Connection = number });
            await GiveAsync(new SessionInput.Start());
            await GiveAsync(new SessionInput.Connected(((IPEndPoint)socket.LocalEndPoint!).Address, ((IPEndPoint)socket.RemoteEndPoint!).Address));
            var buffer = new byte[4096];
            var reading = ReadAsync(buffer, end);
            while (!_closed)
            {
                var deadline = _session.NextDeadline is { } next ? Max(next - Now(), TimeSpan.Zero) : Timeout.InfiniteTimeSpan;
                int count;
                try
                {
                    count = await reading.WaitAsync(deadline, end);
                }
                catch (TimeoutException)
                {
                    await GiveAsync(new SessionInput.Tick());
                    continue;
                }

                if (count == 0)
                {
                    await GiveAsync(new SessionInput.Disconnected("end of stream"));
                    break;
                }

                await GiveAsync(new SessionInput.Received(buffer.AsMemory(0, count)));
                if (_established && router._readsNoMoreOnceEstablished)
                {
                    await new TaskCompletionSource().Task.WaitAsync(end);
                }

                reading = ReadAsync(buffer, end);
            }

            router.Log.Add(new Seen.Ended { Connection = number });
        }

        private async Task<int> ReadAsync(byte[] buffer, CancellationToken end)
        {
            try
            {
                return await socket.ReceiveAsync(buffer, end);
            }
            catch (SocketException)
            {
                return 0;
            }
        }

        private async Task GiveAsync(SessionInput input)
        {
            foreach (var effect in _session.Handle(input, Now()).ToList())
            {
                switch (effect)
                {
                    case SessionEffect.Send send:
                        await SendAsync(send.Bytes);
                        break;
                    case SessionEffect.Close:
                        _closed = true;
                        break;
                    case SessionEffect.Established established:
                        _established = true;
                        router.Log.Add(new Seen.Established(established.Parameters) { Connection = number });
                        break;
                    case SessionEffect.RoutesReceived received:
                        router.Log.Add(new Seen.Update(received.Update) { Connection = number });
                        break;
                    case SessionEffect.Failed failed:
                        router.Log.Add(new Seen.Failed(failed.Error) { Connection = number });
                        break;
                    default:
                        break;
                }
            }
        }

        private async Task SendAsync(ReadOnlyMemory<byte> bytes)
        {
            try
            {
                await socket.SendAsync(bytes);
            }
            catch (SocketException)
            {
                // The neighbor has gone; the read says so too.
            }
        }

        private TimeSpan Now() => TimeProvider.System.GetElapsedTime(_origin);

        private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;
    }
}
