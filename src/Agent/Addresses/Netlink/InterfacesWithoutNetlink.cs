using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace FailoverHub.Agent.Addresses.Netlink;

/// <summary>
/// The interfaces for a process that may not use netlink: IPv6 from a file of the kernel, IPv4 by the older way (<c>netdevice(7)</c>).
/// It knows less (who made an IPv6 address), and nobody tells when something changes.
/// </summary>
internal static partial class InterfacesWithoutNetlink
{
    private const string Ipv6Addresses = "/proc/net/if_inet6";
    private const int RequestLength = 40; // struct ifreq of the 64-bit architectures: a name of 16 octets, and what is asked for
    private const int NameLength = 16;
    private const int AddressOffset = NameLength + 4; // of struct sockaddr_in
    private const int MacLength = 6;

    private const nuint GetAddresses = 0x8912; // SIOCGIFCONF
    private const nuint GetFlags = 0x8913; // SIOCGIFFLAGS
    private const nuint GetNetmask = 0x891b; // SIOCGIFNETMASK
    private const nuint GetHardware = 0x8927; // SIOCGIFHWADDR
    private const nuint GetIndex = 0x8933; // SIOCGIFINDEX

    /// <exception cref="SocketException">Not even this is allowed.</exception>
    /// <exception cref="IOException">Likewise.</exception>
    public static InterfaceTable Read()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        var links = new Dictionary<string, NetlinkMessage.Link>();
        var addresses = new List<NetlinkMessage>();
        foreach (var request in Ipv4Requests(socket.SafeHandle))
        {
            var name = Name(request);
            var ip = new IPAddress(request.AsSpan(AddressOffset, 4));

            // With the address in it, the question is about this one of several.
            var mask = Ask(socket.SafeHandle, GetNetmask, request) ? MemoryMarshal.Read<uint>(request.AsSpan(AddressOffset)) : uint.MaxValue;
            addresses.Add(new NetlinkMessage.Address(0, false, LinkOf(name).Index, ip, System.Numerics.BitOperations.PopCount(mask), AddressFlags.Permanent, 0));
        }

        foreach (var line in File.Exists(Ipv6Addresses) ? File.ReadLines(Ipv6Addresses) : [])
        {
            if (ParseIpv6(line) is var (address, name))
            {
                addresses.Add(address with { Index = LinkOf(name).Index });
            }
        }

        return new InterfaceTable([.. links.Values, .. addresses]);

        NetlinkMessage.Link LinkOf(string name)
        {
            if (!links.TryGetValue(name, out var link))
            {
                links.Add(name, link = ReadLink(socket.SafeHandle, name));
            }

            return link;
        }
    }

    /// <summary>A line: the address in 32 hex digits, then in hex the interface's index, the length, the scope and the flags, and the interface's name.</summary>
    /// <returns>Null: it is no such line.</returns>
    public static (NetlinkMessage.Address Address, string Name)? ParseIpv6(string line) =>
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [{ Length: 32 } hex, var indexText, var lengthText, _, var flagsText, var name]
        && TryHex(indexText, out var index) && TryHex(lengthText, out var length) && length <= 128 && TryHex(flagsText, out var flags) && hex.All(char.IsAsciiHexDigit)
            ? (new NetlinkMessage.Address(0, false, index, new IPAddress(Convert.FromHexString(hex)), length, (AddressFlags)flags, 0), name)
            : null;

    private static bool TryHex(string text, out int number) => int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number);

    private static List<byte[]> Ipv4Requests(SafeSocketHandle socket)
    {
        // Without a buffer it says how long the answer would be.
        var list = default(AddressList);
        if (Control(socket, GetAddresses, ref list) != 0)
        {
            throw new IOException($"the IPv4 addresses: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        // With room for some that are added meanwhile.
        var buffer = new byte[list.Length + (16 * RequestLength)];
        unsafe
        {
            fixed (byte* start = buffer)
            {
                list = new AddressList { Length = buffer.Length, Buffer = (nint)start };
                if (Control(socket, GetAddresses, ref list) != 0)
                {
                    throw new IOException($"the IPv4 addresses: {Marshal.GetLastPInvokeErrorMessage()}");
                }
            }
        }

        return [.. buffer.Take(list.Length).Chunk(RequestLength).Where(request => request.Length == RequestLength)];
    }

    private static NetlinkMessage.Link ReadLink(SafeSocketHandle socket, string name)
    {
        var index = Ask(socket, GetIndex, Request(name), out var answer) ? MemoryMarshal.Read<int>(answer) : 0;
        var flags = Ask(socket, GetFlags, Request(name), out answer) ? (LinkFlags)MemoryMarshal.Read<ushort>(answer) & (LinkFlags.Up | LinkFlags.Loopback) : LinkFlags.None;
        var hardware = 0UL;
        if (Ask(socket, GetHardware, Request(name), out answer))
        {
            foreach (var octet in answer.AsSpan(2, MacLength))
            {
                hardware = (hardware << 8) | octet;
            }
        }

        return new NetlinkMessage.Link(0, false, index, name, flags, hardware);
    }

    // An alias (eth0:1) is a name for the address and not for the interface.
    private static string Name(byte[] request) => Encoding.UTF8.GetString(request.AsSpan(0, NameLength).TrimEnd((byte)0)).Split(':')[0];

    private static byte[] Request(string name)
    {
        var request = new byte[RequestLength];
        Encoding.UTF8.GetBytes(name, 0, Math.Min(name.Length, NameLength - 1), request, 0);
        return request;
    }

    private static bool Ask(SafeSocketHandle socket, nuint what, byte[] request, out byte[] answer)
    {
        var isAnswered = Ask(socket, what, request);
        answer = request[NameLength..];
        return isAnswered;
    }

    private static bool Ask(SafeSocketHandle socket, nuint what, byte[] request) => Control(socket, what, request) == 0;

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeSocketHandle socket, nuint what, ref AddressList list);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeSocketHandle socket, nuint what, Span<byte> request);

    // struct ifconf of the 64-bit architectures
    private struct AddressList
    {
        public int Length;
        public nint Buffer;
    }
}
