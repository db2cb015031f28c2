using System.Threading.Channels;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Platform;
using FailoverHub.Agent.Speaker;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Node;

/// <summary>The sessions, as the node loop sees them. Calls return at once.</summary>
internal interface ISpeaker
{
    /// <summary>What every neighbor is to have from now on. A newer call replaces one that was not taken yet.</summary>
    void SetAdvertisements(long version, System.Collections.Immutable.ImmutableArray<Bgp.Routes.Advertisement> advertisements);

    /// <summary>
    /// The neighbors that there are from now on. A neighbor whose options are the same keeps its session; one that is missing is told so; those whose options
    /// differ are restarted one after the other.
    /// </summary>
    void Configure(System.Collections.Immutable.ImmutableArray<PeerOptions> peers);

    /// <summary>Withdraw, say goodbye, close.</summary>
    void Stop(string text);
}

/// <summary>
/// The only owner of <see cref="NodeState"/>. One bounded channel of events, one loop that applies the reducer and carries its effects out.
/// <code>
///   Speaker thread ──┐                                   ┌─> Speaker (routes, stop)
///   AddressWatcher ──┼─> channel (4096) ─> reducer ──────┼─> intent store, journal, log
///   HubLink ─────────┤                        │          └─> Answered, CommandAnswered
///   OrderDesk ───────┘                        │
///                                             └─> Current (snapshot), Changed
/// </code>
/// </summary>
internal sealed partial class NodeLoop
{
    /// <summary>Thousands of transitions: full means that the loop hangs. Senders keep what was refused and try again, or say so.</summary>
    public const int Capacity = 4096;

    private readonly Channel<NodeEvent> _events = Channel.CreateBounded<NodeEvent>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly ISpeaker _speaker;
    private readonly NodeFiles _files;
    private readonly Journal _journal;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly long _origin;
    private NodeState _state;
    private long _turns;

    public NodeLoop(NodeState initial, ISpeaker speaker, NodeStorage storage, TimeProvider time, ILogger<NodeLoop> logger)
    {
        _state = initial;
        _speaker = speaker;
        _files = storage.Files;
        _journal = storage.Journal;
        _time = time;
        _logger = logger;
        _origin = time.GetTimestamp();
    }

    /// <summary>The node as it is now.</summary>
    public NodeState Current => Volatile.Read(ref _state);

    /// <summary>This moment on the clock of <see cref="Current"/>; from any thread.</summary>
    public Moment Now => new(_time.GetElapsedTime(_origin), _time.GetUtcNow());

    /// <summary>Events so far: it grows as long as the loop is alive and has something to do. From any thread.</summary>
    public long Turns => Volatile.Read(ref _turns);

    /// <summary>After every change of <see cref="Current"/>, on the loop. Handlers return at once.</summary>
    public event Action? Changed;

    /// <summary>An answer to an intent, on the loop. Handlers return at once.</summary>
    public event Action<IntentAnswer>? Answered;

    /// <summary>An answer to a local command, on the loop. Handlers return at once.</summary>
    public event Action<LocalAnswer>? CommandAnswered;

    /// <summary>Posts an event without waiting. False: the loop has 4096 events to do, or has ended.</summary>
    public bool TryPost(NodeEvent occurred) => _events.Writer.TryWrite(occurred);

    /// <summary>Posts an event, waiting for room.</summary>
    public ValueTask PostAsync(NodeEvent occurred, CancellationToken cancellationToken) => _events.Writer.WriteAsync(occurred, cancellationToken);

    /// <summary>No more events are taken; <see cref="RunAsync"/> ends after those that are waiting.</summary>
    public void Complete() => _events.Writer.TryComplete();

    /// <summary>Applies an event before the loop runs: the first routes must be there before the first dial.</summary>
    public void ApplyBeforeRunning(NodeEvent occurred) => Apply(occurred);

    /// <summary>The loop. Ends after <see cref="Complete"/>.</summary>
    public async Task RunAsync()
    {
        var reader = _events.Reader;
        while (true)
        {
            while (reader.TryRead(out var occurred))
            {
                Apply(occurred);
            }

            if (!await WaitAsync(reader))
            {
                return;
            }
        }
    }

