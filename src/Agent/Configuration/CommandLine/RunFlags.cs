using System.CommandLine;
using FailoverHub.Agent.Configuration.Layers;
using FailoverHub.Agent.Node;

namespace FailoverHub.Agent.Configuration.CommandLine;

/// <summary>The flags of the daemon, each with its line of help.</summary>
internal sealed class RunFlags
{
    private readonly Option<string?> _dataCenter = Text("--dcid", "ID", "Data center id: dials its four route servers (default: that of the metadata service).", "-dcid");
    private readonly Option<bool> _primary = Flag("--primary", "Announce as primary unless an intent or --announce says otherwise.", "-primary");
    private readonly Option<bool> _secondary = Flag("--secondary", "Announce as secondary unless an intent or --announce says otherwise.", "-secondary");
    private readonly Option<bool> _send56 = Flag("--send56", "Widen IPv6 addresses to /56 instead of /64.", "-send56");
    private readonly Option<bool> _allInterfaces = Flag("--allifs", "Look for shared addresses on every interface, not only on loopback.", "-allifs");
    private readonly Option<string?> _multihopTtl = Text("--multihopttl", "HOPS", "TTL of the sessions' packets, 1 to 255 (default 16).", "-multihopttl");
    private readonly Option<string?> _neighborPattern = Text("--neighborpattern", "PATTERN", $"Addresses of the route servers; the first %d is the data center id, the second 1 to 4 (default {NeighborPattern.Default}).", "-neighborpattern");
    private readonly Option<string?> _logLevel = Text("--loglevel", "LEVEL", "trace, debug, info, warn or error (default info).", "-loglevel");
    private readonly Option<bool> _logJson = Flag("--logjson", "Write the log as JSON, one object a line.", "-logjson");
    private readonly Option<string[]> _neighbors = Many("--neighbor", "ADDR[:PORT]", "A route server, instead of those of the data center; may be given any number of times. IPv6 with port: [ADDR]:PORT.");
    private readonly Option<string?> _neighborPort = Text("--neighbor-port", "PORT", "Port of neighbors given without one (default 179).");
    private readonly Option<string[]> _localAddresses = Many("--local-address", "ADDR", "Source address of the sessions; at most one of each family.");
    private readonly Option<string?> _routerId = Text("--router-id", "A.B.C.D", "BGP identifier, another one on each node (default: chosen once and kept in the state directory).");
    private readonly Option<string[]> _announce = Many("--announce", "PREFIX[=ROLE]", "A shared prefix that counts as present, with its role (primary or secondary); may be given any number of times.");
    private readonly Option<string?> _hub = HubOption("The hub, such as https://hub.example:5443, or off (default: where 'join' has joined, else none, stand-alone).");
    private readonly Option<string?> _hubCa = HubCaOption();
    private readonly Option<string?> _state = StateOption();
    private readonly Option<string?> _holdTime = Text("--hold-time", "SECONDS", "Hold time that is offered: 0 or 3 to 65535 (default 9).");
    private readonly Option<string?> _node = Text("--node", "NAME", "Name of this node, unique in the fleet (default: the host's name).");
    private readonly Option<string?> _localAs = Text("--local-as", "ASN", "Our AS number (default 65001).");
    private readonly Option<string?> _peerAs = Text("--peer-as", "ASN", "AS number of the route servers (default 65000).");
    private readonly Option<string?> _md5KeyFile = Text("--md5-key-file", "FILE", "Sign the sessions with TCP MD5 (RFC 2385); the key is all of the file but one newline at its end. Mode 600.");
    private readonly Option<string?> _tcpAoKeyFile = Text("--tcp-ao-key-file", "FILE", "Sign the sessions with TCP-AO (RFC 5925), where the kernel has it. Lines 'key SECRET', 'send-id N', 'receive-id N', 'algorithm hmac-sha-1|aes-128-cmac'. Mode 600.");
    private readonly Option<string?> _ttlSecurity = Text("--ttl-security", "HOPS", "Take packets only from neighbors at most so many hops away (GTSM, RFC 5082), 1 to 254; instead of --multihopttl.");
    private readonly Option<bool> _extendedMessages = Flag("--extended-messages", "Offer messages of up to 65535 octets (RFC 8654).");
    private readonly Option<bool> _enhancedRouteRefresh = Flag("--enhanced-route-refresh", "Offer enhanced route refresh (RFC 7313).");
    private readonly Option<bool> _gracefulRestartHelper = Flag("--graceful-restart-helper", "Offer the helper's side of graceful restart (RFC 4724, RFC 8538): End-of-RIB is sent; our own routes are never kept after a session.");
    private readonly Option<string?> _sendHoldTime = Text("--send-hold-time", "SECONDS", "End a session whose neighbor takes none of our output for so long (RFC 9687); longer than --hold-time, 0: never; without a hold time never (default: twice the negotiated hold time).");
    private readonly Option<string[]> _largeCommunities = Many("--large-community", "A:B:C", "A large community (RFC 8092) on everything that is announced; may be given any number of times.");
    private readonly Option<string?> _gracefulShutdown = Text("--graceful-shutdown", "SECONDS", $"Before a drain or a stop withdraws, announce with community 65535:0 for so long (RFC 8326), 0 to {ProtocolOptionsReader.LongestGracefulShutdown}; a stop waits {NodeSettings.LongestGoodbye.TotalSeconds:0} s at most, and a second signal ends the wait (default 0: off).");
    private readonly Option<string?> _damping = Text("--damping", "on|off", "Hold back a prefix whose address comes and goes all the time (default on).");
    private readonly Option<string?> _failback = Text("--failback", "POLICY", "What becomes of an assigned primary that returns (after a start, when its address or its health is back, after a drain, when all sessions were lost): immediate, after-stable, manual or sticky (default immediate).");
    private readonly Option<string?> _failbackStable = Text("--failback-stable", "SECONDS", "With --failback after-stable: healthy and connected for so long without a break before it is primary again, 1 to 86400 (default 60).");
    private readonly Option<string?> _control = ControlOption();
    private readonly Option<string?> _metrics = Text("--metrics", "[ADDR:]PORT", "Serve /metrics for Prometheus there; without an address on 127.0.0.1 (default: off).");
    private readonly Option<string?> _identityPort = Text("--identity-port", "PORT", $"UDP port on which the hub is answered, on the shared addresses only, which node it is that packets to them reach; 0: none (default {AgentOptions.DefaultIdentityPort}; without a hub nothing is opened).");
    private readonly Option<string?> _probing = Text("--probing", "on|off", "Ask addresses for the hub when that wants to see them from here as well (default on; without a hub nothing is asked).");
    private readonly Option<string?> _addresses = Text("--addresses", "watched|managed", "Who puts the shared addresses on an interface: somebody else (watched, the default), or the agent for those of --announce, of an intent and of the metadata service (managed).");
    private readonly Option<string?> _addressDevice = Text("--address-device", "NAME", "With --addresses managed: the interface that they are put on (default lo); a dummy device of this name is created when there is none.");
    private readonly Option<string?> _metadata = MetadataOption();

