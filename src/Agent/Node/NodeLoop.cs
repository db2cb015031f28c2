using System.Collections.Immutable;
using System.Threading.Channels;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Platform;
using FailoverHub.Agent.Platform.Journaling;
using FailoverHub.Agent.Speaker;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Node;

/// <summary>The sessions, as the node loop sees them. Calls return at once.</summary>
internal interface ISpeaker
{
    /// <summary>What every neighbor is to have from now on. A newer call replaces one that was not taken yet.</summary>
    void SetAdvertisements(long version, ImmutableArray<Bgp.Routes.Advertisement> advertisements);

    /// <summary>
    /// The neighbors that there are from now on. A neighbor whose options are the same keeps its session; one that is missing is told so; those whose options
    /// differ are restarted one after the other.
    /// </summary>
    void Configure(ImmutableArray<PeerOptions> peers);

    /// <summary>End the session with that neighbor and let it come up again; a neighbor that there is not is nobody's.</summary>
    void Reset(Configuration.NeighborEndpoint neighbor, string text);

    /// <summary>Withdraw, say goodbye, close.</summary>
    void Stop(string text);
}

/// <summary>
/// The only owner of <see cref="NodeState"/>. One bounded channel of events, one loop that applies the reducer and carries its effects out.
/// <code>
///   Speaker thread ──┐                                   ┌─> Speaker (routes, stop)
///   AddressWatcher ──┼─> channel (4096) ─> reducer ──────┼─> intent store, journal, log
///   OrderDesk ───────┘                     ^  │          └─> Answered, CommandAnswered
///   HubLink ─────────> inbox (newest) ─────┘  │
///                                             └─> Current (snapshot), Changed
/// </code>
/// </summary>
internal sealed partial class NodeLoop
{
    /// <summary>Thousands of transitions: full means that the loop hangs. Senders keep what was refused and try again, or say so.</summary>
    public const int Capacity = 4096;

    /// <summary>Events that are done at most before an intent that waits has its turn. Between two intents everything that waits has one.</summary>
    public const int MostBeforeAnIntent = 256;

    private readonly Channel<NodeEvent> _events = Channel.CreateBounded<NodeEvent>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly IntentInbox _intents = new();
    private readonly ISpeaker _speaker;
    private readonly NodeFiles _files;
    private readonly Journal _journal;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly long _origin;
    private NodeState _state;
    private long _turns;

    // Of the commands that made the orders in force, oldest first.
    private ImmutableArray<PlacedEntry> _entries;

    // The kind of record that a place of the journal is reserved for; null: none is.
    private TransitionKind? _placed;

    /// <summary>Commands whose entries are kept with the orders. When so many of them wait for a journal that cannot be written, the next one is refused.</summary>
    public const int OrderEntries = 16;

