using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Lab.Fabric;

/// <summary>The datagrams of one client: forwarded from a socket of its own, so that the node's answers find the way back.</summary>
internal sealed class UdpFlow : IAsyncDisposable
{
    private const int MaximumDatagram = 65_535;

    private readonly Socket _shared;
    private readonly IPEndPoint _client;
    private readonly Socket _node;
    private readonly TimeSpan _idleTime;
    private readonly CancellationTokenSource _idle;
    private readonly Task _answering;
    private volatile bool _retired;

    public UdpFlow(Socket shared, IPEndPoint client, IPEndPoint node, TimeSpan idleTime, TimeProvider time)
    {
        _shared = shared;
        _client = client;
        _idleTime = idleTime;
        _idle = new CancellationTokenSource(idleTime, time);
        _node = new Socket(node.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _node.Connect(node);
        _answering = AnswerAsync();
    }

    /// <summary>Idle for too long, or disposed: a datagram needs a new flow.</summary>
    public bool IsOver => _idle.IsCancellationRequested;

    /// <summary>Sends a datagram of the client to the node; lost when that cannot be done, as on a real network.</summary>
    public async ValueTask ForwardAsync(ReadOnlyMemory<byte> datagram)
    {
        try
        {
            // Before it is sent: the answer keeps the flow alive too, and the two would set the same timer at once.
            KeepAlive();
            await _node.SendAsync(datagram, _idle.Token);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Nobody listens at the node, or the flow ended this moment: the datagram is lost.
        }
    }

    /// <summary>
    /// The address has moved: the client's datagrams take another way, but answers of the node that are under way still arrive, as on a real
    /// network, where they do not depend on the route to the shared address.
    /// </summary>
    /// <param name="linger">For so long.</param>
    public void Retire(TimeSpan linger)
    {
        _retired = true;
        _idle.CancelAfter(linger);
    }

    public async ValueTask DisposeAsync()
    {
        await _idle.CancelAsync();
        await _answering;
        _idle.Dispose();
    }

    private void KeepAlive()
    {
        if (!_retired)
        {
            _idle.CancelAfter(_idleTime);
        }
    }

    private async Task AnswerAsync()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaximumDatagram);
        try
        {
            while (true)
            {
                await AnswerOnceAsync(buffer);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
        {
            // Idle, moved, or the lab stops.
        }
        finally
        {
            _node.Dispose();
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task AnswerOnceAsync(byte[] buffer)
    {
        try
        {
            var count = await _node.ReceiveAsync(buffer, SocketFlags.None, _idle.Token);
            KeepAlive();
            await _shared.SendToAsync(buffer.AsMemory(0, count), SocketFlags.None, _client, _idle.Token);
        }
        catch (SocketException)
        {
            // Port unreachable at the node or the client: that datagram is lost.
        }
    }
}
