using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Node;
using FailoverHub.Bgp.Messages;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Configuration;

/// <summary>A prefix that the operator named, with <c>--announce</c> or in the file.</summary>
internal sealed record ConfiguredPrefix(IPNetwork Prefix, Role? Role)
{
    /// <summary>It counts as present whether or not an interface has it; what <c>--announce</c> names does.</summary>
    public bool Present { get; init; } = true;

    /// <summary>Null: the node's.</summary>
    public FailbackOptions? Failback { get; init; }
}

/// <summary>What command line, environment and file say, parsed and checked. A reload makes new ones.</summary>
internal sealed record AgentOptions
{
    /// <summary>Beside the hub's own 5443, and of nobody else that is known.</summary>
    public const int DefaultIdentityPort = 5444;

    /// <summary>Unique in the fleet.</summary>
    public required string Node { get; init; }

    /// <summary>None twice. Empty: those of the data center that the metadata service names, as soon as it does.</summary>
    public required ImmutableArray<NeighborEndpoint> Neighbors { get; init; }

    /// <summary>Where the metadata service of this machine is asked, at all of them at once; empty: it is not asked.</summary>
    public ImmutableArray<Uri> Metadata { get; init; } = [];

    /// <summary>The operator said whether and where; otherwise it follows from whether there are <see cref="Neighbors"/>.</summary>
    public bool MetadataIsGiven { get; init; }

    /// <summary>Nobody gave <see cref="Neighbors"/>, the metadata service named their data center.</summary>
    public bool NeighborsAreFound { get; init; }

    /// <summary>Addresses of a data center's route servers, see <see cref="Configuration.NeighborPattern"/>.</summary>
    public string NeighborPattern { get; init; } = Configuration.NeighborPattern.Default;

    /// <summary>Port of neighbors that name none.</summary>
    public int NeighborPort { get; init; } = NeighborEndpoint.DefaultPort;

    /// <summary>The platform's decimal id, null when it was not given.</summary>
    public int? DataCenter { get; init; }

    /// <summary>Source address of sessions to IPv4 neighbors; null: the kernel chooses.</summary>
    public IPAddress? LocalIpv4 { get; init; }

    /// <summary>Source address of sessions to IPv6 neighbors; null: the kernel chooses.</summary>
    public IPAddress? LocalIpv6 { get; init; }

    /// <summary>Nobody gave <see cref="LocalIpv6"/>, the metadata service named it: where no interface has it the kernel chooses.</summary>
    public bool LocalIpv6IsFound { get; init; }

    /// <summary>Null: chosen once by the agent and kept in the state directory.</summary>
    public RouterId? RouterId { get; init; }

    /// <summary>Role of every prefix that neither the intent nor <c>--announce</c> gives one.</summary>
    public Role? DefaultRole { get; init; }

    public ImmutableArray<ConfiguredPrefix> Announce { get; init; } = [];

    /// <summary>Look for shared addresses on every interface, not only on loopback.</summary>
    public bool AllInterfaces { get; init; }

    /// <summary>64, or 56 with <c>--send56</c>.</summary>
    public int Ipv6Length { get; init; } = 64;

    /// <summary>Whether the agent only looks at the addresses or adds them itself.</summary>
    public AddressOptions Addresses { get; init; } = new();

    /// <summary>1 to 255.</summary>
    public int MultihopTtl { get; init; } = 16;

    public HoldTime HoldTime { get; init; } = new(9);

    public uint LocalAs { get; init; } = 65001;

    public uint PeerAs { get; init; } = 65000;

    /// <summary>What the sessions may do beyond what the platform is known to support.</summary>
    public ProtocolOptions Protocol { get; init; } = new();

    /// <summary>A prefix whose address comes and goes all the time is held back.</summary>
    public bool Damping { get; init; } = true;

    /// <summary>Of every prefix for which neither the intent nor <see cref="ConfiguredPrefix.Failback"/> names a policy.</summary>
    public FailbackOptions Failback { get; init; } = new();

    /// <summary>What an intent may ask.</summary>
    public IntentLimits Limits { get; init; } = new();

    /// <summary>Health checks, each name once; none: nothing is checked.</summary>
    public ImmutableArray<CheckOptions> Checks { get; init; } = [];

    /// <summary>As it was given, or where this node has joined; null: stand-alone.</summary>
    public Uri? Hub { get; init; }

    /// <summary>By what the hub is recognised, as the operator says; null: as the join has it, else by the authorities of this machine.</summary>
    public HubTrust? HubTrust { get; init; }

    /// <summary>What a join has given this node; null: it has joined no hub.</summary>
    public HubIdentity? Joined { get; init; }

    /// <summary>Why that cannot be used, in a sentence that says what to do; null: it can, or there is none.</summary>
    public string? JoinProblem { get; init; }

    public required string StateDirectory { get; init; }

    /// <summary>Absolute path of the Unix socket on which the agent answers its own user.</summary>
    public required string ControlSocket { get; init; }

    /// <summary>Where <c>/metrics</c> is served; null: nowhere.</summary>
    public IPEndPoint? Metrics { get; init; }

    /// <summary>UDP port on which the hub's identity requests are answered; 0: none.</summary>
    public int IdentityPort { get; init; } = DefaultIdentityPort;

    /// <summary>It asks for its hub whatever that wants to see from here.</summary>
    public bool Probing { get; init; } = true;

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    public bool LogJson { get; init; }

    /// <summary>Nothing on the command line says what to announce as: only a stored intent can make this start sensible.</summary>
    public bool NeedsStoredIntent { get; init; }

    /// <summary>What is allowed but suspicious, in sentences.</summary>
    public ImmutableArray<string> Warnings { get; init; } = [];

    public IPAddress? LocalAddressFor(NeighborEndpoint neighbor) =>
        neighbor.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? LocalIpv6 : LocalIpv4;
}
