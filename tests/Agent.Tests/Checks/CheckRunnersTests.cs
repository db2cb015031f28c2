using System.Collections.Concurrent;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Tests.Checks;

/// <summary>All checks of a node, and what a reload does to them.</summary>
public sealed class CheckRunnersTests : IAsyncDisposable
{
    private readonly WaitingClock _time = new();
    private readonly Signal<NodeEvent.HealthChanged> _said = new();
    private readonly ConcurrentQueue<(CheckOptions Check, ScriptedProbe Probe)> _probes = new();
    private readonly RecordedLog<CheckRunners> _log = new();
    private readonly CheckRunners _runners;

    public CheckRunnersTests()
    {
        _runners = new CheckRunners(
            check =>
            {
                var probe = new ScriptedProbe();
                _probes.Enqueue((check, probe));
                return probe;
            },
            (said, _) =>
            {
                _said.Add((NodeEvent.HealthChanged)said);
                return ValueTask.CompletedTask;
            },
            _time,
            _log);
    }

    public async ValueTask DisposeAsync() => await _runners.DisposeAsync();

    [Fact]
    public async Task EachCheck_RunsByItself()
    {
        _runners.Configure([Check("web"), Check("disk")]);
        Probe(0).Hang();
        Probe(1).Answer(true);

        Assert.Equal("disk", (await _said.FirstAsync<NodeEvent.HealthChanged>()).Check.Name);
        Assert.Equal(["web", "disk"], _runners.Read().Select(reading => reading.Check.Name));
    }

    [Fact]
    public async Task SameCheckAgain_KeepsRunning()
    {
        _runners.Configure([Check("web") with { Prefixes = [Node.NodeUnderTest.Shared] }]);
        Probe(0).Answer(true);
        await _said.FirstAsync<NodeEvent.HealthChanged>();

        _runners.Configure([Check("new"), Check("web") with { Prefixes = [Node.NodeUnderTest.Shared] }]);

        Assert.Equal(2, _probes.Count);
        Assert.False(Probe(0).Disposed);
        await Eventually(() => _runners.Read()[1] is { Verdict: Health.Healthy });
    }

    [Fact]
    public async Task OtherTimes_KeepTheVerdict_AndSayNothingAgain()
    {
        _runners.Configure([Check("web")]);
        Probe(0).Answer(true);
        await _said.FirstAsync<NodeEvent.HealthChanged>();
        await _time.Waits.UntilAsync(waits => waits.Count == 2);

        _runners.Configure([Check("web") with { Rise = 7, Fall = 1 }]);
        await Probe(1).Begun.FirstAsync<int>();
        Assert.True(Probe(0).Disposed);
        Assert.True(_runners.Read()[0] is { Verdict: Health.Healthy, VerdictSince: not null, Check.Rise: 7 });

        Probe(1).Answer(false, "gone");
        Assert.Equal([Health.Healthy, Health.Unhealthy], (await _said.UntilAsync(said => said.Count == 2)).Select(said => said.Verdict));
    }

    [Fact]
    public async Task AnotherProbe_BeginsAnew()
    {
        _runners.Configure([Check("web")]);
        Probe(0).Answer(true);
        await _said.FirstAsync<NodeEvent.HealthChanged>();
        await _time.Waits.UntilAsync(waits => waits.Count == 2);

        _runners.Configure([Check("web") with { Probe = new ProbeOptions.Process("nginx", null) }]);
        await Probe(1).Begun.FirstAsync<int>();
        Assert.True(_runners.Read()[0] is { Verdict: Health.Unknown, LastRun: null });

        Probe(1).Answer(true);
        Assert.Equal(2, (await _said.UntilAsync(said => said.Count == 2)).Count);
    }

    [Fact]
    public async Task NewCheckOfTheSameName_WaitsUntilTheOldOneHasEnded()
    {
        _runners.Configure([Check("web")]);
        var hanging = Probe(0).HangOn();
        await Probe(0).Begun.FirstAsync<int>();

        _runners.Configure([Check("web") with { Rise = 7 }]);
        Assert.Empty(Probe(1).Begun.Seen);
        hanging.SetResult(ProbeResult.Fine("late"));

        await Probe(1).Begun.FirstAsync<int>();
        Assert.True(Probe(0).Disposed);
        Assert.Empty(_said.Seen);
    }

    /// <summary>Taken away by one reload, given back by the next, and that once more, while the first still runs.</summary>
    [Fact]
    public async Task CheckTakenAwayAndGivenBack_WaitsUntilTheFirstHasEnded_AndBeginsAnew()
    {
        _runners.Configure([Check("web")]);
        var hanging = Probe(0).HangOn();
        await Probe(0).Begun.FirstAsync<int>();

        _runners.Configure([]);
        _runners.Configure([Check("web")]);
        _runners.Configure([]);
        _runners.Configure([Check("web"), Check("other")]);

        // Nothing holds up that one: whatever was free to begin before it has had its turn when it has run.
        Probe(3).Answer(true);
        Assert.Equal("other", (await _said.FirstAsync<NodeEvent.HealthChanged>()).Check.Name);
        Assert.Empty(Probe(1).Begun.Seen);
        Assert.Empty(Probe(2).Begun.Seen);
        hanging.SetResult(ProbeResult.Fine("late"));

        await Probe(2).Begun.FirstAsync<int>();
        Assert.True(Probe(0).Disposed);
        Assert.True(Probe(1).Disposed);
        Assert.Empty(Probe(1).Begun.Seen);
        Assert.Single(_said.Seen);
    }

    [Fact]
    public async Task CheckThatIsGone_Ends_AndSaysNothing()
    {
        _runners.Configure([Check("web")]);
        var hanging = Probe(0).HangOn();
        await Probe(0).Begun.FirstAsync<int>();

        _runners.Configure([]);
        Assert.Empty(_runners.Read());
        hanging.SetResult(ProbeResult.Fine("late"));
        await _runners.DisposeAsync();

        Assert.True(Probe(0).Disposed);
        Assert.Empty(_said.Seen);
    }

    private static async Task Eventually(Func<bool> holds)
    {
        while (!holds())
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private ScriptedProbe Probe(int index) => _probes.ElementAt(index).Probe;

    private static CheckOptions Check(string name) => new() { Name = name, Probe = new ProbeOptions.Tcp("127.0.0.1", 80) };
}
