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

    private readonly Socket _socket;
    private readonly EndPoint _any;

    private AnswerSocket(Socket socket)
    {
        _socket = socket;
        _any = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
    }

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

    /// <summary>The next datagram.</summary>
    /// <param name="buffer">What does not fit in it is cut off.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>How long it is, who sent it, and to which address; IPv4 addresses as such.</returns>
    public async ValueTask<(int Length, IPEndPoint From, IPAddress To)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var received = await _socket.ReceiveMessageFromAsync(buffer, SocketFlags.None, _any, cancellationToken);
        var from = (IPEndPoint)received.RemoteEndPoint;

        // A datagram that came between the bind and the first receive has none.
        return (received.ReceivedBytes, from, Plain(received.PacketInformation.Address ?? IPAddress.None));
    }

    /// <summary>Sends from this address of the machine, without waiting: what the kernel does not take is lost, as any datagram may be.</summary>
    /// <param name="datagram">All of it.</param>
    /// <param name="from">To which the request came.</param>
    /// <param name="to">Who asked, as <see cref="ReceiveAsync"/> has it.</param>
    public unsafe void Send(ReadOnlySpan<byte> datagram, IPAddress from, IPEndPoint to)
    {
        // .NET sends from no address that it is not bound to.
        Span<byte> name = stackalloc byte[28];
        Span<byte> control = stackalloc byte[40];
        control.Clear();
        var (nameLength, controlLength) = _socket.AddressFamily == AddressFamily.InterNetworkV6 ? Ipv6(name, control, from, to) : Ipv4(name, control, from, to);
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

    // struct sockaddr_in6: family, port, flow, address, scope. struct cmsghdr: length, level, type; then struct in6_pktinfo: address, interface (0: by the route).
    private static (int Name, int Control) Ipv6(Span<byte> name, Span<byte> control, IPAddress from, IPEndPoint to)
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
        return (28, 40);
    }

    // struct sockaddr_in: family, port, address; struct in_pktinfo: interface (0: by the route), source, (not used).
    private static (int Name, int Control) Ipv4(Span<byte> name, Span<byte> control, IPAddress from, IPEndPoint to)
    {
        name.Clear();
        MemoryMarshal.Write(name, (ushort)2); // AF_INET
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
