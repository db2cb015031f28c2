using FailoverHub.Bgp.Messages;
using static FailoverHub.Bgp.Wire.AttributeFault;
using static FailoverHub.Bgp.Wire.Attributes.AttributeFlags;

namespace FailoverHub.Bgp.Wire.Attributes;

// The attributes that hold prefixes, and the one that holds attributes.
internal static class PrefixRows
{
    public static readonly AttributeRow MpReach = new()
    {
        Code = AttributeTable.MpReachCode,
        Name = "MP_REACH_NLRI",
        Flags = Optional,
        // Family, next hop length, no next hop, reserved octet (RFC 7606 5.3).
        Length = LengthRule.AtLeast(5),
        // The prefixes stand behind whatever is wrong (RFC 7606 7.11).
        OnFault = SessionReset,
        IsPresent = static (a, _) => a.MpReach is not null,
        Read = MultiprotocolCodec.TryReadReach,
        Write = static (a, _, w) => MultiprotocolCodec.Write(a.MpReach!, w),
        Format = static a => AttributeText.Of(a.MpReach!),
    };

    public static readonly AttributeRow MpUnreach = new()
    {
        Code = AttributeTable.MpUnreachCode,
        Name = "MP_UNREACH_NLRI",
        Flags = Optional,
        Length = LengthRule.AtLeast(3),
        // RFC 7606 7.12.
        OnFault = SessionReset,
        IsPresent = static (a, _) => a.MpUnreach is not null,
        Read = MultiprotocolCodec.TryReadUnreach,
        Write = static (a, _, w) => MultiprotocolCodec.Write(a.MpUnreach!, w),
        Format = static a => AttributeText.Of(a.MpUnreach!),
    };

    public static readonly AttributeRow AttributeSet = new()
    {
        Code = AttributeTable.AttributeSetCode,
        Name = "ATTR_SET",
        Flags = Optional | Transitive,
        Length = LengthRule.AtLeast(4),
        // RFC 7606 7.16.
        OnFault = TreatAsWithdraw,
        IsPresent = static (a, _) => a.AttributeSet is not null,
        Read = static (value, _, a) =>
        {
            var reader = new WireReader(value);
            if (!reader.TryUInt32(out var originAs) || !AttributeListCodec.TryReadSet(reader.Rest, out var attributes))
            {
                return false;
            }

            a.AttributeSet = new AttributeSet(originAs, attributes);
            return true;
        },
        Write = static (a, _, w) =>
        {
            w.UInt32(a.AttributeSet!.OriginAs);
            AttributeListCodec.WriteSet(w, a.AttributeSet.Attributes);
        },
        Format = static a => AttributeText.Of(a.AttributeSet!),
    };
}
