using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Messages;
using static FailoverHub.Bgp.Wire.AttributeFault;
using static FailoverHub.Bgp.Wire.Attributes.AttributeFlags;

namespace FailoverHub.Bgp.Wire.Attributes;

// Where a route comes from, which way, and how good it is.
internal static class PathRows
{
    public static readonly AttributeRow Origin = new()
    {
        Code = 1,
        Name = "ORIGIN",
        Flags = Transitive,
        Length = LengthRule.Exactly(1),
        // RFC 7606 7.1.
        OnFault = TreatAsWithdraw,
        IsPresent = static (a, _) => a.Origin is not null,
        Read = static (value, _, a) =>
        {
            if (value[0] > (byte)Messages.Origin.Incomplete)
            {
                return false;
            }

            a.Origin = (Origin)value[0];
            return true;
        },
        Write = static (a, _, w) => w.Byte((byte)a.Origin!.Value),
        Format = static a => a.Origin switch
        {
            Messages.Origin.Igp => "IGP",
            Messages.Origin.Egp => "EGP",
            _ => "INCOMPLETE",
        },
    };

    public static readonly AttributeRow AsPath = new()
    {
        Code = 2,
        Name = "AS_PATH",
        Flags = Transitive,
        // Empty within an AS.
        Length = LengthRule.AtLeast(0),
        // RFC 7606 7.2.
        OnFault = TreatAsWithdraw,
        IsPresent = static (a, _) => a.AsPath is not null,
        Read = static (value, context, a) =>
        {
            if (!AsPathCodec.TryRead(value, context.FourOctetAs, out var path))
            {
                return false;
            }

            // RFC 5065 5: we belong to no confederation, so a neighbor in another AS has nothing to say of the inside of one.
            if (!context.InternalPeer && path.Any(static segment => segment.Type >= AsPathSegmentType.ConfederationSequence))
            {
                return false;
            }

            a.AsPath = path;
            return true;
        },
        Write = static (a, context, w) => AsPathCodec.Write(w, a.AsPath!.Value, context.FourOctetAs),
        Format = static a => AttributeText.Of(a.AsPath!.Value),
    };

    public static readonly AttributeRow NextHop = new()
    {
        Code = 3,
        Name = "NEXT_HOP",
        Flags = Transitive,
        Length = LengthRule.Exactly(4),
        // RFC 7606 7.3. Whether the address makes sense is for whoever uses the route to say (RFC 4271 6.3).
        OnFault = TreatAsWithdraw,
        IsPresent = static (a, _) => a.NextHop is not null,
        Read = static (value, _, a) =>
        {
            a.NextHop = new IPAddress(value);
            return true;
        },
        Write = static (a, _, w) => w.Address(a.NextHop!),
        Format = static a => a.NextHop!.ToString(),
    };

    // RFC 7606 7.4.
    public static readonly AttributeRow MultiExitDisc = Number(
        4, "MULTI_EXIT_DISC", Optional, static a => a.MultiExitDisc, static (a, number) => a.MultiExitDisc = number, AttributeText.Of);

    // RFC 7606 7.5.
    public static readonly AttributeRow LocalPref = Number(
        5, "LOCAL_PREF", Transitive, static a => a.LocalPref, static (a, number) => a.LocalPref = number, AttributeText.Of) with
    {
        InternalOnly = true,
    };

    public static readonly AttributeRow AtomicAggregate = new()
    {
        Code = 6,
        Name = "ATOMIC_AGGREGATE",
        Flags = Transitive,
        Length = LengthRule.Exactly(0),
        // RFC 7606 7.6.
        OnFault = Discard,
        IsPresent = static (a, _) => a.AtomicAggregate,
        Read = static (_, _, a) => a.AtomicAggregate = true,
        Write = static (_, _, _) => { },
        Format = static _ => "",
    };

    public static readonly AttributeRow Aggregator = new()
    {
        Code = 7,
        Name = "AGGREGATOR",
        Flags = Optional | Transitive,
        Length = LengthRule.Exactly(8) with { HoldsAsNumber = true },
        // RFC 7606 7.7.
        OnFault = Discard,
        IsPresent = static (a, _) => a.Aggregator is not null,
        Read = static (value, context, a) =>
        {
            if (!TryAggregator(value, context.FourOctetAs, out var aggregator))
            {
                return false;
            }

            a.Aggregator = aggregator;
            return true;
        },
        Write = static (a, context, w) =>
        {
            AsPathCodec.WriteNumber(w, a.Aggregator!.Value.As, context.FourOctetAs);
            w.UInt32(a.Aggregator.Value.RouterId);
        },
        Format = static a => AttributeText.Of(a.Aggregator!.Value),
    };

    // RFC 7606 7.9.
    public static readonly AttributeRow OriginatorId = Number(
        9, "ORIGINATOR_ID", Optional, static a => a.OriginatorId, static (a, number) => a.OriginatorId = number, AttributeText.OfRouterId) with
    {
        InternalOnly = true,
    };

