using System.Collections.Immutable;
using System.Text.Json.Nodes;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>The whole room in the whole hub, over a real database, with a real receiver.</summary>
[Trait("Kind", "Hub")]
public sealed class AlertRoomTests : IAsyncLifetime
{
    private readonly string _data = WholeHub.NewFolder();
    private WholeHub _hub = null!;
    private Receiver _receiver = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private IAlerts Alerts => _hub.Get<IAlerts>();

    private AlertSettings Settings => _hub.Get<AlertSettings>();

    public async ValueTask InitializeAsync()
    {
        _receiver = await Receiver.StartAsync();
        _hub = await WholeHub.StartAsync(data: _data);
        await BeQuickAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    [Fact]
    public async Task Alert_FromItsBeginningToItsEnd_IsToldAuditedAndInTheHistory()
    {
        await AddHookAsync();
        Show(PairState.NoAnnouncer);

        Alert alert = await UntilAsync(now => now.Active is [{ LastToldAt: not null } one] ? one : null);
        Assert.Equal(("alert.raised", alert.Id), await NextAsync());
        Assert.Equal(1, Alerts.Current.NeedSomebody);
        Assert.IsType<AlertResult.Done>(await Alerts.ChangeAsync(alert.Id, new AlertChangeRequest.Acknowledge("I am on it"), WholeHub.Tester, Stop));
        Assert.Equal(("alert.acknowledged", alert.Id), await NextAsync());
        Assert.Equal(0, Alerts.Current.NeedSomebody);
        Show(PairState.Healthy);
        Assert.Equal(("alert.resolved", alert.Id), await NextAsync());

        Assert.NotNull((await Alerts.FindAsync(alert.Id, Stop))!.ResolvedAt);
        Assert.Equal(["resolved delivered", "acknowledged delivered", "raised delivered"], await DeliveredAsync(alert.Id, 3));
        AuditEntry audited = (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = "alert-acknowledged", Pair = "web" }, null, 10, Stop)).Items.Single();
        Assert.Equal(("tester", "I am on it", "accepted"), (audited.Actor, audited.Reason, audited.Outcome));
        string[] kinds = [.. (await _hub.Get<IHistory>().EventsAsync(new HistoryFilter { Pair = "web" }, null, 50, Stop)).Items.Select(e => e.Kind).Where(k => k.StartsWith("alert-", StringComparison.Ordinal)).Reverse()];
        Assert.Equal(["alert-raised", "alert-acknowledged", "alert-resolved"], kinds);
    }

    [Fact]
    public async Task Restart_NeitherRaisesAnewNorForgetsToEnd()
    {
        await AddHookAsync();
        Show(PairState.NoAnnouncer);
        (_, string id) = await NextAsync();
        await DeliveredAsync(id, 1);
        await RestartAsync();

        Assert.Equal(id, Assert.Single(Alerts.Current.Active).Id);
        Show(PairState.NoAnnouncer);
        await LooksAsync(3);
        Assert.Empty(_receiver.Rest());
        Show(PairState.Healthy);

        Assert.Equal(("alert.resolved", id), await NextAsync());
        Assert.Single(await Alerts.ListAsync(new AlertFilter(), null, 10, Stop));
    }

    [Fact]
    public async Task Restart_WhatWasNotDeliveredIsDeliveredAfterwards()
    {
        _receiver.Answer = _ => Task.FromResult((503, "not now"));
        await AddHookAsync();
        Show(PairState.NoAnnouncer);
        (_, string id) = await NextAsync();
        await RestartAsync();
        _receiver.Answer = _ => Task.FromResult((204, ""));

        await DeliveredAsync(id, 1);

        DeliveryRecord delivery = Assert.Single(await Alerts.DeliveriesAsync(id, Stop));
        Assert.True(delivery.Attempts >= 2);
        Assert.Equal("It answered 503: not now", delivery.Log[0].Error);
        Assert.Null(delivery.Log[^1].Error);
    }

    [Fact]
    public async Task Storm_OfAHundredPairs_IsACoupleOfMessagesAndNoneIsMissing()
    {
        await AddHookAsync(mostPerMinute: 3);
        _hub.Fleet.Publish(Make.Fleet([.. Enumerable.Range(0, 100).Select(i => Make.HealthyPair($"pair-{i}") with { State = PairState.NoAnnouncer, StateReason = "Nobody announces." })]) with { At = TimeProvider.System.GetUtcNow() });

        var named = new HashSet<string>();
        int messages = 0;
        while (named.Count < 100)
        {
            JsonNode body = JsonNode.Parse((await _receiver.NextAsync()).Body)!;
            messages++;
            named.UnionWith(body["alerts"]!.AsArray().Where(a => (string?)a!["notice"] == "raised").Select(a => (string)a!["pair"]!));
        }

        Assert.Equal(4, messages);
    }

    [Fact]
    public async Task Freeze_KeepsQuietWhatItsRuleSaysAndShowsIt()
    {
        await AddHookAsync();
        AlertRule rule = Settings.FindRule("no-announcer")!;
        Assert.IsType<SettingResult<AlertRule>.Done>(await Settings.ChangeAsync(rule with { QuietInFreeze = true }, rule.Revision, WholeHub.Tester, Stop));
        PairView frozen = Make.HealthyPair() with { State = PairState.NoAnnouncer, StateReason = "Nobody announces.", Freeze = new FreezeView(Make.At.AddHours(1), "alice", "Works", false) };
        _hub.Fleet.Publish(Make.Fleet(frozen) with { At = TimeProvider.System.GetUtcNow() });

        Alert alert = await UntilAsync(now => now.Active is [{ } one] ? one : null);
        Assert.StartsWith("frozen by alice until", alert.QuietBecause, StringComparison.Ordinal);
        Assert.Empty(_receiver.Rest());
        _hub.Fleet.Publish(Make.Fleet(frozen with { Freeze = null }) with { At = TimeProvider.System.GetUtcNow() });

        Assert.Equal(("alert.raised", alert.Id), await NextAsync());
    }

    [Fact]
    public async Task Operation_ThatFails_IsAnAlertUntilOneSucceeds()
    {
        await AddHookAsync();
        Show(PairState.Healthy);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        _hub.Operations.Publish(Make.Operation("op-1", OperationStatus.Failed) with { RequestedAt = now, FinishedAt = now });

        Alert alert = await UntilAsync(n => n.Active is [{ Kind: AlertKind.OperationFailed } one] ? one : null);
        Assert.Equal("op-1", alert.OperationId);
        _hub.Operations.Publish(Make.Operation("op-2", OperationStatus.Succeeded) with { RequestedAt = now.AddSeconds(1), FinishedAt = now.AddSeconds(1) });

        await UntilAsync(n => n.Active.IsEmpty ? n : null);
    }

    [Fact]
    public async Task OperationThatFailed_AcknowledgedIsOverAlsoForTheNextHub()
    {
        await AddHookAsync();
        Show(PairState.Healthy);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        OperationView failed = Make.Operation("op-1", OperationStatus.Failed) with { RequestedAt = now, FinishedAt = now };
        _hub.Operations.Publish(failed);
        Alert alert = await UntilAsync(n => n.Active is [{ Kind: AlertKind.OperationFailed } one] ? one : null);

        var done = Assert.IsType<AlertResult.Done>(await Alerts.ChangeAsync(alert.Id, new AlertChangeRequest.Acknowledge("A loose cable"), WholeHub.Tester, Stop));
        Assert.NotNull(done.Alert.ResolvedAt);
        await RestartAsync();
        _hub.Operations.Publish(failed);
        await LooksAsync(3);

        Assert.Empty(Alerts.Current.Active);
        Assert.Single(await Alerts.ListAsync(new AlertFilter(), null, 10, Stop));
    }

    [Fact]
    public async Task OperationThatPeopleWereToldOf_IsKnownToTheNextHubAlsoWhenAnotherFailedSince()
    {
        await AddHookAsync();
        Show(PairState.Healthy);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        _hub.Operations.Publish(Make.Operation("op-1", OperationStatus.Failed) with { RequestedAt = now, FinishedAt = now });
        await UntilAsync(n => n.Active is [{ OperationId: "op-1", LastToldAt: not null } one] ? one : null);
        _hub.Operations.Publish(Make.Operation("op-2", OperationStatus.Failed) with { RequestedAt = now.AddSeconds(1), FinishedAt = now.AddSeconds(1) });
        await UntilAsync(n => n.Active is [{ OperationId: "op-2" } one] ? one : null);
        Assert.IsType<SettingResult<AlertChannel>.Done>(await Settings.CreateAsync(AlertMaking.Channel() with { Name = "Later" }, new ChannelSecret(new Uri(_receiver.Url, "/later").AbsoluteUri), WholeHub.Tester, Stop));
        await UntilAsync(n => n.Active is [{ OperationId: "op-2", ToldTo.Count: 2 } one] ? one : null);

        Alert known = Assert.Single((await _hub.Get<AlertStore>().LoadAsync(now, Stop)).Active).Value;

        Assert.Equal(("op-2", "op-1"), (known.OperationId, known.ToldOperationId));
    }

    [Fact]
    public async Task HubThatCannotWrite_SaysSoFromMemoryWhileItIsTrueAndSaysWhenItIsOver()
    {
        AlertRule storage = Settings.FindRule("hub-cannot-write")!;
        await Settings.ChangeAsync(storage with { Enabled = true, RaiseAfter = TimeSpan.Zero, ResolveAfter = TimeSpan.Zero }, storage.Revision, WholeHub.Tester, Stop);
        await AddHookAsync();
        await using HubDbContext db = await _hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
        await RawSql.ForbidAsync(db, "no_alerts", "INSERT", "Alerts", "the disk is full");
        Show(PairState.NoAnnouncer);

        JsonNode told = JsonNode.Parse((await _receiver.NextAsync()).Body)!;
        await RawSql.AllowAsync(db, "no_alerts");
        List<JsonNode> then = [JsonNode.Parse((await _receiver.NextAsync()).Body)!, JsonNode.Parse((await _receiver.NextAsync()).Body)!];

        Assert.Equal(("alert.raised", "hub-storage"), ((string)told["event"]!, (string)told["alerts"]![0]!["kind"]!));
        Assert.Contains("from the hub's memory", (string)told["title"]!, StringComparison.Ordinal);
        Assert.True((long)told["id"]! < 0);
        Assert.Equal(["alert.raised pair-state", "alert.resolved hub-storage"], then.Select(m => $"{m["event"]} {m["alerts"]![0]!["kind"]}").Order());
        await UntilAsync(now => now.Active.All(a => a.Kind != AlertKind.HubStorage) ? now : null);
        Alert kept = Assert.Single(await Alerts.ListAsync(new AlertFilter(), null, 10, Stop), a => a.Kind == AlertKind.HubStorage);
        Assert.Equal(("people were told from the hub's memory", true), (kept.QuietBecause, kept.ToldTo.IsEmpty));
    }

    [Fact]
    public async Task Change_IsAuditedWithHowItWasAndHowItIs()
    {
        Show(PairState.NoAnnouncer);
        Alert alert = await UntilAsync(now => now.Active is [{ } one] ? one : null);

        Alert shelved = await ChangeAsync(new AlertChangeRequest.Shelve(TimeSpan.FromHours(2), "Parts are on their way"));
        await ChangeAsync(new AlertChangeRequest.Unshelve());
        await ChangeAsync(new AlertChangeRequest.Acknowledge("I am on it"));

        AuditEntry[] audited = [.. (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Pair = "web" }, null, 20, Stop)).Items.Reverse()];
        Assert.Equal(["alert-shelved", "alert-unshelved", "alert-acknowledged"], audited.Select(a => a.Action));
        Assert.Equal([(false, true), (true, false), (false, false)], audited.Select(a => (Of(a.Before, "shelf") is not null, Of(a.After, "shelf") is not null)));
        Assert.Equal((shelved.Shelf!.Until, alert.Id), ((DateTimeOffset)Of(audited[0].After, "shelf")!["until"]!, (string)Of(audited[0].After, "id")!));
        Assert.Equal((null, "I am on it"), (Of(audited[2].Before, "acknowledged"), (string?)Of(audited[2].After, "acknowledged")!["reason"]));

        async Task<Alert> ChangeAsync(AlertChangeRequest change) => Assert.IsType<AlertResult.Done>(await Alerts.ChangeAsync(alert.Id, change, WholeHub.Tester, Stop)).Alert;

        static JsonNode? Of(string? json, string field) => JsonNode.Parse(json!)![field];
    }

    /// <summary>As when the connection breaks during a COMMIT and nobody can tell how it ended: decided again, it breaks the unique index of active alerts.</summary>
    [Fact]
    public async Task AlertThatIsOnTheDiskThoughItsCommitWasBelievedLost_IsTakenUpAndStopsNoOther()
    {
        await AddHookAsync();
        DateTimeOffset at = TimeProvider.System.GetUtcNow();
        PairView[] pairs = [.. new[] { "web", "mail" }.Select(name => Make.HealthyPair(name) with { State = PairState.NoAnnouncer, StateReason = "Because." })];
        var lost = new Alert
        {
            Id = Guid.CreateVersion7(at).ToString("N"), Key = new AlertKey("no-announcer", $"pair:{pairs[0].Id}"), Kind = AlertKind.PairState, RuleName = "No announcer", Severity = EventSeverity.Critical,
            About = "pair web", Pair = "web", Text = "Because.", RaisedAt = at, ToldTo = [Settings.Channels[0].Id], LastToldAt = at,
        };
        await using (HubDbContext db = await _hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop))
        {
            db.Alerts.Add(AlertRecords.ToEntity(lost));
            await db.SaveChangesAsync(Stop);
        }

        _hub.Fleet.Publish(Make.Fleet([.. pairs]) with { At = at });

        AlertsNow both = await UntilAsync(now => now.Active.Length == 2 ? now : null);
        Alert other = Assert.Single(both.Active, a => a.Pair == "mail");
        Assert.Equal(lost.Id, Assert.Single(both.Active, a => a.Pair == "web").Id);
        Assert.Equal(("alert.raised", other.Id), await NextAsync());
        _hub.Fleet.Publish(Make.Fleet([.. pairs.Select(p => p with { State = PairState.Healthy })]) with { At = at });
        Assert.Equal(new[] { other.Id, lost.Id }.Order(), new[] { await NextAsync(), await NextAsync() }.Select(told => told.Event == "alert.resolved" ? told.Alert : "").Order());
    }

    [Theory]
    [InlineData("", "Say why")]
    [InlineData("ok", "Say why")]
    public async Task Acknowledge_WithoutAReason_IsRefusedAndAudited(string reason, string why)
    {
        Show(PairState.NoAnnouncer);
        Alert alert = await UntilAsync(now => now.Active is [{ } one] ? one : null);

        var result = Assert.IsType<AlertResult.Invalid>(await Alerts.ChangeAsync(alert.Id, new AlertChangeRequest.Acknowledge(reason), WholeHub.Tester, Stop));

        Assert.StartsWith(why, result.Why, StringComparison.Ordinal);
        Assert.StartsWith("refused: reason", (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = "alert-acknowledged" }, null, 10, Stop)).Items.Single().Outcome, StringComparison.Ordinal);
        Assert.IsType<AlertResult.Forbidden>(await Alerts.ChangeAsync(alert.Id, new AlertChangeRequest.Acknowledge("I am on it"), WholeHub.Tester with { Rights = Rights.View }, Stop));
        Assert.IsType<AlertResult.NotFound>(await Alerts.ChangeAsync("none", new AlertChangeRequest.Acknowledge("I am on it"), WholeHub.Tester, Stop));
    }

    [Fact]
    public async Task Secret_IsNeitherInTheDatabaseNorInTheAuditNorShownAgain()
    {
        string secret = await AddHookAsync();

        AlertChannel channel = Assert.Single(Settings.Channels);
        Assert.Equal(43, secret.Length);
        Assert.True(channel.HasSecret);
        string? closed = await _hub.Get<AlertSettingsStore>().ClosedSecretAsync(channel.Id, Stop);
        Assert.DoesNotContain(secret, closed, StringComparison.Ordinal);
        AuditEntry audited = (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = "alert-channel-created" }, null, 10, Stop)).Items.Single();
        Assert.DoesNotContain(secret, $"{audited.Before}{audited.After}{audited.Reason}", StringComparison.Ordinal);
        Assert.Null(Assert.IsType<SettingResult<AlertChannel>.Done>(await Settings.ChangeAsync(channel with { MostPerMinute = 5 }, ChannelSecret.None, false, channel.Revision, WholeHub.Tester, Stop)).Secret);
        Assert.Equal(secret, (await _hub.Get<ChannelSecrets>().OpenAsync(channel.Id, Stop))!.Key);
    }

    [Fact]
    public async Task ChannelThatIsGone_GetsNothingAndStopsNobody()
    {
        await AddHookAsync();
        _receiver.Answer = _ => Task.FromResult((503, ""));
        Show(PairState.NoAnnouncer);
        (_, string id) = await NextAsync();
        Assert.IsType<SettingResult<AlertChannel>.Done>(await Settings.RemoveChannelAsync(Settings.Channels[0].Id, null, WholeHub.Tester, Stop));

        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while ((await Alerts.DeliveriesAsync(id, Stop)).Any(d => d.State == DeliveryStates.Waiting))
        {
            await again.WaitForNextTickAsync(Stop);
        }

        Assert.Equal(DeliveryStates.Dropped, Assert.Single(await Alerts.DeliveriesAsync(id, Stop)).State);
    }

    private void Show(PairState state) => _hub.Fleet.Publish(Make.Fleet(Make.HealthyPair() with { State = state, StateReason = "Because." }) with { At = TimeProvider.System.GetUtcNow() });

    // Waiting is tried by virtual time elsewhere.
    private async Task BeQuickAsync()
    {
        foreach (AlertRule rule in Settings.Rules)
        {
            bool asked = rule.Id is "no-announcer" or "operation-did-not-succeed";
            await Settings.ChangeAsync(rule with { RaiseAfter = TimeSpan.Zero, ResolveAfter = TimeSpan.Zero, Enabled = asked }, rule.Revision, WholeHub.Tester, Stop);
        }
    }

    private async Task<string> AddHookAsync(int mostPerMinute = 10) => Assert.IsType<SettingResult<AlertChannel>.Done>(await Settings.CreateAsync(
        AlertMaking.Channel(mostPerMinute: mostPerMinute) with { Name = "Hook" }, new ChannelSecret(new Uri(_receiver.Url, "/hook").AbsoluteUri), WholeHub.Tester, Stop)).Secret!;

    private async Task<(string Event, string Alert)> NextAsync()
    {
        JsonNode body = JsonNode.Parse((await _receiver.NextAsync()).Body)!;
        return ((string)body["event"]!, (string)body["alerts"]![0]!["id"]!);
    }

    private async Task<T> UntilAsync<T>(Func<AlertsNow, T?> found)
        where T : class
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        await foreach (AlertsNow now in Alerts.WatchAsync(safety.Token))
        {
            if (found(now) is { } one)
            {
                return one;
            }
        }

        throw new TimeoutException($"It did not become so: {string.Join(", ", Alerts.Current.Active)}");
    }

    // That they are crossed off comes a moment after they were taken.
    private async Task<IEnumerable<string>> DeliveredAsync(string alert, int count)
    {
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            ImmutableArray<DeliveryRecord> all = await Alerts.DeliveriesAsync(alert, Stop);
            if (all.Count(d => d.State == DeliveryStates.Delivered) >= count)
            {
                return all.Select(d => $"{d.Notice} {d.State}");
            }

            await again.WaitForNextTickAsync(Stop);
        }
    }

    private async Task LooksAsync(int count)
    {
        for (int i = 0; i < count; i++)
        {
            await _hub.Get<AlertRoom>().LookAsync(Stop);
        }
    }

    // A hub begins with the fleet that it has stored, never with none.
    private async Task RestartAsync()
    {
        FakeFleet fleet = _hub.Fleet;
        await _hub.App.StopAsync(Stop);
        await _hub.App.DisposeAsync();
        _hub = await WholeHub.StartAsync(builder => builder.Services.AddSingleton<IFleetView>(fleet), _data);
    }
}
