using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Tests.Checks;

public sealed class CheckRunnerTests : IAsyncLifetime
{
    private static readonly CheckOptions _check = new()
    {
        Name = "web",
        Probe = new ProbeOptions.Tcp("127.0.0.1", 80),
        Interval = TimeSpan.FromSeconds(10),
        FastInterval = TimeSpan.FromSeconds(1),
        Timeout = TimeSpan.FromSeconds(3),
        Rise = 2,
        Fall = 3,
    };

    private readonly ScriptedProbe _probe = new();
    private readonly WaitingClock _time = new();
    private readonly Signal<NodeEvent.HealthChanged> _said = new();
    private readonly RecordedLog<CheckRunners> _log = new();
    private readonly CancellationTokenSource _ending = new();
    private Task _running = Task.CompletedTask;
    private CheckRunner? _runner;
    private int _waits;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _running;
        _runner?.Dispose();
        _ending.Dispose();
    }

    [Fact]
    public async Task FirstRun_IsAtOnce_AndItsGoodResultIsTheVerdict()
    {
        _probe.Answer(true, "connected");
        Start();

        var said = await _said.FirstAsync<NodeEvent.HealthChanged>();
        Assert.Equal((_check, Health.Healthy, "connected"), (said.Check, said.Verdict, said.Text));
        Assert.Equal(_check.Interval, await NextWaitAsync());
        Assert.True(_runner!.Current is { Verdict: Health.Healthy, Runs: 1, Contrary: 0, LastRun.Result: { Good: true, Text: "connected" } });
    }

    [Fact]
    public async Task BadResults_AreRunFast_UntilTheVerdict_ThenAtTheInterval()
    {
        _probe.Answer(true);
        Start();
        Assert.Equal(_check.Interval, await PassAsync());
        foreach (var _ in Enumerable.Range(0, 2))
        {
            _probe.Answer(false, "refused");
            Assert.Equal(_check.FastInterval, await PassAsync());
        }

        Assert.Single(_said.Seen);
        Assert.Equal(2, _runner!.Current.Contrary);
        _probe.Answer(false, "refused");
        Assert.Equal(_check.Interval, await NextWaitAsync());
        Assert.Equal((Health.Unhealthy, "refused (3 times in a row)"), (_said.Seen[1].Verdict, _said.Seen[1].Text));
    }

    [Fact]
    public async Task GoodResultInBetween_BeginsAnew()
    {
        _probe.Answer(true);
        Start();
        await PassAsync();
        foreach (var good in new[] { false, false, true, false, false, true })
        {
            _probe.Answer(good);
            Assert.Equal(good ? _check.Interval : _check.FastInterval, await PassAsync());
        }

        Assert.Single(_said.Seen);
    }

    [Fact]
    public async Task NoAnswer_IsABadResult_AfterTheTimeout()
    {
        _probe.Hang();
        Start();

        await _probe.Begun.FirstAsync<int>();
        Assert.Equal(_check.Timeout, (await _time.Waits.UntilAsync(waits => waits.Count == 1))[0]);
        _time.Advance(_check.Timeout);

        // The run took longer than the fast interval: the next one begins at once.
        await _probe.Begun.FirstAsync<int>(number => number == 2);
        var run = _runner!.Current.LastRun!;
        Assert.Equal((false, "no answer within 3 s", _check.Timeout), (run.Result.Good, run.Result.Text, run.Result.Took));
        Assert.Equal(1, _probe.MostAtOnce);
    }

    [Fact]
    public async Task RunThatDoesNotEnd_DelaysTheNext_WhateverTheTime()
    {
        var hanging = _probe.HangOn();
        Start();
        await _probe.Begun.FirstAsync<int>();

        _time.Advance(TimeSpan.FromHours(1));
        Assert.Single(_probe.Begun.Seen);
        hanging.SetResult(ProbeResult.Fine("late"));

        await _probe.Begun.FirstAsync<int>(number => number == 2);
        Assert.Equal(1, _probe.MostAtOnce);
    }

    [Fact]
    public async Task BugInAProbe_IsABadResult_IsSaidOnce_AndTheCheckGoesOn()
    {
        for (var i = 0; i < 3; i++)
        {
            _probe.Break(new InvalidOperationException("a bug"));
        }

        Start();
        await PassAsync();
        await PassAsync();
        var said = await _said.FirstAsync<NodeEvent.HealthChanged>();

        Assert.Equal((Health.Unhealthy, "internal error: a bug (3 times in a row)"), (said.Verdict, said.Text));
        Assert.Single(_log.Lines.Seen, line => line.Text.Contains("Check web broke", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Offset_ShortensTheFirstIntervalOnly()
    {
        _probe.Answer(true);
        Start(offset: 0.25);

        Assert.Equal(0.75 * _check.Interval, await PassAsync());
        _probe.Answer(true);
        Assert.Equal(_check.Interval, await NextWaitAsync());
    }

    [Theory]
    [InlineData(true, nameof(InitialVerdict.Healthy), "Healthy")]
    [InlineData(false, nameof(InitialVerdict.Unhealthy), "Unhealthy")]
    public async Task WhatItOnlyCountsAs_BecomesItsVerdict_WithTheFirstResultThatAgrees(bool good, string initial, string verdict)
    {
        Start(_check with { Initial = Enum.Parse<InitialVerdict>(initial) });
        await _probe.Begun.FirstAsync<int>();
        Assert.True(_runner!.Current.VerdictSince is null && _runner.Current.Verdict.ToString() == verdict);

        _probe.Answer(good);

        Assert.Equal(verdict, (await _said.FirstAsync<NodeEvent.HealthChanged>()).Verdict.ToString());
        await NextWaitAsync();
        Assert.Equal(_time.Start, _runner.Current.VerdictSince);
    }

    [Fact]
    public async Task Ended_EndsTheRunThatGoesOn_WithoutAResult()
    {
        _probe.Hang();
        Start();
        await _probe.Begun.FirstAsync<int>();

        await _ending.CancelAsync();
        await _running;

        Assert.Null(_runner!.Current.LastRun);
        Assert.Empty(_said.Seen);
    }

    private void Start(CheckOptions? check = null, double offset = 0)
    {
        _runner = new CheckRunner(check ?? _check, _probe, (said, _) => Take(said), _time, _log);
        _running = Task.Run(() => _runner.RunAsync(offset, _ending.Token));
    }

    private ValueTask Take(NodeEvent said)
    {
        _said.Add((NodeEvent.HealthChanged)said);
        return ValueTask.CompletedTask;
    }

    // Each run begins two waits: its timeout, and the one until the next run.
    private async Task<TimeSpan> NextWaitAsync()
    {
        _waits += 2;
        return (await _time.Waits.UntilAsync(waits => waits.Count >= _waits))[_waits - 1];
    }

    private async Task<TimeSpan> PassAsync()
    {
        var wait = await NextWaitAsync();
        _time.Advance(wait);
        return wait;
    }
}