    public static readonly AttributeRow ClusterList = new()
    {
        Code = 10,
        Name = "CLUSTER_LIST",
        Flags = Optional,
        Length = LengthRule.MultipleOf(4),
        // RFC 7606 7.10.
        OnFault = TreatAsWithdraw,
        InternalOnly = true,
        IsPresent = static (a, _) => !a.ClusterList.IsEmpty,
        Read = static (value, _, a) =>
        {
            var clusters = ImmutableArray.CreateBuilder<uint>(value.Length / 4);
            for (var at = 0; at < value.Length; at += 4)
            {
                clusters.Add(BinaryPrimitives.ReadUInt32BigEndian(value[at..]));
            }

            a.ClusterList = clusters.MoveToImmutable();
            return true;
        },
        Write = static (a, _, w) =>
        {
            foreach (var cluster in a.ClusterList)
            {
                w.UInt32(cluster);
            }
        },
        Format = static a => AttributeText.List(a.ClusterList, AttributeText.OfRouterId),
    };

    public static readonly AttributeRow As4Path = new()
    {
        Code = 17,
        Name = "AS4_PATH",
        Flags = Optional | Transitive,
        // An empty one has nothing to say (RFC 6793 6).
        Length = LengthRule.AtLeast(6),
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

            // RFC 6793 3 and 6: segments of a confederation have no business here and are left out.
            ImmutableArray<AsPathSegment> kept = [.. path.Where(static segment => segment.Type < AsPathSegmentType.ConfederationSequence)];
            a.As4Path = kept.IsEmpty ? null : kept;
            return true;
        },
        Write = static (a, _, w) => AsPathCodec.Write(w, a.As4Path!.Value, fourOctetAs: true),
        Format = static a => AttributeText.Of(a.As4Path!.Value),
    };

    public static readonly AttributeRow As4Aggregator = new()
    {
        Code = 18,
        Name = "AS4_AGGREGATOR",
        Flags = Optional | Transitive,
        Length = LengthRule.Exactly(8),
        // RFC 6793 6.
        OnFault = Discard,
        IsPresent = static (a, context) => !context.FourOctetAs && a.As4Aggregator is not null,
        Read = static (value, context, a) =>
        {
            if (context.FourOctetAs)
            {
                return true;
            }

            if (!TryAggregator(value, fourOctetAs: true, out var aggregator))
            {
                return false;
            }

            a.As4Aggregator = aggregator;
            return true;
        },
        Write = static (a, _, w) =>
        {
            w.UInt32(a.As4Aggregator!.Value.As);
            w.UInt32(a.As4Aggregator.Value.RouterId);
        },
        Format = static a => AttributeText.Of(a.As4Aggregator!.Value),
    };

    // A list of   type (1) | length of the whole (2) | value.   Type 1 is the metric in 8 octets; others are passed over, of several the first counts.
    public static readonly AttributeRow Aigp = new()
    {
        Code = 26,
        Name = "AIGP",
        Flags = Optional,
        Length = LengthRule.AtLeast(3),
        // RFC 7311 3: where it was not switched on for the session, which it never is here, it is to be ignored quietly like an attribute that nobody knows. What can be
        // read of it is shown in the trace, what cannot is no fault.
        OnFault = AttributeFault.None,
        OnWrongTransitive = AttributeFault.None,
        IsPresent = static (a, _) => a.Aigp is not null,
        Read = static (value, _, a) =>
        {
            const int TlvHeader = 3;
            ulong? metric = null;
            var reader = new WireReader(value);
            while (reader.Remaining > 0)
            {
                if (!reader.TryByte(out var type) || !reader.TryUInt16(out var length) || length < TlvHeader || !reader.TryBytes(length - TlvHeader, out var body))
                {
                    return false;
                }

                if (type == 1)
                {
                    if (body.Length != 8)
                    {
                        return false;
                    }

                    metric ??= BinaryPrimitives.ReadUInt64BigEndian(body);
                }
            }

            a.Aigp = metric;
            return true;
        },
        Write = static (a, _, w) =>
        {
            w.Byte(1);
            w.UInt16(11);
            w.UInt64(a.Aigp!.Value);
        },
        Format = static a => AttributeText.Of(a.Aigp!.Value),
    };

    // RFC 9234 5.
    public static readonly AttributeRow OnlyToCustomer = Number(
        35, "ONLY_TO_CUSTOMER", Optional | Transitive, static a => a.OnlyToCustomer, static (a, number) => a.OnlyToCustomer = number, AttributeText.OfAs);

    // A number of four octets; without it or with half of it, no route.
    private static AttributeRow Number(
        byte code, string name, AttributeFlags flags, Func<PathAttributes, uint?> get, Action<PathAttributes, uint> set, Func<uint, string> format) => new()
    {
        Code = code,
        Name = name,
        Flags = flags,
        Length = LengthRule.Exactly(4),
        OnFault = TreatAsWithdraw,
        IsPresent = (a, _) => get(a) is not null,
        Read = (value, _, a) =>
        {
            set(a, BinaryPrimitives.ReadUInt32BigEndian(value));
            return true;
        },
        Write = (a, _, w) => w.UInt32(get(a)!.Value),
        Format = a => format(get(a)!.Value),
    };

    // False: AS 0 (RFC 7607 2).
    private static bool TryAggregator(ReadOnlySpan<byte> value, bool fourOctetAs, out Aggregator aggregator)
    {
        var reader = new WireReader(value);
        var read = AsPathCodec.TryReadNumber(ref reader, fourOctetAs, out var number) & reader.TryUInt32(out var routerId);
        aggregator = new Aggregator(number, routerId);
        return read && number != 0;
    }
}
