using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FailoverHub.Web.Reachability.Answering;

/// <summary>A datagram as it came.</summary>
/// <param name="Octets">All of it, or the first of them when it is longer than any answer.</param>
/// <param name="From">Who sent it; IPv4 addresses as such.</param>
/// <param name="Ttl">TTL or hop limit with which it came; null: the kernel does not tell.</param>
internal readonly record struct ReceivedDatagram(byte[] Octets, IPAddress From, int? Ttl);

/// <summary>One UDP socket for both families with a port of its own that the kernel has chosen, which tells the TTL of what comes.</summary>
internal sealed partial class AnswerSocket : IDisposable
{
    private const int Ipv6Level = 41; // SOL_IPV6
    private const int ReceiveHopLimit = 51; // IPV6_RECVHOPLIMIT
    private const int HopLimit = 52; // IPV6_HOPLIMIT
    private const int ReceiveTtl = 12; // IP_RECVTTL, of SOL_IP, which is 0
    private const int Ttl = 2; // IP_TTL
    private const int DoNotWait = 0x40; // MSG_DONTWAIT
    private const int ControlSize = 128;
    private const int HeaderSize = 16; // struct cmsghdr: length, level, type

    private readonly Socket _socket;
    private readonly byte[] _look = new byte[1];

    private AnswerSocket(Socket socket) => _socket = socket;

    /// <summary>The port that answers come to.</summary>
    public int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    /// <exception cref="SocketException">There is none to be had.</exception>
    public static AnswerSocket Open()
    {
        Socket? socket = null;
        try
        {
            bool both = Socket.OSSupportsIPv6;
            socket = both ? new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { DualMode = true } : new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(both ? IPAddress.IPv6Any : IPAddress.Any, 0));

            // IPv4 comes over a socket of IPv6 as well, and is told of by its own option.
            ReadOnlySpan<byte> on = [1, 0, 0, 0];
            socket.SetRawSocketOption(0, ReceiveTtl, on);
            if (both)
            {
                socket.SetRawSocketOption(Ipv6Level, ReceiveHopLimit, on);
            }

            var opened = new AnswerSocket(socket);
            socket = null;
            return opened;
        }
        finally
        {
            socket?.Dispose();
        }
    }

    /// <summary>Sends without waiting. Null; or why the kernel does not take it.</summary>
    public string? Send(byte[] datagram, IPEndPoint to)
    {
        try
        {
            _socket.SendTo(datagram, SocketFlags.None, _socket.AddressFamily == AddressFamily.InterNetworkV6 ? new IPEndPoint(to.Address.MapToIPv6(), to.Port) : to);
            return null;
        }
        catch (SocketException exception)
        {
            return SocketWords.Of(exception, "it");
        }
    }

    /// <summary>Waits until something has come.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Looked at and left there: what is told beside it comes with the call that takes it.
            await _socket.ReceiveAsync(_look, SocketFlags.Peek, cancellationToken);
        }
        catch (SocketException exception) when (exception.SocketErrorCode is not SocketError.OperationAborted)
        {
            // Longer than what was looked at; or a router's word about an earlier question, which is over by its own time.
            return;
        }
    }

    /// <summary>Takes what has come; null: nothing more has.</summary>
    public unsafe ReceivedDatagram? TryReceive()
    {
        Span<byte> data = stackalloc byte[IdentityDatagram.LongestAnswer + 1];
        Span<byte> name = stackalloc byte[28];
        Span<byte> control = stackalloc byte[ControlSize];
        fixed (byte* dataPointer = data, namePointer = name, controlPointer = control)
        {
            var part = new Part { Start = dataPointer, Length = (nuint)data.Length };
            var message = new Message { Name = namePointer, NameLength = (uint)name.Length, Parts = &part, PartCount = 1, Control = controlPointer, ControlLength = ControlSize };
            nint length = ReceiveMessage(_socket.SafeHandle, &message, DoNotWait);
            return length < 0 ? null : new ReceivedDatagram(data[..(int)length].ToArray(), AddressIn(name), TtlIn(control[..(int)message.ControlLength]));
        }
    }

    public void Dispose() => _socket.Dispose();

    // struct sockaddr_in6: family, port, flow, address; struct sockaddr_in: family, port, address.
    private static IPAddress AddressIn(ReadOnlySpan<byte> name)
    {
        if (MemoryMarshal.Read<ushort>(name) == 2)
        {
            return new IPAddress(name.Slice(4, 4));
        }

        var address = new IPAddress(name.Slice(8, 16));
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    // Headers with an int each, on boundaries of eight octets.
    private static int? TtlIn(ReadOnlySpan<byte> control)
    {
        while (control.Length >= HeaderSize + sizeof(int))
        {
            ulong length = MemoryMarshal.Read<ulong>(control);
            var (level, type) = (MemoryMarshal.Read<int>(control[8..]), MemoryMarshal.Read<int>(control[12..]));
            if ((level, type) is (0, Ttl) or (Ipv6Level, HopLimit))
            {
                return MemoryMarshal.Read<int>(control[HeaderSize..]);
            }

            ulong next = (length + 7) & ~7UL;
            if (length < HeaderSize || next > (ulong)control.Length)
            {
                return null;
            }

            control = control[(int)next..];
        }

        return null;
    }

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    private static unsafe partial nint ReceiveMessage(SafeSocketHandle socket, Message* message, int flags);

    // struct iovec
    private unsafe struct Part
    {
        public byte* Start;
        public nuint Length;
    }

    // struct msghdr, of 64-bit machines
    private unsafe struct Message
    {
        public byte* Name;
        public uint NameLength;
        public Part* Parts;
        public nuint PartCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }
}
