using System.Collections.Concurrent;
using System.Threading.Channels;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet.Present;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Fleet;

/// <summary>What is known, and the snapshot that was computed from it.</summary>
internal sealed record FleetState(FleetFacts Facts, FleetSnapshot Snapshot);

/// <summary>
/// The owner of the present. One loop takes messages from <see cref="_messages"/> (bound: <see cref="Capacity"/>; who posts waits, so that a
/// flood slows the agents that make it), asks <see cref="FleetReducer"/>, carries the effects out and publishes a new snapshot: at once when
/// something has changed, and once a second because ages grow. Nothing in the loop waits for a disk or for an agent.
/// </summary>
internal sealed partial class FleetStore(HubWriter writer, EventLog events, TimeProvider time, ILogger<FleetStore> logger) : IFleetView, IAsyncDisposable
{
    public const int Capacity = 1_024;
    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(1);

    private readonly Channel<FleetMessage> _messages = Channel.CreateBounded<FleetMessage>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly ConcurrentDictionary<long, IAgentStream> _streams = new();
    private readonly LatestValue<FleetState> _state = new(new FleetState(FleetFacts.Empty, FleetSnapshot.Empty));
    private readonly CancellationTokenSource _stopping = new();
    private Task? _loop;
    private Task? _ticker;
    private readonly FleetProjector _projector = new();
    private readonly TransitionPace _pace = new();
    private long _version;
    private bool _tickIsDue;
    private long _taken;

    public FleetSnapshot Current => _state.Current.Snapshot;

    public FleetState State => _state.Current;

    /// <summary>From here on no message is taken in any more: who waits for a state waits no longer.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Messages that wait to be taken in.</summary>
    public int Waiting => _messages.Reader.CanCount ? _messages.Reader.Count : 0;

    /// <summary>Messages that were taken in.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Agents' streams that are open.</summary>
    public int Streams => _streams.Count;

    /// <summary>Raised after each snapshot with the time that it took to compute and publish it: a handler only counts.</summary>
    public event Action<TimeSpan>? Published;