    public NodeLoop(NodeState initial, ISpeaker speaker, NodeStorage storage, TimeProvider time, ILogger<NodeLoop> logger)
    {
        _state = initial;
        _speaker = speaker;
        _files = storage.Files;
        _journal = storage.Journal;
        _entries = storage.Files.Orders.Entries;
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

    /// <summary>The intent of this revision is on the disk, on the loop. Handlers return at once.</summary>
    public event Action<ulong>? IntentStored;

    /// <summary>An answer to a request of the hub, on the loop. Handlers return at once.</summary>
    public event Action<RequestAnswer>? RequestAnswered;

    /// <summary>The local command of this number is taken, and what it costs of the disk comes after this. On the loop. Handlers return at once.</summary>
    public event Action<long>? CommandBegun;

    /// <summary>An answer to a local command, on the loop. Handlers return at once.</summary>
    public event Action<LocalAnswer>? CommandAnswered;

    /// <summary>Posts an event without waiting. False: the loop has 4096 events to do, or has ended.</summary>
    public bool TryPost(NodeEvent occurred) => _events.Writer.TryWrite(occurred);

    /// <summary>Posts an event, waiting for room.</summary>
    public ValueTask PostAsync(NodeEvent occurred, CancellationToken cancellationToken) => _events.Writer.WriteAsync(occurred, cancellationToken);

    /// <summary>
    /// Leaves what the hub wants, or what cannot be an intent. Completes when there is room for another one: a hub that sends faster than the node can keep is
    /// held up, and nothing else is.
    /// </summary>
    public Task OfferIntentAsync(NodeEvent brought, CancellationToken cancellationToken) => _intents.OfferAsync(brought, Ring, cancellationToken);

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
            var done = 0;
            while (done < MostBeforeAnIntent && reader.TryRead(out var occurred))
            {
                Apply(occurred);
                done++;
            }

            if (TakeIntent() || done == MostBeforeAnIntent)
            {
                continue;
            }

            if (!await WaitAsync(reader))
            {
                return;
            }
        }
    }

    private bool TakeIntent()
    {
        var (brought, superseded) = _intents.Take();
        if (superseded is not null)
        {
            Apply(superseded);
        }

        if (brought is not null)
        {
            Apply(brought);
        }

        return brought is not null;
    }

    // Full: then the loop is awake, and looks at the inbox after what it has to do.
    private void Ring() => TryPost(new NodeEvent.Tick());

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
        if (occurred is NodeEvent.CommandReceived received && effects is not [NodeEffect.AnswerCommand { Answer.Outcome: IntentOutcome.Rejected }, ..])
        {
            CommandBegun?.Invoke(received.Command.Id);
        }

        List<JournalEntry> entries = [];
        foreach (var effect in effects)
        {
            // What follows upon each other goes to the journal together. Nothing else is done before it is there.
            if (effect is NodeEffect.Record record && record.Kind != _placed)
            {
                entries.Add(ToEntry(record, now));
                Log(record);
            }
            else
            {
                Append(entries);
                CarryOut(effect, now);
            }
        }

        Append(entries);

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
            case NodeEffect.ResetSession(var neighbor, var text):
                _speaker.Reset(neighbor, text);
                break;
            case NodeEffect.AnswerRequest(var answer):
                RequestAnswered?.Invoke(answer);
                break;
            case NodeEffect.StopSessions(var text):
                _speaker.Stop(text);
                break;
            case NodeEffect.PersistIntent keep:
                KeepIntent(keep, now);
                break;
            case NodeEffect.PersistOrders(var orders, { } command) { Entry: { } entry }:
                KeepOrders(orders, command, entry, now);
                break;
            case NodeEffect.PersistOrders(var orders, null):
                Doubt(_files.Orders.TrySave(orders, _entries), "local orders that a newer intent has ended stand on the disk still, and end again with each start");
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
                _placed = null;
                _journal.Fill(ToEntry(record, now));
                Log(record);
                break;
            case NodeEffect.Log(var level, var text):
                LogTransition(_logger, level, text);
                break;
            default:
                throw new InvalidOperationException($"Nobody carries out {effect.GetType().Name}.");
        }
    }

    // Intent and entry are one file and one write: what is obeyed from here on has its entry, whenever the process ends.
    private void KeepIntent(NodeEffect.PersistIntent keep, Moment now)
    {
        var (intent, place) = (keep.Intent, _journal.Reserve());
        var problem = (intent.Drained ? _files.DrainMark.TrySet() : null) ?? _files.Intents.TrySave(intent, new PlacedEntry(place, ToEntry(keep.Entry, now)));
        _placed = problem is null ? keep.Entry.Kind : null;
        if (problem is not null)
        {
            _journal.Fill(null);
        }
        else
        {
            IntentStored?.Invoke(intent.Revision);
        }

        Apply(problem is null ? new NodeEvent.IntentPersisted(intent) : new NodeEvent.IntentNotPersisted(intent, problem));
        GiveBackUnused();
    }

    // Likewise. The entries of the last commands stand there too, because the journal does not wait for the disk as the orders do.
    private void KeepOrders(LocalOrders orders, LocalCommand command, NodeEffect.Record entry, Moment now)
    {
        if (!_journal.HasRoomForOrders)
        {
            Apply(new NodeEvent.OrdersNotPersisted(command, "the hub has acknowledged nothing for so long that the journal has no room for one more command, and what nobody can look up later is not done"));
            return;
        }

        if (_entries.Length == OrderEntries && _journal.IsWaiting(_entries[0].Place))
        {
            Apply(new NodeEvent.OrdersNotPersisted(command, $"the journal cannot be written, {OrderEntries} commands wait for that already, and what nobody can look up later is not done"));
            return;
        }

        var kept = _entries.Length < OrderEntries ? _entries : _entries.RemoveAt(0);
        kept = kept.Add(new PlacedEntry(_journal.Reserve(), ToEntry(entry, now)));
        var refusal = (orders.Drain is null ? null : _files.DrainMark.TrySet()) ?? _files.Orders.TrySave(orders, kept);
        (_entries, _placed) = (refusal is null ? kept : _entries, entry.Kind);
        Apply(refusal is null ? new NodeEvent.OrdersPersisted(orders, command) : new NodeEvent.OrdersNotPersisted(command, refusal));
        GiveBackUnused();
    }

    private void GiveBackUnused()
    {
        if (_placed is not null)
        {
            _placed = null;
            _journal.Fill(null);
        }
    }

    private void Append(List<JournalEntry> entries)
    {
        if (entries.Count > 0)
        {
            _journal.Append(entries);
            entries.Clear();
        }
    }

    private void Log(NodeEffect.Record record) =>
        LogTransition(_logger, record.Level ?? (record.Kind is TransitionKind.SessionLost or TransitionKind.IntentRejected or TransitionKind.Damped ? LogLevel.Warning : LogLevel.Information), record.Text);

    private static JournalEntry ToEntry(NodeEffect.Record record, Moment now) =>
        new(now.At, record.Kind.Word(), record.Prefix, record.Neighbor, record.Text, record.OperationId) { Actor = record.Actor };

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