    /// <summary>Where the file is, which may hold all of the others.</summary>
    public Option<string?> Config { get; } = Text("--config", "FILE", $"JSON file with these settings and those that no flag has; a flag goes before an environment variable ({EnvironmentLayer.Prefix} and the flag, as in {EnvironmentLayer.NameOf("--hold-time")}), and that before the file, which is read again on SIGHUP and when it changes (default: {ConfigurationFile.DefaultPath}, when it is there).");

    /// <summary>In the order of the help.</summary>
    public IEnumerable<Option> All =>
    [
        Config, _dataCenter, _primary, _secondary, _send56, _allInterfaces, _multihopTtl, _neighborPattern, _logLevel,
        _logJson, _neighbors, _neighborPort, _localAddresses, _routerId, _announce, _hub, _hubCa, _state, _holdTime, _node,
        _localAs, _peerAs, _md5KeyFile, _tcpAoKeyFile, _ttlSecurity, _extendedMessages, _enhancedRouteRefresh,
        _gracefulRestartHelper, _sendHoldTime, _largeCommunities, _gracefulShutdown, _damping, _failback, _failbackStable, _control, _metadata, _metrics, _identityPort, _probing, _addresses, _addressDevice,
    ];

    /// <summary>What was given of them.</summary>
    public RawArguments Collect(LayeredValues values) => new()
    {
        Keys = values.Keys,
        DataCenter = values.Of(_dataCenter),
        Primary = values.Of(_primary),
        Secondary = values.Of(_secondary),
        Send56 = values.Of(_send56),
        AllInterfaces = values.Of(_allInterfaces),
        MultihopTtl = values.Of(_multihopTtl),
        NeighborPattern = values.Of(_neighborPattern),
        LogLevel = values.Of(_logLevel),
        LogJson = values.Of(_logJson),
        Neighbors = [.. values.Of(_neighbors) ?? []],
        NeighborPort = values.Of(_neighborPort),
        LocalAddresses = [.. values.Of(_localAddresses) ?? []],
        RouterId = values.Of(_routerId),
        Announce = [.. values.Of(_announce) ?? []],
        Hub = values.Of(_hub),
        HubCa = values.Of(_hubCa),
        State = values.Of(_state),
        HoldTime = values.Of(_holdTime),
        Node = values.Of(_node),
        LocalAs = values.Of(_localAs),
        PeerAs = values.Of(_peerAs),
        Md5KeyFile = values.Of(_md5KeyFile),
        TcpAoKeyFile = values.Of(_tcpAoKeyFile),
        TtlSecurity = values.Of(_ttlSecurity),
        ExtendedMessages = values.Of(_extendedMessages),
        EnhancedRouteRefresh = values.Of(_enhancedRouteRefresh),
        GracefulRestartHelper = values.Of(_gracefulRestartHelper),
        SendHoldTime = values.Of(_sendHoldTime),
        LargeCommunities = [.. values.Of(_largeCommunities) ?? []],
        GracefulShutdown = values.Of(_gracefulShutdown),
        Damping = values.Of(_damping),
        Failback = values.Of(_failback),
        FailbackStable = values.Of(_failbackStable),
        Control = values.Of(_control),
        Metrics = values.Of(_metrics),
        IdentityPort = values.Of(_identityPort),
        Probing = values.Of(_probing),
        Addresses = values.Of(_addresses),
        AddressDevice = values.Of(_addressDevice),
        Metadata = values.Of(_metadata),
    };

