using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Speaker.Metering;

namespace FailoverHub.Agent.Speaker.Sockets;

/// <summary>
/// One TCP connection to a neighbor, never blocking: from the dial, over the open phase, to a close that lets the last bytes arrive.
/// Belongs to the speaker's thread.
/// </summary>
internal sealed class PeerSocket : IDisposable
{
    private readonly Queue<ReadOnlyMemory<byte>> _output = new();
    private MessageCounter _messages;

    private PeerSocket(Socket socket) => Socket = socket;

    private enum Phase
    {
        Dialing,
        Open,
        Closing,
        Draining,
        Closed,
    }

    public Socket Socket { get; }

    public bool IsDialing => _phase == Phase.Dialing;

    public bool IsClosed => _phase == Phase.Closed;

    public bool WantsRead => _phase is Phase.Open or Phase.Closing or Phase.Draining;

    public bool WantsWrite => _phase == Phase.Dialing || (_phase is Phase.Open or Phase.Closing && _output.Count > 0);

    /// <summary>Bytes given to <see cref="Send"/> so far.</summary>
    public long Queued { get; private set; }

    /// <summary>Bytes of them that the kernel has taken.</summary>
    public long Written { get; private set; }

    /// <summary>When it is broken: the neighbor ended it, and not this host.</summary>
    public bool IsEndedByNeighbor { get; private set; }

    /// <summary>Messages of which the kernel has taken the last byte.</summary>
    public ulong MessagesWritten => _messages.Count;

    private Phase _phase = Phase.Dialing;
    private IPAddress? _local;

    /// <summary>Begins to dial. Null, and why, when that fails at once.</summary>
    public static (PeerSocket? Socket, DialProblem? Problem) Dial(PeerOptions options)
    {
        var neighbor = options.Neighbor;
        Socket? socket = null;
        try
        {
            socket = options.NewSocket(neighbor.Address.AddressFamily);
            socket.Blocking = false;
            socket.NoDelay = true;
            socket.Ttl = (short)options.Ttl;
            if (SocketSecurity.Apply(socket, options) is { } refused)
            {
                socket.Dispose();
                return (null, new DialProblem(refused, OfThePath: false));
            }

            if (options.LocalAddress is { } local)
            {
                Bind(socket, local, options.LocalAddressIsOptional);
            }

            socket.Connect(new IPEndPoint(neighbor.Address, neighbor.Port));
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            // Under way; writable means decided.
        }
        catch (SocketException exception)
        {
            socket?.Dispose();
            return (null, Problem(exception.SocketErrorCode, options));
        }

        return (new PeerSocket(socket!), null);
    }

    /// <summary>Gives the socket its source address; an optional one only if an interface has it.</summary>
    public static void Bind(Socket socket, IPAddress local, bool optional)
    {
        try
        {
            socket.Bind(new IPEndPoint(local, 0));
        }
        catch (SocketException exception) when (optional && exception.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            // Not bound, the kernel chooses. The next dial tries again: an interface may get the address any moment.
        }
    }

    /// <summary>After the dialling socket became writable. Null: connected. Else why not.</summary>
    public DialProblem? FinishDial(PeerOptions options)
    {
        var error = (SocketError)(int)Socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
        if (error != SocketError.Success)
        {
            Dispose();
            return Problem(error, options);
        }

        // .NET looks for itself whether the socket is connected, and has no address when the neighbor's reset came in between.
        if (Socket.LocalEndPoint is not IPEndPoint local)
        {
            Dispose();
            return Problem(SocketError.ConnectionReset, options);
        }

        _local = local.Address;
        _phase = Phase.Open;
        return null;
    }

    /// <summary>Our address on the connection, and the neighbor's. Only after <see cref="FinishDial"/> gave null.</summary>
    public (IPAddress Local, IPAddress Remote) Addresses(PeerOptions options) => (_local!, options.Neighbor.Address);

