using System.Collections.Immutable;
using FailoverHub.Agent.Configuration.Layers;

namespace FailoverHub.Agent.Configuration.CommandLine;

/// <summary>The values of the flags as they were typed, or written into the environment or the file; null or empty: not given.</summary>
internal sealed record RawArguments
{
    /// <summary>What each of them is called by whoever gave it.</summary>
    public SettingKeys Keys { get; init; } = SettingKeys.Flags;

    public string? DataCenter { get; init; }

    public bool Primary { get; init; }

    public bool Secondary { get; init; }

    public bool Send56 { get; init; }

    public bool AllInterfaces { get; init; }

    public string? MultihopTtl { get; init; }

    public string? NeighborPattern { get; init; }

    public string? LogLevel { get; init; }

    public bool LogJson { get; init; }

    public ImmutableArray<string> Neighbors { get; init; } = [];

    public string? NeighborPort { get; init; }

    public ImmutableArray<string> LocalAddresses { get; init; } = [];

    public string? RouterId { get; init; }

    public ImmutableArray<string> Announce { get; init; } = [];

    public string? Hub { get; init; }

    public string? HubCa { get; init; }

    public string? State { get; init; }

    public string? HoldTime { get; init; }

    public string? Node { get; init; }

    public string? LocalAs { get; init; }

    public string? PeerAs { get; init; }

    public string? Md5KeyFile { get; init; }

    public string? TcpAoKeyFile { get; init; }

    public string? TtlSecurity { get; init; }

    public bool ExtendedMessages { get; init; }

    public bool EnhancedRouteRefresh { get; init; }

    public bool GracefulRestartHelper { get; init; }

    public string? SendHoldTime { get; init; }

    public ImmutableArray<string> LargeCommunities { get; init; } = [];

    public string? GracefulShutdown { get; init; }

    public string? Damping { get; init; }

    public string? Failback { get; init; }

    public string? FailbackStable { get; init; }

    public string? Control { get; init; }

    public string? Metrics { get; init; }

    public string? IdentityPort { get; init; }

    public string? Probing { get; init; }

    public string? Addresses { get; init; }

    public string? AddressDevice { get; init; }

    public string? Metadata { get; init; }
}
