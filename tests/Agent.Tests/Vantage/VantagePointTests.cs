using FailoverHub.Agent.Vantage;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Vantage;

/// <summary>The loop, in virtual time, with answers as a test gives them.</summary>
public sealed class VantagePointTests : IAsyncDisposable
{
    private static readonly TimeSpan _roundTrip = TimeSpan.FromMilliseconds(3);

    private readonly CountingTime _time = new();
    private readonly ScriptedAsking _asking = new();
    private readonly RecordedLog<VantagePoint> _log = new();
    private readonly Signal<bool> _due = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly VantagePoint _point;
    private readonly Task _running;

    public VantagePointTests()
    {
        _point = new VantagePoint(_asking, () => 0.5, _time, _log);
        _point.BatchDue += () => _due.Add(true);
        _running = Task.Run(() => _point.RunAsync(_ending.Token));
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _running;
        _ending.Dispose();
    }

    [Fact]
    public async Task WithoutAPlan_ThereIsNoTimer_AndNothingToSay()
    {
        _point.Take(null);
        _point.Take(Plans.Of());
        Assert.Equal(0, _time.Timers);
        _point.Take(Plans.Of(Plans.Ping(1)));
        await AskedAsync(1);
        Assert.Equal(1, _time.Timers);

        _point.Take(null);

        await EndedAsync();
        Assert.Equal(0, _time.Timers);
        Assert.Null(_point.TakeBatch());
        Assert.Equal(2, _log.Lines.Seen.Count);
    }

    [Fact]
    public async Task Plan_IsAskedAgainAndAgain_AndWhatCameOfItIsTold()
    {
        _point.Take(Plans.Of(Plans.Ping(1)));

        await AskedAsync(1);
        Answer(0, ProbeOutcome.Answered(_roundTrip));
        await AskedAsync(2);
        var batch = await BatchAsync(batch => !batch.Findings.IsEmpty);

        var finding = Assert.Single(batch.Findings);
        Assert.Equal((7ul, 1u, _roundTrip, ""), (batch.Revision, finding.Task, finding.RoundTrip, finding.Error));
        Assert.True(batch.MadeAt > finding.SentAt);
        Assert.NotEmpty(_due.Seen);
        Answer(1, ProbeOutcome.Lost("refused"));
        Assert.Equal((null, "refused"), (await BatchAsync(batch => !batch.Findings.IsEmpty)).Findings.Select(lost => (lost.RoundTrip, lost.Error)).Single());
    }

    [Fact]
    public async Task CannotBeAsked_IsAProblem_UntilItCan()
    {
        _point.Take(Plans.Of(Plans.Ping(1), Plans.Ping(2, "224.0.0.1")));
        await AskedAsync(1);
        Answer(0, ProbeOutcome.NotAsked("no socket"));

        var batch = await BatchAsync(batch => batch.Problems.Length == 2);
        Assert.Empty(batch.Findings);
        Assert.Equal([2u, 1u], batch.Problems.Select(problem => problem.Task));
        Assert.Equal("no socket", batch.Problems[1].Text);

        await AskedAsync(2);
        Answer(1, ProbeOutcome.Answered(_roundTrip));
        Assert.Equal([2u], (await BatchAsync(batch => !batch.Findings.IsEmpty)).Problems.Select(problem => problem.Task));
    }

    [Fact]
    public async Task NextPlan_WhatIsOutForTheOldOneIsThrownAway()
    {
        _point.Take(Plans.Of(Plans.Ping(1), Plans.Ping(2)));
        await AskedAsync(2);

        _point.Take(new AskedPlan(8, [Plans.Ping(1, "192.0.2.99"), Plans.Ping(2)]));
        await AskedAsync(3);
        foreach (var question in _asking.Questions.Seen.Take(3))
        {
            question.Answer.SetResult(ProbeOutcome.Answered(_roundTrip));
        }

        Assert.Equal("192.0.2.99", _asking.Questions.Seen[2].Task.Way.Address!.ToString());
        List<uint> told = [];
        while (told.Count < 2)
        {
            var batch = await BatchAsync(batch => !batch.Findings.IsEmpty);
            Assert.Equal(8ul, batch.Revision);
            told.AddRange(batch.Findings.Select(finding => finding.Task));
        }

        Assert.Equal([1u, 2u], told.Order());
    }

