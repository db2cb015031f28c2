using System.Collections.Immutable;
using System.Threading.Channels;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.Layers;
using FailoverHub.Agent.Control.Claims;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Messages;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Reload;

/// <summary>What a reload reaches of the running agent.</summary>
internal sealed record ReloadTargets
{
    public required NodeLoop Loop { get; init; }

    /// <summary>Of the neighbors: a new one is claimed before it is dialled.</summary>
    public required NodeClaim Claim { get; init; }

    /// <summary>A neighbor has a connection of ours, or one that still says goodbye.</summary>
    public required Func<NeighborEndpoint, bool> IsConnected { get; init; }

    /// <summary>Of the sessions.</summary>
    public required RouterId RouterId { get; init; }

    /// <summary>What the agent runs by now.</summary>
    public required AgentOptions Running { get; init; }

    /// <summary>Adds what the operator left to the metadata service.</summary>
    public required Func<AgentOptions, AgentOptions> Complete { get; init; }

    /// <summary>Everything but the node and its sessions: called when these have the new options.</summary>
    public required Func<AgentOptions, Task> Apply { get; init; }

    /// <summary>The agent was asked to stop, and may still take its time for that: nothing new begins. True before the node hears of the stop.</summary>
    public required Func<bool> IsStopping { get; init; }

    /// <summary>The configuration is about to be read; <see cref="Ended"/> follows in any case.</summary>
    public required Action Began { get; init; }

    /// <summary>It is taken, or the old one is kept.</summary>
    public required Action Ended { get; init; }
}

/// <summary>
/// Reads the configuration again on SIGHUP and when its file has changed, one time after the other, and hands it on if it can be obeyed. What cannot leaves
/// everything as it is and is said in log, journal, report and status.
/// </summary>
internal sealed partial class ConfigurationReloader : IDisposable
{
    // Whoever writes a file does so in several steps; it is read when it was left alone for so long, and after ten times that in any case.
    private static readonly TimeSpan _quiet = TimeSpan.FromMilliseconds(200);
    private const int MostWaits = 10;

    // Two seconds: a goodbye takes milliseconds, and half a second with a neighbor that reads no more.
    private static readonly TimeSpan _ofTheEnd = TimeSpan.FromMilliseconds(20);
    private const int MostWaitsForTheEnd = 100;

    // Characters. A file of errors must not fill the journal, and the hub keeps a thousand of a sentence.
    private const int LongestProblem = 800;

    private readonly ConfigurationSource _source;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    // One is enough: whoever asks while somebody has asked gets the same answer.
    private readonly Channel<bool> _asked = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly List<PeerAuthentication> _retired = [];
    private string? _cause;

    /// <param name="source">Read again each time.</param>
    /// <param name="time">For the wait for whoever writes the file.</param>
    /// <param name="logger">Its log.</param>
    public ConfigurationReloader(ConfigurationSource source, TimeProvider time, ILogger<ConfigurationReloader> logger)
    {
        _source = source;
        _time = time;
        _logger = logger;
    }

    /// <summary>Read it again, whether or not it has changed. From any thread, also before <see cref="RunAsync"/>.</summary>
    /// <param name="cause">Who asks, for sentences: <c>SIGHUP</c>.</param>
    public void Ask(string cause)
    {
        Volatile.Write(ref _cause, cause);
        Ring();
    }

