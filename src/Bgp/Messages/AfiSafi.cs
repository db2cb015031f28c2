using FailoverHub.Bgp.Routes;

namespace FailoverHub.Bgp.Messages;

// Address family and subsequent address family as they stand on the wire (RFC 4760). A neighbor may name pairs that we do not know;
// those have no RouteFamily and are never negotiated.
internal readonly record struct AfiSafi(ushort Afi, byte Safi)
{
    public const ushort Ipv4 = 1;
    public const ushort Ipv6 = 2;
    public const byte Unicast = 1;

    public static AfiSafi Of(RouteFamily family) => new(family == RouteFamily.Ipv6Unicast ? Ipv6 : Ipv4, Unicast);

    public RouteFamily? Known => (Afi, Safi) switch
    {
        (Ipv4, Unicast) => RouteFamily.Ipv4Unicast,
        (Ipv6, Unicast) => RouteFamily.Ipv6Unicast,
        _ => null,
    };
}
