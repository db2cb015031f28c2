using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using FailoverHub.Web.Access;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Maintenance;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Tests.Alerts.Maintenance;

/// <summary>Windows in the whole hub by its API, with a real database and a real receiver.</summary>
[Trait("Kind", "Hub")]
public sealed class MaintenanceTests : IAsyncLifetime
{
    private WholeHub _hub = null!;
    private Receiver _receiver = null!;
    private HttpClient _script = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private AlertSettings Settings => _hub.Get<AlertSettings>();

    private IAlerts Alerts => _hub.Get<IAlerts>();

    public async ValueTask InitializeAsync()
    {
        _receiver = await Receiver.StartAsync();
        _hub = await WholeHub.StartAsync();
        _script = await _hub.ScriptAsync(ApiScope.Operate);
        foreach (AlertRule rule in Settings.Rules)
        {
            await Settings.ChangeAsync(rule with { RaiseAfter = TimeSpan.Zero, ResolveAfter = TimeSpan.Zero, Enabled = rule.Id == "no-announcer" }, rule.Revision, WholeHub.Tester, Stop);
        }

        Assert.IsType<SettingResult<AlertChannel>.Done>(await Settings.CreateAsync(AlertMaking.Channel() with { Name = "Hook" }, new ChannelSecret(new Uri(_receiver.Url, "/hook").AbsoluteUri), WholeHub.Tester, Stop));
        Show(PairState.Healthy);
    }

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    [Fact]
    public async Task InForce_TellsNobodyAndSaysSo_AndWhatIsStillWrongAfterItsEndIsTold()
    {
        (HttpStatusCode planned, JsonNode? window) = await SendAsync(HttpMethod.Post, "", Body());
        Show(PairState.NoAnnouncer);
        Alert quiet = await UntilAsync(now => now.Active is [{ QuietBecause: not null } one] ? one : null);
        Assert.Empty(_receiver.Rest());
        (HttpStatusCode ended, JsonNode? over) = await SendAsync(HttpMethod.Post, $"/{(string)window!["id"]!}/end", """{"reason":"It went quicker"}""");
        JsonNode told = JsonNode.Parse((await _receiver.NextAsync()).Body)!;

        Assert.Equal((HttpStatusCode.Created, "in-force", "web", null), (planned, (string?)window["state"], (string?)window["target"], (string?)window["endedAt"]));
        Assert.StartsWith("maintenance of pair web by token", quiet.QuietBecause, StringComparison.Ordinal);
        Assert.False(quiet.NeedsSomebody);
        Assert.Equal((HttpStatusCode.OK, "over"), (ended, (string?)over!["state"]));
        Assert.NotNull(over["endedAt"]);
        Assert.Equal(("alert.raised", quiet.Id), ((string?)told["event"], (string?)told["alerts"]![0]!["id"]));
        string[] events = [.. (await _hub.Get<IHistory>().EventsAsync(new HistoryFilter { Pair = "web" }, null, 50, Stop)).Items.Select(e => e.Kind).Reverse()];
        Assert.Equal(["maintenance-planned", "alert-raised", "maintenance-ended", "alert-told-again"], events.Where(k => k.StartsWith("maintenance", StringComparison.Ordinal) || k.StartsWith("alert", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Overlapping_OneThatEndsLeavesTheOtherInForce()
    {
        (_, JsonNode? first) = await SendAsync(HttpMethod.Post, "", Body());
        (_, JsonNode? second) = await SendAsync(HttpMethod.Post, "", Body(scope: "all", target: null));
        Show(PairState.NoAnnouncer);
        await UntilAsync(now => now.Active is [{ QuietBecause: not null } one] ? one : null);

        await SendAsync(HttpMethod.Post, $"/{(string)first!["id"]!}/end", """{"reason":"Done here"}""");
        await UntilAsync(now => now.Active is [{ QuietBecause: { } words } one] && words.Contains("everything", StringComparison.Ordinal) ? one : null);
        Assert.Empty(_receiver.Rest());
        await SendAsync(HttpMethod.Post, $"/{(string)second!["id"]!}/end", """{"reason":"Done everywhere"}""");

        Assert.Equal("alert.raised", (string?)JsonNode.Parse((await _receiver.NextAsync()).Body)!["event"]);
    }

    [Fact]
    public async Task Changes_AreAuditedWithBeforeAndAfterAlsoWhenRefused()
    {
        (_, JsonNode? window) = await SendAsync(HttpMethod.Post, "", Body());
        string id = (string)window!["id"]!;
        (HttpStatusCode unknown, JsonNode? problem) = await SendAsync(HttpMethod.Post, "", Body(target: "wbe"));
        (HttpStatusCode early, _) = await SendAsync(HttpMethod.Delete, $"/{id}");
        await SendAsync(HttpMethod.Post, $"/{id}/end", """{"reason":"It went quicker"}""");
        (HttpStatusCode again, _) = await SendAsync(HttpMethod.Post, $"/{id}/end", """{"reason":"It went quicker"}""");
        (HttpStatusCode removed, _) = await SendAsync(HttpMethod.Delete, $"/{id}");
        (HttpStatusCode gone, _) = await SendAsync(HttpMethod.Get, $"/{id}");

        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.Conflict, HttpStatusCode.Conflict), (unknown, early, again));
        Assert.NotNull(problem!["errors"]!["target"]);
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NotFound), (removed, gone));
        AuditEntry[] audited = [.. (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Text = "maintenance*" }, null, 20, Stop)).Items.Reverse()];
        Assert.Equal(
            ["maintenance-planned accepted", "maintenance-planned refused", "maintenance-removed refused", "maintenance-ended accepted", "maintenance-ended refused", "maintenance-removed accepted"],
            audited.Select(a => $"{a.Action} {a.Outcome.Split(':')[0]}"));
        Assert.Equal(("pair web", "Kernel update", null), (audited[0].Target, audited[0].Reason, audited[0].Before));
        Assert.Equal("pair", (string?)JsonNode.Parse(audited[0].After!)!["scope"]);
        Assert.Null((string?)JsonNode.Parse(audited[3].Before!)!["endedAt"]);
        Assert.NotNull((string?)JsonNode.Parse(audited[3].After!)!["endedAt"]);
        Assert.Null(audited[5].After);
    }

    /// <summary>A window that "was not made" would keep everybody quiet from the next start of the hub on.</summary>
    [Fact]
    public async Task Window_ThatIsOnTheDisk_IsMadeAlsoWhenNothingCanBeReadAfterIt()
    {
        var unreadable = new MaintenanceStore(new NothingToRead(), _hub.Get<AuditLog>(), _hub.Get<HistoryChanges>(), TimeProvider.System);
        using var desk = new MaintenanceDesk(unreadable, _hub.Fleet, TimeProvider.System);

        MaintenanceResult planned = await desk.PlanAsync(new MaintenanceRequest { Scope = MaintenanceScope.Pair, Target = "web", To = TimeProvider.System.GetUtcNow().AddHours(1), Reason = "Kernel update" }, WholeHub.Tester, Stop);

        MaintenanceWindow window = Assert.IsType<MaintenanceResult.Done>(planned).Window;
        Assert.Equal(window.Id, Assert.Single(desk.Standing).Id);
        Assert.NotNull(await _hub.Get<MaintenanceDesk>().FindAsync(window.Id, Stop));
    }

    [Fact]
    public async Task List_IsPagedAndFilteredByState()
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        (_, JsonNode? inForce) = await SendAsync(HttpMethod.Post, "", Body());
        (_, JsonNode? planned) = await SendAsync(HttpMethod.Post, "", Body(scope: "node", target: "NODE-A", from: now.AddHours(1)));
        (_, JsonNode? ended) = await SendAsync(HttpMethod.Post, "", Body(scope: "all", target: null));
        await SendAsync(HttpMethod.Post, $"/{(string)ended!["id"]!}/end", """{"reason":"It went quicker"}""");

        Assert.Equal([(string)planned!["id"]!], await ListAsync("?state=planned"));
        Assert.Equal([(string)inForce!["id"]!], await ListAsync("?state=in-force"));
        Assert.Equal([(string)ended["id"]!], await ListAsync("?state=over"));
        JsonNode page = (await SendAsync(HttpMethod.Get, "?limit=2")).Body!;
        Assert.Equal([(string)inForce["id"]!], await ListAsync($"?limit=2&cursor={(string)page["nextCursor"]!}"));
        Assert.Equal("node-a", (string?)planned["target"]);
        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync(HttpMethod.Get, "?state=never")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync(HttpMethod.Post, "", Body(scope: "planet"))).Status);
    }

    [Fact]
    public async Task NextHub_KnowsWhatIsInForce()
    {
        MaintenanceDesk desk = _hub.Get<MaintenanceDesk>();
        await SendAsync(HttpMethod.Post, "", Body());

        await desk.StartAsync(Stop);

        Assert.Equal("web", Assert.Single(desk.Standing).Target);
        Assert.IsType<MaintenanceResult.Forbidden>(await desk.EndAsync(desk.Standing[0].Id, "Nobody may", WholeHub.Tester with { Rights = FailoverHub.Web.Operations.Rights.View }, Stop));
    }

    private static string Body(string scope = "pair", string? target = "web", DateTimeOffset? from = null)
    {
        DateTimeOffset begin = from ?? TimeProvider.System.GetUtcNow();
        return new JsonObject { ["scope"] = scope, ["target"] = target, ["from"] = from?.ToString("O"), ["until"] = begin.AddHours(1).ToString("O"), ["reason"] = "Kernel update" }.ToJsonString();
    }

    private async Task<string[]> ListAsync(string query) => [.. (await SendAsync(HttpMethod.Get, query)).Body!["items"]!.AsArray().Select(w => (string)w!["id"]!)];

    private void Show(PairState state) => _hub.Fleet.Publish(Make.Fleet(Make.HealthyPair() with { State = state, StateReason = "Because." }) with { At = TimeProvider.System.GetUtcNow() });

    private async Task<Alert> UntilAsync(Func<AlertsNow, Alert?> found)
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

    private async Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/maintenance-windows{path}");
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        using HttpResponseMessage answer = await _script.SendAsync(request, Stop);
        string text = await answer.Content.ReadAsStringAsync(Stop);
        return (answer.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    /// <summary>The way to the tables, for whoever only reads.</summary>
    private sealed class NothingToRead : IDbContextFactory<HubDbContext>
    {
        public HubDbContext CreateDbContext() => throw new IOException("The disk cannot be read.");
    }
}
