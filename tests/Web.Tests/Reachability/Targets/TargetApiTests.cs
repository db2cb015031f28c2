using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using FailoverHub.Web.Access;
using FailoverHub.Web.History;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Targets;
using FailoverHub.Web.Tests.Configuration;

namespace FailoverHub.Web.Tests.Reachability.Targets;

/// <summary>Targets by a script: added, changed and removed, each in the audit; and still there after a restart.</summary>
[Trait("Kind", "Hub")]
public sealed class TargetApiTests : IAsyncLifetime
{
    private WholeHub _hub = null!;
    private HttpClient _script = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _hub = await WholeHub.StartAsync();
        _script = await _hub.ScriptAsync(ApiScope.Operate);
    }

    public ValueTask DisposeAsync() => _hub.DisposeAsync();

    [Fact]
    public async Task Target_AddedChangedAndRemoved_EachStepIsAudited()
    {
        (HttpStatusCode added, JsonNode? made) = await SendAsync(HttpMethod.Post, "targets", """{"name":"Router","kind":"icmp","address":"127.0.0.9"}""");
        (HttpStatusCode changed, JsonNode? now) = await SendAsync(HttpMethod.Put, "targets/router", """{"kind":"tcp","address":"127.0.0.9","port":7,"intervalSeconds":10}""");
        (HttpStatusCode listed, JsonNode? all) = await SendAsync(HttpMethod.Get, "targets");
        (HttpStatusCode removed, _) = await SendAsync(HttpMethod.Delete, "targets/router");
        (HttpStatusCode gone, _) = await SendAsync(HttpMethod.Get, "targets/router");

        Assert.Equal((HttpStatusCode.Created, "target:Router", 1), (added, (string?)made!["id"], (int)made["intervalSeconds"]!));
        Assert.Equal((HttpStatusCode.OK, "Router", "tcp", 10), (changed, (string?)now!["name"], (string?)now["kind"], (int)now["intervalSeconds"]!));
        Assert.Equal((HttpStatusCode.OK, 7), (listed, (int)all!["items"]![0]!["port"]!));
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NotFound), (removed, gone));
        AuditEntry[] audit = [.. (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter(), null, 50, Stop)).Items.Where(a => a.Target == "target Router").Reverse()];
        Assert.Equal([TargetList.Added, TargetList.Changed, TargetList.Removed], audit.Select(a => a.Action));
        Assert.Contains("\"Kind\":1", audit[1].After, StringComparison.Ordinal);
        Assert.Equal(audit[1].After, audit[2].Before);
    }

    [Theory]
    [InlineData("POST", "targets", """{"name":"x","kind":"icmp","address":"nowhere"}""", HttpStatusCode.BadRequest, "address")]
    [InlineData("POST", "targets", """{"name":"x","kind":"smoke","address":"127.0.0.1"}""", HttpStatusCode.BadRequest, "kind")]
    [InlineData("POST", "targets", """{"name":"x","kind":"icmp","address":"127.0.0.1","intervalSeconds":0}""", HttpStatusCode.BadRequest, "intervalSeconds")]
    [InlineData("POST", "targets", """{"name":"ROUTER","kind":"icmp","address":"127.0.0.1"}""", HttpStatusCode.Conflict, null)]
    [InlineData("PUT", "targets/router", """{"name":"other","kind":"icmp","address":"127.0.0.1"}""", HttpStatusCode.BadRequest, "name")]
    [InlineData("PUT", "targets/nobody", """{"kind":"icmp","address":"127.0.0.1"}""", HttpStatusCode.NotFound, null)]
    [InlineData("DELETE", "targets/nobody", null, HttpStatusCode.NotFound, null)]
    public async Task Change_ThatMakesNoSense_IsRefusedAndNothingIsDone(string method, string path, string? body, HttpStatusCode status, string? field)
    {
        await SendAsync(HttpMethod.Post, "targets", """{"name":"router","kind":"icmp","address":"127.0.0.9"}""");

        (HttpStatusCode answered, JsonNode? problem) = await SendAsync(new HttpMethod(method), path, body);

        Assert.Equal(status, answered);
        Assert.Equal(field, problem!["errors"]?.AsObject().Single().Key);
        Assert.Equal("127.0.0.9", Assert.Single(_hub.Get<TargetList>().Current).Draft.Address);

        // What makes no sense was asked of nobody; what the list has refused is in the audit.
        int refused = (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter(), null, 50, Stop)).Items.Count(a => a.Action.StartsWith("target-", StringComparison.Ordinal) && a.Outcome.StartsWith("refused: ", StringComparison.Ordinal));
        Assert.Equal(status == HttpStatusCode.BadRequest ? 0 : 1, refused);
    }

    [Fact]
    public async Task TargetThatTheHubFetches_IsForAdmins_AndTheAttemptIsAudited()
    {
        const string Shop = """{"name":"shop","kind":"http","address":"http://127.0.0.1:9/","bodyPattern":"secret"}""";
        (HttpStatusCode byOperator, JsonNode? problem) = await SendAsync(HttpMethod.Post, "targets", Shop);
        _script = await _hub.ScriptAsync(ApiScope.Admin);
        (HttpStatusCode byAdmin, _) = await SendAsync(HttpMethod.Post, "targets", Shop);
        _script = await _hub.ScriptAsync(ApiScope.Operate);
        (HttpStatusCode changed, _) = await SendAsync(HttpMethod.Put, "targets/shop", """{"kind":"icmp","address":"127.0.0.9"}""");
        (HttpStatusCode removed, _) = await SendAsync(HttpMethod.Delete, "targets/shop");

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Created, HttpStatusCode.Forbidden, HttpStatusCode.NoContent), (byOperator, byAdmin, changed, removed));
        Assert.Contains("scope admin", (string)problem!["detail"]!, StringComparison.Ordinal);
        AuditEntry[] audit = [.. (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter(), null, 50, Stop)).Items.Where(a => a.Target == "target shop").Reverse()];
        Assert.Equal(["target-added refused", "target-added accepted", "target-changed refused", "target-removed accepted"], audit.Select(a => $"{a.Action} {a.Outcome.Split(':')[0]}"));
    }

    [Fact]
    public async Task Target_IsProbed_AndAskedForLikeASharedAddress()
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        await SendAsync(HttpMethod.Post, "targets", $$"""{"name":"itself","kind":"tcp","address":"127.0.0.1","port":{{_hub.BrowserUrl.Port}}}""");
        IProbedTargets probed = _hub.Get<ReachabilityView>();
        await foreach (var targets in probed.WatchAsync(safety.Token))
        {
            if (targets.Any(t => t.Id == "target:itself" && t.State == ReachabilityState.Reachable))
            {
                break;
            }
        }

        Assert.Equal("TCP port " + _hub.BrowserUrl.Port, probed.Find("target:ITSELF")!.Way);
    }

    private async Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}") { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        using HttpResponseMessage response = await _script.SendAsync(request, Stop);
        string text = await response.Content.ReadAsStringAsync(Stop);
        return (response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }
}
