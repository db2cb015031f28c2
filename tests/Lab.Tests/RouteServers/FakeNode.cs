using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Lab.Tests.RouteServers;

/// <summary>
/// A node of the tests: a dialling <see cref="BgpSession"/> over a real socket, from an address of its own, to one route server. Answers
/// keepalives by itself, announces what the test says, and can vanish without a word.
/// </summary>
internal sealed class FakeNode : IAsyncDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly SemaphoreSlim _turn = new(1);
    private readonly BgpSession _session;
    private readonly TaskCompletionSource _established = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<SessionError> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _reading = Task.CompletedTask;

    private FakeNode(uint localAs) => _session = new BgpSession(
        new SessionOptions { LocalAs = localAs, PeerAs = 65000, RouterId = new RouterId(0x0a00_0001) },
        new Random(1));

    /// <summary>Why the session failed, when it did.</summary>
    public Task<SessionError> Failed => _failed.Task;

    /// <summary>Ends when the connection does.</summary>
    public Task Ended => _reading;

    public static async Task<FakeNode> DialAsync(IPAddress from, IPEndPoint routeServer, uint localAs = 65001)
    {
        var node = new FakeNode(localAs);
        node._socket.Bind(new IPEndPoint(from, 0));
        await node.GiveAsync(new SessionInput.Start());
        await node._socket.ConnectAsync(routeServer, Patience.Token);
        await node.GiveAsync(new SessionInput.Connected(from, routeServer.Address));
        node._reading = node.ReadAsync();
        return node;
    }

    public static async Task<FakeNode> EstablishAsync(IPAddress from, IPEndPoint routeServer)
    {
        var node = await DialAsync(from, routeServer);
        await node._established.Task.WaitAsync(Patience.Token);
        return node;
    }

    public Task AnnounceAsync(string prefix, Community community, Origin origin = Origin.Incomplete)
    {
        var advertisement = new Advertisement { Prefix = IPNetwork.Parse(prefix), Communities = [community], Origin = origin };
        return GiveAsync(new SessionInput.SetAdvertisements([advertisement]));
    }

    public Task WithdrawAsync() => GiveAsync(new SessionInput.SetAdvertisements(ImmutableArray<Advertisement>.Empty));

    public Task StopAsync(string text) => GiveAsync(new SessionInput.Stop(text));

    /// <summary>As a killed process: the kernel closes the connection, nothing is said.</summary>
    public void Vanish() => _socket.Dispose();

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _reading;
        _turn.Dispose();
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                var count = await _socket.ReceiveAsync(buffer);
                if (count == 0)
                {
                    return;
                }

                await GiveAsync(new SessionInput.Received(buffer.AsMemory(0, count)));
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The connection ended, which is what Ended says.
        }
    }

    private async Task GiveAsync(SessionInput input)
    {
        await _turn.WaitAsync(Patience.Token);
        try
        {
            // The clock stands still: no timer of this side is wanted in these tests.
            foreach (var effect in _session.Handle(input, TimeSpan.Zero))
            {
                await ActAsync(effect);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task ActAsync(SessionEffect effect)
    {
        switch (effect)
        {
            case SessionEffect.Send send:
                await _socket.SendAsync(send.Bytes, Patience.Token);
                break;
            case SessionEffect.Close:
                _socket.Shutdown(SocketShutdown.Send);
                break;
            case SessionEffect.Established:
                _established.TrySetResult();
                break;
            case SessionEffect.Failed failed:
                _failed.TrySetResult(failed.Error);
                break;
            default:
                break;
        }
    }
}
