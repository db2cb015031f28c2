using System.Collections.Immutable;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;

namespace FailoverHub.Bgp.Session;

/// <summary>What both OPENs add up to.</summary>
public sealed record NegotiatedParameters
{
    /// <summary>The neighbor's BGP Identifier.</summary>
    public required RouterId PeerRouterId { get; init; }

    /// <summary>The neighbor's AS number.</summary>
    public required uint PeerAs { get; init; }

    /// <summary>The smaller of both hold times.</summary>
    public required HoldTime HoldTime { get; init; }

    /// <summary>A third of the hold time (RFC 4271 4.4); zero when the hold time is.</summary>
    public TimeSpan KeepaliveInterval => HoldTime.Duration / 3;

    /// <summary>Both sides write AS numbers in four octets in AS_PATH (RFC 6793).</summary>
    public required bool FourOctetAs { get; init; }

    /// <summary>Families that both sides offered (RFC 4760).</summary>
    public required ImmutableArray<RouteFamily> Families { get; init; }

    /// <summary>IPv4 unicast may have an IPv6 next hop (RFC 8950).</summary>
    public required bool Ipv4WithIpv6NextHop { get; init; }

    /// <summary>The neighbor understands ROUTE-REFRESH (RFC 2918).</summary>
    public required bool RouteRefresh { get; init; }

    /// <summary>Both sides read messages of up to 65535 octets (RFC 8654).</summary>
    public bool ExtendedMessages { get; init; }

    /// <summary>Refreshes have a marked beginning and end (RFC 7313).</summary>
    public bool EnhancedRouteRefresh { get; init; }

    /// <summary>Both sides offered graceful restart (RFC 4724): each sends End-of-RIB when all its routes of a family are sent.</summary>
    public bool GracefulRestart { get; init; }

    /// <summary>Both sides set the N bit (RFC 8538): a session that must not be taken for restarting ends with Hard Reset.</summary>
    public bool GracefulNotification { get; init; }

    /// <summary>The neighbor says that it has just restarted (R bit, RFC 4724 3); false where graceful restart was not agreed on.</summary>
    public bool PeerRestarted { get; init; }

    /// <summary>How long the neighbor says that a restart of its own takes, at most 4095 s; zero where graceful restart was not agreed on.</summary>
    public TimeSpan PeerRestartTime { get; init; }
}
