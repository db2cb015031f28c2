using System.Collections.Immutable;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Speaker;
using FailoverHub.Agent.Vantage;

namespace FailoverHub.Agent.Control;

/// <summary>Whose status it is.</summary>
/// <param name="Running">The options that it runs by now.</param>
/// <param name="RouterId">Of all sessions.</param>
/// <param name="ProcessId">Ours.</param>
/// <param name="StartedAt">UTC.</param>
internal sealed record ControlIdentity(Func<AgentOptions> Running, Bgp.Messages.RouterId RouterId, int ProcessId, DateTimeOffset StartedAt)
{
    public AgentOptions Options => Running();
}

/// <summary>Finds the answers: of the node as it is, and of the sessions as their thread says.</summary>
/// <param name="identity">Ours.</param>
/// <param name="node">The node as it is now, and the time on its clock.</param>
/// <param name="sessions">Asks the thread of the sessions. It may never answer.</param>
/// <param name="orders">Where commands go that change something.</param>
/// <param name="time">For the patience with the sessions.</param>
internal sealed class ControlDesk(
    ControlIdentity identity,
    Func<(NodeState State, Moment Now)> node,
    Func<CancellationToken, Task<ImmutableArray<PeerDiagnostics>>> sessions,
    OrderDesk orders,
    TimeProvider time)
{
    /// <summary>The sessions' thread answers within microseconds, or is stuck.</summary>
    public static readonly TimeSpan SessionsPatience = TimeSpan.FromSeconds(2);

    /// <summary>The health checks as they are now.</summary>
    public Func<ImmutableArray<CheckReading>> Checks { get; init; } = static () => [];

    /// <summary>How the node stands with its hub; null: stand-alone.</summary>
    public Func<HubReading?> Hub { get; init; } = static () => null;

    /// <summary>What the node asks for its hub; null: nothing, it is stand-alone or may not.</summary>
    public Func<VantageReading?> Vantage { get; init; } = static () => null;

    /// <summary>Keeps in the history that a file was written; false: it is not kept.</summary>
    public Func<NodeEvent.FileWritten, bool> Keep { get; init; } = static _ => false;

    /// <summary>Has the configuration read again; the argument says who asks.</summary>
    public Action<string>? Reload { get; init; }

    /// <summary>Of <c>doctor --write</c>, with the path of the file as the reason.</summary>
    public const string WroteCommand = "wrote";

    private const int LongestPath = 256;
    private const string Silent = "the thread of the sessions does not answer: what is shown of them is what the node last heard";

    /// <summary>One answer for whatever was asked.</summary>
    public async Task<ControlAnswer> AnswerAsync(ControlRequest request, ControlCaller caller, CancellationToken cancellationToken) => request.Command switch
    {
        var command when OrderDesk.Knows(command) => await orders.AnswerAsync(request, caller, cancellationToken),
        "status" => await StatusAsync(cancellationToken),
        "reload" when Reload is { } reload => Reloading(reload, caller),
        WroteCommand => Wrote(request.Reason, caller),
        "trace" => await TraceAsync(request.Neighbor, cancellationToken),
        _ => new ControlAnswer { Error = "this agent knows the commands 'status', 'trace', 'drain', 'undrain', 'role', 'failback' and 'reload' only" },
    };

    private async Task<ControlAnswer> StatusAsync(CancellationToken cancellationToken)
    {
        var peers = await ReadSessionsAsync(cancellationToken);
        var (state, now) = node();
        var view = new ControlView(identity, state, now, peers ?? []) { Checks = Checks(), Hub = Hub(), Vantage = Vantage() };
        return new ControlAnswer { Status = ControlMapping.Status(view, peers is null ? Silent : null) };
    }

    // What comes of it is in log, journal and status: there may be a file that somebody is still writing.
    private static ControlAnswer Reloading(Action<string> reload, ControlCaller caller)
    {
        reload($"asked for by {caller.Actor()}");
        return new ControlAnswer { Command = new CommandDocument("applied", "the configuration is read again", false, 0, 0, null) };
    }

    // Whoever may speak here may order a drain as well, but the history is to stay readable.
    private ControlAnswer Wrote(string? path, ControlCaller caller)
    {
        if (path is not ['/', ..] || path.Length > LongestPath || path.Any(char.IsControl))
        {
            return new ControlAnswer { Error = $"what was written is no absolute path of at most {LongestPath} characters" };
        }

        return Keep(new NodeEvent.FileWritten(caller.Actor(), path))
            ? new ControlAnswer { Command = new CommandDocument("applied", "it is in the history", false, 0, 0, null) }
            : new ControlAnswer { Error = "the agent takes no commands now: it is ending, or its loop hangs" };
    }

    private async Task<ControlAnswer> TraceAsync(string? wanted, CancellationToken cancellationToken)
    {
        var neighbors = identity.Options.Neighbors;
        var found = wanted is null ? neighbors : Find(neighbors, wanted);
        if (found.IsEmpty)
        {
            return new ControlAnswer { Error = $"'{(wanted!.Length > 64 ? wanted[..64] : wanted)}' is none of this node's neighbors: {string.Join(", ", neighbors)}" };
        }

        return await ReadSessionsAsync(cancellationToken) is { } peers
            ? new ControlAnswer { Trace = ControlMapping.Trace(peers.Where(peer => found.Contains(peer.Neighbor))) }
            : new ControlAnswer { Error = "the thread of the sessions does not answer" };
    }

    // By its address alone when its port was not given.
    private static ImmutableArray<NeighborEndpoint> Find(ImmutableArray<NeighborEndpoint> neighbors, string wanted)
    {
        var exact = neighbors.Where(neighbor => neighbor.ToString() == wanted).ToImmutableArray();
        if (!exact.IsEmpty || !NeighborEndpoint.TryParse(wanted, NeighborEndpoint.DefaultPort, out var parsed))
        {
            return exact;
        }

        exact = [.. neighbors.Where(neighbor => neighbor == parsed)];
        return exact.IsEmpty && parsed.ToString() == parsed.Address.ToString() ? [.. neighbors.Where(neighbor => neighbor.Address.Equals(parsed.Address))] : exact;
    }

    // Null: no answer.
    private async Task<ImmutableArray<PeerDiagnostics>?> ReadSessionsAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(SessionsPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await sessions(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }
}
