using System.Collections.Immutable;
using System.Text.Json.Nodes;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>Messages that cannot leave at once, in the whole hub with a real receiver; the hours that they wait are virtual.</summary>
[Trait("Kind", "Hub")]
public sealed class WaitingMessagesTests : IAsyncLifetime
{
    private readonly SteppedClock _clock = new(TimeProvider.System.GetUtcNow());
    private readonly List<(string Pair, string Notice)> _taken = [];
    private WholeHub _hub = null!;
    private Receiver _receiver = null!;
    private int _mostInOne = int.MaxValue;
    private bool _isDown;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private AlertSettings Settings => _hub.Get<AlertSettings>();

    private DeliveryStore Store => _hub.Get<DeliveryStore>();

    public async ValueTask InitializeAsync()
    {
        _receiver = await Receiver.StartAsync();
        _receiver.Answer = received => Task.FromResult(Answer(received));
        _hub = await WholeHub.StartAsync(builder => builder.Services.AddSingleton(all => ActivatorUtilities.CreateInstance<AlertDeliverer>(all, _clock)));
        foreach (AlertRule rule in Settings.Rules)
        {
            await Settings.ChangeAsync(rule with { RaiseAfter = TimeSpan.Zero, ResolveAfter = TimeSpan.Zero, Enabled = rule.Id == "no-announcer" }, rule.Revision, WholeHub.Tester, Stop);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    [Fact]
    public async Task Summary_ThatIsTooLargeForItsReceiver_GoesOutInPartsAndNoEndComesBeforeItsBeginning()
    {
        _mostInOne = 2;
        await AddHookAsync(mostPerMinute: 6);
        Show(PairState.NoAnnouncer, 12);
        await UntilAsync(async () => (await WaitingAsync()).Length == 12);
        await CatchUpAsync(() => Task.FromResult(Taken("raised") > 0));
        // It may have been refused and split before anybody looks: its record stays.
        await CatchUpAsync(async () => (await Store.ListAsync(null, null, null, 200, Stop)).Any(d => d.Notice == "summary"));

        // They are over before all of them were told.
        Show(PairState.Healthy, 12);
        await UntilAsync(() => Task.FromResult(_hub.Get<IAlerts>().Current.Active.IsEmpty));
        await PassAsync(() => Taken("raised") == 12 && Taken("resolved") == 12);

        lock (_taken)
        {
            Assert.All(_taken.GroupBy(t => t.Pair), pair => Assert.Equal(["raised", "resolved"], pair.Select(t => t.Notice).Distinct()));
        }

        ImmutableArray<DeliveryRecord> all = await Store.ListAsync(null, null, null, 200, Stop);
        Assert.Contains(all, d => d.State == DeliveryStates.Split);
        Assert.DoesNotContain(all, d => d.State is DeliveryStates.GivenUp or DeliveryStates.Expired);
    }

    [Fact]
    public async Task ChannelThatWasOff_IsToldThatItIsOverAndNotThatItHasBegun()
    {
        _isDown = true;
        AlertChannel hook = await AddHookAsync();
        Show(PairState.NoAnnouncer);
        await UntilAsync(async () => !(await WaitingAsync()).IsEmpty);
        await CatchUpAsync(async () => (await WaitingAsync()).Any(m => m.Attempts > 0));
        hook = await ChangeAsync(hook with { Enabled = false });
        Show(PairState.Healthy);
        await UntilAsync(async () => (await WaitingAsync()).Length == 2);

        _clock.Advance(TimeSpan.FromHours(3));
        _isDown = false;
        await ChangeAsync(hook with { Enabled = true });
        await PassAsync(() => Taken("resolved") == 1);

        Assert.Equal(["resolved"], _taken.Select(t => t.Notice));
        // The receiver has it before the record says so.
        await UntilAsync(async () => (await Store.ListAsync(null, null, null, 10, Stop)).Select(d => d.State).SequenceEqual([DeliveryStates.Delivered, DeliveryStates.Expired]));
    }

    [Fact]
    public async Task ChannelThatWasOff_IsToldWhatStillIsSoAsItIsNow()
    {
        _isDown = true;
        AlertChannel hook = await AddHookAsync();
        Show(PairState.NoAnnouncer);
        await UntilAsync(async () => !(await WaitingAsync()).IsEmpty);
        await CatchUpAsync(async () => (await WaitingAsync()).Any(m => m.Attempts > 0));
        hook = await ChangeAsync(hook with { Enabled = false });
        _clock.Advance(TimeSpan.FromHours(3));
        _receiver.Rest();
        _isDown = false;

        await ChangeAsync(hook with { Enabled = true });
        await PassAsync(() => Taken("raised") == 1);

        JsonNode body = JsonNode.Parse(_receiver.Rest()[^1].Body)!;
        Assert.True((DateTimeOffset)body["at"]! >= _clock.Start.AddHours(3), "it says what was so three hours ago");
        Assert.True((DateTimeOffset)body["alerts"]![0]!["raisedAt"]! < _clock.Start.AddHours(1), "it does not say since when");
    }

    [Fact]
    public async Task ChannelThatDidNotAnswer_IsTriedAgainInItsTime_AlsoWhenTheClockIsSetBackByHours()
    {
        _isDown = true;
        await AddHookAsync();
        Show(PairState.NoAnnouncer);
        await UntilAsync(async () => !(await WaitingAsync()).IsEmpty);
        await CatchUpAsync(async () => (await WaitingAsync()).Any(m => m.Attempts > 0));

        _clock.Step = TimeSpan.FromHours(-3);
        _isDown = false;
        await PassAsync(() => Taken("raised") == 1);
    }

    [Fact]
    public async Task ChannelThatTookNothing_IsFailingForTheNextHubToo_BeforeThatHasTriedAnything()
    {
        _isDown = true;
        AlertChannel hook = await AddHookAsync();
        Show(PairState.NoAnnouncer);
        await UntilAsync(async () => !(await WaitingAsync()).IsEmpty);
        await CatchUpAsync(async () => (await WaitingAsync()).Any(m => m.Attempts > 0));

        using var next = new AlertDeliverer(Store, Settings, _hub.Get<AlertSenders>(), _clock, NullLogger<AlertDeliverer>.Instance);
        ImmutableDictionary<string, string>? before = next.Failing;
        await next.StartAsync(Stop);
        await UntilAsync(() => Task.FromResult(next.Failing is not null));
        await next.StopAsync(CancellationToken.None);

        Assert.Null(before);
        Assert.Contains("503", next.Failing!.GetValueOrDefault(hook.Id), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failing_IsByTheMessageThatWasTriedLast_AndNoTest()
    {
        await using HubDbContext db = await _hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
        DateTimeOffset at = _clock.GetUtcNow();
        db.AlertDeliveries.AddRange(
            Failed("good", at.AddSeconds(-9), "503"), Failed("good", at.AddSeconds(-5), null), Failed("bad", at.AddSeconds(-9), null), Failed("bad", at.AddSeconds(-5), "refused"), Failed("tested", at, "503", "test"));
        await db.SaveChangesAsync(Stop);

        ImmutableDictionary<string, string> failing = await Store.FailingAsync(["good", "bad", "tested", "new"], Stop);

        Assert.Equal(KeyValuePair.Create("bad", "refused"), Assert.Single(failing));
    }

    [Fact]
    public async Task ChannelThatIsNew_LearnsOfWhatGoesOn()
    {
        await AddHookAsync();
        Show(PairState.NoAnnouncer);
        await PassAsync(() => Taken("raised") == 1);

        await AddHookAsync("Another");
        await PassAsync(() => Taken("raised") == 2);

        Show(PairState.Healthy);
        await PassAsync(() => Taken("resolved") == 2);
    }

    [Fact]
    public async Task Attempts_OfAnEarlierRun_AreReadInTheirOrder()
    {
        await using HubDbContext db = await _hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
        DateTimeOffset at = _clock.GetUtcNow();
        db.AlertDeliveries.AddRange(Tried(at, 50, 10), Tried(at, 30, 20), Tried(at, 40));
        await db.SaveChangesAsync(Stop);

        Assert.Equal([50, 40, 30, 20, 10], (await Store.TriedSinceAsync(at.AddMinutes(-1), Stop)).Select(t => (int)(at - t.At).TotalSeconds));
    }

    // Its channel is not there: the deliverer leaves it alone.
    private static AlertDeliveryEntity Tried(DateTimeOffset now, params int[] secondsAgo)
    {
        AlertDeliveryEntity row = AlertRecords.ToEntity(AlertMessage.Test("hook", "alice", now), "gone", null);
        row.State = DeliveryStates.Delivered;
        row.AttemptsJson = AlertRecords.ToJson([.. secondsAgo.Select(s => new DeliveryAttempt(now.AddSeconds(-s), 1, "204", null))]);
        row.LastAttemptAtMs = now.AddSeconds(-secondsAgo[^1]).ToUnixTimeMilliseconds();
        return row;
    }

    private static AlertDeliveryEntity Failed(string channel, DateTimeOffset at, string? error, string notice = "raised")
    {
        AlertDeliveryEntity row = AlertRecords.ToEntity(AlertMessage.Test("hook", "alice", at), channel, null);
        (row.State, row.Notice, row.LastError, row.LastAttemptAtMs) = (DeliveryStates.GivenUp, notice, error, at.ToUnixTimeMilliseconds());
        return row;
    }

    private (int, string) Answer(Received received)
    {
        JsonArray alerts = JsonNode.Parse(received.Body)!["alerts"]!.AsArray();
        if (_isDown || alerts.Count > _mostInOne)
        {
            return (_isDown ? 503 : 413, "no");
        }

        lock (_taken)
        {
            _taken.AddRange(alerts.Select(a => ((string)a!["pair"]!, (string)a["notice"]!)));
        }

        return (204, "");
    }

    private int Taken(string notice)
    {
        lock (_taken)
        {
            return _taken.Count(t => t.Notice == notice);
        }
    }

    private void Show(PairState state, int pairs = 1) => _hub.Fleet.Publish(
        Make.Fleet([.. Enumerable.Range(0, pairs).Select(i => Make.HealthyPair($"pair-{i}") with { State = state, StateReason = "Because." })]) with { At = TimeProvider.System.GetUtcNow() });

    private async Task<AlertChannel> AddHookAsync(string name = "Hook", int mostPerMinute = 10) => Assert.IsType<SettingResult<AlertChannel>.Done>(await Settings.CreateAsync(
        AlertMaking.Channel(mostPerMinute: mostPerMinute) with { Name = name }, new ChannelSecret(new Uri(_receiver.Url, "/hook").AbsoluteUri), WholeHub.Tester, Stop)).Value;

    private async Task<AlertChannel> ChangeAsync(AlertChannel channel) =>
        Assert.IsType<SettingResult<AlertChannel>.Done>(await Settings.ChangeAsync(channel, ChannelSecret.None, false, channel.Revision, WholeHub.Tester, Stop)).Value;

    private Task<ImmutableArray<WaitingMessage>> WaitingAsync() => Store.WaitingAsync([.. Settings.Channels.Select(c => c.Id)], Stop);

    /// <summary>What was decided by the hub's clock is due by the deliverer's. Again and again, because the deliverer may only just begin to wait.</summary>
    private Task CatchUpAsync(Func<Task<bool>> holds) => UntilAsync(async () =>
    {
        if (await holds())
        {
            return true;
        }

        _clock.Advance(TimeSpan.FromSeconds(1) + (TimeProvider.System.GetUtcNow() - _clock.GetUtcNow() is { Ticks: > 0 } behind ? behind : TimeSpan.Zero));
        return false;
    });

    /// <summary>Lets virtual time pass, two seconds each moment, until it is so.</summary>
    private Task PassAsync(Func<bool> holds) => UntilAsync(() =>
    {
        if (holds())
        {
            return Task.FromResult(true);
        }

        _clock.Advance(TimeSpan.FromSeconds(2));
        return Task.FromResult(false);
    });

    /// <summary>A clock whose date somebody sets, while its ticks go on.</summary>
    private sealed class SteppedClock(DateTimeOffset start) : FakeTimeProvider(start)
    {
        public TimeSpan Step { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Step;

        public override long GetTimestamp() => base.GetUtcNow().UtcTicks;
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await holds())
        {
            await again.WaitForNextTickAsync(safety.Token);
        }
    }
}
