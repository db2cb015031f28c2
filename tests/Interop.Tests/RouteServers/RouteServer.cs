using FailoverHub.Interop.Tests.Harness;

namespace FailoverHub.Interop.Tests.RouteServers;

/// <summary>Which daemon plays the platform's route servers.</summary>
public enum RouteServerKind
{
    Frr,
    Bird,
    GoBgp,
}

/// <summary>
/// One route server of the platform, played by a daemon that is not ours. Everything read here is the daemon's own word.
/// </summary>
/// <param name="sandbox">Where it runs, in the network namespace of the route servers.</param>
/// <param name="number">1 to 4.</param>
/// <param name="options">What it is configured for.</param>
internal abstract class RouteServer(Sandbox sandbox, int number, RouteServerOptions options)
{
    private SandboxProcess? _process;

    /// <summary>Name of its configuration, log and socket: rs1 to rs4.</summary>
    public string Name { get; } = $"rs{number}";

    /// <summary>Its address.</summary>
    public string Address { get; } = options.OverIpv4 ? Addresses.RouteServerIpv4(number) : Addresses.RouteServer(number);

    /// <summary>The running daemon.</summary>
    public SandboxProcess Process => _process ?? throw new InvalidOperationException("Start it first.");

    protected Sandbox Sandbox => sandbox;

    protected int Number => number;

    protected RouteServerOptions Options => options;

    protected string Identifier { get; } = $"10.255.34.{number}";

    /// <summary>Makes one of this kind.</summary>
    public static RouteServer Of(RouteServerKind kind, Sandbox sandbox, int number, RouteServerOptions options) => kind switch
    {
        RouteServerKind.Frr => new FrrRouteServer(sandbox, number, options),
        RouteServerKind.Bird => new BirdRouteServer(sandbox, number, options),
        RouteServerKind.GoBgp => new GoBgpRouteServer(sandbox, number, options),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>Starts the daemon, also once more after its end. It is ready when <see cref="SessionAsync"/> answers.</summary>
    /// <param name="cancellation">Of the test.</param>
    /// <param name="recovers">It tells its neighbors that it has restarted (the R bit of RFC 4724), if it is configured for graceful restart.</param>
    public async Task StartAsync(CancellationToken cancellation, bool recovers = false) => _process = await SpawnAsync(recovers, cancellation);

    /// <summary>Waits until it answers and has no session.</summary>
    public Task ReadyAsync(CancellationToken cancellation) =>
        Eventually.SeeAsync($"{Name} ready", c => SessionAsync(Addresses.Nodes[0], c), s => !s.Established, cancellation);

    /// <summary>What the daemon says about its session with a node.</summary>
    /// <param name="node">a or b.</param>
    /// <param name="cancellation">Of the test.</param>
    /// <exception cref="InvalidOperationException">The daemon does not answer (yet).</exception>
    public abstract Task<SeenSession> SessionAsync(string node, CancellationToken cancellation);

    /// <summary>What the daemon counts of its present session with a node.</summary>
    public abstract Task<SeenTraffic> TrafficAsync(string node, CancellationToken cancellation);

    /// <summary>Everything that the daemon says about a neighbor, in its own words.</summary>
    public abstract Task<string> DescribeAsync(string node, CancellationToken cancellation);

    /// <summary>Every route that the daemon has from any node, best or not.</summary>
    public abstract Task<IReadOnlyList<SeenRoute>> RoutesAsync(CancellationToken cancellation);

    /// <summary>Prefix and communities of every route that the daemon has from a node. For GoBGP much quicker than <see cref="RoutesAsync"/> when there are thousands.</summary>
    public virtual async Task<IEnumerable<(string Prefix, string Communities)>> PrefixesAsync(string node, CancellationToken cancellation) =>
        (await RoutesAsync(cancellation)).Where(route => route.From == node).Select(route => (route.Prefix, route.Communities));

    /// <summary>How many prefixes this node has withdrawn so far, by the daemon's own count or log.</summary>
    public abstract Task<int> WithdrawalsAsync(string node, CancellationToken cancellation);

    /// <summary>As its operator: asks a node for all of its routes again, and keeps the session.</summary>
    public abstract Task RefreshAsync(string node, CancellationToken cancellation);

    /// <summary>As its operator: ends the session with a node; it may come back at once.</summary>
    public abstract Task ResetAsync(string node, CancellationToken cancellation);

    protected abstract Task<SandboxProcess> SpawnAsync(bool recovers, CancellationToken cancellation);

    /// <summary>Where the daemon reaches a node.</summary>
    protected string AddressOf(string node) => options.OverIpv4 ? Addresses.NodeIpv4(node) : Addresses.Node(node);

    /// <summary>The node with this address; the address itself when there is none.</summary>
    protected string NodeAt(string address) => Addresses.Nodes.FirstOrDefault(node => AddressOf(node) == address) ?? address;

    protected async Task<string> AskAsync(IReadOnlyList<string> command, CancellationToken cancellation) =>
        (await Sandbox.RunAsync(Addresses.RouteServerNetwork, command, cancellation)).Checked();
}

/// <summary>A session as a daemon shows it.</summary>
/// <param name="Established">It is up.</param>
/// <param name="Identity">The same text for as long as it is the same session: when it came up, and the daemon's count of sessions where it keeps one.</param>
/// <param name="LastError">The last NOTIFICATION with its text, in the daemon's words; empty: none.</param>
internal sealed record SeenSession(bool Established, string Identity, string LastError);

/// <summary>What a daemon knows of a session.</summary>
/// <param name="HoldTime">Seconds, as negotiated.</param>
/// <param name="Updates">Grows with each UPDATE that it receives: by messages (FRR, GoBGP) or by their prefixes (BIRD).</param>
internal sealed record SeenTraffic(int HoldTime, int Updates);

/// <summary>A route as a daemon shows it, in words common to all daemons.</summary>
internal sealed record SeenRoute
{
    public required string Prefix { get; init; }

    /// <summary>The node that sent it: a or b.</summary>
    public required string From { get; init; }

    /// <summary>The daemon chose it.</summary>
    public required bool Best { get; init; }

    /// <summary>igp, egp or incomplete.</summary>
    public required string Origin { get; init; }

    /// <summary>AS numbers with blanks between.</summary>
    public required string AsPath { get; init; }

    public required string NextHop { get; init; }

    /// <summary>Communities as 65000:1 with blanks between.</summary>
    public required string Communities { get; init; }

    /// <summary>Large communities as 65001:1:2 with blanks between.</summary>
    public string LargeCommunities { get; init; } = "";
}