    /// <summary>Queues whole messages and writes what the kernel takes. Null: fine. Else why the connection is broken.</summary>
    public string? Send(ReadOnlyMemory<byte> bytes, int limit)
    {
        if (_phase != Phase.Open)
        {
            return null;
        }

        _output.Enqueue(bytes);
        Queued += bytes.Length;
        return Queued - Written > limit
            ? $"the neighbor reads too slowly: {Queued - Written} bytes wait for it"
            : Flush();
    }

    /// <summary>Writes what the kernel takes. Null: fine. Else why the connection is broken.</summary>
    public string? Flush()
    {
        while (_output.TryPeek(out var bytes))
        {
            var taken = Socket.Send(bytes.Span, SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                return null;
            }

            if (error != SocketError.Success)
            {
                return Broken(error);
            }

            Written += taken;
            _messages.Add(bytes.Span[..taken]);
            _output.Dequeue();
            if (taken < bytes.Length)
            {
                Requeue(bytes[taken..]);
                return null;
            }
        }

        if (_phase == Phase.Closing)
        {
            // Our goodbye is out; the end of the stream follows it, and the neighbor's is awaited.
            _phase = Phase.Draining;
            try
            {
                Socket.Shutdown(SocketShutdown.Send);
            }
            catch (SocketException)
            {
                // The neighbor was quicker.
                Dispose();
            }
        }

        return null;
    }

    /// <summary>Reads what there is.</summary>
    /// <returns>Bytes read; 0 with a problem: the connection is gone; 0 without: nothing to read now.</returns>
    public (int Count, string? Problem) Receive(Span<byte> buffer)
    {
        var count = Socket.Receive(buffer, SocketFlags.None, out var error);
        switch (error)
        {
            case SocketError.Success when count > 0:
                return (count, null);
            case SocketError.Success:
                IsEndedByNeighbor = true;
                return (0, "the neighbor closed the connection");
            case SocketError.WouldBlock:
                return (0, null);
            default:
                return (0, Broken(error));
        }
    }

    private string Broken(SocketError error)
    {
        IsEndedByNeighbor = error is SocketError.ConnectionReset or SocketError.Shutdown;
        return Words(error);
    }

    /// <summary>Closes after everything that waits is written.</summary>
    public void CloseAfterOutput()
    {
        if (_phase == Phase.Open)
        {
            _phase = Phase.Closing;
            if (Flush() is not null)
            {
                Dispose();
            }
        }
        else if (_phase == Phase.Dialing)
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        _phase = Phase.Closed;
        Socket.Dispose();
    }

    // Only the first of the queue is ever half written, and it keeps its place.
    private void Requeue(ReadOnlyMemory<byte> rest)
    {
        var behind = _output.ToArray();
        _output.Clear();
        _output.Enqueue(rest);
        foreach (var bytes in behind)
        {
            _output.Enqueue(bytes);
        }
    }

    private static DialProblem Problem(SocketError error, PeerOptions options) => new(
        Words(error, options),
        OfThePath: error is SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.NetworkDown or SocketError.TimedOut);

    /// <summary>The error in words that say what to do, as far as that is known.</summary>
    public static string Words(SocketError error, PeerOptions? options = null) => error switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.ConnectionReset => "connection reset by the neighbor",
        SocketError.Shutdown => "connection closed by the neighbor",
        SocketError.TimedOut => "no answer" + (options is null ? "" : SocketSecurity.SilenceMayMean(options)),
        SocketError.NetworkUnreachable => "network unreachable: no route to it",
        SocketError.HostUnreachable => "host unreachable",
        SocketError.AddressNotAvailable => options?.LocalAddress is { } local
            ? $"{local} is no address of this node; see --local-address"
            : "no address of this node can reach it",
        SocketError.TooManyOpenSockets => "this process has too many open files: raise its limit (LimitNOFILE)",
        SocketError.AddressFamilyNotSupported => "this host does not speak the neighbor's address family",
        SocketError.AccessDenied => "not permitted: a firewall rule on this node",
        _ => $"socket error {error}",
    };
}

/// <summary>Why a dial failed.</summary>
/// <param name="Words">For the operator.</param>
/// <param name="OfThePath">There is no way to the neighbor, or none back: that may be over at any moment. Else somebody has refused.</param>
internal sealed record DialProblem(string Words, bool OfThePath);
