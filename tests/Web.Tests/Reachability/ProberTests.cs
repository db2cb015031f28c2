using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Net;
using System.Threading.Channels;
using FailoverHub.Web.Data;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Probing;
using FailoverHub.Web.Reachability.Storage;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Reachability;

[Trait("Kind", "Hub")]
public sealed class ProberTests : IAsyncLifetime
{
    private readonly LockstepClock _clock = new(Make.At);
    private readonly FakeFleet _fleet = new();
    private readonly ScriptedProbe _probe = new();
    private readonly Findings _findings = new();
    private readonly ServiceProvider _services;
    private readonly string _folder = WholeHub.NewFolder();
    private readonly HubWriter _writer;
    private readonly ReachabilityView _view;
    private readonly Prober _prober;

    public ProberTests()
    {
        _services = new ServiceCollection().AddMetrics().AddHubDatabase(_folder, TestDatabases.For(_folder)).BuildServiceProvider();
        _writer = new HubWriter(Database, _clock, NullLogger<HubWriter>.Instance);
        _view = new ReachabilityView(_clock, new ProbeSampleStore(Database, _writer, _clock, NullLogger<ProbeSampleStore>.Instance), _probe);
        var tools = new ProberTools(_clock, NullLogger<Prober>.Instance, _services.GetRequiredService<IMeterFactory>(), () => [], () => []);
        _prober = new Prober(_fleet, _probe, _view, _findings, tools);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private IDbContextFactory<HubDbContext> Database => _services.GetRequiredService<IDbContextFactory<HubDbContext>>();

    public async ValueTask InitializeAsync() => await _prober.StartAsync(Stop);

    public async ValueTask DisposeAsync()
    {
        await _prober.StopAsync(CancellationToken.None);
        _prober.Dispose();
        await _writer.DisposeAsync();
        await _services.DisposeAsync();
        TestDatabases.Release(_folder);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task SharedPrefix_AppearsInTheFleet_IsProbedEachSecondAndShownReachable()
    {
        _fleet.Publish(Make.Fleet(Make.HealthyPair()));

        for (int i = 0; i < 3; i++)
        {
            await UntilAsync(_findings.Samples.Reader);
        }

        TargetReachability target = (await FirstAsync(t => t.Recent.Length >= 3 && t.State == ReachabilityState.Reachable))!;
        Assert.Equal(IPAddress.Parse("203.0.113.10"), target.Address);
        Assert.Equal("hub", target.VantagePoint);
        Assert.All(
            target.Recent.Zip(target.Recent.Skip(1), (earlier, later) => later.At - earlier.At),
            apart => Assert.InRange(apart, TimeSpan.FromMilliseconds(500), TimeSpan.FromMilliseconds(1_500)));
    }

    [Fact]
    public async Task AddressThatFallsSilent_IsUnreachableAndBothTurnsAreTold()
    {
        _fleet.Publish(Make.Fleet(Make.HealthyPair()));
        await UntilAsync(_findings.Samples.Reader);

        _probe.Reply = ProbeReply.Failed("no answer within 900 ms");
        ReachabilityChange lost = await UntilAsync(_findings.Changes.Reader);
        TargetReachability? silent = await FirstAsync(t => t.State == ReachabilityState.Unreachable);
        _probe.Reply = ProbeReply.Answered(TimeSpan.FromMilliseconds(1));
        ReachabilityChange restored = await UntilAsync(_findings.Changes.Reader);

        Assert.True(lost.Lost);
        Assert.NotNull(silent);
        Assert.False(restored.Lost);
    }

    [Fact]
    public async Task AnswersThatTheHubLostItself_AreNoLossOfTheAddress_WhichTurnsUnknown()
    {
        _fleet.Publish(Make.Fleet(Make.HealthyPair()));
        await UntilAsync(_findings.Samples.Reader);
        await FirstAsync(t => t.State == ReachabilityState.Reachable);

        _probe.Reply = ProbeReply.Missed;
        TargetReachability unknown = (await FirstAsync(t => t.State != ReachabilityState.Reachable))!;
        _probe.Reply = ProbeReply.Failed("no answer within 900 ms");
        ReachabilityChange lost = await UntilAsync(_findings.Changes.Reader);

        Assert.Equal(ReachabilityState.Unknown, unknown.State);
        Assert.All(unknown.Recent, sample => Assert.True(sample.Answered));
        Assert.True(lost.Lost);
    }

    [Fact]
    public async Task ProbeThatMayNotBeSent_LeavesTheAddressUnknownAndSaysWhy()
    {
        _probe.Problem = "No ICMP socket.";
        _fleet.Publish(Make.Fleet(Make.HealthyPair()));

        TargetReachability? target = await FirstAsync(t => t.Problem is not null);

        Assert.Equal("No ICMP socket.", target!.Problem);
        Assert.Equal(ReachabilityState.Unknown, target.State);
        Assert.Empty(target.Recent);
    }

    [Fact]
    public async Task ProbeThatThrows_LeavesTheAddressUnknownAndIsTriedAgain()
    {
        _fleet.Publish(Make.Fleet(Make.HealthyPair()));
        await FirstAsync(t => t.State == ReachabilityState.Reachable);

        _probe.Defect = new InvalidOperationException("too many open files");
        TargetReachability? failing = await FirstAsync(t => t.Problem is not null);
        _probe.Defect = null;
        TargetReachability? after = await FirstAsync(t => t.State == ReachabilityState.Reachable);

        Assert.Contains("too many open files", failing!.Problem, StringComparison.Ordinal);
        Assert.Equal(ReachabilityState.Unknown, failing.State);
        Assert.NotNull(after);
        Assert.False(_findings.Changes.Reader.TryRead(out _), "a defect of the hub is no outage of the address");
    }

    [Fact]
    public async Task ProbeThatNeverEnds_IsPublishedAgainWithoutNewsAndTurnsUnknownForWhoeverWatches()
    {
        // What was already on its way when the probe began to hang; all later publications are without news.
        const int WithNews = 3;
        _fleet.Publish(Make.Fleet(Make.HealthyPair()));
        await FirstAsync(t => t.State == ReachabilityState.Reachable);
        _probe.Hangs = true;

        using var safety = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        await using IAsyncEnumerator<ImmutableArray<TargetReachability>> watch = _view.WatchAsync(safety.Token).GetAsyncEnumerator(CancellationToken.None);
        TargetReachability? told = null;
        for (int second = 0; second < WithNews + 3; second++)
        {
            await PassAsync(TimeSpan.FromSeconds(1.3), safety.Token);
            Assert.True(await watch.MoveNextAsync(), "Nothing was published in this second.");
            told = watch.Current.FirstOrDefault();
        }

        Assert.Equal(ReachabilityState.Unknown, told?.State);
        Assert.False(_findings.Changes.Reader.TryRead(out _), "a probe that never ends is no outage of the address");
    }

    [Fact]
    public async Task ProberThatAsksByTcp_AsksItsGatewayAllTheSame_AndTellsWhenTheWayOutIsGoneAndBack()
    {
        await _prober.StopAsync(Stop);
        ImmutableArray<IPAddress> gateways = [IPAddress.Parse("192.0.2.1")];
        var tcp = new ScriptedProbe { Method = ProbeMethod.Tcp };
        var echo = new ScriptedProbe();
        var tools = new ProberTools(_clock, NullLogger<Prober>.Instance, _services.GetRequiredService<IMeterFactory>(), () => gateways, () => []) { Echo = echo };
        using var prober = new Prober(_fleet, tcp, _view, _findings, tools);
        await prober.StartAsync(Stop);
        _fleet.Publish(Make.Fleet(Make.HealthyPair()));
        await FirstAsync(t => t.Recent.Length >= 3);

        // The default route is gone: what the kernel says of each probe, and of its table.
        gateways = [];
        tcp.Reply = echo.Reply = ProbeReply.Unsent("the hub's machine has no route to it: see 'ip route'");
        string? problem = await UntilAsync(_findings.CutOffs.Reader);
        Assert.NotNull(await FirstAsync(t => t.Problem == ((IProbedTargets)_view).CutOff?.Text && t.State == ReachabilityState.Unknown));
        gateways = [IPAddress.Parse("192.0.2.1")];
        tcp.Reply = echo.Reply = ProbeReply.Answered(TimeSpan.FromMilliseconds(1));
        string? after = await UntilAsync(_findings.CutOffs.Reader);
        while (after is not null)
        {
            after = await UntilAsync(_findings.CutOffs.Reader);
        }

        await FirstAsync(t => t.State == ReachabilityState.Reachable);
        await prober.StopAsync(CancellationToken.None);
        Assert.StartsWith("The hub itself is cut off: ", problem, StringComparison.Ordinal);
        Assert.Null(((IProbedTargets)_view).CutOff);
        Assert.False(_findings.Changes.Reader.TryRead(out _), "that the hub is cut off is no outage of the address");
    }

    /// <summary>A machine that has other things to do lets the prober run four tenths of a second too late, now and then: what it says of its lateness is what moves a probe away from its plan.</summary>
    [Fact]
    public async Task LatenessThatIsMeasured_IsHowMuchLaterThanPlannedAProbeWasSent()
    {
        var late = new ConcurrentQueue<TimeSpan>();
        var meters = _services.GetRequiredService<IMeterFactory>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, all) =>
            {
                if (instrument.Name == "failoverhub.probe.lateness" && ReferenceEquals(instrument.Meter.Scope, meters))
                {
                    all.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((_, milliseconds, _, _) => late.Enqueue(TimeSpan.FromMilliseconds(milliseconds)));
        listener.Start();
        _fleet.Publish(Make.Fleet(Make.HealthyPair()));
        var sent = new List<ProbeSample>();
        while (sent.Count < 8 || (late.Max() < TimeSpan.FromMilliseconds(100) && sent.Count < 500))
        {
            sent.Add(await UntilAsync(_findings.Samples.Reader));
            if (sent.Count > 2)
            {
                for (int turn = 0; turn < 3; turn++)
                {
                    await _clock.TurnAsync(Stop, TimeSpan.FromMilliseconds(turn == 2 ? 400 : 0));
                }
            }
        }

        // As planned they are a second apart, by a twentieth of it at random; a turn of five milliseconds is the most that a prober that runs is late.
        DateTimeOffset[] planned = [.. sent.Zip(late, (sample, by) => sample.At - by)];
        Assert.All(planned.Zip(planned.Skip(1), (earlier, later) => later - earlier), apart => Assert.InRange(apart, TimeSpan.FromSeconds(0.9499), TimeSpan.FromSeconds(1.0501)));
        Assert.InRange(late.First(), TimeSpan.Zero, TimeSpan.FromMilliseconds(5));
        Assert.InRange(late.Max(), TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(405));
    }

    [Fact]
    public async Task ProberThatStops_LeavesWhatItKnewToTurnUnknown()
    {
        _fleet.Publish(Make.Fleet(Make.HealthyPair()));
        await FirstAsync(t => t.State == ReachabilityState.Reachable);
        await _prober.StopAsync(Stop);

        _clock.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal(ReachabilityState.Unknown, _view.Find(Make.Prefix)!.State);
    }

    /// <summary>Lets virtual time pass, turn by turn of the prober, until there is something to read.</summary>
    private async Task<T> UntilAsync<T>(ChannelReader<T> reader)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        T? item;
        while (!reader.TryRead(out item))
        {
            await _clock.TurnAsync(safety.Token);
        }

        return item;
    }

    private async Task PassAsync(TimeSpan span, CancellationToken safety)
    {
        DateTimeOffset until = _clock.GetUtcNow() + span;
        while (_clock.GetUtcNow() < until)
        {
            await _clock.TurnAsync(safety);
        }
    }

    private async Task<TargetReachability?> FirstAsync(Func<TargetReachability, bool> wanted)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            if (_view.Find(Make.Prefix) is { } target && wanted(target))
            {
                return target;
            }

            await _clock.TurnAsync(safety.Token);
        }
    }