    public async IAsyncEnumerable<FleetSnapshot> WatchAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var state in _state.WatchAsync(cancellationToken))
        {
            yield return state.Snapshot;
        }
    }

    public IAsyncEnumerable<FleetState> WatchStateAsync(CancellationToken cancellationToken) => _state.WatchAsync(cancellationToken);

    /// <summary>Begins with what was stored. The task ends when it is disposed, or by a defect.</summary>
    public Task Start(FleetFacts stored)
    {
        var now = Moment.Of(time);
        _state.Publish(new FleetState(stored, _projector.Project(stored, now, ++_version)));
        _loop = Task.Run(RunAsync);
        _ticker = Task.Run(TickAsync);
        return _loop;
    }

    /// <summary>Tells the owner something. Waits while it has too much to do.</summary>
    /// <returns>False: the hub is stopping, nobody listens any more.</returns>
    public async ValueTask<bool> PostAsync(FleetMessage message, CancellationToken cancellationToken)
    {
        while (await _messages.Writer.WaitToWriteAsync(cancellationToken))
        {
            if (_messages.Writer.TryWrite(message))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Waits for a state in which something holds.</summary>
    /// <exception cref="OperationCanceledException">It did not come before the token was cancelled.</exception>
    public async Task<FleetState> WaitUntilAsync(Func<FleetState, bool> holds, CancellationToken cancellationToken)
    {
        await foreach (var state in _state.WatchAsync(cancellationToken))
        {
            if (holds(state))
            {
                return state;
            }
        }

        throw new OperationCanceledException(cancellationToken);
    }

    /// <summary>Makes a stream known before its Hello is posted.</summary>
    public void Register(IAgentStream stream) => _streams[stream.Id] = stream;

    /// <summary>Forgets a stream after its end was posted.</summary>
    public void Unregister(IAgentStream stream) => _streams.TryRemove(stream.Id, out _);

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        await _stopping.CancelAsync();
        _messages.Writer.TryComplete();

        // A defect was told by whoever watches the task.
        await Task.WhenAll(_loop ?? Task.CompletedTask, _ticker ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task TickAsync()
    {
        using var timer = new PeriodicTimer(TickEvery, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                // When the channel is full its loop is awake, and looks at the mark: ages must go on also while reports without news keep it busy.
                if (!_messages.Writer.TryWrite(new FleetMessage.Tick()))
                {
                    Volatile.Write(ref _tickIsDue, true);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The hub is stopping.
        }
    }

    private async Task RunAsync()
    {
        var effects = new List<FleetEffect>();
        var facts = _state.Current.Facts;
        while (await _messages.Reader.WaitToReadAsync())
        {
            var urgent = false;

            // At most as many as fit in the channel, so that readers see something new even when messages never stop.
            for (var taken = 0; taken < Capacity && _messages.Reader.TryRead(out var message); taken++)
            {
                var now = Moment.Of(time);
                Interlocked.Increment(ref _taken);
                urgent |= FleetReducer.IsUrgent(facts, message, now);
                facts = FleetReducer.Apply(facts, message, now, NewPairId, effects);
            }

            urgent |= Interlocked.Exchange(ref _tickIsDue, false);

            // Before the snapshot: an intent should leave as soon as it may.
            effects.ForEach(CarryOut);
            effects.Clear();
            if (urgent)
            {
                facts = Publish(facts);
            }
        }
    }

    private FleetFacts Publish(FleetFacts facts)
    {
        var before = _state.Current;
        var began = time.GetTimestamp();
        var snapshot = _projector.Project(facts, Moment.Of(time), ++_version);
        facts = FleetReducer.RememberActive(facts, snapshot, before.Snapshot);
        _state.Publish(new FleetState(facts, snapshot));
        Published?.Invoke(time.GetElapsedTime(began));
        foreach (var happened in _pace.Take(FleetTransitions.Between(before.Snapshot, snapshot), Moment.Of(time)))
        {
            LogHappened(logger, happened.Text);
            events.Append(happened);
        }

        return facts;
    }

    private void CarryOut(FleetEffect effect)
    {
        switch (effect)
        {
            case FleetEffect.Admit admit:
                _streams.GetValueOrDefault(admit.StreamId)?.Admit();
                break;
            case FleetEffect.Refuse refuse:
                _streams.GetValueOrDefault(refuse.StreamId)?.End(refuse.End, refuse.Why);
                break;
            case FleetEffect.EndStream end:
                _streams.GetValueOrDefault(end.StreamId)?.End(end.End, end.Why);
                break;
            case FleetEffect.Offer offer:
                _streams.GetValueOrDefault(offer.StreamId)?.Offer(offer.Intent);
                break;
            case FleetEffect.Ask ask:
                _streams.GetValueOrDefault(ask.StreamId)?.Ask(ask.Request);
                break;
            case FleetEffect.SaveNode save:
                writer.Enqueue(new NodeWrite(save.Node));
                break;
            case FleetEffect.ForgetNode forget:
                writer.Enqueue(new NodeForgetting(forget.Node));
                break;
            case FleetEffect.ForgetPair forget:
                writer.Enqueue(new PairForgetting(forget.PairId));
                break;
            case FleetEffect.SavePair save:
                writer.Enqueue(new PairWrite(save.Pair));
                break;
            case FleetEffect.SaveAdoptedIntent save:
                writer.Enqueue(new AdoptedIntentWrite(save.Node, save.Intent, time.GetUtcNow()));
                break;
            case FleetEffect.IntentConfirmed confirmed:
                writer.Enqueue(new IntentStageWrite(confirmed.Node, confirmed.Revision, IntentStage.Confirmed));
                break;
            case FleetEffect.IntentDropped dropped:
                writer.Enqueue(new IntentStageWrite(dropped.Node, dropped.Revision, IntentStage.Dropped));
                break;
            case FleetEffect.Happened happened:
                LogHappened(logger, happened.Event.Text);
                events.Append(happened.Event);
                break;
            default:
                throw new InvalidOperationException($"Unknown effect {effect.GetType().Name}.");
        }
    }

    private static string NewPairId() => Guid.CreateVersion7().ToString("N");

    [LoggerMessage(Level = LogLevel.Information, Message = "{What}")]
    private static partial void LogHappened(ILogger logger, string what);
}