    [Fact]
    public async Task WhatCameOfEachProbe_IsCountedOverAllPlans_WithHowLateItWas()
    {
        Assert.Equal((0, 0ul, 0L), (_point.Read().Targets, _point.Read().Revision, _point.Read().Begun));
        _point.Take(Plans.Of(Plans.Ping(1), Plans.Ping(2, "224.0.0.1")));
        await AskedAsync(1);
        Answer(0, ProbeOutcome.Answered(_roundTrip));
        await AskedAsync(2);
        Answer(1, ProbeOutcome.Lost(""));
        await AskedAsync(3);
        Answer(2, ProbeOutcome.NotAsked("no socket"));
        await AskedAsync(4);

        await PassAsync<bool>(() => _point.Read().NotSent == 1 ? true : null);
        var reading = _point.Read();
        Assert.Equal((1, 7ul, 1L, 1L, 1L, 2L), (reading.Targets, reading.Revision, reading.Answered, reading.Lost, reading.NotSent, reading.Sent));
        Assert.Equal([2u, 1u], reading.Problems.Select(problem => problem.Task));
        Assert.Equal(4, reading.Begun);

        // How late depends on how far the test lets time pass while a probe has not begun yet.
        Assert.InRange(reading.MeanLateness, TimeSpan.Zero, reading.WorstLateness);

        // The next stream begins anew with what is asked, and not with what was counted.
        _point.Take(null);
        await EndedAsync();
        reading = _point.Read();
        Assert.Equal((0, 0ul, 0, 1L, 1L), (reading.Targets, reading.Revision, reading.Problems.Length, reading.Answered, reading.Lost));
    }

    [Fact]
    public async Task PlansInAFlood_TheNewestIsTaken_WithoutAllOfThem()
    {
        _point.Take(Plans.Of(Plans.Ping(1, "224.0.0.0")));
        for (var plan = 1u; plan <= 500; plan++)
        {
            _point.Take(new AskedPlan(plan, [Plans.Ping(plan, "224.0.0.1")]));
        }

        var batch = await BatchAsync(batch => batch.Revision == 500);

        Assert.Equal(500u, Assert.Single(batch.Problems).Task);
        Assert.Empty(_asking.Questions.Seen);
    }

    [Fact]
    public async Task StreamEnds_WhatIsOutEnds_AndEverythingIsClosed_AndTheNextOneBeginsAnew()
    {
        _point.Take(Plans.Of(Plans.Ping(1)));
        await AskedAsync(1);

        _point.Take(null);
        await EndedAsync();

        Assert.Equal(1, _asking.Released);
        _point.Take(Plans.Of(Plans.Ping(1)));
        await AskedAsync(2);
    }

    [Fact]
    public async Task ProbeBreaks_IsAProblemOfThisNode_SaidOnceInTheLog_AndTheOthersGoOn()
    {
        _asking.Always = task => task.Id == 1 ? throw new InvalidOperationException("a bug") : ProbeOutcome.Answered(_roundTrip);
        _point.Take(Plans.Of(Plans.Ping(1), Plans.Ping(2)));

        await AskedAsync(6);
        var batch = await BatchAsync(batch => !batch.Findings.IsEmpty);

        Assert.Contains("a bug", Assert.Single(batch.Problems).Text, StringComparison.Ordinal);
        Assert.All(batch.Findings, finding => Assert.Equal(2u, finding.Task));
        Assert.Single(_log.Lines.Seen, line => line.Exception is not null);
    }

    [Fact]
    public async Task TwoHundredAddressesTenTimesASecond_ThatNeverAnswer_AreNoMoreThanMayBeOut()
    {
        _point.Take(Plans.Of(Enumerable.Range(1, 200).Select(id => Plans.Ping((uint)id, interval: 100))));

        await AskedAsync(ProbeSchedule.MostOut);
        Answer(0, ProbeOutcome.Answered(_roundTrip));
        await AskedAsync(ProbeSchedule.MostOut + 1);

        _point.Take(null);
        await EndedAsync();
        Assert.Equal(ProbeSchedule.MostOut + 1, _asking.Questions.Seen.Count);
    }

    private void Answer(int question, ProbeOutcome outcome) => _asking.Questions.Seen[question].Answer.SetResult(outcome);

    private Task<bool> AskedAsync(int count) => PassAsync<bool>(() => _asking.Questions.Seen.Count >= count ? true : null);

    private Task<LoggedLine> EndedAsync() => _log.Lines.FirstAsync<LoggedLine>(line => line.Text.Contains("nothing for its hub any more", StringComparison.Ordinal));

    private async Task<VantageBatch> BatchAsync(Func<VantageBatch, bool> fits)
    {
        VantageBatch? found = null;
        await PassAsync<bool>(() => _point.TakeBatch() is { } batch && fits(found = batch) ? true : null);
        return found!;
    }

    // Time goes on in small steps until there is one. How long that takes is the loop's matter: what it is to be is asked of the schedule and the outbox, which are pure.
    private async Task<T> PassAsync<T>(Func<T?> look)
        where T : struct
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        for (var turn = 1; ; turn++)
        {
            if (look() is { } seen)
            {
                return seen;
            }

            safety.Token.ThrowIfCancellationRequested();
            await Task.Yield();
            if (turn % 50 == 0)
            {
                _time.Advance(TimeSpan.FromMilliseconds(20));
            }
        }
    }

    /// <summary>Counts the timers that there are.</summary>
    private sealed class CountingTime : FakeTimeProvider
    {
        private int _timers;

        public int Timers => Volatile.Read(ref _timers);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Interlocked.Increment(ref _timers);
            return new Counted(this, base.CreateTimer(callback, state, dueTime, period));
        }

        private sealed class Counted(CountingTime time, ITimer timer) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

            public void Dispose()
            {
                Interlocked.Decrement(ref time._timers);
                timer.Dispose();
            }

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
