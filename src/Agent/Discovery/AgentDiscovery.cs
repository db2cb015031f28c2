using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Platform;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Discovery;

/// <summary>
/// The metadata service's part in the life of the agent. No start waits for it: by what it said to an earlier one the neighbors are dialled at once, and where nothing
/// says whom to dial the agent runs without neighbors until they are found. Then they are taken as from a configuration that was read again.
/// </summary>
internal sealed partial class AgentDiscovery
{
    private const string Lacking = "the route servers are not known and nothing is announced";

    // The first sessions come before a question that nothing waits for.
    private static readonly TimeSpan _firstQuestion = TimeSpan.FromSeconds(1);

    private readonly AgentOptions _given;
    private readonly Discoverer? _discoverer;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly HashSet<string> _warned = [];
    private InstanceFacts? _used;

    public AgentDiscovery(AgentOptions given, StateDirectory directory, TimeProvider time, ILoggerFactory logging)
    {
        _given = given;
        _time = time;
        _logger = logging.CreateLogger<AgentDiscovery>();
        _discoverer = given.Metadata.IsEmpty ? null : new Discoverer(new MetadataClient(given.Metadata, time).AskAsync, directory.InstanceFile, time, logging.CreateLogger<Discoverer>());
    }

    /// <summary>What the service has said, now or to an earlier start; null: nothing.</summary>
    public InstanceFacts? Facts => _discoverer?.Kept;

    /// <summary>The options that the agent begins with: with what the service said to an earlier start.</summary>
    public AgentOptions Begin()
    {
        if (Facts is not { } kept)
        {
            return _given;
        }

        Volatile.Write(ref _used, kept);
        var (age, says) = (Words.Lasted(Age(kept)), DiscoveredOptions.Describe(kept));
        Keeps(_logger, age, says);
        WarnOf(kept);
        return DiscoveredOptions.Complete(_given, kept);
    }

    /// <summary>
    /// Other options, with what those in force have of the service. What it has said since then is left for the next start: a source address that was found while the
    /// sessions are up is no reason to end them.
    /// </summary>
    public AgentOptions Complete(AgentOptions given) =>
        (Volatile.Read(ref _used) ?? (given.Neighbors.IsEmpty ? Facts : null)) is { } facts ? DiscoveredOptions.Complete(given, facts) : given;

    /// <summary>Asks while the agent runs, and tells it what is new.</summary>
    /// <param name="running">The options that it runs by.</param>
    /// <param name="loop">The node.</param>
    /// <param name="found">Called when <see cref="Complete"/> gives other neighbors than before, and they are to be taken.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task WatchAsync(Func<AgentOptions> running, NodeLoop loop, Action found, CancellationToken cancellationToken)
    {
        if (_discoverer is null)
        {
            return;
        }

        await _discoverer.RunAsync(
            running().Neighbors.IsEmpty ? TimeSpan.Zero : _firstQuestion,
            () => running().Neighbors.IsEmpty ? Lacking : null,
            async (facts, cancellation) =>
            {
                WarnOf(facts);
                await loop.PostAsync(new NodeEvent.InstanceLearned(facts), cancellation);
                // By what it runs now: a reload may have given what the start had not.
                if (running() is var now && (now.Neighbors.IsEmpty || now.NeighborsAreFound) && DiscoveredOptions.DataCenterOf(facts) is { } dataCenter && dataCenter.Id != now.DataCenter)
                {
                    TakeOrSay(facts, dataCenter, loop, found);
                }
            },
            cancellationToken);
    }

    // A copied disk, or a machine that was moved: what was kept is of another place. Sessions that are up prove the contrary, and are not ended by a word.
    private void TakeOrSay(InstanceFacts facts, DataCenter dataCenter, NodeLoop loop, Action found)
    {
        if (loop.Current.EstablishedSessions == 0)
        {
            Volatile.Write(ref _used, facts);
            found();
        }
        else if (_warned.Add(dataCenter.Name))
        {
            Moved(_logger, dataCenter.Name);
        }
    }

    // Each is said once.
    private void WarnOf(InstanceFacts facts)
    {
        foreach (var warning in DiscoveredOptions.Warnings(_given, facts).Where(_warned.Add))
        {
            Warn(_logger, warning);
        }
    }

    // A wall clock that was set back makes no answer younger than it is now.
    private TimeSpan Age(InstanceFacts facts) => _time.GetUtcNow() - facts.ReadAt is var age && age > TimeSpan.Zero ? age : TimeSpan.Zero;

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "{Text}")]
    private static partial void Warn(ILogger logger, string text);

    [LoggerMessage(EventId = 2, Level = LogLevel.Information, Message = "By what the metadata service said {Age} ago, it is asked again in the background: {Facts}")]
    private static partial void Keeps(ILogger logger, string age, string facts);

    [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "The metadata service says that this machine is in {DataCenter}; sessions with the route servers of another data center are up and stay, restart the agent to dial the others")]
    private static partial void Moved(ILogger logger, string dataCenter);
}
