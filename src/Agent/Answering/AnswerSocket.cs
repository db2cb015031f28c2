using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FailoverHub.Agent.Answering;

/// <summary>
/// One UDP socket for all addresses of the machine and both families, which tells of each datagram to which address it came and answers from that one: an address that comes
/// or goes needs no other socket. Without IPv6 in the kernel it is one for IPv4 alone.
/// </summary>
internal sealed partial class AnswerSocket : IDisposable
{
    private const int Ipv6Level = 41; // SOL_IPV6
    private const int Ipv6PacketInformation = 50; // IPV6_PKTINFO
    private const int Ipv6FreeBind = 78; // IPV6_FREEBIND
    private const int Ipv4PacketInformation = 8; // IP_PKTINFO, of SOL_IP, which is 0
    private const int Ipv4FreeBind = 15; // IP_FREEBIND
    private const int DoNotWait = 0x40; // MSG_DONTWAIT

    // A second of what may be answered; what is more than that has waited for too long to be worth an answer.
    private const int ReceiveBuffer = 64 * 1024;

    private const int NameSize = 28; // struct sockaddr_in6
    private const int ControlSize = 64;
    private const int HeaderSize = 16; // struct cmsghdr
    private const int Ipv4 = 2; // AF_INET
    private const int Ipv6ReceivePacketInformation = 49; // IPV6_RECVPKTINFO

    private static readonly IPEndPoint _nobody = new(IPAddress.None, 0);

    private readonly Socket _socket;
    private readonly byte[] _look = new byte[1];

    private AnswerSocket(Socket socket) => _socket = socket;

