namespace FailoverHub.Bgp.Routes;

/// <summary>Address family and subsequent address family of routes (RFC 4760): the two that an announcing end host needs.</summary>
public enum RouteFamily
{
    /// <summary>AFI 1, SAFI 1.</summary>
    Ipv4Unicast,

    /// <summary>AFI 2, SAFI 1.</summary>
    Ipv6Unicast,
}
