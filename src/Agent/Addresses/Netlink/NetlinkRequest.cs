using System.Buffers;
using System.Net.Sockets;
using System.Text;

namespace FailoverHub.Agent.Addresses.Netlink;

/// <summary>The bytes of a request to the kernel; for their layout see <see cref="NetlinkParser"/>.</summary>
internal static class NetlinkRequest
{
    private const ushort Request = 0x1; // NLM_F_REQUEST
    private const ushort Acknowledge = 0x4; // NLM_F_ACK
    private const ushort Dump = 0x300; // NLM_F_DUMP
    private const ushort Create = 0x200 | 0x400; // NLM_F_EXCL | NLM_F_CREATE
    private const uint WithoutStatistics = 0x8; // RTEXT_FILTER_SKIP_STATS
    private const uint NoDuplicateDetection = 0x02; // IFA_F_NODAD

    /// <summary>Every interface.</summary>
    public static byte[] Links(uint sequence) => Build(NetlinkType.GetLink, Dump, sequence, LinkBody(0, 0, 0), (29, Number(WithoutStatistics)));

    /// <summary>Every address of both families.</summary>
    public static byte[] Addresses(uint sequence) => Build(NetlinkType.GetAddress, Dump, sequence, AddressBody(0, 0, 0));

    /// <summary>Adds an address, without looking whether another host has it: a shared one nearly always is somewhere else as well.</summary>
    public static byte[] Add(uint sequence, int index, SharedAddress address) => Build(
        NetlinkType.NewAddress, Create | Acknowledge, sequence, AddressBody(address, index), IsIpv4(address) ? AddressAttributes(address) : [.. AddressAttributes(address), (8, Number(NoDuplicateDetection))]);

    /// <summary>Removes one.</summary>
    public static byte[] Remove(uint sequence, int index, SharedAddress address) =>
        Build(NetlinkType.DeleteAddress, Acknowledge, sequence, AddressBody(address, index), AddressAttributes(address));

    /// <summary>Makes a dummy interface that is up.</summary>
    public static byte[] AddDummy(uint sequence, string name) => Build(
        NetlinkType.NewLink, Create | Acknowledge, sequence, LinkBody(0, LinkFlags.Up, LinkFlags.Up), (3, Text(name)), (18, Attribute(1, Encoding.UTF8.GetBytes("dummy"))));

    private static (ushort Type, byte[] Value)[] AddressAttributes(SharedAddress address)
    {
        var octets = address.Address.GetAddressBytes();
        return [(2, octets), (1, octets)];
    }

    private static byte[] AddressBody(SharedAddress address, int index) =>
        AddressBody(IsIpv4(address) ? NetlinkParser.Ipv4 : NetlinkParser.Ipv6, (byte)address.Length, index);

    private static bool IsIpv4(SharedAddress address) => address.Address.AddressFamily == AddressFamily.InterNetwork;

    private static byte[] AddressBody(byte family, byte length, int index) => [family, length, 0, 0, .. Number((uint)index)];

    private static byte[] LinkBody(int index, LinkFlags flags, LinkFlags change) => [0, 0, 0, 0, .. Number((uint)index), .. Number((uint)flags), .. Number((uint)change)];

    private static byte[] Build(NetlinkType type, ushort flags, uint sequence, byte[] body, params (ushort Type, byte[] Value)[] attributes)
    {
        var rest = new ArrayBufferWriter<byte>();
        rest.Write(body);
        foreach (var (attribute, value) in attributes)
        {
            rest.Write(Attribute(attribute, value));
        }

        var message = new byte[NetlinkParser.HeaderLength + rest.WrittenCount];
        BitConverter.TryWriteBytes(message, (uint)message.Length);
        BitConverter.TryWriteBytes(message.AsSpan(4), (ushort)type);
        BitConverter.TryWriteBytes(message.AsSpan(6), (ushort)(Request | flags));
        BitConverter.TryWriteBytes(message.AsSpan(8), sequence);
        rest.WrittenSpan.CopyTo(message.AsSpan(NetlinkParser.HeaderLength));
        return message;
    }

    private static byte[] Attribute(ushort type, byte[] value)
    {
        var attribute = new byte[NetlinkParser.Align(4 + value.Length)];
        BitConverter.TryWriteBytes(attribute, (ushort)(4 + value.Length));
        BitConverter.TryWriteBytes(attribute.AsSpan(2), type);
        value.CopyTo(attribute, 4);
        return attribute;
    }

    private static byte[] Number(uint number) => BitConverter.GetBytes(number);

    private static byte[] Text(string text) => [.. Encoding.UTF8.GetBytes(text), 0];
}
