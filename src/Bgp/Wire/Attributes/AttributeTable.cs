using System.Collections.Immutable;

namespace FailoverHub.Bgp.Wire.Attributes;

// One row per path attribute, in the order in which we write them: MP_REACH_NLRI or MP_UNREACH_NLRI first (RFC 7606 5.1: a receiver that trips
// over a later attribute still knows which routes it is about; FRR and BIRD do so too, the platform's own client has them last), then by type code.
internal static class AttributeTable
{
    public const byte MpReachCode = 14;
    public const byte MpUnreachCode = 15;
    public const byte AttributeSetCode = 128;

    public static readonly ImmutableArray<AttributeRow> Rows =
    [
        PrefixRows.MpReach,
        PrefixRows.MpUnreach,
        PathRows.Origin,
        PathRows.AsPath,
        PathRows.NextHop,
        PathRows.MultiExitDisc,
        PathRows.LocalPref,
        PathRows.AtomicAggregate,
        PathRows.Aggregator,
        CommunityRows.Standard,
        PathRows.OriginatorId,
        PathRows.ClusterList,
        CommunityRows.Extended,
        PathRows.As4Path,
        PathRows.As4Aggregator,
        TunnelRows.PmsiTunnel,
        TunnelRows.TunnelEncapsulation,
        TunnelRows.TrafficEngineering,
        CommunityRows.Ipv6Extended,
        PathRows.Aigp,
        CommunityRows.Large,
        PathRows.OnlyToCustomer,
        PrefixRows.AttributeSet,
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
}
