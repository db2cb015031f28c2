using System.Buffers.Binary;
using System.Net.Sockets;

namespace FailoverHub.Web.Reachability;

/// <summary>
/// Echo request and reply (RFC 792, RFC 4443 section 4), pure:
/// <code>
///  0                   1                   2                   3
/// |     Type      |     Code      |           Checksum            |
/// |          Identifier           |        Sequence Number        |
/// |                        our number (8 bytes)                   |
/// </code>
/// The kernel may replace identifier and, for IPv6, the checksum; the number in the data comes back untouched and says which request it was.
/// </summary>
internal static class IcmpEcho
{
    public const int Length = 16;

    private const byte RequestV4 = 8;
    private const byte ReplyV4 = 0;
    private const byte RequestV6 = 128;
    private const byte ReplyV6 = 129;

    /// <summary>The type of an echo reply.</summary>
    public static byte ReplyType(AddressFamily family) => family == AddressFamily.InterNetwork ? ReplyV4 : ReplyV6;

    public static byte[] Request(AddressFamily family, ushort identifier, ulong number)
    {
        byte[] packet = new byte[Length];
        packet[0] = family == AddressFamily.InterNetwork ? RequestV4 : RequestV6;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), identifier);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), (ushort)number);
        BinaryPrimitives.WriteUInt64BigEndian(packet.AsSpan(8), number);
        if (family == AddressFamily.InterNetwork)
        {
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), Checksum(packet));
        }

        return packet;
    }

    /// <summary>The number of the request that this packet replies to; false: it is something else.</summary>
    /// <param name="packet">As received, with the IPv4 header that a raw socket leaves before it.</param>
    /// <param name="family">Of the socket.</param>
    /// <param name="raw">The socket is a raw one.</param>
    /// <param name="number">The number.</param>
    public static bool TryReadReply(ReadOnlySpan<byte> packet, AddressFamily family, bool raw, out ulong number)
    {
        number = 0;
        if (family == AddressFamily.InterNetwork && raw)
        {
            int header = packet.IsEmpty ? 0 : (packet[0] & 0x0F) * 4;
            if (header < 20 || packet.Length < header)
            {
                return false;
            }

            packet = packet[header..];
        }

        if (packet.Length < Length || packet[0] != ReplyType(family) || packet[1] != 0)
        {
            return false;
        }

        number = BinaryPrimitives.ReadUInt64BigEndian(packet[8..]);
        return true;
    }

    /// <summary>RFC 1071: one's complement of the one's complement sum of all 16-bit words.</summary>
    public static ushort Checksum(ReadOnlySpan<byte> packet)
    {
        uint sum = 0;
        for (int i = 0; i + 1 < packet.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(packet[i..]);
        }

        if (packet.Length % 2 == 1)
        {
            sum += (uint)(packet[^1] << 8);
        }

        while (sum > 0xFFFF)
        {
            sum = (sum & 0xFFFF) + (sum >> 16);
        }

        return (ushort)~sum;
    }
}
