using System.Collections.Immutable;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Reachability.Storage;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Reachability.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverHub.Web.Tests.Reachability.Outages;

/// <summary>From probes and a fleet that changes to figures and an event, over a real database.</summary>
public sealed class OutageRecorderTests : IAsyncLifetime
{
    private readonly StoreRig _rig = new(Make.At);
    private readonly FakeFleet _fleet = new();
    private readonly FakeOperations _operations = new();
    private OutageStore _store = null!;
    private OutageRecorder _recorder = null!;
    private SqliteHistory _history = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _rig.StartAsync();
        _history = new SqliteHistory(_rig.Database, new HistoryChanges(), AuditMemory.OfThisProcess());
        _store = new OutageStore(_rig.Database, _rig.Names);
        _recorder = NewRecorder();
    }

    public async ValueTask DisposeAsync()
    {
        _recorder.Dispose();
        await _rig.DisposeAsync();
    }

    [Fact]
    public async Task Failover_ThatNobodyAskedFor_IsMeasuredFromEachVantagePointAndTold()
    {
        PairView pair = Make.HealthyPair();
        string other = pair.Members.First(m => m.Node.Name != pair.ActiveNode).Node.Name;
        for (int second = 0; second < 60; second++)
        {
            Probe(ProbeSeries.Hub, second, answered: second is < 20 or >= 28);
            Probe("node-c", second, answered: second is < 21 or >= 27);
            await ShowAsync(second < 29 ? pair : pair with { ActiveNode = other });
            _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        await _rig.Writer.FlushAsync(Stop);
        ImmutableArray<OutageRecord> found = await _store.OfPairAsync(pair.Name, 10, Stop);
        EventRecord[] events = [.. (await _history.EventsAsync(new HistoryFilter { Pair = pair.Name }, null, 10, Stop)).Items];

        Assert.Equal(["hub", "node-c"], found.Select(o => o.Vantage).Order());
        OutageRecord hub = found.Single(o => o.Vantage == "hub");
        Assert.Equal((MoveKind.Failover, pair.ActiveNode, other, (string?)null), (hub.Kind, hub.From, hub.To, hub.OperationId));
        Assert.Equal((8, Make.At.AddSeconds(20), Make.At.AddSeconds(27), TimeSpan.FromSeconds(9)), (hub.Figures.Lost, hub.Figures.FirstLossAt, hub.Figures.LastLossAt, hub.Figures.Longest));
        Assert.Equal((6, TimeSpan.FromSeconds(1)), (found.Single(o => o.Vantage == "node-c").Figures.Lost, hub.Figures.Resolution));
        Assert.Equal(2, events.Count(e => e.Kind == EventKinds.OutageMeasured));
        foreach (EventRecord told in events.Where(e => e.Kind == EventKinds.OutageMeasured))
        {
            // Also by the time alone, when the node that asked has another name by now.
            Assert.Equal(["hub", "node-c"], (await _store.OfEventAsync(told, Stop)).Select(o => o.Vantage));
            Assert.Equal(["hub", "node-c"], (await _store.OfEventAsync(told with { Text = "in other words" }, Stop)).Select(o => o.Vantage));
            Assert.Empty(await _store.OfEventAsync(told with { At = told.At.AddSeconds(-30) }, Stop));
        }

        Assert.Contains(events, e => e.Text.StartsWith($"203.0.113.10/32: failover from {pair.ActiveNode} to {other}. 8 of ", StringComparison.Ordinal) && e.Severity == EventSeverity.Warning);
    }

    /// <summary>The window of the failback reaches back over the whole switchover, and that cost more.</summary>
    [Fact]
    public async Task MoveSoonAfterAnOperation_IsMeasuredWithoutWhatThatCost()
    {
        PairView pair = Make.HealthyPair();
        PairView moved = pair with { ActiveNode = pair.Members.First(m => m.Node.Name != pair.ActiveNode).Node.Name };
        await AddIntentAsync("op-1");
        for (int second = 0; second < 80; second++)
        {
            Probe(ProbeSeries.Hub, second, answered: second is (< 10 or >= 13) and (< 35 or >= 37));
            if (second == 13)
            {
                _recorder.Take(Make.Operation("op-1", OperationStatus.Succeeded) with
                {
                    FinishedAt = Make.At.AddSeconds(13),
                    Steps = [new("Move it", StepStatus.Succeeded, Make.At.AddSeconds(10), Make.At.AddSeconds(13), null)],
                });
            }

            await ShowAsync(second switch { < 10 => pair, < 13 => moved with { OperationId = "op-1", MoveId = "op-1" }, < 37 => moved, _ => pair });
            _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        await _rig.Writer.FlushAsync(Stop);
        OutageRecord[] found = [.. (await _store.OfPairAsync(pair.Name, 10, Stop)).OrderBy(o => o.At)];

        Assert.Equal([MoveKind.Switchover, MoveKind.FailbackByItself], found.Select(o => o.Kind));
        Assert.Equal([(3, TimeSpan.FromSeconds(4)), (2, TimeSpan.FromSeconds(3))], found.Select(o => (o.Figures.Lost, o.Figures.Longest)));
        Assert.Equal(Make.At.AddSeconds(35), found[1].Figures.FirstLossAt);
    }

    [Fact]
    public async Task OutageThatHasNotEnded_IsMeasuredWhenItHas()
    {
        PairView pair = Make.HealthyPair();
        string other = pair.Members.First(m => m.Node.Name != pair.ActiveNode).Node.Name;
        for (int second = 0; second < 120; second++)
        {
            Probe(ProbeSeries.Hub, second, answered: second is < 5 or >= 60);
            await ShowAsync(second < 6 ? pair : pair with { ActiveNode = other });
            _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        await _rig.Writer.FlushAsync(Stop);
        OutageRecord found = Assert.Single(await _store.OfPairAsync(pair.Name, 10, Stop));

        Assert.Equal((55, false, TimeSpan.FromSeconds(56)), (found.Figures.Lost, found.Figures.GoesOn, found.Figures.Longest));
    }

    [Fact]
    public async Task AddressThatMovedWhileTheHubWasAway_IsMeasuredByWhatItHadSeenBefore_AndSaysWhatIsNotKnown()
    {
        PairView pair = Make.HealthyPair();
        string other = pair.Members.First(m => m.Node.Name != pair.ActiveNode).Node.Name;
        await AddPairAsync(pair);
        for (int second = 0; second < 30; second++)
        {
            Probe(ProbeSeries.Hub, second, answered: second < 28);
            await ShowAsync(pair);
            _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        await HandOverAsync();
        Assert.Equal(pair.ActiveNode, (await _store.ActiveNodesAsync(Stop))[pair.Id]);

        // Killed at 29.9 s, and another one begins at 50 s.
        _rig.Clock.Advance(TimeSpan.FromSeconds(20));
        await AnotherLifeAsync();
        for (int second = 50; second < 80; second++)
        {
            Probe(ProbeSeries.Hub, second, answered: true);
            await ShowAsync(second < 52 ? pair with { ActiveNode = null } : pair with { ActiveNode = other });
            _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        await _rig.Writer.FlushAsync(Stop);
        OutageRecord found = Assert.Single(await _store.OfPairAsync(pair.Name, 10, Stop));
        Assert.Equal((MoveKind.Failover, pair.ActiveNode, other), (found.Kind, found.From, found.To));
        Assert.Equal((2, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(23), TimeSpan.FromSeconds(21)), (found.Figures.Lost, found.Figures.Shortest, found.Figures.Longest, found.Figures.Unprobed));
        Assert.EndsWith("without an answer for 1.00 to 23.00 s, probed each 1.0 s. For 21 s of that nothing is known: the hub was not running, or was cut off itself.", OutageSentences.Of(found), StringComparison.Ordinal);
        Assert.Equal(other, (await _store.ActiveNodesAsync(Stop))[pair.Id]);
    }

    [Fact]
    public async Task HubThatIsKilledBeforeItHasMeasured_MeasuresWhenItIsBack()
    {
        PairView pair = Make.HealthyPair();
        string other = pair.Members.First(m => m.Node.Name != pair.ActiveNode).Node.Name;
        await AddPairAsync(pair);
        for (int second = 0; second < 40; second++)
        {
            Probe(ProbeSeries.Hub, second, answered: second is < 20 or >= 28);
            await ShowAsync(second < 29 ? pair : pair with { ActiveNode = other });
            _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        await HandOverAsync();
        Assert.Empty(await _store.OfPairAsync(pair.Name, 10, Stop));
        await AnotherLifeAsync();
        for (int second = 40; second < 60; second++)
        {
            Probe(ProbeSeries.Hub, second, answered: true);
            await ShowAsync(pair with { ActiveNode = other });
            _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        await _rig.Writer.FlushAsync(Stop);
        OutageRecord found = Assert.Single(await _store.OfPairAsync(pair.Name, 10, Stop));
        Assert.Equal((MoveKind.Failover, 8, TimeSpan.FromSeconds(9), null), (found.Kind, found.Figures.Lost, found.Figures.Longest, found.Figures.Unprobed));
    }

    [Fact]
    public async Task HubThatWasAwayForHours_SaysThatItDoesNotKnow()
    {
        PairView pair = Make.HealthyPair();
        string other = pair.Members.First(m => m.Node.Name != pair.ActiveNode).Node.Name;
        await AddPairAsync(pair);
        Probe(ProbeSeries.Hub, 0, answered: true);
        await ShowAsync(pair);
        await HandOverAsync();

        _rig.Clock.Advance(TimeSpan.FromHours(3));
        await AnotherLifeAsync();
        for (int second = 10_800; second < 10_820; second++)
        {
            Probe(ProbeSeries.Hub, second, answered: true);
            await ShowAsync(pair with { ActiveNode = other });
            _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        await _rig.Writer.FlushAsync(Stop);
        OutageRecord found = Assert.Single(await _store.OfPairAsync(pair.Name, 10, Stop));
        Assert.EndsWith("It was not probed from the hub: what it cost is not known.", OutageSentences.Of(found), StringComparison.Ordinal);
    }

    /// <summary>The loops as the hub runs them: nobody hands over to this recorder by hand.</summary>
    [Fact]
    public async Task OperationsThatCannotBeFollowed_AreTold_AndWhatEndedMeanwhileIsMeasuredAllTheSame()
    {
        var log = new CriticalLog();
        _recorder.Dispose();
        _recorder = NewRecorder(log);
        PairView pair = Make.HealthyPair();
        await AddPairAsync(pair);
        await AddIntentAsync("op-1");
        for (int second = 0; second < 60; second++)
        {
            Probe(ProbeSeries.Hub, second, answered: second is < 3 or >= 7);
        }

        _fleet.Publish(Make.Fleet(pair));
        await _recorder.StartAsync(Stop);
        await UntilAsync(async () => (await _store.ActiveNodesAsync(Stop)).ContainsKey(pair.Id) && _operations.Changes.Listeners == 1);

        // It ends just as the feed breaks, and nobody is told of it.
        _operations.Known.Add(Make.Operation("op-1", OperationStatus.Succeeded) with { FinishedAt = _rig.Clock.GetUtcNow() });
        _operations.Changes.Break(new InvalidOperationException("A defect."));
        await log.FirstLine.WaitAsync(TimeSpan.FromSeconds(60), Stop);
        await UntilAsync(async () => !(await _store.OfOperationAsync("op-1", Stop)).IsEmpty);
        OutageRecord[] found = [.. await _store.OfOperationAsync("op-1", Stop)];
        await UntilAsync(() => Task.FromResult(_operations.Changes.Listeners == 1));
        await AddIntentAsync("op-2");
        _operations.Publish(Make.Operation("op-2", OperationStatus.Succeeded) with { FinishedAt = _rig.Clock.GetUtcNow() });
        await UntilAsync(async () => !(await _store.OfOperationAsync("op-2", Stop)).IsEmpty);
        await _recorder.StopAsync(CancellationToken.None);

        Assert.Equal((MoveKind.Switchover, 4, TimeSpan.FromSeconds(5)), (Assert.Single(found).Kind, found[0].Figures.Lost, found[0].Figures.Longest));
        Assert.Equal(1, log.Lines);
    }

    /// <summary>Lets virtual time pass until it is so; the bound only ends a test that hangs.</summary>
    private async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        while (!await holds())
        {
            safety.Token.ThrowIfCancellationRequested();
            _rig.Clock.Advance(TimeSpan.FromSeconds(1));
            await _rig.Writer.FlushAsync(safety.Token);
            await Task.Yield();
        }
    }

    private async Task AddIntentAsync(string operation)
    {
        await using HubDbContext db = await _rig.Database.CreateDbContextAsync(Stop);
        db.Intents.Add(new IntentEntity
        {
            Node = operation,
            Revision = 1,
            Drained = false,
            Roles = $"{Make.Prefix}=Primary",
            Stage = IntentStage.Confirmed,
            OperationId = operation,
            Reason = "a test",
            WrittenAtMs = 0,
        });
        await db.SaveChangesAsync(Stop);
    }

    private async Task AddPairAsync(PairView pair)
    {
        await using HubDbContext db = await _rig.Database.CreateDbContextAsync(Stop);
        db.Pairs.Add(new PairEntity { Id = pair.Id, Name = pair.Name, DataCenter = "", Prefixes = "" });
        await db.SaveChangesAsync(Stop);
    }

    private async Task HandOverAsync()
    {
        _rig.Store.HandOver();
        await _rig.Writer.FlushAsync(Stop);
    }

    /// <summary>What was only in the memory of the recorder is gone.</summary>
    private async Task AnotherLifeAsync()
    {
        _recorder.Dispose();
        _recorder = NewRecorder();
        await _recorder.LookBackAsync(Stop);
    }

    private OutageRecorder NewRecorder(ILogger<OutageRecorder>? log = null) => new(
        _fleet, _operations, new OutageSources(new OutageMeter(_rig.Store, _rig.History, _store, _rig.Clock), _history, _store, _rig.Writer, new EventLog(_rig.Writer, new HistoryChanges(), _rig.Clock)), _rig.Clock, log ?? NullLogger<OutageRecorder>.Instance);

    private void Probe(string vantage, int second, bool answered) => _rig.Add(
        new ProbeSeries(Make.Prefix.ToString(), vantage),
        new ProbeSample(Make.At.AddSeconds(second), answered ? TimeSpan.FromMilliseconds(1) : null, answered ? null : "no answer"));

    private async Task ShowAsync(PairView pair)
    {
        _fleet.Publish(Make.Fleet(pair) with { At = _rig.Clock.GetUtcNow() });
        if (_rig.Clock.GetUtcNow().Second % 5 == 0)
        {
            _rig.Store.HandOver();
            await _rig.Writer.FlushAsync(Stop);
        }

        await _recorder.TurnAsync(Stop);
    }

    /// <summary>Counts what an operator would be told as critical.</summary>
    private sealed class CriticalLog : ILogger<OutageRecorder>
    {
        private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _lines;

        public int Lines => Volatile.Read(ref _lines);

        public Task FirstLine => _first.Task;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel == LogLevel.Critical;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Critical)
            {
                Interlocked.Increment(ref _lines);
                _first.TrySetResult();
            }
        }
    }
}
