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
internal abstract class RouteServer(Sandbox sandbox, int number)
{
    /// <summary>Name of its configuration, log and socket: rs1 to rs4.</summary>
    public string Name { get; } = $"rs{number}";

    /// <summary>Its address.</summary>
    public string Address { get; } = Addresses.RouteServer(number);

    protected Sandbox Sandbox => sandbox;

    protected int Number => number;

    protected string Identifier { get; } = $"10.255.34.{number}";

    /// <summary>Makes one of this kind.</summary>
    public static RouteServer Of(RouteServerKind kind, Sandbox sandbox, int number) => kind switch
    {
        RouteServerKind.Frr => new FrrRouteServer(sandbox, number),
        RouteServerKind.Bird => new BirdRouteServer(sandbox, number),
        RouteServerKind.GoBgp => new GoBgpRouteServer(sandbox, number),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>Starts the daemon. It is ready when <see cref="SessionAsync"/> answers.</summary>
    public abstract Task StartAsync(CancellationToken cancellation);

    /// <summary>What the daemon says about its session with a node.</summary>
    /// <param name="node">Address of the node.</param>
    /// <param name="cancellation">Of the test.</param>
    /// <exception cref="InvalidOperationException">The daemon does not answer (yet).</exception>
    public abstract Task<SeenSession> SessionAsync(string node, CancellationToken cancellation);

    /// <summary>Every route that the daemon has from any node, best or not.</summary>
    public abstract Task<IReadOnlyList<SeenRoute>> RoutesAsync(CancellationToken cancellation);

    /// <summary>How many prefixes this node has withdrawn so far, by the daemon's own count or log.</summary>
    public abstract Task<int> WithdrawalsAsync(string node, CancellationToken cancellation);

    protected async Task<string> AskAsync(IReadOnlyList<string> command, CancellationToken cancellation) =>
        (await Sandbox.RunAsync(Addresses.RouteServerNetwork, command, cancellation)).Checked();
}

/// <summary>A session as a daemon shows it.</summary>
/// <param name="Established">It is up.</param>
/// <param name="Identity">The same text for as long as it is the same session: when it came up, and the daemon's count of sessions where it keeps one.</param>
/// <param name="LastError">The last NOTIFICATION with its text, in the daemon's words; empty: none.</param>
internal sealed record SeenSession(bool Established, string Identity, string LastError);

/// <summary>A route as a daemon shows it, in words common to all daemons.</summary>
internal sealed record SeenRoute
{
    public required string Prefix { get; init; }

    /// <summary>Address of the node that sent it.</summary>
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
}
