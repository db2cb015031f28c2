using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FailoverHub.Web.Reachability;

/// <summary>
/// One open ICMP socket of one family and the loop that reads it ("icmp-receive"; ends when the socket is closed). Any number of requests
/// may wait at once; each ends with its reply or with its caller's timeout.
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

    /// <summary>
    /// Room for some seconds of replies while the process does not come to read them: a reply takes some 768 octets of it, so the kernel's ordinary 208 KiB are full after 277 of
    /// them, which five thousand targets send within 55 ms. The kernel gives no more than net.core.rmem_max, unless the process may ask for more (CAP_NET_ADMIN).
    /// </summary>
    private const int ReceiveBuffer = 8 << 20;
    private const int ForceReceiveBuffer = 33; // SO_RCVBUFFORCE

    private readonly Socket _socket;
    private readonly bool _raw;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<ulong, Waiting> _waiting = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _receiving;
    // Starting anywhere keeps replies to an earlier process of ours from being taken for replies to us.
    private long _lastNumber = Random.Shared.NextInt64();

    private IcmpSocket(Socket socket, bool raw, TimeProvider time)
    {
        _socket = socket;
        _raw = raw;
        _time = time;
        _receiving = Task.Run(ReceiveAsync);
    }

    /// <summary>Tries the kind that needs no capability (ping_group_range), then the raw one (CAP_NET_RAW).</summary>
    public static bool TryOpen(AddressFamily family, TimeProvider time, [NotNullWhen(true)] out IcmpSocket? opened, [NotNullWhen(false)] out string? why) =>
        TryOpen(family, [SocketType.Dgram, SocketType.Raw], time, out opened, out why);

    /// <summary>Tries these kinds, one after the other.</summary>
    internal static bool TryOpen(AddressFamily family, ReadOnlySpan<SocketType> kinds, TimeProvider time, [NotNullWhen(true)] out IcmpSocket? opened, [NotNullWhen(false)] out string? why)
    {
        ProtocolType protocol = family == AddressFamily.InterNetwork ? ProtocolType.Icmp : ProtocolType.IcmpV6;
        why = null;
        foreach (SocketType type in kinds)
        {
            Socket? socket = null;
            try
            {
                socket = new Socket(family, type, protocol);
                MakeRoom(socket);
                if (type == SocketType.Raw)
                {
                    TakeRepliesOnly(socket);
                }

                socket.Bind(new IPEndPoint(family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0));
                opened = new IcmpSocket(socket, type == SocketType.Raw, time);
                why = null;
                return true;
            }
            catch (SocketException exception)
            {
                socket?.Dispose();
                why = exception.Message;
            }
        }

        opened = null;
        why ??= "unknown";
        return false;
    }

    /// <summary>Packets that came for this socket and found no room: the kernel has thrown them away. Wraps at 2^32. Zero where the kernel does not tell.</summary>
    public uint Overflowed
    {
        get
        {
            Span<byte> info = stackalloc byte[sizeof(uint) * (Drops + 1)];
            try
            {
                return _socket.GetRawSocketOption(OfSockets, MemoryInfo, info) == info.Length ? MemoryMarshal.Cast<byte, uint>(info)[Drops] : 0;
            }
            catch (SocketException)
            {
                return 0;
            }
        }
    }

    /// <summary>Sends one echo request and waits for its reply from that address. While the kernel threw replies away it is not known whether this one was among them.</summary>
    public async Task<ProbeReply> SendAsync(IPAddress address, TimeSpan timeout, CancellationToken cancellationToken)
    {
        uint overflowed = Overflowed;
        ulong number = (ulong)Interlocked.Increment(ref _lastNumber);
        var waiting = new Waiting(address, _time.GetTimestamp(), new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously));
        _waiting[number] = waiting;
        try
        {
            byte[] request = IcmpEcho.Request(_socket.AddressFamily, (ushort)Environment.ProcessId, number);
            await _socket.SendToAsync(request, SocketFlags.None, new IPEndPoint(address, 0), cancellationToken);
            return ProbeReply.Answered(await waiting.Reply.Task.WaitAsync(timeout, _time, cancellationToken));
        }
        catch (TimeoutException)
        {
            return Overflowed == overflowed ? ProbeReply.Silent(timeout) : ProbeReply.Missed;
        }
        catch (SocketException exception)
        {
            // An unconnected socket is told of its own sending alone; what routers say of it does not come here.
            return ProbeReply.Unsent(SocketWords.OfSending(exception));
        }
        finally
        {
            _waiting.TryRemove(number, out _);
        }
    }

    private static void MakeRoom(Socket socket)
    {
        try
        {
            socket.SetRawSocketOption(OfSockets, ForceReceiveBuffer, BitConverter.GetBytes(ReceiveBuffer));
        }
        catch (SocketException)
        {
            socket.ReceiveBufferSize = ReceiveBuffer;
        }
    }

    /// <summary>A raw socket gets every ICMP packet of the machine, on loopback its own requests too: the kernel keeps back all but echo replies, so that they take no room.</summary>
    private static void TakeRepliesOnly(Socket socket)
    {
        if (socket.AddressFamily == AddressFamily.InterNetwork)
        {
            // struct icmp_filter: a bit for each type below 32 that is to be kept back, in the machine's own order of octets.
            socket.SetRawSocketOption(OfRawSockets, Ipv4Filter, BitConverter.GetBytes(~(1u << IcmpEcho.ReplyType(AddressFamily.InterNetwork))));
            return;
        }

        // struct icmp6_filter: likewise, a bit for each of 256 types in eight 32-bit words.
        Span<uint> blocked = stackalloc uint[8];
        blocked.Fill(uint.MaxValue);
        byte reply = IcmpEcho.ReplyType(AddressFamily.InterNetworkV6);
        blocked[reply / 32] &= ~(1u << (reply % 32));
        socket.SetRawSocketOption(OfIcmpv6, Ipv6Filter, MemoryMarshal.AsBytes(blocked));
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _receiving;
        _socket.Dispose();
        _closing.Dispose();
    }

    private async Task ReceiveAsync()
    {
        // Larger than any reply to what we send; what is cut off is not ours.
        byte[] buffer = new byte[512];
        var from = new IPEndPoint(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                SocketReceiveFromResult received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, from, _closing.Token);
                if (IcmpEcho.TryReadReply(buffer.AsSpan(0, received.ReceivedBytes), _socket.AddressFamily, _raw, out ulong number)
                    && _waiting.TryGetValue(number, out Waiting? waiting)
                    && waiting.Address.Equals(((IPEndPoint)received.RemoteEndPoint).Address))
                {
                    waiting.Reply.TrySetResult(_time.GetElapsedTime(waiting.SentAt));
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                // An ICMP error about one request is reported once on the next receive; that request ends by its own timeout.
                continue;
            }
        }
    }

    private sealed record Waiting(IPAddress Address, long SentAt, TaskCompletionSource<TimeSpan> Reply);
}
