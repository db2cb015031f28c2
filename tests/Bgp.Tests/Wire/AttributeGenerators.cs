using System.Collections.Immutable;
using System.Net;
using CsCheck;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Tests.Wire;

// Any valid set of path attributes, each there or not.
internal static class AttributeGenerators
{
    private static readonly Gen<uint> AsNumber = Gen.UInt[1, uint.MaxValue];

    private static readonly Gen<ImmutableArray<AsPathSegment>> Path = Gen.Select(
        Gen.Enum<AsPathSegmentType>(), AsNumber.Array[1, 60], (type, numbers) => new AsPathSegment(type, [.. numbers]))
        .Array[0, 3].Select(segments => segments.ToImmutableArray());

    private static readonly Gen<ImmutableArray<LargeCommunity>> LargeCommunities =
        Gen.Select(Gen.UInt, Gen.UInt[0, 3], Gen.UInt, (administrator, first, second) => new LargeCommunity(administrator, first, second))
            .Array[0, 30].Select(communities => LargeCommunity.Canonical([.. communities]));

    private static readonly Gen<ImmutableArray<Ipv6ExtendedCommunity>> Ipv6ExtendedCommunities =
        Gen.Select(Gen.Byte, Gen.Byte, Generators.Ipv6Address, Gen.UShort, (type, subtype, global, local) => new Ipv6ExtendedCommunity(type, subtype, global, local))
            .Array[0, 3].Select(communities => communities.ToImmutableArray());

    private static readonly Gen<ImmutableArray<OtherAttribute>> Others = Gen.Select(
        Gen.Bool, Gen.Byte[129, 255], Gen.Byte.Array[0, 300], (partial, code, value) => new OtherAttribute((byte)(partial ? 0xe0 : 0xc0), code, value))
        .Array[0, 2].Select(others => others.DistinctBy(other => other.Code).ToImmutableArray());

    private static readonly Gen<ImmutableArray<Tunnel>> Tunnels =
        Gen.Select(Gen.UShort, Gen.Select(Gen.Byte, Generators.SomeBytes, (type, value) => new TunnelSubTlv(type, value)).Array[0, 3], (type, inside) => new Tunnel(type, [.. inside]))
            .Array[0, 2].Select(tunnels => tunnels.ToImmutableArray());

    private static readonly Gen<PmsiTunnel> Pmsi = Gen.Select(
        Gen.Byte, Gen.Byte, Gen.UInt[0, 0xffffff], Generators.SomeBytes, (flags, type, label, identifier) => new PmsiTunnel(flags, type, label, identifier));

    // Without the prefixes: those are the UPDATE's.
    private static readonly Gen<PathAttributes> Plain = Gen.Select(
        Gen.Select(Gen.Enum<Origin>(), Path, Gen.UInt.Array[4], Gen.UInt.Array[0, 80], Gen.Bool),
        Gen.Select(AsNumber, Gen.Byte.Array[36, 50], Gen.ULong, Gen.ULong.Array[0, 5], Gen.UInt.Array[0, 5]),
        Gen.Select(LargeCommunities, Ipv6ExtendedCommunities, Tunnels, Pmsi, Others),
        Gen.Int[0, 511],
        (plain, numbers, lists, which) =>
        {
            var (origin, path, four, communities, atomic) = plain;
            var (asNumber, engineering, metric, extended, clusters) = numbers;
            var (large, ipv6, tunnels, pmsi, others) = lists;
            return new PathAttributes
            {
                Origin = origin,
                AsPath = path,
                NextHop = new IPAddress(four[0]),
                MultiExitDisc = (which & 1) != 0 ? four[1] : null,
                LocalPref = (which & 2) != 0 ? four[2] : null,
                AtomicAggregate = atomic,
                Aggregator = (which & 4) != 0 ? new Aggregator(asNumber, four[3]) : null,
                Communities = [.. communities.Select(value => new Community(value))],
                OriginatorId = (which & 8) != 0 ? four[3] : null,
                ClusterList = [.. clusters],
                ExtendedCommunities = [.. extended],
                Ipv6ExtendedCommunities = ipv6,
                PmsiTunnel = (which & 16) != 0 ? pmsi : null,
                Tunnels = tunnels,
                TrafficEngineering = (which & 32) != 0 ? engineering : (ReadOnlyMemory<byte>?)null,
                Aigp = (which & 64) != 0 ? metric : null,
                LargeCommunities = large,
                OnlyToCustomer = (which & 128) != 0 ? four[1] : null,
                Other = others,
            };
        });

    public static readonly Gen<PathAttributes> Any = Gen.Select(Plain, Plain, Gen.UInt, Gen.Bool, (outside, inside, asNumber, nested) =>
        nested ? outside with { AttributeSet = new AttributeSet(asNumber, inside) } : outside);
}