    /// <summary>Runs until it is cancelled.</summary>
    public async Task RunAsync(ReloadTargets targets, CancellationToken cancellationToken)
    {
        using var watch = new FileWatch(_source.File, Ring, _logger);
        var running = targets.Running;

        // It may have changed between the start and now. Only then: whoever asks meanwhile is not to wait for a file that nobody writes.
        if (_source.HasChanged())
        {
            Ring();
        }

        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await _asked.Reader.ReadAsync(cancellationToken);
                for (var waits = 0; Volatile.Read(ref _cause) is null && waits < MostWaits; waits++)
                {
                    await Task.Delay(_quiet, _time, cancellationToken);
                    if (!_asked.Reader.TryRead(out _))
                    {
                        break;
                    }
                }

                running = await ReloadAsync(running, Interlocked.Exchange(ref _cause, null), targets, cancellationToken);
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                // The agent ends; what could not be told any more nobody needs.
                return;
            }
            catch (Exception exception)
            {
                // A bug. No trouble of a file may withdraw an address.
                Broke(_logger, exception);
            }
        }
    }

    /// <summary>Keys that sessions of an earlier configuration had. After the speaker.</summary>
    public void Dispose()
    {
        foreach (var authentication in _retired)
        {
            authentication.Dispose();
        }
    }

    private void Ring() => _asked.Writer.TryWrite(true);

    private async Task<AgentOptions> ReloadAsync(AgentOptions running, string? cause, ReloadTargets targets, CancellationToken cancellationToken)
    {
        if (cause is null && !_source.HasChanged())
        {
            // Touched and not changed, or this is the change that SIGHUP has read already.
            return running;
        }

        var why = cause ?? $"{_source.File} has changed";
        if (targets.IsStopping())
        {
            LeftForTheNextStart(_logger, why);
            return running;
        }

        targets.Began();
        try
        {
            return await ReadAsync(running, why, targets, cancellationToken);
        }
        finally
        {
            targets.Ended();
        }
    }

    private async Task<AgentOptions> ReadAsync(AgentOptions running, string why, ReloadTargets targets, CancellationToken cancellationToken)
    {
        var loaded = _source.Load();
        var read = loaded.Options is { } options ? ReloadRules.WithTheServiceOf(running, targets.Complete(options)) : null;
        var errors = read is null ? loaded.Errors : Objections(running, read, targets);
        if (read is not null && errors.IsEmpty && await targets.Claim.ExtendAsync(read.Neighbors, read.LocalAddressFor, cancellationToken) is { } taken)
        {
            errors = [$"neighbors: {taken}"];
        }

        if (read is null || !errors.IsEmpty)
        {
            read?.Protocol.Authentication?.Dispose();
            await RefuseAsync(errors, targets, cancellationToken);
            return running;
        }

        if (targets.IsStopping())
        {
            // Asked for meanwhile. The node would leave it for the next start, and everything else would take it.
            read.Protocol.Authentication?.Dispose();
            LeftForTheNextStart(_logger, why);
            return running;
        }

        read = WithTheKeyOf(running, read);
        var what = ReloadRules.Differences(running, read);
        var text = $"configuration read again ({why}), {what}";
        foreach (var warning in read.Warnings.Except(running.Warnings))
        {
            Warn(_logger, warning);
        }

        await targets.Loop.PostAsync(new NodeEvent.Reconfigured(AgentSettings.Node(read), [.. AgentSettings.Peers(read, targets.RouterId)], text), cancellationToken);
        await targets.Apply(read);
        await GiveUpAsync([.. running.Neighbors.Except(read.Neighbors)], read.Neighbors, targets, cancellationToken);
        return read;
    }

    // Another agent may have a neighbor when our session with it has ended, and not while it still says goodbye. One that does not end stays claimed until the next reload.
    private async Task GiveUpAsync(ImmutableArray<NeighborEndpoint> gone, ImmutableArray<NeighborEndpoint> kept, ReloadTargets targets, CancellationToken cancellationToken)
    {
        for (var waits = 0; waits < MostWaitsForTheEnd && gone.Any(targets.IsConnected); waits++)
        {
            await Task.Delay(_ofTheEnd, _time, cancellationToken);
        }

        targets.Claim.Keep([.. kept, .. gone.Where(targets.IsConnected)]);
    }

    private static ImmutableArray<string> Objections(AgentOptions running, AgentOptions read, ReloadTargets targets)
    {
        var errors = ReloadRules.NeedARestart(running, read, targets.RouterId);
        if (read.Neighbors.IsEmpty && !running.Neighbors.IsEmpty)
        {
            errors = errors.Add("dataCenter: not given, no neighbors either, and the metadata service has not said it yet; give it, or restart the agent.");
        }

        return read.NeedsStoredIntent && targets.Loop.Current.Intent is null
            ? errors.Add("role: nothing gives one, there is no hub and no intent; give role, or one with each prefix.")
            : errors;
    }

    private async Task RefuseAsync(ImmutableArray<string> errors, ReloadTargets targets, CancellationToken cancellationToken)
    {
        foreach (var error in errors)
        {
            NotTaken(_logger, error);
        }

        await targets.Loop.PostAsync(new NodeEvent.ConfigurationRefused(Problem(errors)), cancellationToken);
    }

    // As many as there is room for, and how to see the others. The log has them all.
    private string Problem(ImmutableArray<string> errors)
    {
        var said = errors[0].Length <= LongestProblem ? errors[0] : $"{errors[0][..LongestProblem]}...";
        var count = 1;
        while (count < errors.Length && said.Length + errors[count].Length < LongestProblem)
        {
            said = $"{said} {errors[count++]}";
        }

        return count == errors.Length ? said : $"{said} And {errors.Length - count} more: failoverhub-agent check --config {_source.File}";
    }

    // The same key is the same object: sessions are compared by it, and one of the two is overwritten.
    private AgentOptions WithTheKeyOf(AgentOptions running, AgentOptions read)
    {
        var (old, key) = (running.Protocol.Authentication, read.Protocol.Authentication);
        if (old is not null && old.Equals(key))
        {
            key!.Dispose();
            return read with { Protocol = read.Protocol with { Authentication = old } };
        }

        if (key is not null)
        {
            // Whoever made the first one disposes of that.
            _retired.Add(key);
        }

        return read;
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "{Text}")]
    private static partial void Warn(ILogger logger, string text);

    [LoggerMessage(EventId = 3, Level = LogLevel.Critical, Message = "The reading of the configuration broke on an internal error; what runs stays, it is read again when it changes or on SIGHUP")]
    private static partial void Broke(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 4, Level = LogLevel.Information, Message = "Nothing is read again any more ({Cause}), it is left for the next start: the agent is stopping")]
    private static partial void LeftForTheNextStart(ILogger logger, string cause);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "The new configuration is not taken: {Error}")]
    private static partial void NotTaken(ILogger logger, string error);
}