    // Waits for an event, or for the moment at which the node has something to do without one.
    private async Task<bool> WaitAsync(ChannelReader<NodeEvent> reader)
    {
        if (_state.NextDeadline is not { } deadline)
        {
            return await reader.WaitToReadAsync();
        }

        var left = deadline - _time.GetElapsedTime(_origin);
        if (left > TimeSpan.Zero)
        {
            using var wait = new CancellationTokenSource(left, _time);
            try
            {
                return await reader.WaitToReadAsync(wait.Token);
            }
            catch (OperationCanceledException)
            {
                // The deadline came first.
            }
        }

        Apply(new NodeEvent.Tick());
        return true;
    }

    private void Apply(NodeEvent occurred)
    {
        Volatile.Write(ref _turns, _turns + 1);
        var now = Now;
        var (state, effects) = NodeReducer.Apply(_state, occurred, now);
        var changed = !ReferenceEquals(state, _state);
        Volatile.Write(ref _state, state);
        foreach (var effect in effects)
        {
            CarryOut(effect, now);
        }

        if (changed)
        {
            Changed?.Invoke();
        }
    }

    private void CarryOut(NodeEffect effect, Moment now)
    {
        switch (effect)
        {
            case NodeEffect.SetAdvertisements(var version, var advertisements):
                _speaker.SetAdvertisements(version, advertisements);
                break;
            case NodeEffect.ConfigureSessions(var peers):
                _speaker.Configure(peers);
                break;
            case NodeEffect.StopSessions(var text):
                _speaker.Stop(text);
                break;
            case NodeEffect.PersistIntent(var intent):
                var problem = (intent.Drained ? _files.DrainMark.TrySet() : null) ?? _files.Intents.TrySave(intent);
                Apply(problem is null ? new NodeEvent.IntentPersisted(intent) : new NodeEvent.IntentNotPersisted(intent, problem));
                break;
            case NodeEffect.PersistOrders(var orders, { } command):
                var refusal = (orders.Drain is null ? null : _files.DrainMark.TrySet()) ?? _files.Orders.TrySave(orders);
                Apply(refusal is null ? new NodeEvent.OrdersPersisted(orders, command) : new NodeEvent.OrdersNotPersisted(command, refusal));
                break;
            case NodeEffect.PersistOrders(var orders, null):
                Doubt(_files.Orders.TrySave(orders), "local orders that a newer intent has ended stand on the disk still, and end again with each start");
                break;
            case NodeEffect.MarkDrained(var drained):
                Doubt(
                    drained ? _files.DrainMark.TrySet() : _files.DrainMark.TryClear(),
                    $"the mark that this node is {(drained ? "" : "no longer ")}drained cannot be kept, which matters only if what drained it cannot be read at a later start");
                break;
            case NodeEffect.AnswerCommand(var said):
                CommandAnswered?.Invoke(said);
                break;
            case NodeEffect.PersistFailback(var memory):
                Apply(new NodeEvent.FailbackPersisted(_files.Failback.TrySave(memory)));
                break;
            case NodeEffect.AnswerIntent(var answer):
                Answered?.Invoke(answer);
                break;
            case NodeEffect.Record record:
                _journal.Append(new JournalEntry(now.At, record.Kind.Word(), record.Prefix, record.Neighbor, record.Text, record.OperationId) { Actor = record.Actor });
                LogTransition(_logger, record.Level ?? (record.Kind is TransitionKind.SessionLost or TransitionKind.IntentRejected or TransitionKind.Damped ? LogLevel.Warning : LogLevel.Information), record.Text);
                break;
            case NodeEffect.Log(var level, var text):
                LogTransition(_logger, level, text);
                break;
            default:
                throw new InvalidOperationException($"Nobody carries out {effect.GetType().Name}.");
        }
    }

    // What is kept beside the way, and by which nothing that is announced now is decided.
    private void Doubt(string? problem, string consequence)
    {
        if (problem is not null)
        {
            LogTransition(_logger, LogLevel.Warning, $"{consequence}: {problem}");
        }
    }

    [LoggerMessage(EventId = 1, Message = "{Text}")]
    private static partial void LogTransition(ILogger logger, LogLevel level, string text);
}

/// <summary>What a node keeps on disk.</summary>
internal sealed record NodeStorage(NodeFiles Files, Journal Journal);