    /// <summary>Where the agent keeps what outlives it; the socket of its control is there too unless it is given.</summary>
    public static Option<string?> StateOption() =>
        Text("--state", "DIR", $"Directory for the last intent and the journal (default {AgentOptionsReader.DefaultStateDirectory}).");

    /// <summary>Where the hub is.</summary>
    public static Option<string?> HubOption(string description) => Text("--hub", "URL", description);

    /// <summary>By what the hub is recognised.</summary>
    public static Option<string?> HubCaOption() =>
        Text("--hub-ca", "FILE|system", "Authorities (PEM) of which the hub's certificate is, or system for those of this machine; for a hub with a certificate of your own (default: as the join has found it).");

    /// <summary>What the node is called.</summary>
    public static Option<string?> NodeOption(string description) => Text("--node", "NAME", description);

    /// <summary>Where a running agent answers <c>status</c> and <c>trace</c>.</summary>
    public static Option<string?> ControlOption() =>
        Text("--control", "SOCKET", "Unix socket on which the agent answers 'status', 'trace', 'drain' and its other commands, for its own user only (default: control.sock in the state directory).");

    /// <summary>Where the machine's metadata service is asked.</summary>
    public static Option<string?> MetadataOption() =>
        Text("--metadata", "URL|off", "The platform's metadata service, http://ADDR[:PORT], or off. Without --dcid and --neighbor it tells the data center; it is not asked when --neighbor is given and this is not (default: http://169.254.169.254 and http://[fd00:a9fe:a9fe::1]).");

    // An option that itself was given wrongly has its error already; its value must not be asked for.
    public static T? Value<T>(ParseResult result, Option<T> option) =>
        result.GetResult(option) is { } given && !given.Errors.Any() ? result.GetValue(option) : default;

    private static Option<string?> Text(string name, string placeholder, string description, params string[] aliases) =>
        new(name, aliases) { HelpName = placeholder, Description = description };

    private static Option<string[]> Many(string name, string placeholder, string description) =>
        new(name) { HelpName = placeholder, Description = description, Arity = ArgumentArity.OneOrMore };

    public static Option<bool> Flag(string name, string description, params string[] aliases) =>
        new(name, aliases) { Description = description };
}
