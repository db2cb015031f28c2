using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Agent.Vantage.Echoes;

/// <summary>
/// One open ICMP socket of one family and the loop that reads it ("echoes"; it ends when the socket is closed). As many requests may wait at once as a schedule lets out; each ends with its
/// reply or with its caller's timeout.
/// </summary>
internal sealed class IcmpSocket : IAsyncDisposable
{
    private const int OfSockets = 1; // SOL_SOCKET
    private const int MemoryInfo = 55; // SO_MEMINFO, Linux 4.12
    private const int Drops = 8; // SK_MEMINFO_DROPS, the last of nine 32-bit numbers
    private const int OfRawSockets = 255; // SOL_RAW
    private const int Ipv4Filter = 1; // ICMP_FILTER
    private const int OfIcmpv6 = 58; // SOL_ICMPV6
    private const int Ipv6Filter = 1; // ICMPV6_FILTER

    private static readonly ProbeOutcome _missed = ProbeOutcome.NotAsked("this node threw replies away before it had read them, so whether it answered is not known; give its agent more processor time");

    private static readonly TimeSpan _afterAnError = TimeSpan.FromMilliseconds(10);

    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly List<Waiting> _waiting = [];
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _receiving;

    // Starting anywhere keeps replies to an earlier process of ours from being taken for replies to us.
    private ulong _lastNumber = (ulong)Random.Shared.NextInt64();

    private IcmpSocket(Socket socket, TimeProvider time)
    {
        (_socket, _time) = (socket, time);
        _receiving = Task.Run(ReceiveAsync);
    }

    /// <summary>It needs a capability and sees the replies to everybody's requests.</summary>
    public bool IsRaw => _socket.SocketType == SocketType.Raw;

    /// <summary>Packets that came for this socket and found no room: the kernel has thrown them away. Zero where the kernel does not tell.</summary>
    public uint Overflowed
    {
        get
        {
            Span<byte> info = stackalloc byte[sizeof(uint) * (Drops + 1)];
            try
            {
                return _socket.GetRawSocketOption(OfSockets, MemoryInfo, info) == info.Length ? BitConverter.ToUInt32(info[(sizeof(uint) * Drops)..]) : 0;
            }
            catch (SocketException)
            {
                return 0;
            }
        }
    }

    /// <summary>Opens as this machine permits.</summary>
    public static Func<AddressFamily, (IcmpSocket? Socket, string? Problem)> Opener(TimeProvider time) => family => Open(family, [SocketType.Dgram, SocketType.Raw], time);

    /// <summary>Tries the kind that needs no capability (ping_group_range), then the raw one (CAP_NET_RAW); null, and why, when neither may be had.</summary>
    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="kinds">In which order.</param>
    /// <param name="time">For the round trips.</param>
    public static (IcmpSocket? Socket, string? Problem) Open(AddressFamily family, ReadOnlySpan<SocketType> kinds, TimeProvider time)
    {
        string? problem = null;
        foreach (var kind in kinds)
        {
            Socket? socket = null;
            try
            {
                socket = new Socket(family, kind, family == AddressFamily.InterNetwork ? ProtocolType.Icmp : ProtocolType.IcmpV6);
                if (kind == SocketType.Raw)
                {
                    LetRepliesThrough(socket);
                }

                socket.Bind(new IPEndPoint(family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0));
                return (new IcmpSocket(socket, time), null);
            }
            catch (SocketException exception)
            {
                socket?.Dispose();
                problem = exception.Message;
            }
        }

        return (null, problem);
    }

    /// <summary>
    /// Sends one echo request and waits for its reply from that address. The kernel's ordinary buffer has room for more replies than may be asked for at once; while it threw some away all the same,
    /// as where another program of this machine floods a raw socket, it is not known whether this one was among them.
    /// </summary>
    /// <param name="address">Of the socket's family.</param>
    /// <param name="timeout">How long.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Answered, that nothing came, or that it is not known.</returns>
    /// <exception cref="SocketException">It was not sent.</exception>
    public async Task<ProbeOutcome> AskAsync(IPAddress address, TimeSpan timeout, CancellationToken cancellationToken)
    {
        Waiting waiting;
        var overflowed = Overflowed;
        lock (_gate)
        {
            waiting = new Waiting(++_lastNumber, address, _time.GetTimestamp());
            _waiting.Add(waiting);
        }

        try
        {
            await _socket.SendToAsync(IcmpEcho.Request(_socket.AddressFamily, (ushort)Environment.ProcessId, waiting.Number), SocketFlags.None, new IPEndPoint(address, 0), cancellationToken);
            return await waiting.Reply.Task.WaitAsync(timeout, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return OfSilence(overflowed, Overflowed);
        }
        finally
        {
            lock (_gate)
            {
                _waiting.Remove(waiting);
            }
        }
    }

    /// <summary>What it means that nothing came. Pure.</summary>
    /// <param name="before">Packets that the kernel had thrown away when it was asked.</param>
    /// <param name="after">When its time was over.</param>
    internal static ProbeOutcome OfSilence(uint before, uint after) => before == after ? ProbeOutcome.Lost("") : _missed;

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _receiving;
        _socket.Dispose();
        _closing.Dispose();
    }

    // A raw socket is given everything of ICMP that comes to the machine. What cannot be a reply is left out by the kernel and wakes nobody.
    private static void LetRepliesThrough(Socket socket)
    {
        if (socket.AddressFamily == AddressFamily.InterNetwork)
        {
            // struct icmp_filter: a bit for each type below 32 that is to be blocked.
            ReadOnlySpan<byte> others = [0xFE, 0xFF, 0xFF, 0xFF];
            socket.SetRawSocketOption(OfRawSockets, Ipv4Filter, others);
            return;
        }

        // struct icmp6_filter: likewise, a bit for each of 256 types.
        Span<byte> blocked = stackalloc byte[32];
        blocked.Fill(0xFF);
        var reply = IcmpEcho.ReplyType(AddressFamily.InterNetworkV6);
        blocked[reply / 8] &= (byte)~(1 << (reply % 8));
        socket.SetRawSocketOption(OfIcmpv6, Ipv6Filter, blocked);
    }

    private async Task ReceiveAsync()
    {
        // Larger than any reply to what we send; what is cut off is not ours.
        var buffer = new byte[128];
        var from = new IPEndPoint(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                var received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, from, _closing.Token);
                if (IcmpEcho.NumberOf(buffer.AsSpan(0, received.ReceivedBytes), _socket.AddressFamily, IsRaw) is { } number
                    && WhoAsked(number, ((IPEndPoint)received.RemoteEndPoint).Address) is { } waiting)
                {
                    waiting.Reply.TrySetResult(ProbeOutcome.Answered(_time.GetElapsedTime(waiting.SentAt)));
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                // What is wrong with one request is reported once on the next receive; that request ends by its own timeout. Should it be said again and again, it costs little.
                await Task.Delay(_afterAnError, _time, _closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private Waiting? WhoAsked(ulong number, IPAddress from)
    {
        lock (_gate)
        {
            return _waiting.Find(waiting => waiting.Number == number && waiting.Address.Equals(from));
        }
    }

    private sealed class Waiting(ulong number, IPAddress address, long sentAt)
    {
        public ulong Number => number;

        public IPAddress Address => address;

        public long SentAt => sentAt;

        public TaskCompletionSource<ProbeOutcome> Reply { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
