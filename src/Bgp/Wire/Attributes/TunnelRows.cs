using System.Collections.Immutable;
using FailoverHub.Bgp.Messages;
using static FailoverHub.Bgp.Wire.AttributeFault;
using static FailoverHub.Bgp.Wire.Attributes.AttributeFlags;

namespace FailoverHub.Bgp.Wire.Attributes;

// What a provider's own network hangs on its routes. We use none of it; a neighbor that lets it out is understood all the same.
internal static class TunnelRows
{
    // Sub-TLVs of this type and above have a length of two octets (RFC 9012 2).
    private const byte FirstLongSubTlv = 128;

    public static readonly AttributeRow PmsiTunnel = new()
    {
        Code = 22,
        Name = "PMSI_TUNNEL",
        Flags = Optional | Transitive,
        Length = LengthRule.AtLeast(5),
        // RFC 6514 5: the routes are not to be used.
        OnFault = TreatAsWithdraw,
        IsPresent = static (a, _) => a.PmsiTunnel is not null,
        Read = static (value, _, a) =>
        {
            var label = ((uint)value[2] << 16) | ((uint)value[3] << 8) | value[4];
            a.PmsiTunnel = new PmsiTunnel(value[0], value[1], label, value[5..].ToArray());
            return true;
        },
        Write = static (a, _, w) =>
        {
            var tunnel = a.PmsiTunnel!;
            w.Byte(tunnel.Flags);
            w.Byte(tunnel.Type);
            w.Byte((byte)(tunnel.Label >> 16));
            w.UInt16((ushort)tunnel.Label);
            w.Bytes(tunnel.Identifier.Span);
        },
        Format = static a => AttributeText.Of(a.PmsiTunnel!),
    };

    public static readonly AttributeRow TunnelEncapsulation = new()
    {
        Code = 23,
        Name = "TUNNEL_ENCAPSULATION",
        Flags = Optional | Transitive,
        Length = LengthRule.AtLeast(1),
        // RFC 9012 13: without a TLV or without the transitive bit it is discarded, with TLVs that do not fit the routes go.
        OnWrongLength = Discard,
        OnWrongTransitive = Discard,
        OnFault = TreatAsWithdraw,
        IsPresent = static (a, _) => !a.Tunnels.IsEmpty,
        Read = static (value, _, a) =>
        {
            var tunnels = ImmutableArray.CreateBuilder<Tunnel>();
            var reader = new WireReader(value);
            while (reader.Remaining > 0)
            {
                if (!reader.TryUInt16(out var type) || !reader.TryUInt16(out var length) || !reader.TryBytes(length, out var body) || !TrySubTlvs(body, out var inside))
                {
                    return false;
                }

                tunnels.Add(new Tunnel(type, inside));
            }

            a.Tunnels = tunnels.DrainToImmutable();
            return true;
        },
        Write = static (a, _, w) =>
        {
            foreach (var tunnel in a.Tunnels)
            {
                w.UInt16(tunnel.Type);
                var mark = w.ReserveUInt16();
                foreach (var inside in tunnel.SubTlvs)
                {
                    w.Byte(inside.Type);
                    if (inside.Type >= FirstLongSubTlv)
                    {
                        w.UInt16(checked((ushort)inside.Value.Length));
                    }
                    else
                    {
                        w.Byte(checked((byte)inside.Value.Length));
                    }

                    w.Bytes(inside.Value.Span);
                }

                w.PatchUInt16(mark);
            }
        },
        Format = static a => AttributeText.List(a.Tunnels, AttributeText.Of),
    };

    public static readonly AttributeRow TrafficEngineering = new()
    {
        Code = 24,
        Name = "TRAFFIC_ENGINEERING",
        Flags = Optional,
        // One descriptor of RFC 5543 3 without what is specific to it. Neither RFC says more of what is malformed.
        Length = LengthRule.AtLeast(36),
        // RFC 7606 7.13.
        OnFault = TreatAsWithdraw,
        IsPresent = static (a, _) => a.TrafficEngineering is not null,
        Read = static (value, _, a) =>
        {
            a.TrafficEngineering = value.ToArray();
            return true;
        },
        Write = static (a, _, w) => w.Bytes(a.TrafficEngineering!.Value.Span),
        Format = static a => AttributeText.Octets(a.TrafficEngineering!.Value.Span),
    };

    private static bool TrySubTlvs(ReadOnlySpan<byte> bytes, out ImmutableArray<TunnelSubTlv> subTlvs)
    {
        subTlvs = [];
        var list = ImmutableArray.CreateBuilder<TunnelSubTlv>();
        var reader = new WireReader(bytes);
        while (reader.TryByte(out var type))
        {
            int length;
            if (type >= FirstLongSubTlv && reader.TryUInt16(out var two))
            {
                length = two;
            }
            else if (type < FirstLongSubTlv && reader.TryByte(out var one))
            {
                length = one;
            }
            else
            {
                return false;
            }

            if (!reader.TryBytes(length, out var value))
            {
                return false;
            }

            list.Add(new TunnelSubTlv(type, value.ToArray()));
        }

        subTlvs = list.DrainToImmutable();
        return true;
    }
}
