using System.Net;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Wire.Attributes;

// The values of MP_REACH_NLRI and MP_UNREACH_NLRI (layouts at MpReach and MpUnreach). A family that was not negotiated is passed over
// (RFC 4760 7 leaves ignoring it or ending the session to us): its prefixes may have a form that we do not know.
internal static class MultiprotocolCodec
{
    // AFI, SAFI, next hop length, next hop of 16 octets, reserved.
    public const int ReachOverhead = 2 + 1 + 1 + 16 + 1;

    public const int UnreachOverhead = 2 + 1;

    public static bool TryReadReach(ReadOnlySpan<byte> value, UpdateContext context, PathAttributes into)
    {
        var reader = new WireReader(value);
        if (!reader.TryUInt16(out var afi) || !reader.TryByte(out var safi))
        {
            return false;
        }

        var family = new AfiSafi(afi, safi);
        if (!context.Has(family))
        {
            return true;
        }

        // The next hop of IPv4 is taken with 16 octets even where RFC 8950 was not negotiated: what is meant is plain, and the alternative is to end the session.
        if (!reader.TryByte(out var length)
            || !(length is 16 or 32 || (length == 4 && afi == AfiSafi.Ipv4))
            || !reader.TryBytes(length, out var nextHop)
            || !reader.TryByte(out _)
            || !PrefixCodec.TryRead(reader.Rest, afi == AfiSafi.Ipv6, out var prefixes))
        {
            return false;
        }

        into.MpReach = new MpReach(family, new IPAddress(nextHop[..Math.Min(length, (byte)16)]), length == 32 ? new IPAddress(nextHop[16..]) : null, prefixes);
        return true;
    }

    public static bool TryReadUnreach(ReadOnlySpan<byte> value, UpdateContext context, PathAttributes into)
    {
        var reader = new WireReader(value);
        if (!reader.TryUInt16(out var afi) || !reader.TryByte(out var safi))
        {
            return false;
        }

        var family = new AfiSafi(afi, safi);
        if (!context.Has(family))
        {
            return true;
        }

        if (!PrefixCodec.TryRead(reader.Rest, afi == AfiSafi.Ipv6, out var prefixes))
        {
            return false;
        }

        into.MpUnreach = new MpUnreach(family, prefixes);
        return true;
    }

    public static void Write(MpReach reach, WireWriter writer)
    {
        WriteHead(writer, reach.Family);
        WriteNextHop(writer, reach.NextHop, reach.LinkLocalNextHop);
        PrefixCodec.Write(writer, reach.Prefixes);
    }

    public static void Write(MpUnreach unreach, WireWriter writer)
    {
        WriteHead(writer, unreach.Family);
        PrefixCodec.Write(writer, unreach.Prefixes);
    }

    public static void WriteHead(WireWriter writer, AfiSafi family)
    {
        writer.UInt16(family.Afi);
        writer.Byte(family.Safi);
    }

    // And the reserved octet behind it.
    public static void WriteNextHop(WireWriter writer, IPAddress global, IPAddress? linkLocal)
    {
        var length = writer.ReserveByte();
        writer.Address(global);
        if (linkLocal is not null)
        {
            writer.Address(linkLocal);
        }

        writer.PatchByte(length);
        writer.Byte(0);
    }
}
