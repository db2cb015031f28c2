namespace FailoverHub.Interop.Tests.RouteServers;

/// <summary>What a route server is configured for beyond what the platform is known to do. By default nothing.</summary>
internal sealed record RouteServerOptions
{
    /// <summary>Sessions run over IPv4 instead of IPv6.</summary>
    public bool OverIpv4 { get; init; }

    /// <summary>Seconds that it offers; null: what the daemon offers by itself, 90 or more.</summary>
    public int? HoldTime { get; init; }

    /// <summary>Key of TCP MD5 (RFC 2385); null: none.</summary>
    public string? Password { get; init; }

    /// <summary>It tells a fabric, which speaks BGP at <see cref="Harness.Addresses.Fabric"/>, what it has chosen (FRR and BIRD).</summary>
    public bool TellsFabric { get; init; }

    /// <summary>Hops that packets may have come at most (GTSM, RFC 5082); null: off.</summary>
    public int? TtlSecurity { get; init; }

    /// <summary>Offers messages of more than 4096 octets (RFC 8654), where the daemon asks to be told.</summary>
    public bool ExtendedMessages { get; init; }

    /// <summary>Restarts gracefully and helps others to (RFC 4724).</summary>
    public bool GracefulRestart { get; init; }

    /// <summary>
    /// Thousands of prefixes are expected: not every route is logged, so that <see cref="RouteServer.WithdrawalsAsync"/> has nothing to read.
    /// </summary>
    public bool ManyPrefixes { get; init; }
}
