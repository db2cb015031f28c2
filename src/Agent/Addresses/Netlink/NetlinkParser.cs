using System.Collections.Immutable;
using System.Net;
using System.Text;

namespace FailoverHub.Agent.Addresses.Netlink;

/// <summary>One datagram of the kernel.</summary>
/// <param name="Messages">What was understood of it; kinds that nobody asked for are left out.</param>
/// <param name="IsWhole">False: it was cut off, or makes no sense. Then what is missing has to be asked for.</param>
/// <param name="IsInterrupted">The tables changed while they were read out: the answer may be wrong and is to be asked for again.</param>
internal readonly record struct NetlinkDatagram(ImmutableArray<NetlinkMessage> Messages, bool IsWhole, bool IsInterrupted);

/// <summary>
/// From the bytes of the kernel to <see cref="NetlinkMessage"/>. Pure; takes any bytes. Numbers are in the byte order of the machine.
/// <code>
///   nlmsghdr    | length 4 | type 2 | flags 2 | sequence 4 | port 4 |          length includes the header; the next one is aligned to 4
///   ifaddrmsg   | family 1 | prefix length 1 | flags 1 | scope 1 | index 4 |
///   ifinfomsg   | family 1 | 0 | type 2 | index 4 | flags 4 | change 4 |
///   rtattr      | length 2 | type 2 | value |                                 likewise
/// </code>
/// </summary>
internal static class NetlinkParser
{
    public const int HeaderLength = 16;

    private const int AddressLength = 8;
    private const int LinkLength = 16;
    private const int AttributeHeaderLength = 4;
    private const int AttributeTypeMask = 0x3fff; // the two upper bits say how the value is built
    private const int DumpInterrupted = 0x10; // NLM_F_DUMP_INTR

    public const byte Ipv4 = 2; // AF_INET
    public const byte Ipv6 = 10; // AF_INET6

    public static NetlinkDatagram Parse(ReadOnlySpan<byte> bytes)
    {
        var messages = ImmutableArray.CreateBuilder<NetlinkMessage>();
        var interrupted = false;
        while (bytes.Length > 0)
        {
            if (bytes.Length < HeaderLength || BitConverter.ToUInt32(bytes) is var length && (length < HeaderLength || length > bytes.Length))
            {
                return new NetlinkDatagram(messages.ToImmutable(), IsWhole: false, interrupted);
            }

            var type = BitConverter.ToUInt16(bytes[4..]);
            interrupted |= (BitConverter.ToUInt16(bytes[6..]) & DumpInterrupted) != 0;
            if (!TryRead(type, BitConverter.ToUInt32(bytes[8..]), bytes[HeaderLength..(int)length], out var message))
            {
                return new NetlinkDatagram(messages.ToImmutable(), IsWhole: false, interrupted);
            }

            if (message is not null)
            {
                messages.Add(message);
            }

            bytes = bytes[Math.Min(Align((int)length), bytes.Length)..];
        }

        return new NetlinkDatagram(messages.ToImmutable(), IsWhole: true, interrupted);
    }

    /// <summary>The next multiple of four.</summary>
    public static int Align(int length) => (length + 3) & ~3;

    // False: it makes no sense. Null: it is nothing of ours.
    private static bool TryRead(ushort type, uint sequence, ReadOnlySpan<byte> body, out NetlinkMessage? message)
    {
        message = null;
        switch ((NetlinkType)type)
        {
            case NetlinkType.Error or NetlinkType.Done:
                if (body.Length < sizeof(int))
                {
                    return false;
                }

                var problem = BitConverter.ToInt32(body);
                message = type == (ushort)NetlinkType.Done ? new NetlinkMessage.Done(sequence, problem) : new NetlinkMessage.Answer(sequence, problem);
                return true;
            case NetlinkType.Overrun:
                return false;
            case NetlinkType.NewLink or NetlinkType.DeleteLink:
                return TryReadLink(type == (ushort)NetlinkType.DeleteLink, sequence, body, out message);
            case NetlinkType.NewAddress or NetlinkType.DeleteAddress:
                return TryReadAddress(type == (ushort)NetlinkType.DeleteAddress, sequence, body, out message);
            default:
                return true;
        }
    }

