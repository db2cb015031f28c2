using System.Text.Json.Nodes;
using FailoverHub.Web.Access;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>Rules and channels on a real database: what is kept of an address, and what becomes of two who change the same.</summary>
[Trait("Kind", "Hub")]
public sealed class AlertSettingsTests : IAsyncLifetime
{
    private const string Address = "https://hooks.example.org/services/T000/hidden-path?token=hidden-token";
    private WholeHub _hub = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private AlertSettings Settings => _hub.Get<AlertSettings>();

    private AlertSettingsStore Store => _hub.Get<AlertSettingsStore>();

    public async ValueTask InitializeAsync() => _hub = await WholeHub.StartAsync();

    public async ValueTask DisposeAsync() => await _hub.DisposeAsync();

    [Theory]
    [InlineData(AlertChannelType.Webhook)]
    [InlineData(AlertChannelType.Slack)]
    public async Task Address_IsNeitherInTheDatabaseNorInTheAuditNorInTheApi(AlertChannelType type)
    {
        AlertChannel made = Done(await Settings.CreateAsync(AlertMaking.Channel(type: type) with { Name = "Hook" }, new ChannelSecret(Address), WholeHub.Tester, Stop));
        Done(await Settings.ChangeAsync(made, new ChannelSecret(Address + "2"), false, made.Revision, WholeHub.Tester, Stop));

        await using HubDbContext db = await DatabaseAsync();
        AlertChannelEntity row = await db.AlertChannels.AsNoTracking().SingleAsync(Stop);
        AuditEntry[] audited = [.. (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Text = "Hook" }, null, 10, Stop)).Items];
        using HttpClient admin = await _hub.ScriptAsync(ApiScope.Admin);
        string told = await admin.GetStringAsync("/api/v1/alert-channels", Stop);

        Assert.Equal(2, audited.Length);
        Assert.All([row.DefinitionJson, row.ClosedSecret!, told, .. audited.Select(a => $"{a.Before} {a.After} {a.Reason}")], text => Assert.DoesNotContain("hidden", text, StringComparison.Ordinal));
        Assert.Contains("https://hooks.example.org", audited[0].After, StringComparison.Ordinal);
        Assert.NotEqual(JsonNode.Parse(audited[0].Before!)!["mark"]!.ToString(), JsonNode.Parse(audited[0].After!)!["mark"]!.ToString());
        Assert.Equal(Address + "2", (await _hub.Get<ChannelSecrets>().OpenAsync(row.Id, Stop))!.Url);
    }

    /// <summary>A hub that was made before there was a kind of rule would never tell of it.</summary>
    [Fact]
    public async Task RulesOfAnOlderHub_GetThoseOfNewKinds_AndNoneThatWasRemoved()
    {
        string[] newer = [.. AlertKinds.Defaults.Where(r => !AlertKinds.First.Contains(r.Kind)).Select(r => r.Id)];
        await using (HubDbContext db = await DatabaseAsync())
        {
            db.AlertRules.RemoveRange(await db.AlertRules.Where(r => newer.Contains(r.Id) || r.Id == "degraded-pair").ToListAsync(Stop));
            (await db.Settings.SingleAsync(s => s.Key == "alerts.rules.begun", Stop)).Value = "1";
            await db.SaveChangesAsync(Stop);
        }

        string[] first = [.. (await Store.RulesAsync(Stop)).Select(r => r.Id)];
        Assert.NotEmpty(newer);
        Assert.All(newer, id => Assert.Contains(id, first));
        Assert.DoesNotContain("degraded-pair", first);

        // Once: what is removed then stays so.
        await using (HubDbContext db = await DatabaseAsync())
        {
            db.AlertRules.RemoveRange(await db.AlertRules.Where(r => r.Id == newer[0]).ToListAsync(Stop));
            await db.SaveChangesAsync(Stop);
        }

        Assert.DoesNotContain(newer[0], (await Store.RulesAsync(Stop)).Select(r => r.Id));
    }

    [Fact]
    public async Task RulesOfAnOlderHub_GetThoseOfNewKindsOnce_AndWhatWasRemovedStaysSo()
    {
        await using (HubDbContext db = await DatabaseAsync())
        {
            await db.AlertRules.Where(r => r.Id == "vantage-point-lost" || r.Id == "pair-on-one-host" || r.Id == "silent-node").ExecuteDeleteAsync(Stop);
            await db.Settings.Where(s => s.Key == "alerts.rules.begun").ExecuteUpdateAsync(s => s.SetProperty(x => x.Value, "1"), Stop);
        }

        string[] first = [.. (await Store.RulesAsync(Stop)).Select(r => r.Id)];
        await using (HubDbContext db = await DatabaseAsync())
        {
            await db.AlertRules.Where(r => r.Id == "pair-on-one-host").ExecuteDeleteAsync(Stop);
        }

        string[] second = [.. (await Store.RulesAsync(Stop)).Select(r => r.Id)];

        Assert.Contains("vantage-point-lost", first);
        Assert.Contains("pair-on-one-host", first);
        Assert.DoesNotContain("silent-node", first);
        Assert.DoesNotContain("pair-on-one-host", second);
    }

    [Fact]
    public async Task ChannelsOfAnOlderHub_AreClosedWhenTheHubStarts()
    {
        IDataProtectionProvider keys = _hub.Get<IDataProtectionProvider>();
        await using (HubDbContext db = await DatabaseAsync())
        {
            db.AlertChannels.AddRange(
                Older("hook", $$"""{"id":"hook","name":"hook","type":"webhook","enabled":true,"url":"{{Address}}","target":"{{Address}}","hasSecret":true,"revision":3}""", "signature-key"),
                Older("chat", """{"id":"chat","name":"chat","type":"slack","enabled":true,"url":null,"hasSecret":true,"revision":3}""", Address),
                Older("pager", """{"id":"pager","name":"pager","type":"pager-duty","enabled":true,"url":null,"hasSecret":true,"revision":3}""", "routing-key"));
            await db.SaveChangesAsync(Stop);
        }

        await Settings.StartAsync(Stop);
        await Settings.StartAsync(Stop);

        ChannelSecrets secrets = _hub.Get<ChannelSecrets>();
        Assert.Equal(new ChannelSecret(Address, "signature-key"), await secrets.OpenAsync("hook", Stop));
        Assert.Equal(new ChannelSecret(Address), await secrets.OpenAsync("chat", Stop));
        Assert.Equal(new ChannelSecret(null, "routing-key"), await secrets.OpenAsync("pager", Stop));
        Assert.Equal(["https://hooks.example.org", "https://hooks.example.org", null], Settings.Channels.Select(c => c.Origin));
        await using HubDbContext after = await DatabaseAsync();
        Assert.All(await after.AlertChannels.AsNoTracking().ToListAsync(Stop), row => Assert.DoesNotContain("hidden", row.DefinitionJson, StringComparison.Ordinal));

        AlertChannelEntity Older(string id, string definition, string secret) =>
            new() { Id = id, Name = id, DefinitionJson = definition, ClosedSecret = keys.CreateProtector("FailoverHub.AlertChannel.v1", id).Protect(secret), Revision = 3 };
    }

    [Fact]
    public async Task Secret_IsKnownWhileTheDatabaseIsAway()
    {
        AlertChannel made = Done(await Settings.CreateAsync(AlertMaking.Channel() with { Name = "Hook" }, new ChannelSecret(Address, "key"), WholeHub.Tester, Stop));
        await using (HubDbContext db = await DatabaseAsync())
        {
            await RawSql.ExecuteAsync(db, "ALTER TABLE AlertChannels RENAME TO Away");
        }

        ChannelSecret? open = await _hub.Get<ChannelSecrets>().OpenAsync(made.Id, Stop);

        Assert.Equal(new ChannelSecret(Address, "key"), open);
        await using HubDbContext back = await DatabaseAsync();
        await RawSql.ExecuteAsync(back, "ALTER TABLE Away RENAME TO AlertChannels");
    }

    [Fact]
    public async Task Change_ThatIsOnTheDisk_IsDoneAlsoWhenNothingCanBeReadAfterIt()
    {
        AlertRule rule = Settings.Rules[0];
        await using (HubDbContext db = await DatabaseAsync())
        {
            await RawSql.ExecuteAsync(db, "ALTER TABLE AlertChannels RENAME TO Away");
        }

        AlertRule made = Done(await Settings.CreateAsync(rule with { Name = "Another" }, WholeHub.Tester, Stop));
        AlertRule changed = Done(await Settings.ChangeAsync(rule with { Name = "0 is first" }, rule.Revision, WholeHub.Tester, Stop));
        Done(await Settings.RemoveRuleAsync(made.Id, made.Revision, WholeHub.Tester, Stop));

        Assert.Equal((changed.Revision, "0 is first"), (Settings.Rules[0].Revision, Settings.Rules[0].Name));
        Assert.Null(Settings.FindRule(made.Id));
        await using HubDbContext back = await DatabaseAsync();
        await RawSql.ExecuteAsync(back, "ALTER TABLE Away RENAME TO AlertChannels");
    }

    [Fact]
    public async Task Settings_AreInMemoryAsTheyStandOnTheDisk()
    {
        AlertRule rule = Done(await Settings.CreateAsync(AlertMaking.Rule() with { Name = "Mine", Nodes = ["node-a"] }, WholeHub.Tester, Stop));
        AlertChannel hook = Done(await Settings.CreateAsync(AlertMaking.Channel() with { Name = "Hook" }, new ChannelSecret(Address), WholeHub.Tester, Stop));
        AlertChannel gone = Done(await Settings.CreateAsync(AlertMaking.Channel() with { Name = "Gone" }, new ChannelSecret(Address), WholeHub.Tester, Stop));
        Done(await Settings.ChangeAsync(rule with { Severity = EventSeverity.Critical }, rule.Revision, WholeHub.Tester, Stop));
        Done(await Settings.ChangeAsync(hook with { MostPerMinute = 3 }, ChannelSecret.None, false, hook.Revision, WholeHub.Tester, Stop));
        Done(await Settings.RemoveChannelAsync(gone.Id, gone.Revision, WholeHub.Tester, Stop));
        string[] asChanged = InMemory();

        await Settings.StartAsync(Stop);

        Assert.Equal(InMemory(), asChanged);

        string[] InMemory() => [.. Settings.Rules.Select(r => AlertRecords.ToJson(r)), .. Settings.Channels.Select(c => AlertRecords.ToJson(c))];
    }

    [Fact]
    public async Task Rule_ThatTwoChangeAtOnce_IsChangedByTheFirstOnly()
    {
        AlertRule rule = Settings.Rules[0];

        Assert.True(await Store.SaveAsync(rule with { Revision = 2, Severity = EventSeverity.Critical }, Draft(), Stop));
        Assert.False(await Store.SaveAsync(rule with { Revision = 2, Severity = EventSeverity.Info }, Draft(), Stop));
        Assert.False(await Store.RemoveRuleAsync(rule, Draft(), Stop));

        Assert.Equal(EventSeverity.Critical, (await Store.RulesAsync(Stop)).Single(r => r.Id == rule.Id).Severity);
        Assert.Single((await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = "test" }, null, 10, Stop)).Items);
    }

    [Fact]
    public async Task Setting_ThatWasChangedBehindTheHub_IsAConflictInWordsAndReadAnew()
    {
        AlertRule rule = Settings.Rules[0];
        AlertChannel channel = Done(await Settings.CreateAsync(AlertMaking.Channel() with { Name = "Hook" }, new ChannelSecret(Address), WholeHub.Tester, Stop));
        Assert.True(await Store.SaveAsync(rule with { Revision = 2 }, Draft(), Stop));
        Assert.True(await Store.SaveAsync(channel with { Revision = 2 }, null, Draft(), Stop));

        Assert.Equal(2, Assert.IsType<SettingResult<AlertRule>.Stale>(await Settings.ChangeAsync(rule, rule.Revision, WholeHub.Tester, Stop)).Revision);
        Assert.Equal(2, Assert.IsType<SettingResult<AlertChannel>.Stale>(await Settings.ChangeAsync(channel, new ChannelSecret(Address), true, channel.Revision, WholeHub.Tester, Stop)).Revision);

        Assert.Equal((2L, 2L), (Settings.FindRule(rule.Id)!.Revision, Settings.FindChannel(channel.Id)!.Revision));
        Assert.True(await Store.RemoveChannelAsync(channel with { Revision = 2 }, Draft(), Stop));
        Assert.IsType<SettingResult<AlertChannel>.NotFound>(await Settings.RemoveChannelAsync(channel.Id, null, WholeHub.Tester, Stop));
    }

    private static T Done<T>(SettingResult<T> result) => Assert.IsType<SettingResult<T>.Done>(result).Value;

    private static AuditDraft Draft() => new() { Actor = WholeHub.Tester, Action = "test", Target = "test", Outcome = "accepted" };

    private Task<HubDbContext> DatabaseAsync() => _hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
}
