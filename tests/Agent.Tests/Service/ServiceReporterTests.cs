using FailoverHub.Agent.Service;
using FailoverHub.Agent.Tests.Node;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Service;

/// <summary>What systemd hears, on a real socket and a clock of the test.</summary>
public sealed class ServiceReporterTests : IAsyncLifetime
{
    private static readonly TimeSpan _watchdog = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _question = _watchdog / 4;

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();
    private readonly RecordedLog<ServiceReporter> _log = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly NodeUnderTest _node = new NodeUnderTest().Start(NodeUnderTest.Shared);
    private readonly long[] _turns = [0, 0];
    private readonly int[] _nudges = [0, 0];
    private readonly bool[] _stuck = [false, false];
    private Task _running = Task.CompletedTask;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _ending.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Begins_SaysReady_AndThenEachChangeOnce(bool isAbstract)
    {
        await using var manager = new FakeServiceManager(isAbstract ? $"@failoverhub-{Guid.NewGuid():N}" : _directory.At("notify"));
        using var socket = new NotifySocket(manager.Address);
        var reporter = Run(socket, null);

        Assert.Equal("READY=1\nSTATUS=0 of 2 sessions established; announces 203.0.113.10/32 (primary)", await manager.Told.FirstAsync<string>());

        // The second is no change of what is told: nobody hears of it.
        _node.Establish(NodeUnderTest.First);
        reporter.OnChanged();
        _time.Advance(ServiceReporter.StatusPause);
        Assert.Equal("STATUS=1 of 2 sessions established; announces 203.0.113.10/32 (primary)", await manager.Told.FirstAsync<string>(from: 1));
        reporter.OnChanged();

        // A line of its own would be an order to the service manager.
        reporter.Stopping("SIGTERM\nWATCHDOG=trigger");
        Assert.Equal("STOPPING=1\nSTATUS=Stopping: SIGTERM WATCHDOG=trigger", await manager.Told.FirstAsync<string>(from: 2));
    }

    [Fact]
    public async Task Reload_IsToldWithItsTime_AndItsEnd()
    {
        await using var manager = new FakeServiceManager(_directory.At("notify"));
        using var socket = new NotifySocket(manager.Address);
        var reporter = Run(socket, null);

        reporter.Reloading();
        reporter.Reloaded();

        await manager.Told.FirstAsync<string>(told => told == "READY=1");
        Assert.Contains(manager.Told.Seen, told => told == $"RELOADING=1\nMONOTONIC_USEC={_time.GetTimestamp() / (_time.TimestampFrequency / 1_000_000)}");
    }

    [Fact]
    public async Task Watchdog_IsFedWhileBothPartsTurn()
    {
        await using var manager = new FakeServiceManager(_directory.At("notify"));
        using var socket = new NotifySocket(manager.Address);
        Run(socket, _watchdog);

        for (var fed = 1; fed <= 3; fed++)
        {
            _time.Advance(_question);
            await manager.Told.UntilAsync(told => told.Count(word => word == "WATCHDOG=1") == fed);
        }

        Assert.Empty(_log.Lines.Seen);
    }

    [Fact]
    public async Task Watchdog_ThreadOfTheSessionsStuck_IsNotFed_UntilItTurnsAgain()
    {
        const int part = 1;
        await using var manager = new FakeServiceManager(_directory.At("notify"));
        using var socket = new NotifySocket(manager.Address);
        _stuck[part] = true;
        Run(socket, _watchdog);

        _time.Advance(_question);

        var line = await _log.Lines.FirstAsync<LoggedLine>();
        Assert.Equal(LogLevel.Error, line.Level);
        Assert.Equal("No sign of life from the thread of the sessions: unless that changes, systemd's watchdog restarts the agent after 60 s of silence", line.Text);
        Assert.DoesNotContain("WATCHDOG=1", manager.Told.Seen);

        _stuck[part] = false;
        _turns[part]++;
        _time.Advance(_question);
        await manager.Told.FirstAsync<string>(told => told == "WATCHDOG=1");
        await EndAsync();
    }

    [Fact]
    public async Task Watchdog_LoopOfTheNodeStuck_IsFedAllTheSame_AndTheSilenceIsSaidOnce_AndShownUntilItTurnsAgain()
    {
        const string standing = "0 of 2 sessions established; announces 203.0.113.10/32 (primary)";
        await using var manager = new FakeServiceManager(_directory.At("notify"));
        using var socket = new NotifySocket(manager.Address);
        _stuck[0] = true;
        Run(socket, _watchdog);

        for (var fed = 1; fed <= 3; fed++)
        {
            _time.Advance(_question);
            await manager.Told.UntilAsync(told => told.Count(word => word == "WATCHDOG=1") == fed);
        }

        await manager.Told.FirstAsync<string>(told => told == $"STATUS=NO SIGN OF LIFE from the loop of the node; {standing}");
        var line = Assert.Single(_log.Lines.Seen);
        Assert.Equal(LogLevel.Error, line.Level);
        Assert.Equal("No sign of life from the loop of the node: nothing changes until it goes on", line.Text);
        Assert.Equal(1, _nudges[0]);

        _stuck[0] = false;
        _turns[0]++;
        for (var fed = 4; fed <= 8; fed++)
        {
            _time.Advance(_question);
            await manager.Told.UntilAsync(told => told.Count(word => word == "WATCHDOG=1") == fed);
        }

        await manager.Told.FirstAsync<string>(told => told == $"STATUS={standing}");
        await EndAsync();
    }

    [Fact]
    public async Task ManagerGone_IsSaidOnce_AndNothingElseHappens()
    {
        using var socket = new NotifySocket(_directory.At("nobody"));
        var reporter = Run(socket, null);

        reporter.Reloaded();
        reporter.Reloaded();

        var line = Assert.Single(await _log.Lines.UntilAsync(lines => lines.Count > 0));
        Assert.StartsWith("systemd cannot be told how the agent stands", line.Text, StringComparison.Ordinal);
        Assert.False(_running.IsCompleted);
    }

    // A status may still be on its way when a test has seen what it waited for; the socket is there until it is out.
    private async Task EndAsync()
    {
        await _ending.CancelAsync();
        await _running;
    }

    private ServiceReporter Run(NotifySocket socket, TimeSpan? watchdog)
    {
        var vitals = new Vitals([Part(0, "the loop of the node") with { StandsStill = "nothing changes until it goes on" }, Part(1, "the thread of the sessions")]);
        var reporter = new ServiceReporter(socket, () => _node.State, vitals, _time, _log);
        _running = reporter.RunAsync(watchdog, _ending.Token);
        return reporter;
    }

    private VitalPart Part(int index, string name) => new(name, () => _turns[index], () =>
    {
        _nudges[index]++;
        _turns[index] += _stuck[index] ? 0 : 1;
    });
}