    /// <summary>A clock that goes on only when the prober waits for it, and just as far as the prober waits: virtual time never runs away from a slow machine.</summary>
    private sealed class LockstepClock(DateTimeOffset start) : FakeTimeProvider(start)
    {
        private readonly Channel<TimeSpan> _waits = Channel.CreateUnbounded<TimeSpan>();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ITimer timer = base.CreateTimer(callback, state, dueTime, period);
            _waits.Writer.TryWrite(dueTime);
            return timer;
        }

        /// <param name="cancellationToken">Ends the wait for the prober.</param>
        /// <param name="late">So much later than it wanted the prober runs.</param>
        public async Task TurnAsync(CancellationToken cancellationToken, TimeSpan late = default)
        {
            TimeSpan wait = await _waits.Reader.ReadAsync(cancellationToken);
            while (_waits.Reader.TryRead(out TimeSpan newer))
            {
                wait = newer;
            }

            Advance(wait + late);
        }
    }

    private sealed class ScriptedProbe : IProbe
    {
        public ProbeReply Reply { get; set; } = ProbeReply.Answered(TimeSpan.FromMilliseconds(1));

        public string? Problem { get; set; }

        public Exception? Defect { get; set; }

        public bool Hangs { get; set; }

        public ProbeMethod Method { get; init; } = ProbeMethod.Icmp;

        public int? Port => null;

        public string? ProblemFor(IPAddress address) => Problem;

        public async Task<ProbeReply> SendAsync(IPAddress address, TimeSpan timeout, CancellationToken cancellationToken)
        {
            if (Hangs)
            {
                await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
            }

            return Defect is { } defect ? throw defect : Reply;
        }
    }

    private sealed class Findings : IProbeRecord
    {
        public Channel<ProbeSample> Samples { get; } = Channel.CreateUnbounded<ProbeSample>();

        public Channel<ReachabilityChange> Changes { get; } = Channel.CreateUnbounded<ReachabilityChange>();

        public void Sample(ProbeTarget target, ProbeSample sample) => Samples.Writer.TryWrite(sample);

        public void Change(ReachabilityChange change) => Changes.Writer.TryWrite(change);

        public Channel<string?> CutOffs { get; } = Channel.CreateUnbounded<string?>();

        public void HubCutOff(string? problem, DateTimeOffset at) => CutOffs.Writer.TryWrite(problem);
    }
}