    /// <summary>Null, and why, when the port is taken or there is no such socket.</summary>
    /// <param name="port">1 to 65535.</param>
    public static (AnswerSocket? Socket, string? Problem) Open(int port)
    {
        Socket? socket = null;
        try
        {
            socket = Socket.OSSupportsIPv6 ? new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { DualMode = true } : new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.ReceiveBufferSize = ReceiveBuffer;
            AllowAnySource(socket);
            ReadOnlySpan<byte> on = [1, 0, 0, 0];
            if (socket.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.SetRawSocketOption(Ipv6Level, Ipv6ReceivePacketInformation, on);
            }
            else
            {
                socket.SetRawSocketOption(0, Ipv4PacketInformation, on);
            }

            socket.Bind(new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, port));
            var opened = new AnswerSocket(socket);
            socket = null;
            return (opened, null);
        }
        catch (SocketException exception)
        {
            return (null, exception.Message);
        }
        finally
        {
            socket?.Dispose();
        }
    }

    /// <summary>Waits until something has come.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Looked at and left there: to which address it came is told by the call that takes it.
            await _socket.ReceiveAsync(_look, SocketFlags.Peek, cancellationToken);
        }
        catch (SocketException) when (!cancellationToken.IsCancellationRequested)
        {
            // It is longer than what was looked at; or a router says that the hub cannot be reached, and the next one may.
        }
    }

    /// <summary>Takes a datagram that has come; its length, -1: none has.</summary>
    /// <param name="datagram">What does not fit in it is cut off.</param>
    /// <param name="from">Who sent it; an IPv4 address as such.</param>
    /// <param name="to">To which address; likewise.</param>
    public unsafe int TryReceive(Span<byte> datagram, out IPEndPoint from, out IPAddress to)
    {
        Span<byte> name = stackalloc byte[NameSize];
        Span<byte> control = stackalloc byte[ControlSize];
        control.Clear();
        fixed (byte* namePointer = name, controlPointer = control, dataPointer = datagram)
        {
            var part = new Part { Start = dataPointer, Length = (nuint)datagram.Length };
            var message = new Message { Name = namePointer, NameLength = NameSize, Parts = &part, PartCount = 1, Control = controlPointer, ControlLength = ControlSize };
            var length = (int)ReceiveMessage(_socket.SafeHandle, &message, DoNotWait);
            (from, to) = length < 0 ? (_nobody, IPAddress.None) : (Sender(name), Destination(control[..(int)message.ControlLength]));
            return length;
        }
    }

    /// <summary>Sends from this address of the machine, without waiting: what the kernel does not take is lost, as any datagram may be.</summary>
    /// <param name="datagram">All of it.</param>
    /// <param name="from">To which the request came.</param>
    /// <param name="to">Who asked, as <see cref="TryReceive"/> has it.</param>
    public unsafe void Send(ReadOnlySpan<byte> datagram, IPAddress from, IPEndPoint to)
    {
        // .NET sends from no address that it is not bound to.
        Span<byte> name = stackalloc byte[NameSize];
        Span<byte> control = stackalloc byte[ControlSize];
        control.Clear();
        var (nameLength, controlLength) = _socket.AddressFamily == AddressFamily.InterNetworkV6 ? WriteIpv6(name, control, from, to) : WriteIpv4(name, control, from, to);
        fixed (byte* namePointer = name, controlPointer = control, dataPointer = datagram)
        {
            var part = new Part { Start = dataPointer, Length = (nuint)datagram.Length };
            var message = new Message { Name = namePointer, NameLength = (uint)nameLength, Parts = &part, PartCount = 1, Control = controlPointer, ControlLength = (nuint)controlLength };
            _ = SendMessage(_socket.SafeHandle, &message, DoNotWait);
        }
    }

    public void Dispose() => _socket.Dispose();

    // A whole range may be the machine's by a route, without an address of it on an interface. Where it is refused, the others are answered all the same.
    private static void AllowAnySource(Socket socket)
    {
        try
        {
            ReadOnlySpan<byte> on = [1, 0, 0, 0];
            if (socket.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.SetRawSocketOption(Ipv6Level, Ipv6FreeBind, on);
            }
            else
            {
                socket.SetRawSocketOption(0, Ipv4FreeBind, on);
            }
        }
        catch (SocketException)
        {
            // An older kernel.
            return;
        }
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static IPEndPoint Sender(ReadOnlySpan<byte> name)
    {
        var port = BinaryPrimitives.ReadUInt16BigEndian(name[2..]);
        if (MemoryMarshal.Read<ushort>(name) == Ipv4)
        {
            return new IPEndPoint(new IPAddress(name.Slice(4, 4)), port);
        }

        var address = new IPAddress(name.Slice(8, 16), MemoryMarshal.Read<uint>(name[24..]));
        return new IPEndPoint(Plain(address), port);
    }

    // One that came between the bind and the option has none.
    private static IPAddress Destination(ReadOnlySpan<byte> control)
    {
        if (control.Length < HeaderSize + 12)
        {
            return IPAddress.None;
        }

        return (MemoryMarshal.Read<int>(control[8..]), MemoryMarshal.Read<int>(control[12..])) switch
        {
            (Ipv6Level, Ipv6PacketInformation) => Plain(new IPAddress(control.Slice(HeaderSize, 16))),
            (0, Ipv4PacketInformation) => new IPAddress(control.Slice(HeaderSize + 8, 4)),
            _ => IPAddress.None,
        };
    }

    // struct sockaddr_in6: family, port, flow, address, scope. struct cmsghdr: length, level, type; then struct in6_pktinfo: address, interface (0: by the route).
    private static (int Name, int Control) WriteIpv6(Span<byte> name, Span<byte> control, IPAddress from, IPEndPoint to)
    {
        name.Clear();
        MemoryMarshal.Write(name, (ushort)10); // AF_INET6
        BinaryPrimitives.WriteUInt16BigEndian(name[2..], (ushort)to.Port);
        to.Address.MapToIPv6().TryWriteBytes(name[8..24], out _);
        if (to.Address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: var scope })
        {
            MemoryMarshal.Write(name[24..], (uint)scope);
        }

        MemoryMarshal.Write(control, (ulong)36);
        MemoryMarshal.Write(control[8..], Ipv6Level);
        MemoryMarshal.Write(control[12..], Ipv6PacketInformation);
        from.MapToIPv6().TryWriteBytes(control[16..32], out _);
        return (NameSize, 40);
    }

    // struct sockaddr_in: family, port, address; struct in_pktinfo: interface (0: by the route), source, (not used).
    private static (int Name, int Control) WriteIpv4(Span<byte> name, Span<byte> control, IPAddress from, IPEndPoint to)
    {
        name.Clear();
        MemoryMarshal.Write(name, (ushort)Ipv4);
        BinaryPrimitives.WriteUInt16BigEndian(name[2..], (ushort)to.Port);
        to.Address.TryWriteBytes(name[4..8], out _);
        MemoryMarshal.Write(control, (ulong)28);
        MemoryMarshal.Write(control[8..], 0); // SOL_IP
        MemoryMarshal.Write(control[12..], Ipv4PacketInformation);
        from.TryWriteBytes(control[20..24], out _);
        return (16, 32);
    }

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static unsafe partial nint SendMessage(SafeSocketHandle socket, Message* message, int flags);

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
