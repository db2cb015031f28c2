using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;

namespace FailoverHub.Bgp.Wire.Attributes;

// Values of path attributes on one line, for a trace: every list and every value has an end, however long the neighbor made it.
internal static class AttributeText
{
    // More of a list is only counted.
    public const int MaxListed = 10;

    private const int MaxAttributes = 32;
    private const int MaxOctets = 24;

    public static string Of(uint number) => number.ToString(CultureInfo.InvariantCulture);

    public static string Of(ulong number) => number.ToString(CultureInfo.InvariantCulture);

    public static string OfAs(uint number) => "AS " + Of(number);

    public static string OfRouterId(uint value) =>
        string.Create(CultureInfo.InvariantCulture, $"{value >> 24}.{(value >> 16) & 0xff}.{(value >> 8) & 0xff}.{value & 0xff}");

    public static string Of(AfiSafi family) => family.Known switch
    {
        RouteFamily.Ipv4Unicast => "IPv4",
        RouteFamily.Ipv6Unicast => "IPv6",
        _ => string.Create(CultureInfo.InvariantCulture, $"family {family.Afi}/{family.Safi}"),
    };

    public static string Of(ImmutableArray<AsPathSegment> path) => path.IsEmpty ? "empty" : List(path, Of);

    public static string Of(Aggregator aggregator) => $"AS {Of(aggregator.As)} {OfRouterId(aggregator.RouterId)}";

    // RFC 1997, 3765, 7999, 8326: the names that operators know better than the numbers.
    public static string Of(Community community) => community.Value switch
    {
        0xffff0000 => "graceful-shutdown",
        0xffff029a => "blackhole",
        0xffffff01 => "no-export",
        0xffffff02 => "no-advertise",
        0xffffff03 => "no-export-subconfed",
        0xffffff04 => "no-peer",
        _ => community.ToString(),
    };

    // RFC 4360 4 and 5, RFC 5668 2: route target and site of origin; anything else as its octets.
    public static string OfExtendedCommunity(ulong value)
    {
        var kind = ((value >> 48) & 0xff) switch
        {
            0x02 => "rt",
            0x03 => "soo",
            _ => null,
        };
        var high = (uint)(value >> 16);
        return (kind, (value >> 56) & 0xbf) switch
        {
            (not null, 0x00) => string.Create(CultureInfo.InvariantCulture, $"{kind}:{(value >> 32) & 0xffff}:{(uint)value}"),
            (not null, 0x01) => string.Create(CultureInfo.InvariantCulture, $"{kind}:{OfRouterId(high)}:{value & 0xffff}"),
            (not null, 0x02) => string.Create(CultureInfo.InvariantCulture, $"{kind}:{high}:{value & 0xffff}"),
            _ => value.ToString("x16", CultureInfo.InvariantCulture),
        };
    }

    public static string Of(Ipv6ExtendedCommunity community) =>
        string.Create(CultureInfo.InvariantCulture, $"{community.Type:x2}{community.Subtype:x2}:[{community.Global}]:{community.Local}");

    public static string Of(PmsiTunnel tunnel) =>
        string.Create(CultureInfo.InvariantCulture, $"type {tunnel.Type} label {tunnel.Label >> 4} identifier {Octets(tunnel.Identifier.Span)}");

    public static string Of(Tunnel tunnel) =>
        string.Create(CultureInfo.InvariantCulture, $"type {tunnel.Type} ({tunnel.SubTlvs.Length} sub-TLVs)");

    public static string Of(AttributeSet set) => $"of AS {Of(set.OriginAs)} ({Of(set.Attributes, default)})";

    public static string Of(MpReach reach)
    {
        var nextHop = reach.LinkLocalNextHop is null ? reach.NextHop.ToString() : $"{reach.NextHop} and {reach.LinkLocalNextHop}";
        return $"{Of(reach.Family)} via {nextHop}: {Of(reach.Prefixes)}";
    }

    public static string Of(MpUnreach unreach) => $"{Of(unreach.Family)}: {Of(unreach.Prefixes)}";

    public static string Of(ImmutableArray<IPNetwork> prefixes) => prefixes.IsEmpty ? "nothing" : List(prefixes, static prefix => prefix.ToString());

    // "ORIGIN IGP, AS_PATH 65001", in the order in which we would write them.
    public static string Of(PathAttributes attributes, UpdateContext context)
    {
        var parts = new List<string>();
        foreach (var row in AttributeTable.Rows)
        {
            if (row.IsPresent(attributes, context))
            {
                var value = row.Format(attributes);
                parts.Add(value.Length == 0 ? row.Name : row.Name + " " + value);
            }
        }

        foreach (var other in attributes.Other)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"attribute {other.Code} {Octets(other.Value.Span)}"));
        }

        return List([.. parts], static part => part, ", ", MaxAttributes);
    }

    public static string Octets(ReadOnlySpan<byte> octets) => octets.Length switch
    {
        0 => "(empty)",
        <= MaxOctets => Convert.ToHexStringLower(octets),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(octets[..MaxOctets])}... ({octets.Length} octets)"),
    };

    public static string List<T>(ImmutableArray<T> items, Func<T, string> text, string separator = " ", int most = MaxListed)
    {
        var listed = string.Join(separator, items.Take(most).Select(text));
        return items.Length <= most ? listed : string.Create(CultureInfo.InvariantCulture, $"{listed} and {items.Length - most} more");
    }

    private static string Of(AsPathSegment segment)
    {
        var numbers = List(segment.AsNumbers, Of);
        return segment.Type switch
        {
            AsPathSegmentType.Sequence => numbers,
            AsPathSegmentType.Set => "{" + numbers + "}",
            AsPathSegmentType.ConfederationSequence => "(" + numbers + ")",
            _ => "[" + numbers + "]",
        };
    }
}
