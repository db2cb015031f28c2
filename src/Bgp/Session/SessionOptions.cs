using System.Collections.Immutable;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;

namespace FailoverHub.Bgp.Session;

/// <summary>What a session is configured to be. Fixed for the life of a <see cref="BgpSession"/>.</summary>
public sealed record SessionOptions
{
    // The same array in all of them: two options that differ in nothing are equal.
    private static readonly ImmutableArray<RouteFamily> _both = [RouteFamily.Ipv4Unicast, RouteFamily.Ipv6Unicast];

    /// <summary>Our AS number, 1 to 4294967295.</summary>
    public required uint LocalAs { get; init; }

    /// <summary>The AS number the neighbor must have.</summary>
    public required uint PeerAs { get; init; }

    /// <summary>Our BGP Identifier.</summary>
    public required RouterId RouterId { get; init; }

    /// <summary>The hold time that we offer. Default 9 s, as the platform's own client.</summary>
    public HoldTime HoldTime { get; init; } = new(9);

    /// <summary>ConnectRetryTime (RFC 4271 8): the longest wait between two dials. Default 5 s.</summary>
    public TimeSpan ConnectRetry { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Families that we offer (RFC 4760 8).</summary>
    public ImmutableArray<RouteFamily> Families { get; init; } = _both;

    /// <summary>Never dials, waits for <see cref="SessionInput.Connected"/> (the route servers of the lab). Default: dials.</summary>
    public bool Passive { get; init; }

    /// <summary>
    /// Offers messages of up to 65535 octets (RFC 8654); in use when the neighbor offers them too. Default off: the platform is not known to support it.
    /// </summary>
    public bool ExtendedMessages { get; init; }

    /// <summary>
    /// Offers enhanced route refresh (RFC 7313): where the neighbor offers it too, our answer to a refresh has a marked beginning and end. Default off:
    /// the platform is not known to support it.
    /// </summary>
    public bool EnhancedRouteRefresh { get; init; }

    /// <summary>
    /// Offers graceful restart without any family (RFC 4724), with the N bit (RFC 8538): End-of-RIB is sent and understood, and nothing of ours is ever
    /// kept by the neighbor after the session. Default off: the platform is not known to support it.
    /// </summary>
    public bool GracefulRestartHelper { get; init; }

    /// <summary>
    /// How long the neighbor may take none of our output before the session ends (SendHoldTimer, RFC 9687). Zero: for ever. Must be more than the hold time (RFC 9687 4.4):
    /// what is not more than the one that is negotiated counts as one second more than that. Null: twice the negotiated hold time. Where that is zero, there is no
    /// such time either, whatever is given here (RFC 9687 4.2).
    /// </summary>
    public TimeSpan? SendHoldTime { get; init; }
}
