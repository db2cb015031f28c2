using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FailoverHub.Agent.Addresses.Netlink;

/// <summary>A socket to the kernel's tables (<c>netlink(7)</c>). .NET makes none of this family, so it is made by hand.</summary>
internal static partial class NetlinkSocket
{
    /// <summary>A datagram of an answer is not longer: the kernel fills what it was last asked with, up to 32 KiB.</summary>
    public const int LargestDatagram = 32 * 1024;

    private const int Family = 16; // AF_NETLINK
    private const int RawCloseOnExec = 3 | 0x80000; // SOCK_RAW | SOCK_CLOEXEC
    private const int NonBlocking = 0x800; // SOCK_NONBLOCK
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int ReceiveTimeout = 20; // SO_RCVTIMEO
    private const int Truncated = 0x20; // MSG_TRUNC: the length that it had, though not all of it fits
    private const int Interrupted = 4; // EINTR

    // The kernel answers while it is asked; who waits so long waits for ever.
    private const int PatienceSeconds = 5;

    /// <summary>For requests.</summary>
    /// <exception cref="NetlinkException">The kernel, or what guards this process, does not want it.</exception>
    public static SafeSocketHandle OpenForRequests()
    {
        var handle = Open(RawCloseOnExec, 0);
        _ = SetOption(handle, SocketLevel, ReceiveTimeout, new Timeval(PatienceSeconds, 0), 16);
        return handle;
    }

    /// <summary>For what happens without being asked: interfaces and addresses of both families. Nothing of it blocks.</summary>
    /// <exception cref="NetlinkException">As above.</exception>
    public static Socket OpenForEvents()
    {
        const uint linksAndAddresses = 0x1 | 0x10 | 0x100; // RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR
        var handle = Open(RawCloseOnExec | NonBlocking, linksAndAddresses);
        try
        {
            return new Socket(handle) { Blocking = false };
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <exception cref="NetlinkException">It was not taken.</exception>
    public static void Send(SafeSocketHandle socket, ReadOnlySpan<byte> request)
    {
        nint sent;
        do
        {
            sent = Send(socket, request, (nuint)request.Length, 0);
        }
        while (sent < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        if (sent < 0)
        {
            throw new NetlinkException(Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>One datagram. Its length may be greater than the buffer's: then it did not fit.</summary>
    /// <exception cref="NetlinkException">Nothing came, or more than the socket has room for.</exception>
    public static int Receive(SafeSocketHandle socket, Span<byte> buffer)
    {
        nint received;
        do
        {
            received = Receive(socket, buffer, (nuint)buffer.Length, Truncated);
        }
        while (received < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        return received < 0 ? throw new NetlinkException(Marshal.GetLastPInvokeError()) : (int)received;
    }

    private static SafeSocketHandle Open(int type, uint groups)
    {
        var descriptor = CreateSocket(Family, type, 0);
        if (descriptor < 0)
        {
            throw new NetlinkException(Marshal.GetLastPInvokeError());
        }

        var handle = new SafeSocketHandle(descriptor, ownsHandle: true);
        if (Bind(handle, new SocketAddress { Family = Family, Groups = groups }, 12) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            handle.Dispose();
            throw new NetlinkException(error);
        }

        return handle;
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int CreateSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(SafeSocketHandle socket, in SocketAddress address, int length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(SafeSocketHandle socket, int level, int name, in Timeval value, int length);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(SafeSocketHandle socket, ReadOnlySpan<byte> buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(SafeSocketHandle socket, Span<byte> buffer, nuint length, int flags);

    // struct sockaddr_nl
    private struct SocketAddress
    {
        public ushort Family;
        public ushort Padding;
        public uint Port;
        public uint Groups;
    }

    // struct timeval of the 64-bit architectures
    private readonly record struct Timeval(long Seconds, long Microseconds);
}
