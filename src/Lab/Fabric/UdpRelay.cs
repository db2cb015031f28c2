using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Lab.Fabric;

/// <summary>
/// Forwards datagrams sent to a shared address to the node that holds it, and its answers back. Each client has a flow with a socket of its
/// own, which ends after a time without datagrams. When the address moves it takes no more datagrams, and ends soon. Without a holder datagrams are dropped in silence.
/// <see cref="SetHolder"/> has one caller.
/// </summary>
internal sealed class UdpRelay : IAsyncDisposable
{
    /// <summary>Clients at once; datagrams of more are dropped.</summary>
    public const int MaximumFlows = 1024;

    /// <summary>A flow without a datagram in either direction ends after so long.</summary>
    public static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(30);

    /// <summary>After a move, answers under way still arrive for so long.</summary>
    public static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    private const int MaximumDatagram = 65_535;

    private readonly Lock _gate = new();
    private readonly Dictionary<IPEndPoint, UdpFlow> _flows = [];
    private readonly List<UdpFlow> _retired = [];
    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private readonly int _port;
    private readonly Task _receiving;
    private IPAddress? _holder;
    private long _dropped;

    /// <summary>Binds and receives at once.</summary>
    /// <param name="listenOn">The shared address; the node is addressed on the same port.</param>
    /// <param name="time">For the idle time of flows.</param>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public UdpRelay(IPEndPoint listenOn, TimeProvider time)
    {
        _time = time;
        _port = listenOn.Port;
        _socket = new Socket(listenOn.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            _socket.Bind(listenOn);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        _receiving = ReceiveAsync();
    }

    /// <summary>Datagrams that were dropped since the start: no holder, or too many flows.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Datagrams go to <paramref name="node"/> from now on; flows to another node are retired.</summary>
    /// <returns>Number of flows that were.</returns>
    public int SetHolder(IPAddress? node)
    {
        lock (_gate)
        {
            _holder = node;
            var moved = _flows.Count;
            foreach (var flow in _flows.Values)
            {
                flow.Retire(Linger);
                _retired.Add(flow);
            }

            _flows.Clear();
            return moved;
        }
    }

    public async ValueTask DisposeAsync()
    {
        SetHolder(null);
        foreach (var flow in TakeRetired(_ => true))
        {
            await flow.DisposeAsync();
        }

        _socket.Dispose();
        await _receiving;
    }

    private async Task ReceiveAsync()
    {
        var buffer = GC.AllocateUninitializedArray<byte>(MaximumDatagram);
        var anyone = new IPEndPoint(IPAddress.Any, 0);
        while (true)
        {
            try
            {
                var received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, anyone);
                await ForwardAsync((IPEndPoint)received.RemoteEndPoint, buffer.AsMemory(0, received.ReceivedBytes));
            }
            catch (Exception error) when (error is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (SocketException)
            {
                // A client that is gone (port unreachable): its datagram is lost, as on a real network.
            }
        }
    }

    private async Task ForwardAsync(IPEndPoint client, ReadOnlyMemory<byte> datagram)
    {
        foreach (var over in TakeRetired(flow => flow.IsOver))
        {
            await over.DisposeAsync();
        }

        if (FlowOf(client) is { } flow)
        {
            await flow.ForwardAsync(datagram);
        }
        else
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    private UdpFlow[] TakeRetired(Predicate<UdpFlow> wanted)
    {
        lock (_gate)
        {
            foreach (var (client, idle) in _flows.Where(entry => entry.Value.IsOver).ToArray())
            {
                _flows.Remove(client);
                _retired.Add(idle);
            }

            var taken = _retired.FindAll(wanted);
            _retired.RemoveAll(wanted);
            return [.. taken];
        }
    }

    private UdpFlow? FlowOf(IPEndPoint client)
    {
        lock (_gate)
        {
            if (_holder is null)
            {
                return null;
            }

            if (!_flows.TryGetValue(client, out var flow) && _flows.Count + _retired.Count < MaximumFlows)
            {
                flow = new UdpFlow(_socket, client, new IPEndPoint(_holder, _port), IdleTime, _time);
                _flows[client] = flow;
            }

            return flow;
        }
    }
}
