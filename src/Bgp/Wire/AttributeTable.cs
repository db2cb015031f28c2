using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Messages;
using static FailoverHub.Bgp.Wire.AttributeFault;
using static FailoverHub.Bgp.Wire.AttributeFlags;

namespace FailoverHub.Bgp.Wire;

// One row per path attribute, in the order in which we write them: MP_REACH_NLRI or MP_UNREACH_NLRI first (RFC 7606 5.1: a receiver that trips
// over a later attribute still knows which routes it is about; FRR and BIRD do so too, the platform's own client has them last), then by type code.
internal static class AttributeTable
{
    public const byte AsPathCode = 2;
    public const byte MpReachCode = 14;
    public const byte MpUnreachCode = 15;

    public static readonly ImmutableArray<AttributeRow> Rows =
    [
        new()
        {
            Code = MpReachCode,
            Name = "MP_REACH_NLRI",
            Flags = Optional,
            OnFault = SessionReset,
            IsPresent = static (a, _) => a.MpReach is not null,
            Read = MultiprotocolCodec.TryReadReach,
            Write = static (a, _, w) => MultiprotocolCodec.Write(a.MpReach!, w),
        },
        new()
        {
            Code = MpUnreachCode,
            Name = "MP_UNREACH_NLRI",
            Flags = Optional,
            OnFault = SessionReset,
            IsPresent = static (a, _) => a.MpUnreach is not null,
            Read = MultiprotocolCodec.TryReadUnreach,
            Write = static (a, _, w) => MultiprotocolCodec.Write(a.MpUnreach!, w),
        },
        new()
        {
            Code = 1,
            Name = "ORIGIN",
            Flags = Transitive,
            OnFault = TreatAsWithdraw,
            IsPresent = static (a, _) => a.Origin is not null,
            Read = static (value, _, a) =>
            {
                if (value.Length != 1 || value[0] > (byte)Origin.Incomplete)
                {
                    return false;
                }

                a.Origin = (Origin)value[0];
                return true;
            },
            Write = static (a, _, w) => w.Byte((byte)a.Origin!.Value),
        },
        new()
        {
            Code = AsPathCode,
            Name = "AS_PATH",
            Flags = Transitive,
            OnFault = TreatAsWithdraw,
            IsPresent = static (a, _) => a.AsPath is not null,
            Read = static (value, context, a) =>
            {
                if (!AsPathCodec.TryRead(value, context.FourOctetAs, out var path))
                {
                    return false;
                }

                a.AsPath = path;
                return true;
            },
            Write = static (a, context, w) => AsPathCodec.Write(w, a.AsPath!.Value, context.FourOctetAs),
        },
        new()
        {
            Code = 3,
            Name = "NEXT_HOP",
            Flags = Transitive,
            OnFault = TreatAsWithdraw,
            IsPresent = static (a, _) => a.NextHop is not null,
            Read = static (value, _, a) =>
            {
                if (value.Length != 4)
                {
                    return false;
                }

                a.NextHop = new IPAddress(value);
                return true;
            },
            Write = static (a, _, w) => w.Address(a.NextHop!),
        },
        new()
        {
            Code = 4,
            Name = "MULTI_EXIT_DISC",
            Flags = Optional,
            OnFault = TreatAsWithdraw,
            IsPresent = static (a, _) => a.MultiExitDisc is not null,
            Read = static (value, _, a) =>
            {
                if (!TryNumber(value, out var number))
                {
                    return false;
                }

                a.MultiExitDisc = number;
                return true;
            },
            Write = static (a, _, w) => w.UInt32(a.MultiExitDisc!.Value),
        },
        new()
        {
            Code = 5,
            Name = "LOCAL_PREF",
            Flags = Transitive,
            // From another AS it means nothing (RFC 7606 7.5), so a malformed one does not either.
            OnFault = Discard,
            IsPresent = static (a, _) => a.LocalPref is not null,
            Read = static (value, _, a) =>
            {
                if (!TryNumber(value, out var number))
                {
                    return false;
                }

                a.LocalPref = number;
                return true;
            },
            Write = static (a, _, w) => w.UInt32(a.LocalPref!.Value),
        },
        new()
        {
            Code = 6,
            Name = "ATOMIC_AGGREGATE",
            Flags = Transitive,
            OnFault = Discard,
            IsPresent = static (a, _) => a.AtomicAggregate,
            Read = static (value, _, a) => value.IsEmpty && (a.AtomicAggregate = true),
            Write = static (_, _, _) => { },
        },
        new()
        {
            Code = 8,
            Name = "COMMUNITIES",
            Flags = Optional | Transitive,
            OnFault = TreatAsWithdraw,
            IsPresent = static (a, _) => !a.Communities.IsEmpty,
            Read = static (value, _, a) =>
            {
                if (value.IsEmpty || value.Length % 4 != 0)
                {
                    return false;
                }

                var communities = ImmutableArray.CreateBuilder<Community>(value.Length / 4);
                for (var at = 0; at < value.Length; at += 4)
                {
                    communities.Add(new Community(BinaryPrimitives.ReadUInt32BigEndian(value[at..])));
                }

                a.Communities = communities.MoveToImmutable();
                return true;
            },
            Write = static (a, _, w) =>
            {
                foreach (var community in a.Communities)
                {
                    w.UInt32(community.Value);
                }
            },
        },
        new()
        {
            Code = 17,
            Name = "AS4_PATH",
            Flags = Optional | Transitive,
            // RFC 6793 6: a malformed one is discarded; AS_PATH alone is then what is known.
            OnFault = Discard,
            // Only beside a two-octet AS_PATH that could not say everything.
            IsPresent = static (a, context) => !context.FourOctetAs && a.As4Path is not null,
            Read = static (value, context, a) =>
            {
                if (context.FourOctetAs)
                {
                    // RFC 6793 4.1: a speaker of four octets must not send it, and we must not look at it.
                    return true;
                }

                if (!AsPathCodec.TryRead(value, fourOctetAs: true, out var path))
                {
                    return false;
                }

                a.As4Path = path;
                return true;
            },
            Write = static (a, _, w) => AsPathCodec.Write(w, a.As4Path!.Value, fourOctetAs: true),
        },
        new()
        {
            Code = 32,
            Name = "LARGE_COMMUNITY",
            Flags = Optional | Transitive,
            // RFC 8092 6.
            OnFault = TreatAsWithdraw,
            IsPresent = static (a, _) => !a.LargeCommunities.IsEmpty,
            Read = static (value, _, a) =>
            {
                if (value.IsEmpty || value.Length % 12 != 0)
                {
                    return false;
                }

                var communities = ImmutableArray.CreateBuilder<LargeCommunity>(value.Length / 12);
                var reader = new WireReader(value);
                while (reader.TryUInt32(out var administrator) && reader.TryUInt32(out var first) && reader.TryUInt32(out var second))
                {
                    communities.Add(new LargeCommunity(administrator, first, second));
                }

                a.LargeCommunities = LargeCommunity.Canonical(communities.MoveToImmutable());
                return true;
            },
            Write = static (a, _, w) =>
            {
                foreach (var community in LargeCommunity.Canonical(a.LargeCommunities))
                {
                    w.UInt32(community.GlobalAdministrator);
                    w.UInt32(community.LocalData1);
                    w.UInt32(community.LocalData2);
                }
            },
        },
    ];

    private static readonly AttributeRow?[] ByCode = IndexByCode();

    public static AttributeRow? Find(byte code) => ByCode[code];

    private static AttributeRow?[] IndexByCode()
    {
        var index = new AttributeRow?[256];
        foreach (var row in Rows)
        {
            index[row.Code] = row;
        }

        return index;
    }

    private static bool TryNumber(ReadOnlySpan<byte> value, out uint number)
    {
        number = 0;
        return value.Length == 4 && BinaryPrimitives.TryReadUInt32BigEndian(value, out number);
    }
}
