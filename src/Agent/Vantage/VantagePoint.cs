using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Vantage;

/// <summary>
/// This node as a further pair of eyes of its hub, the loop "vantage": asks what the newest plan names and keeps what came of it until the stream takes it. It decides nothing itself.
/// <code>
///   stream ──plan──▶ schedule ──due──▶ one task per probe, at most 64 ──ended──▶ queue ──▶ outbox ──batch──▶ stream
/// </code>
/// Without a plan it waits, with no thread, timer or socket. Nothing of it can touch a session.
/// </summary>
/// <param name="asking">The ways to ask.</param>
/// <param name="random">0 to 1, for the schedule.</param>
/// <param name="time">Its clock.</param>
/// <param name="logger">Its log.</param>
internal sealed partial class VantagePoint(ITargetAsking asking, Func<double> random, TimeProvider time, ILogger<VantagePoint> logger)
{
    /// <summary>From one plan that is taken to the next: a hub that sends more of them is heard no sooner.</summary>
    public static readonly TimeSpan PlanPause = TimeSpan.FromMilliseconds(100);

    // Turns that are nearer to each other are one.
    private static readonly TimeSpan _shortestTurn = TimeSpan.FromMilliseconds(5);

    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    // No more than may be out.
    private readonly ConcurrentQueue<EndedProbe> _ended = [];
    private readonly ProbeOutbox _outbox = new();
    private readonly VantageMeter _meter = new();
    private readonly long _origin = time.GetTimestamp();
    private AskedPlan? _asked;
    private string? _brokeSaid;

    /// <summary>There is a batch to be taken. On the loop; may not wait.</summary>
    public event Action? BatchDue;

    /// <summary>This plan from now on; null, or one without a task: none. From any thread.</summary>
    public void Take(AskedPlan? plan)
    {
        var asked = plan is { Tasks.IsEmpty: false } ? plan : null;
        Volatile.Write(ref _asked, asked);
        if (asked is null)
        {
            // The next stream is told nothing of this one's tasks, whenever the loop hears of it.
            _outbox.End();
        }

        Wake();
    }

    /// <summary>What is to be told to the hub now; null: nothing. From any thread.</summary>
    public VantageBatch? TakeBatch() => _outbox.Take(Now);

    /// <summary>What is asked now, and what came of it so far. From any thread.</summary>
    public VantageReading Read() => _meter.Read(_outbox);

    /// <summary>Runs until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                if (Volatile.Read(ref _asked) is { } asked)
                {
                    await ProbeSafelyAsync(asked, cancellationToken);
                }
                else
                {
                    await _wake.Reader.ReadAsync(cancellationToken);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to end.
        }
    }

    private TimeSpan Now => time.GetElapsedTime(_origin);

    private async Task ProbeSafelyAsync(AskedPlan asked, CancellationToken cancellationToken)
    {
        try
        {
            await ProbeAsync(asked, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // A bug. What is announced does not depend on it; the hub's next plan is another try.
            Broke(logger, exception);
            Interlocked.CompareExchange(ref _asked, null, asked);
        }
    }

    private async Task ProbeAsync(AskedPlan first, CancellationToken cancellationToken)
    {
        var schedule = new ProbeSchedule(random);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var timer = time.CreateTimer(static point => ((VantagePoint)point!).Wake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        try
        {
            AskedPlan? inForce = null;
            var takenAt = TimeSpan.Zero;
            Begins(logger, first.Tasks.Length);
            while (Volatile.Read(ref _asked) is { } newest)
            {
                var now = Now;
                if (!ReferenceEquals(newest, inForce) && (inForce is null || now - takenAt >= PlanPause))
                {
                    (inForce, takenAt) = (newest, now);
                    var plan = PlanReading.Of(newest);
                    _outbox.Begin(plan, schedule.Replace(plan.Tasks, now), now);
                }

                TakeEnded(schedule);
                foreach (var turn in schedule.TakeDue(now))
                {
                    _ = AskAsync(turn, ending.Token);
                }

                if (_outbox.DueAt <= now)
                {
                    BatchDue?.Invoke();
                }

                Arm(timer, now, schedule.NextDue, _outbox.DueAt, ReferenceEquals(newest, inForce) ? null : takenAt + PlanPause);
                await _wake.Reader.ReadAsync(cancellationToken);
            }
        }
        finally
        {
            await ending.CancelAsync();
            for (TakeEnded(schedule); schedule.Out > 0; TakeEnded(schedule))
            {
                await _wake.Reader.ReadAsync(CancellationToken.None);
            }

            _outbox.End();
            await asking.ReleaseAsync();
            Ends(logger);
        }
    }

    // What is past has been seen to.
    private static void Arm(ITimer timer, TimeSpan now, params ReadOnlySpan<TimeSpan?> times)
    {
        TimeSpan? next = null;
        foreach (var at in times)
        {
            if (at > now && !(next <= at))
            {
                next = at;
            }
        }

        timer.Change(next is not { } due ? Timeout.InfiniteTimeSpan : due - now > _shortestTurn ? due - now : _shortestTurn, Timeout.InfiniteTimeSpan);
    }

    private void TakeEnded(ProbeSchedule schedule)
    {
        while (_ended.TryDequeue(out var probe))
        {
            schedule.Ended(probe.Turn);
            if (!probe.Turn.IsWanted || probe.Outcome is not { } outcome)
            {
                continue;
            }

            _meter.End(outcome);
            if (outcome.Problem is { } problem)
            {
                _outbox.Add(new VantageProblem(probe.Turn.Task.Id, problem));
            }
            else
            {
                _outbox.Add(new VantageFinding(probe.Turn.Task.Id, probe.SentAt, outcome.RoundTrip, outcome.Error));
            }
        }
    }

    // Always ends in the queue, so what is out is known.
    private async Task AskAsync(ProbeTurn turn, CancellationToken cancellationToken)
    {
        var sentAt = Now;
        _meter.Begin(sentAt - turn.Due);
        ProbeOutcome? outcome = null;
        try
        {
            outcome = await asking.AskAsync(turn.Task, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Nobody wants to know any more.
            outcome = null;
        }
        catch (Exception exception)
        {
            // A bug, or a machine in trouble: that says nothing about the address.
            outcome = ProbeOutcome.NotAsked($"internal error of the agent: {exception.Message}");
            if (_brokeSaid != exception.Message)
            {
                _brokeSaid = exception.Message;
                Broke(logger, exception);
            }
        }

        _ended.Enqueue(new EndedProbe(turn, sentAt, outcome));
        Wake();
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    private sealed record EndedProbe(ProbeTurn Turn, TimeSpan SentAt, ProbeOutcome? Outcome);

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "This node asks {Count} addresses for its hub, as one more place from which they are watched; --probing off ends that")]
    private static partial void Begins(ILogger logger, int count);

    [LoggerMessage(EventId = 2, Level = LogLevel.Debug, Message = "This node asks nothing for its hub any more")]
    private static partial void Ends(ILogger logger);

    [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "Asking for the hub broke on an internal error; nothing else is touched")]
    private static partial void Broke(ILogger logger, Exception exception);
}
