using System.Collections.Immutable;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Reachability.Storage;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Reachability.Storage;
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
        var changes = new HistoryChanges();
        _history = new SqliteHistory(_rig.Database, changes);
        _store = new OutageStore(_rig.Database, _rig.Names);
        var sources = new OutageSources(_rig.Store, _rig.History, _history, _store, _rig.Writer, new EventLog(_rig.Writer, changes, _rig.Clock));
        _recorder = new OutageRecorder(_fleet, _operations, sources, _rig.Clock, NullLogger<OutageRecorder>.Instance);
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
        Assert.Contains(events, e => e.Text.StartsWith($"203.0.113.10/32: failover from {pair.ActiveNode} to {other}. 8 of ", StringComparison.Ordinal) && e.Severity == EventSeverity.Warning);
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
}
