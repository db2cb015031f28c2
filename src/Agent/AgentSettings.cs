using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Answering;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Hub;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Speaker;
using FailoverHub.Agent.Vantage;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent;

/// <summary>From what the operator said to what each part of the daemon is given. A new option touches one of these.</summary>
internal static class AgentSettings
{
    /// <summary>One for each neighbor.</summary>
    public static IEnumerable<PeerOptions> Peers(AgentOptions options, RouterId routerId) => options.Neighbors.Select(neighbor => new PeerOptions
    {
        Neighbor = neighbor,
        LocalAddress = options.LocalAddressFor(neighbor),
        LocalAddressIsOptional = options.LocalIpv6IsFound && neighbor.Address.AddressFamily == AddressFamily.InterNetworkV6,
        Ttl = options.MultihopTtl,
        TtlSecurity = options.Protocol.TtlSecurity,
        Authentication = options.Protocol.Authentication,
        Session = new SessionOptions
        {
            LocalAs = options.LocalAs,
            PeerAs = options.PeerAs,
            RouterId = routerId,
            HoldTime = options.HoldTime,
            ExtendedMessages = options.Protocol.ExtendedMessages,
            EnhancedRouteRefresh = options.Protocol.EnhancedRouteRefresh,
            GracefulRestartHelper = options.Protocol.GracefulRestartHelper,
            SendHoldTime = options.Protocol.SendHoldTime,
        },
    });

    /// <summary>What the node decides by.</summary>
    public static NodeSettings Node(AgentOptions options) => new()
    {
        Node = options.Node,
        DefaultRole = options.DefaultRole,

        // What the agent is to put on an interface itself is there when it is there, and not before.
        Announce = options.Addresses.Mode == AddressMode.Managed ? [.. options.Announce.Select(given => given with { Present = false })] : options.Announce,
        ManagesAddresses = options.Addresses.Mode == AddressMode.Managed,
        Neighbors = options.Neighbors,
        LargeCommunities = options.Protocol.LargeCommunities,
        GracefulShutdown = options.Protocol.GracefulShutdown,
        Damping = options.Damping ? new DampingSettings() : null,
        Checks = options.Checks,
        Failback = options.Failback,
        Limits = options.Limits,
    };

    /// <param name="options">The operator's.</param>
    /// <param name="metrics">Of the speaker; read for each report.</param>
    /// <param name="checks">The health checks as they are; read for each report.</param>
    /// <param name="answers">Of identity requests; given what the hub gives.</param>
    /// <param name="vantage">Given what the hub wants asked.</param>
    /// <returns>Null: there is no hub.</returns>
    public static HubLinkSettings? HubLink(AgentOptions options, Func<NeighborEndpoint, PeerMetrics> metrics, Func<ImmutableArray<CheckReading>> checks, IdentityAnswers answers, VantagePoint vantage) => options.Hub is not { } hub ? null : new HubLinkSettings
    {
        Hub = hub,
        Node = MemberOf(options)?.Identity.Node ?? options.Node,
        Trust = options.HubTrust ?? options.Joined?.Trust ?? new HubTrust.OfTheSystem(),
        Member = MemberOf(options),
        Version = AgentCommandLine.Version,
        DataCenter = options.DataCenter,
        Metrics = metrics,
        Checks = checks,
        Granted = answers.Take,
        IdentityPort = () => answers.Port,
        Vantage = options.Probing ? vantage : null,
    };

    /// <summary>As whom the node speaks with its hub; null: it has not joined, or speaks without TLS.</summary>
    public static HubMember? MemberOf(AgentOptions options) => options is { Joined: { } joined, Hub: { } hub } && hub.Scheme == Uri.UriSchemeHttps
        ? new HubMember(joined, new IdentityStore(options.StateDirectory))
        : null;

    /// <summary>Which addresses of the machine are shared ones.</summary>
    public static AddressRuleOptions Addresses(AgentOptions options) =>
        new(options.AllInterfaces, options.Ipv6Length, [.. new[] { options.LocalIpv4, options.LocalIpv6 }.OfType<IPAddress>()])
        {
            Device = options.Addresses.Device,
            Sources = DependOnRoutes(options) ? HostAddresses.SourcesTowards(options.Neighbors.Select(neighbor => neighbor.Address)) : [],
        };

    /// <summary>Which addresses are shared ones depends on where the kernel would dial the neighbors from: interfaces count on which the node may have addresses of its own.</summary>
    public static bool DependOnRoutes(AgentOptions options) => options.AllInterfaces || options.Addresses.Device is not (null or "lo");

    /// <summary>For the journal: what begins, and by what was known before it.</summary>
    public static string Beginning(AgentOptions options, RouterId routerId, NodeMemory memory)
    {
        var by = memory.Intent is { } intent ? $"stored {intent.Describe()}" : memory.IntentIsLost ? "its configuration, but at most as secondary because its stored intent is lost" : "its configuration";
        var hub = options.Hub is { } address ? $"hub {address}" : "stand-alone";
        var orders = memory.Orders.Describe() is { Length: > 0 } said ? $"; local orders in force: {said}" : "";
        return $"failoverhub-agent {AgentCommandLine.Version} started on {options.Node}: router id {routerId}, {options.Neighbors.Length} neighbors, {hub}, runs by {by}{orders}";
    }
}
