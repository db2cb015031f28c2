using System.Net;
using System.Text.Json.Nodes;
using FailoverHub.Web.Access;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Alerts;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Configuration;

namespace FailoverHub.Web.Tests.Api;

/// <summary>Alerts, their rules and their channels by a script: from a channel that is made to an alert that is taken on, with the audit beside it.</summary>
[Trait("Kind", "Hub")]
public sealed class AlertApiTests : IAsyncLifetime
{
    private const string Rule = """{"name":"Anything wrong","kind":"pair-state","severity":"critical","states":["Degraded"]}""";
    private WholeHub _hub = null!;
    private HttpClient _admin = null!;
    private Receiver _receiver = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Hook => $$"""{"name":"Hook","type":"webhook","url":"{{new Uri(_receiver.Url, "/hook").AbsoluteUri}}"}""";

    public async ValueTask InitializeAsync()
    {
        _receiver = await Receiver.StartAsync();
        _hub = await WholeHub.StartAsync();
        _admin = await _hub.ScriptAsync(ApiScope.Admin);
    }

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    [Fact]
    public async Task Alert_IsRaisedToldTakenOnShelvedAndOver()
    {
        Assert.Equal(HttpStatusCode.Created, (await SendAsync(HttpMethod.Post, "alert-channels", Hook)).Status);
        Assert.Equal(HttpStatusCode.Created, (await SendAsync(HttpMethod.Post, "alert-rules", Rule)).Status);
        HttpClient operate = await _hub.ScriptAsync(ApiScope.Operate);
        Show(PairState.Degraded);

        string id = (string)JsonNode.Parse((await _receiver.NextAsync()).Body)!["alerts"]![0]!["id"]!;
        (HttpStatusCode taken, JsonNode? alert) = await SendAsync(HttpMethod.Post, $"alerts/{id}/acknowledge", """{"reason":"I am on it"}""", operate);
        (HttpStatusCode again, _) = await SendAsync(HttpMethod.Post, $"alerts/{id}/acknowledge", """{"reason":"Me too"}""", operate);
        (HttpStatusCode shelved, JsonNode? shelf) = await SendAsync(HttpMethod.Post, $"alerts/{id}/shelve", """{"reason":"Parts are on their way","seconds":3600}""", operate);
        (HttpStatusCode unshelved, _) = await SendAsync(HttpMethod.Post, $"alerts/{id}/unshelve", "{}", operate);
        (HttpStatusCode given, JsonNode? back) = await SendAsync(HttpMethod.Post, $"alerts/{id}/unacknowledge", "{}", operate);
        JsonNode listed = (await SendAsync(HttpMethod.Get, "alerts?state=active&pair=web&severity=critical&text=wrong&limit=1")).Body!;
        JsonNode story = (await SendAsync(HttpMethod.Get, $"alerts/{id}")).Body!;
        Show(PairState.Healthy);
        await UntilAsync($"alerts/{id}", a => (string?)a["alert"]!["state"] == "resolved");

        Assert.Equal((HttpStatusCode.OK, "acknowledged", "I am on it", HttpStatusCode.Conflict), (taken, (string?)alert!["state"], (string?)alert["acknowledged"]!["reason"], again));
        Assert.Equal((HttpStatusCode.OK, "shelved", HttpStatusCode.OK), (shelved, (string?)shelf!["state"], unshelved));
        Assert.Equal((HttpStatusCode.OK, "active"), (given, (string?)back!["state"]));
        Assert.Equal([id], listed["items"]!.AsArray().Select(a => (string)a!["id"]!));
        Assert.Equal("raised", (string?)story["deliveries"]!.AsArray()[^1]!["notice"]);
        Assert.Empty((await SendAsync(HttpMethod.Get, "alerts?state=active&pair=web")).Body!["items"]!.AsArray());
        string[] audited = [.. (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Pair = "web" }, null, 20, Stop)).Items.Reverse().Select(a => $"{a.Action} {a.Outcome.Split(':')[0]}")];
        Assert.Equal(["alert-acknowledged accepted", "alert-acknowledged refused", "alert-shelved accepted", "alert-unshelved accepted", "alert-unacknowledged accepted"], audited);
    }

    [Fact]
    public async Task Rule_IsMadeChangedAndRemovedOnlyByWhoHasSeenItsNewestRevision()
    {
        (_, JsonNode? made) = await SendAsync(HttpMethod.Post, "alert-rules", Rule);
        string path = $"alert-rules/{(string)made!["id"]!}";

        (HttpStatusCode changed, JsonNode? after) = await SendAsync(HttpMethod.Post, path, Rule.Replace("critical", "warning", StringComparison.Ordinal), match: "\"1\"");
        (HttpStatusCode late, JsonNode? problem) = await SendAsync(HttpMethod.Post, path, Rule, match: "\"1\"");
        (HttpStatusCode other, JsonNode? kind) = await SendAsync(HttpMethod.Post, path, Rule.Replace("pair-state", "node-link", StringComparison.Ordinal));
        (HttpStatusCode lateToo, _) = await SendAsync(HttpMethod.Delete, path, match: "\"1\"");
        (HttpStatusCode removed, _) = await SendAsync(HttpMethod.Delete, path, match: "\"2\"");

        Assert.Equal((HttpStatusCode.OK, "warning", 2), (changed, (string?)after!["rule"]!["severity"], (int)after["revision"]!));
        Assert.Equal((HttpStatusCode.PreconditionFailed, HttpStatusCode.PreconditionFailed, HttpStatusCode.NoContent), (late, lateToo, removed));
        Assert.Contains("revision 2", (string?)problem!["detail"], StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, other);
        Assert.NotNull(kind!["errors"]!["kind"]);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, path)).Status);
        AuditEntry[] audited = [.. (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Text = "Anything" }, null, 20, Stop)).Items.Reverse()];
        Assert.Equal(["alert-rule-created", "alert-rule-changed", "alert-rule-removed"], audited.Where(a => a.Outcome == "accepted").Select(a => a.Action));
        Assert.Equal(["alert-rule-changed", "alert-rule-removed"], audited.Where(a => a.Outcome.StartsWith("refused", StringComparison.Ordinal)).Select(a => a.Action));
    }

    [Theory]
    [InlineData("alert-rules", """{"name":"","kind":"pair-state","severity":"critical","states":["Degraded"]}""", "name")]
    [InlineData("alert-rules", """{"name":"no announcer","kind":"pair-state","severity":"critical","states":["Degraded"]}""", "name")]
    [InlineData("alert-rules", """{"name":"A","kind":"weather","severity":"critical"}""", "kind")]
    [InlineData("alert-rules", """{"name":"A","kind":"pair-state","severity":"loud","states":["Degraded"]}""", "severity")]
    [InlineData("alert-rules", """{"name":"A","kind":"pair-state","severity":"critical"}""", "states")]
    [InlineData("alert-rules", """{"name":"A","kind":"pair-state","severity":"critical","states":["Healthy"]}""", "states")]
    [InlineData("alert-rules", """{"name":"A","kind":"probe-loss","severity":"critical","threshold":0}""", "threshold")]
    [InlineData("alert-rules", """{"name":"A","kind":"hub-cut-off","severity":"critical","raiseAfterSeconds":-1}""", "raiseAfterSeconds")]
    [InlineData("alert-rules", """{"name":"A","kind":"hub-cut-off","severity":"critical","remindEveryMinutes":0}""", "remindEveryMinutes")]
    [InlineData("alert-rules", """{"name":"A","kind":"hub-cut-off","severity":"critical","channels":["none"]}""", "channels")]
    [InlineData("alert-channels", """{"name":"A","type":"pigeon"}""", "type")]
    [InlineData("alert-channels", """{"name":"A","type":"webhook"}""", "url")]
    [InlineData("alert-channels", """{"name":"A","type":"webhook","url":"file:///etc/passwd"}""", "url")]
    [InlineData("alert-channels", """{"name":"A","type":"webhook","url":"https://name:password@example.org/"}""", "url")]
    [InlineData("alert-channels", """{"name":"A","type":"webhook","url":"https://example.org/","mostPerMinute":0}""", "mostPerMinute")]
    [InlineData("alert-channels", """{"name":"A","type":"slack"}""", "secret")]
    [InlineData("alert-channels", """{"name":"A","type":"slack","secret":"not an address"}""", "secret")]
    [InlineData("alert-channels", """{"name":"A","type":"slack","secret":"http://hooks.slack.com/services/X"}""", "secret")]
    [InlineData("alert-channels", """{"name":"A","type":"slack","secret":"https://hooks.slack.com/services/X","url":"https://example.org/"}""", "url")]
    [InlineData("alert-channels", """{"name":"A","type":"pager-duty","secret":"key","url":"http://events.eu.pagerduty.com"}""", "url")]
    [InlineData("alert-channels", """{"name":"A","type":"pager-duty"}""", "secret")]
    [InlineData("alert-channels", """{"name":"A","type":"email"}""", "mail")]
    [InlineData("alert-channels", """{"name":"A","type":"email","mail":{"host":"mail.example.org","port":0,"from":"a@example.org","to":["b@example.org"]}}""", "mail.port")]
    [InlineData("alert-channels", """{"name":"A","type":"email","mail":{"host":"mail.example.org","port":25,"from":"a@example.org","to":["b@example.org\r\nBcc: c@example.org"]}}""", "mail.to")]
    [InlineData("alert-channels", """{"name":"A","type":"email","mail":{"host":"mail.example.org","port":25,"security":"hope","from":"a@example.org","to":["b@example.org"]}}""", "mail.security")]
    public async Task Setting_ThatMakesNoSense_IsRefusedByField(string path, string body, string field)
    {
        (HttpStatusCode status, JsonNode? problem) = await SendAsync(HttpMethod.Post, path, body);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.NotNull(problem!["errors"]![field]);
    }

    [Fact]
    public async Task Channel_TellsItsSecretOnceAndCanBeTried()
    {
        (_, JsonNode? made) = await SendAsync(HttpMethod.Post, "alert-channels", Hook);
        string path = $"alert-channels/{(string)made!["id"]!}";
        string secret = (string)made["newSecret"]!;

        JsonNode seen = (await SendAsync(HttpMethod.Get, path)).Body!;
        (HttpStatusCode tried, JsonNode? good) = await SendAsync(HttpMethod.Post, $"{path}/test", "{}");
        Received got = await _receiver.NextAsync();
        _receiver.Answer = _ => Task.FromResult((401, "who are you"));
        (_, JsonNode? bad) = await SendAsync(HttpMethod.Post, $"{path}/test", "{}");
        (_, JsonNode? renewed) = await SendAsync(HttpMethod.Post, path, Hook[..^1] + ""","renewSecret":true}""");
        JsonArray log = (await SendAsync(HttpMethod.Get, $"{path}/deliveries")).Body!["items"]!.AsArray();

        Assert.Equal((true, null), ((bool)seen["hasSecret"]!, (string?)seen["newSecret"]));
        Assert.DoesNotContain(secret, seen.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.OK, "delivered", "204"), (tried, (string?)good!["state"], (string?)good["log"]![0]!["answer"]));
        Assert.Equal("alert.test", got.Headers["X-FailoverHub-Event"]);
        Assert.Equal(FailoverHub.Web.Alerts.Channels.WebhookSender.Sign(secret, got.Headers["X-FailoverHub-Timestamp"], System.Text.Encoding.UTF8.GetBytes(got.Body)), got.Headers["X-FailoverHub-Signature"]);
        Assert.Equal("It answered 401: who are you", (string?)bad!["lastError"]);
        Assert.NotEqual(secret, (string?)renewed!["newSecret"]);
        Assert.Equal(["given-up", "delivered"], log.Select(d => (string)d!["state"]!));
        Assert.Equal(2, (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = "alert-channel-tested" }, null, 10, Stop)).Items.Length);
    }

    [Fact]
    public async Task Channel_ThatIsMadeToLeadElsewhere_NeedsItsSecretAgain()
    {
        (_, JsonNode? made) = await SendAsync(HttpMethod.Post, "alert-channels", Hook);
        string path = $"alert-channels/{(string)made!["id"]!}";
        const string elsewhere = """{"name":"Hook","type":"webhook","url":"https://evil.example/hook"}""";

        (HttpStatusCode refused, JsonNode? problem) = await SendAsync(HttpMethod.Post, path, elsewhere);
        (HttpStatusCode kept, JsonNode? same) = await SendAsync(HttpMethod.Post, path, """{"name":"Hook","type":"webhook"}""");
        (HttpStatusCode moved, JsonNode? renewed) = await SendAsync(HttpMethod.Post, path, elsewhere[..^1] + ""","renewSecret":true}""");

        Assert.Equal(HttpStatusCode.BadRequest, refused);
        Assert.Contains("another host", problem!["errors"]!["secret"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (kept, moved));
        Assert.Null(same!["channel"]!["url"]);
        Assert.StartsWith(_receiver.Url.GetLeftPart(UriPartial.Authority), (string?)same["target"], StringComparison.Ordinal);
        Assert.StartsWith("https://evil.example/…", (string?)renewed!["target"], StringComparison.Ordinal);
        Assert.NotEqual((string?)made["newSecret"], (string?)renewed["newSecret"]);
    }

    [Fact]
    public async Task Channel_ThatARuleNames_IsNotRemovedBeforeItIsTakenOutOfIt()
    {
        (_, JsonNode? made) = await SendAsync(HttpMethod.Post, "alert-channels", Hook);
        string id = (string)made!["id"]!;
        await SendAsync(HttpMethod.Post, "alert-rules", Rule[..^1] + $$""","channels":["{{id}}"]}""");

        (HttpStatusCode status, JsonNode? problem) = await SendAsync(HttpMethod.Delete, $"alert-channels/{id}");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("Anything wrong", (string?)problem!["detail"], StringComparison.Ordinal);
    }

    private void Show(PairState state) => _hub.Fleet.Publish(Make.Fleet(Make.HealthyPair() with { State = state, StateReason = "Because." }) with { At = TimeProvider.System.GetUtcNow() });

    private async Task UntilAsync(string path, Func<JsonNode, bool> holds)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!holds((await SendAsync(HttpMethod.Get, path)).Body!))
        {
            await again.WaitForNextTickAsync(safety.Token);
        }
    }

    private async Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(HttpMethod method, string path, string? body = null, HttpClient? client = null, string? match = null)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}");
        if (body is not null)
        {
            request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        }

        if (match is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", match);
        }

        using HttpResponseMessage answer = await (client ?? _admin).SendAsync(request, Stop);
        string text = await answer.Content.ReadAsStringAsync(Stop);
        return (answer.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }
}
