using System.Collections.Immutable;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Agent.Configuration;

/// <summary>What the sessions may do beyond what the platform is known to support. All of it is off unless it was asked for.</summary>
internal sealed record ProtocolOptions
{
    /// <summary>Null: segments are not signed. To be disposed of after the sessions.</summary>
    public PeerAuthentication? Authentication { get; init; }

    /// <summary>GTSM (RFC 5082): the most hops to a neighbor, 1 to 254; null: off.</summary>
    public int? TtlSecurity { get; init; }

    public bool ExtendedMessages { get; init; }

    public bool EnhancedRouteRefresh { get; init; }

    public bool GracefulRestartHelper { get; init; }

    /// <summary>RFC 9687; longer than the hold time that is offered, or zero: off. Null: twice the negotiated one.</summary>
    public TimeSpan? SendHoldTime { get; init; }

    /// <summary>On every announcement, in ascending order, none twice.</summary>
    public ImmutableArray<LargeCommunity> LargeCommunities { get; init; } = [];

    /// <summary>How long a drain or a stop announces with GRACEFUL_SHUTDOWN before it withdraws (RFC 8326); zero: not at all.</summary>
    public TimeSpan GracefulShutdown { get; init; }
}
