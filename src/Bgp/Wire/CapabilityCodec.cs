using System.Collections.Immutable;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Wire;

// Capabilities inside of an OPEN. One that decides how routes are read and that is cut wrongly is malformed (2/0). One that we do not know is kept raw,
// and so is one of a convenience (6, 64, 70) that is cut wrongly: it is then not agreed on, and the routes lose nothing.
internal static class CapabilityCodec
{
    private const byte MultiprotocolCode = 1;
    private const byte RouteRefreshCode = 2;
    private const byte ExtendedNextHopCode = 5;
    private const byte ExtendedMessageCode = 6;
    private const byte GracefulRestartCode = 64;
    private const byte FourOctetAsCode = 65;
    private const byte EnhancedRouteRefreshCode = 70;

    // The upper bits of the first octet of the graceful restart capability, and of the last octet of each of its families.
    private const ushort RestartedBit = 0x8000;
    private const ushort NotificationBit = 0x4000;
    private const byte ForwardingBit = 0x80;

    public static void Read(ReadOnlySpan<byte> bytes, ImmutableArray<Capability>.Builder into)
    {
        var reader = new WireReader(bytes);
        while (reader.TryByte(out var code))
        {
            if (!reader.TryByte(out var length) || !reader.TryBytes(length, out var value))
            {
                throw new SessionFaultException(NotificationCode.OpenUnspecific, $"capability {code} of the OPEN is cut short");
            }

            into.Add(ReadOne(code, value));
        }
    }

    private static Capability ReadOne(byte code, ReadOnlySpan<byte> value)
    {
        var reader = new WireReader(value);
        switch (code)
        {
            case MultiprotocolCode when value.Length == 4 && reader.TryUInt16(out var afi):
                return new Capability.Multiprotocol(new AfiSafi(afi, value[3]));
            case RouteRefreshCode when value.IsEmpty:
                return Capability.RouteRefresh.Instance;
            case ExtendedNextHopCode when value.Length % 6 == 0:
                var entries = ImmutableArray.CreateBuilder<ExtendedNextHopEntry>(value.Length / 6);
                while (reader.TryUInt16(out var routeAfi) && reader.TryUInt16(out var safi) && reader.TryUInt16(out var nextHopAfi))
                {
                    entries.Add(new ExtendedNextHopEntry(routeAfi, safi, nextHopAfi));
                }

                return new Capability.ExtendedNextHop(entries.DrainToImmutable());
            case ExtendedMessageCode when value.IsEmpty:
                return Capability.ExtendedMessage.Instance;
            case GracefulRestartCode when value.Length % 4 == 2 && reader.TryUInt16(out var restart):
                return ReadGracefulRestart(restart, reader);
            case EnhancedRouteRefreshCode when value.IsEmpty:
                return Capability.EnhancedRouteRefresh.Instance;
            case FourOctetAsCode when value.Length == 4 && reader.TryUInt32(out var asNumber):
                return new Capability.FourOctetAs(asNumber);
            case MultiprotocolCode or RouteRefreshCode or ExtendedNextHopCode or FourOctetAsCode:
                throw new SessionFaultException(NotificationCode.OpenUnspecific, $"capability {code} of the OPEN cannot be {value.Length} octets long");
            default:
                return new Capability.Other(code, value.ToArray());
        }
    }

    private static Capability.GracefulRestart ReadGracefulRestart(ushort restart, WireReader reader)
    {
        var families = ImmutableArray.CreateBuilder<GracefulRestartFamily>(reader.Remaining / 4);
        while (reader.TryUInt16(out var afi) && reader.TryByte(out var safi) && reader.TryByte(out var flags))
        {
            families.Add(new GracefulRestartFamily(new AfiSafi(afi, safi), (flags & ForwardingBit) != 0));
        }

        return new Capability.GracefulRestart(
            (restart & RestartedBit) != 0,
            (restart & NotificationBit) != 0,
            (ushort)(restart & Capability.GracefulRestart.MaxRestartTimeSeconds),
            families.DrainToImmutable());
    }

    public static void Write(WireWriter writer, Capability capability)
    {
        switch (capability)
        {
            case Capability.Multiprotocol multiprotocol:
                Header(writer, MultiprotocolCode, 4);
                writer.UInt16(multiprotocol.Family.Afi);
                writer.Byte(0);
                writer.Byte(multiprotocol.Family.Safi);
                break;
            case Capability.RouteRefresh:
                Header(writer, RouteRefreshCode, 0);
                break;
            case Capability.ExtendedNextHop extended:
                Header(writer, ExtendedNextHopCode, extended.Entries.Length * 6);
                foreach (var entry in extended.Entries)
                {
                    writer.UInt16(entry.Afi);
                    writer.UInt16(entry.Safi);
                    writer.UInt16(entry.NextHopAfi);
                }

                break;
            case Capability.ExtendedMessage:
                Header(writer, ExtendedMessageCode, 0);
                break;
            case Capability.GracefulRestart graceful:
                Header(writer, GracefulRestartCode, 2 + (graceful.Families.Length * 4));
                writer.UInt16((ushort)((graceful.RestartTimeSeconds & Capability.GracefulRestart.MaxRestartTimeSeconds)
                    | (graceful.Restarted ? RestartedBit : 0) | (graceful.Notification ? NotificationBit : 0)));
                foreach (var (family, preserved) in graceful.Families)
                {
                    writer.UInt16(family.Afi);
                    writer.Byte(family.Safi);
                    writer.Byte(preserved ? ForwardingBit : (byte)0);
                }

                break;
            case Capability.EnhancedRouteRefresh:
                Header(writer, EnhancedRouteRefreshCode, 0);
                break;
            case Capability.FourOctetAs fourOctetAs:
                Header(writer, FourOctetAsCode, 4);
                writer.UInt32(fourOctetAs.As);
                break;
            case Capability.Other other:
                Header(writer, other.Code, other.Value.Length);
                writer.Bytes(other.Value.Span);
                break;
            default:
                throw new InvalidOperationException($"No way is known to write {capability}.");
        }
    }

    private static void Header(WireWriter writer, byte code, int length)
    {
        writer.Byte(code);
        writer.Byte(checked((byte)length));
    }
}
