namespace FailoverHub.Web.Api.Reachability;

/// <summary>Whether a shared address answers.</summary>
public sealed record ReachabilityDto
{
    /// <summary>The shared prefix, CIDR.</summary>
    public required string Prefix { get; init; }

    /// <summary>The address that is probed.</summary>
    public required string Address { get; init; }

    /// <summary>icmp or tcp.</summary>
    public required string Method { get; init; }

    /// <summary>Port with tcp, else null.</summary>
    public required int? Port { get; init; }

    /// <summary>From where: hub.</summary>
    public required string VantagePoint { get; init; }

    /// <summary>Unknown (no fresh probe), Reachable or Unreachable.</summary>
    public required string State { get; init; }

    /// <summary>When the newest probe was sent, null: none yet. The state is as old as that.</summary>
    public required DateTimeOffset? LastProbeAt { get; init; }

    /// <summary>Why it cannot be probed at all and what to do, null when it can.</summary>
    public required string? Problem { get; init; }

    /// <summary>Newest probes, oldest first: those of the last two minutes, at most 600.</summary>
    public required IReadOnlyList<ProbeDto> Recent { get; init; }
}

/// <summary>One probe.</summary>
/// <param name="At">When it was sent.</param>
/// <param name="Answered">An answer came in time.</param>
/// <param name="RoundTripMs">Milliseconds to the answer, null: none came.</param>
/// <param name="Error">Why not, null when answered.</param>
public sealed record ProbeDto(DateTimeOffset At, bool Answered, double? RoundTripMs, string? Error);
