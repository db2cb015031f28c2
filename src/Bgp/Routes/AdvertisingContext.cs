using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Routes;

// How routes are put on the wire on one established session: which families, which next hop, which AS path. Fixed while the session is up.
internal sealed class AdvertisingContext
{
    private readonly bool _internal;
    private readonly uint _localAs;
    private readonly NegotiatedParameters _negotiated;
    private readonly IPAddress _ipv6NextHop;
    private readonly IPAddress? _ipv4NextHop;

    // local: our address on the connection.
    public AdvertisingContext(SessionOptions options, NegotiatedParameters negotiated, IPAddress local)
    {
        _localAs = options.LocalAs;
        _internal = options.LocalAs == options.PeerAs;
        _negotiated = negotiated;

        // A socket of both families shows IPv4 as ::ffff:a.b.c.d; on the wire it is IPv4.
        var address = local.IsIPv4MappedToIPv6 ? local.MapToIPv4() : local;
        _ipv4NextHop = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? address : null;
        _ipv6NextHop = _ipv4NextHop?.MapToIPv6() ?? new IPAddress(address.GetAddressBytes());
        Wire = WireContext(options, negotiated);
    }

    public UpdateContext Wire { get; }

    public static UpdateContext WireContext(SessionOptions options, NegotiatedParameters negotiated) => new(
        negotiated.FourOctetAs, negotiated.Families.Contains(RouteFamily.Ipv4Unicast), negotiated.Families.Contains(RouteFamily.Ipv6Unicast))
    {
        ExtendedMessages = negotiated.ExtendedMessages,
        EnhancedRouteRefresh = negotiated.EnhancedRouteRefresh,
        InternalPeer = options.LocalAs == options.PeerAs,
    };

    public bool CanSend(RouteFamily family) => WhyNot(family) is null;

    // Null: routes of this family can be sent. IPv4 over an IPv6 session needs RFC 8950: without it there is no next hop that we could write.
    public SkipReason? WhyNot(RouteFamily family)
    {
        if (!_negotiated.Families.Contains(family))
        {
            return SkipReason.FamilyNotNegotiated;
        }

        return family == RouteFamily.Ipv6Unicast || _ipv4NextHop is not null || _negotiated.Ipv4WithIpv6NextHop ? null : SkipReason.NoNextHop;
    }

    // Routes of this family are in the fields of RFC 4271 instead of in MP_REACH_NLRI.
    public bool IsClassic(RouteFamily family) => family == RouteFamily.Ipv4Unicast && _ipv4NextHop is not null;

    // Everything but the prefixes.
    public PathAttributes Attributes(RouteFamily family, Advertisement advertisement)
    {
        ImmutableArray<AsPathSegment> path = _internal ? [] : [new AsPathSegment(AsPathSegmentType.Sequence, [_localAs])];
        return new PathAttributes
        {
            Origin = advertisement.Origin,
            AsPath = path,
            // RFC 6793 4.2.2: only where our number does not fit into two octets.
            As4Path = _localAs > ushort.MaxValue && !_internal ? path : null,
            NextHop = IsClassic(family) ? _ipv4NextHop : null,
            LocalPref = _internal ? 100 : null,
            Communities = advertisement.Communities,
            LargeCommunities = advertisement.LargeCommunities,
        };
    }

    // Of MP_REACH_NLRI, whatever the family.
    public IPAddress MultiprotocolNextHop => _ipv6NextHop;
}
