using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Platform;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Discovery;

/// <summary>
/// The metadata service's part in the life of the agent. A start waits for it only where nothing else says whom to dial, and then only if no earlier start
/// kept an answer.
/// </summary>
internal sealed partial class AgentDiscovery
{
    // The first sessions come before a question that nothing waits for.
    private static readonly TimeSpan _firstQuestion = TimeSpan.FromSeconds(1);

    private readonly AgentOptions _given;
    private readonly Discoverer? _discoverer;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private bool _askedNow;

    public AgentDiscovery(AgentOptions given, StateDirectory directory, TimeProvider time, ILoggerFactory logging)
    {
        _given = given;
        _time = time;
        _logger = logging.CreateLogger<AgentDiscovery>();
        _discoverer = given.Metadata.IsEmpty ? null : new Discoverer(new MetadataClient(given.Metadata, time).AskAsync, directory.InstanceFile, time, logging.CreateLogger<Discoverer>());
    }

    /// <summary>What the service has said, now or to an earlier start; null: nothing.</summary>
    public InstanceFacts? Facts => _discoverer?.Kept;

    /// <summary>The options with what the service adds to them; null: it was to stop before it knew whom to dial.</summary>
    /// <param name="stop">Completes when the agent is asked to stop.</param>
    public async Task<AgentOptions?> CompleteAsync(Task stop)
    {
        if (_discoverer is null)
        {
            return _given;
        }

        if (_discoverer.Kept is { } kept)
        {
            var completed = DiscoveredOptions.Complete(_given, kept);
            if (!completed.Neighbors.IsEmpty)
            {
                var (age, says) = (Words.Lasted(Age(kept)), DiscoveredOptions.Describe(kept));
                Keeps(_logger, age, says);
                WarnOf(kept);
                return completed;
            }
        }

        if (!_given.Neighbors.IsEmpty)
        {
            return _given;
        }

        using var waiting = new CancellationTokenSource();
        var found = _discoverer.AwaitAsync(IsEnough, "the route servers are not known and nothing is announced", waiting.Token);
        if (await Task.WhenAny(found, stop) == stop)
        {
            await waiting.CancelAsync();
            await ((Task)found).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return null;
        }

        _askedNow = true;
        var facts = await found;
        WarnOf(facts);
        return DiscoveredOptions.Complete(_given, facts);
    }

    /// <summary>Other options, with what the service has said so far.</summary>
    public AgentOptions Complete(AgentOptions given) => Facts is { } facts ? DiscoveredOptions.Complete(given, facts) : given;

    /// <summary>Asks on while the agent runs, and tells it what is new.</summary>
    /// <param name="running">The options that it runs by.</param>
    /// <param name="post">Tells the node.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task WatchAsync(AgentOptions running, Func<NodeEvent, CancellationToken, ValueTask> post, CancellationToken cancellationToken)
    {
        if (_discoverer is null)
        {
            return;
        }

        await _discoverer.WatchAsync(
            _askedNow ? Discoverer.RestingPause : _firstQuestion,
            async (facts, cancellation) =>
            {
                WarnOf(facts);
                if (_given.Neighbors.IsEmpty && DiscoveredOptions.DataCenterOf(facts) is { } dataCenter && dataCenter.Id != running.DataCenter && _warned.Add(dataCenter.Name))
                {
                    Moved(_logger, dataCenter.Name);
                }

                await post(new NodeEvent.InstanceLearned(facts), cancellation);
            },
            cancellationToken);
    }

    // Told once: what is still unknown the next time is no news.
    private bool IsEnough(InstanceFacts facts)
    {
        if (DiscoveredOptions.DataCenterOf(facts) is not null)
        {
            return true;
        }

        WarnOf(facts);
        return false;
    }

    private void WarnOf(InstanceFacts facts)
    {
        foreach (var warning in DiscoveredOptions.Warnings(_given, facts).Where(_warned.Add))
        {
            Warn(_logger, warning);
        }
    }

    private readonly HashSet<string> _warned = [];

    // A wall clock that was set back makes no answer younger than it is now.
    private TimeSpan Age(InstanceFacts facts) => _time.GetUtcNow() - facts.ReadAt is var age && age > TimeSpan.Zero ? age : TimeSpan.Zero;

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "{Text}")]
    private static partial void Warn(ILogger logger, string text);

    [LoggerMessage(EventId = 2, Level = LogLevel.Information, Message = "By what the metadata service said {Age} ago, it is asked again in the background: {Facts}")]
    private static partial void Keeps(ILogger logger, string age, string facts);

    [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "This machine is in {DataCenter} now, and the route servers of another data center are dialled: restart the agent")]
    private static partial void Moved(ILogger logger, string dataCenter);
}
