using System.Buffers.Binary;
using System.Net.Sockets;

namespace FailoverHub.Agent.Vantage.Echoes;

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
    /// <summary>Octets of a request, and at least of its reply.</summary>
    public const int Length = 16;

    /// <summary>Type of a reply.</summary>
    public static byte ReplyType(AddressFamily family) => family == AddressFamily.InterNetwork ? (byte)0 : (byte)129;

    /// <summary>A request.</summary>
    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="identifier">For whoever looks at the wire, and for other programs' raw sockets.</param>
    /// <param name="number">Comes back.</param>
    public static byte[] Request(AddressFamily family, ushort identifier, ulong number)
    {
        var packet = new byte[Length];
        packet[0] = family == AddressFamily.InterNetwork ? (byte)8 : (byte)128;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), identifier);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), (ushort)number);
        BinaryPrimitives.WriteUInt64BigEndian(packet.AsSpan(8), number);
        if (family == AddressFamily.InterNetwork)
        {
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), Checksum(packet));
        }

        return packet;
    }

    /// <summary>The number of the request that this packet replies to; null: it is something else.</summary>
    /// <param name="packet">As received, with the IPv4 header that a raw socket leaves before it.</param>
    /// <param name="family">Of the socket.</param>
    /// <param name="raw">The socket is a raw one.</param>
    public static ulong? NumberOf(ReadOnlySpan<byte> packet, AddressFamily family, bool raw)
    {
        if (family == AddressFamily.InterNetwork && raw)
        {
            var header = packet.IsEmpty ? 0 : (packet[0] & 0x0F) * 4;
            if (header < 20 || packet.Length < header)
            {
                return null;
            }

            packet = packet[header..];
        }

        return packet.Length >= Length && packet[0] == ReplyType(family) && packet[1] == 0 ? BinaryPrimitives.ReadUInt64BigEndian(packet[8..]) : null;
    }

    /// <summary>RFC 1071: one's complement of the one's complement sum of all 16-bit words.</summary>
    /// <param name="packet">Of an even length.</param>
    public static ushort Checksum(ReadOnlySpan<byte> packet)
    {
        var sum = 0u;
        for (var i = 0; i < packet.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(packet[i..]);
        }

        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~(sum + (sum >> 16));
    }
}
