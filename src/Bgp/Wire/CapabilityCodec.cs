using System.Collections.Immutable;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Wire;

// Capabilities inside of an OPEN. One that we know and that is cut wrongly is malformed (2/0); one that we do not know is kept raw.
internal static class CapabilityCodec
{
    private const byte MultiprotocolCode = 1;
    private const byte RouteRefreshCode = 2;
    private const byte ExtendedNextHopCode = 5;
    private const byte FourOctetAsCode = 65;

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
            case FourOctetAsCode when value.Length == 4 && reader.TryUInt32(out var asNumber):
                return new Capability.FourOctetAs(asNumber);
            case MultiprotocolCode or RouteRefreshCode or ExtendedNextHopCode or FourOctetAsCode:
                throw new SessionFaultException(NotificationCode.OpenUnspecific, $"capability {code} of the OPEN cannot be {value.Length} octets long");
            default:
                return new Capability.Other(code, value.ToArray());
        }
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