    private static bool TryReadLink(bool removed, uint sequence, ReadOnlySpan<byte> body, out NetlinkMessage? message)
    {
        message = null;
        if (body.Length < LinkLength)
        {
            return false;
        }

        if (body[0] != 0)
        {
            // Of the bridge, say: there, a removed link is one that has left the bridge.
            return true;
        }

        var name = "";
        var hardware = 0UL;
        for (var rest = body[LinkLength..]; rest.Length > 0;)
        {
            if (!TryTakeAttribute(ref rest, out var type, out var value))
            {
                return false;
            }

            switch (type)
            {
                case 1 when value.Length == 6: // IFLA_ADDRESS
                    foreach (var octet in value)
                    {
                        hardware = (hardware << 8) | octet;
                    }

                    break;
                case 3: // IFLA_IFNAME
                    name = Encoding.UTF8.GetString(value.TrimEnd((byte)0));
                    break;
                default:
                    break;
            }
        }

        message = new NetlinkMessage.Link(sequence, removed, BitConverter.ToInt32(body[4..]), name, (LinkFlags)BitConverter.ToUInt32(body[8..]) & (LinkFlags.Up | LinkFlags.Loopback), hardware);
        return true;
    }

    private static bool TryReadAddress(bool removed, uint sequence, ReadOnlySpan<byte> body, out NetlinkMessage? message)
    {
        message = null;
        if (body.Length < AddressLength)
        {
            return false;
        }

        var octets = body[0] switch { Ipv4 => 4, Ipv6 => 16, _ => 0 };
        if (octets == 0)
        {
            return true;
        }

        // The old field has room for eight flags; the attribute, where there is one, has all of them.
        uint flags = body[2];
        byte origin = 0;
        ReadOnlySpan<byte> local = [];
        ReadOnlySpan<byte> address = [];
        for (var rest = body[AddressLength..]; rest.Length > 0;)
        {
            if (!TryTakeAttribute(ref rest, out var type, out var value))
            {
                return false;
            }

            switch (type)
            {
                case 1: // IFA_ADDRESS: of a line from point to point, the other end's
                    address = value;
                    break;
                case 2: // IFA_LOCAL
                    local = value;
                    break;
                case 8 when value.Length == sizeof(uint): // IFA_FLAGS
                    flags = BitConverter.ToUInt32(value);
                    break;
                case 11 when value.Length == 1: // IFA_PROTO
                    origin = value[0];
                    break;
                default:
                    break;
            }
        }

        var own = local.IsEmpty ? address : local;
        if (own.Length != octets || body[1] > octets * 8)
        {
            return false;
        }

        message = new NetlinkMessage.Address(sequence, removed, BitConverter.ToInt32(body[4..]), new IPAddress(own), body[1], (AddressFlags)flags, origin);
        return true;
    }

    private static bool TryTakeAttribute(scoped ref ReadOnlySpan<byte> rest, out int type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = [];
        if (rest.Length < AttributeHeaderLength || BitConverter.ToUInt16(rest) is var length && (length < AttributeHeaderLength || length > rest.Length))
        {
            return false;
        }

        type = BitConverter.ToUInt16(rest[2..]) & AttributeTypeMask;
        value = rest[AttributeHeaderLength..length];
        rest = rest[Math.Min(Align(length), rest.Length)..];
        return true;
    }
}

/// <summary>Types of messages, of <c>linux/netlink.h</c> and <c>linux/rtnetlink.h</c>.</summary>
internal enum NetlinkType : ushort
{
    Error = 2,
    Done = 3,
    Overrun = 4,
    NewLink = 16,
    DeleteLink = 17,
    GetLink = 18,
    NewAddress = 20,
    DeleteAddress = 21,
    GetAddress = 22,
}
