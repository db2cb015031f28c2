using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Api.Repeats;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Tests.Access;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Alerts;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Identity;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Api.Repeats;

/// <summary>
/// Every POST of the API, sent with an Idempotency-Key: by several at once, once more, and with another body. Each has one effect and one answer, whatever it is about.
/// A new POST without a case here fails the test.
/// </summary>
[Trait("Kind", "Hub")]
public sealed class RepeatedPostsTests : IAsyncLifetime
{
    private const string Rule = """{"name":"Anything wrong","kind":"pair-state","severity":"critical","states":["Degraded"]}""";

    private const string Other = """{"name":"Nobody announces","kind":"pair-state","severity":"critical","states":["NoAnnouncer"]}""";

    private readonly List<IAsyncDisposable> _agents = [];
    private readonly List<TestNode> _nodes = [];
    private readonly CancellationTokenSource _safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private WholeHub _hub = null!;
    private Receiver _receiver = null!;
    private HttpClient _alice = null!;
    private HttpClient _bob = null!;
    private FakeAgent _one = null!;
    private int _number;

    private CancellationToken Stop => _safety.Token;

    public async ValueTask InitializeAsync()
    {
        _safety.CancelAfter(TimeSpan.FromMinutes(2));
        _receiver = await Receiver.StartAsync();
        _hub = await WholeHub.StartAsync(WholeHub.WithRealOperations, agentUrl: "https://127.0.0.1:0", with: options => options with { TwoPerson = TwoPersonPolicy.Moves, MovesAMinute = 0 });
        await AccountTests.CreateAsync(_hub, "alice", HubRoles.Admin);
        await AccountTests.CreateAsync(_hub, "bob", HubRoles.Admin);
        _alice = await ScriptOfAsync("alice");
        _bob = await ScriptOfAsync("bob");
        _one = await ConnectAsync("web-1", ProtoRole.Primary);
        await ConnectAsync("web-2", ProtoRole.Secondary);
        await _hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable agent in _agents)
        {
            await agent.DisposeAsync();
        }

        _nodes.ForEach(node => node.Dispose());
        await _hub.DisposeAsync();
        await _receiver.DisposeAsync();
        _safety.Dispose();
    }

    [Fact]
    public async Task EveryPost_SentAgainWithItsKey_HasOneEffectAndOneAnswer_AndWithAnotherBodyNone()
    {
        Dictionary<string, Case> cases = Cases();
        WayIn[] posts = [.. WayIn.AllOf(_hub.App.Services.GetRequiredService<EndpointDataSource>()).Where(way => way.Method == "POST" && way.Path.StartsWith("/api/", StringComparison.Ordinal) && !way.Path.EndsWith("/preview", StringComparison.Ordinal))];
        string[] repeatable = [.. posts.Where(way => way.Route.Metadata.GetMetadata<AnsweredOnce>() is null).Select(way => way.Name["POST /api/v1/".Length..])];
        Assert.Equal(repeatable.Order(StringComparer.Ordinal), cases.Keys.Order(StringComparer.Ordinal));

        foreach ((string of, Case one) in cases)
        {
            (string path, string body, string other) = await one.Prepare();
            string key = $"key of {of}";
            int before = await AcceptedAsync(one.Action);

            Answer[] atOnce = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => PostAsync(one.By ?? _alice, path, key, body)));
            Answer again = await PostAsync(one.By ?? _alice, path, key, body);
            Answer otherwise = await PostAsync(one.By ?? _alice, path, key, other);

            Assert.True((int)again.Status is >= 200 and < 300, $"{of}: {again}");
            Assert.All(atOnce, answer => Assert.True(answer == again, $"{of}: {answer} is not {again}"));
            Assert.True(otherwise.Status == HttpStatusCode.UnprocessableEntity, $"{of} with another body: {otherwise}");
            Assert.True(await AcceptedAsync(one.Action) == before + 1, $"{of}: {await AcceptedAsync(one.Action) - before} entries say that it was done");
            await (one.Afterwards?.Invoke(again) ?? Task.CompletedTask);
        }

        await using HubDbContext db = await _hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
        Assert.Equal(cases.Count, await db.RequestKeys.CountAsync(k => k.Key.StartsWith("key of "), Stop));
    }

    [Fact]
    public async Task EveryPostWhoseAnswerHasASecret_WithAKey_IsRefusedBeforeItDoesAnything()
    {
        WayIn[] secret = [.. WayIn.AllOf(_hub.App.Services.GetRequiredService<EndpointDataSource>()).Where(way => way.Route.Metadata.GetMetadata<AnsweredOnce>() is not null)];
        int before = await AuditedAsync();

        foreach (WayIn way in secret)
        {
            Answer refused = await PostAsync(_alice, way.Path["/api/v1/".Length..], "key-1", "{}");
            Assert.True(refused.Status == HttpStatusCode.BadRequest && refused.Body.Contains("Send the request without the key", StringComparison.Ordinal), $"{way.Name}: {refused}");
        }

        Assert.Equal(["alert-channels", "alert-channels/{id}", "api-tokens", "join-tokens", "users", "users/{user}/reset"], secret.Select(way => way.Name["POST /api/v1/".Length..]).Order(StringComparer.Ordinal));
        Assert.Equal(before, await AuditedAsync());
    }

    [Fact]
    public async Task OperationOfSomebodysToken_IsNotApprovedByAnotherTokenOfHis()
    {
        Answer asked = await PostAsync(_alice, "pairs/web/operations", "ask", """{"type":"switchover","reason":"Kernel update"}""");
        string id = (string)JsonNode.Parse(asked.Body)!["id"]!;
        HttpClient hers = await ScriptOfAsync("alice");

        Answer refused = await PostAsync(hers, $"operations/{id}/approve", "approve", """{"reason":"It is fine"}""");
        Answer approved = await PostAsync(_bob, $"operations/{id}/approve", "approve", """{"reason":"It is fine"}""");

        Assert.Equal(HttpStatusCode.Forbidden, refused.Status);
        Assert.Contains("SR-11", refused.Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Accepted, approved.Status);
    }

    private Dictionary<string, Case> Cases() => new(StringComparer.Ordinal)
    {
        ["alert-rules"] = new("alert-rule-created", () => Same("alert-rules", Rule)),
        ["alert-rules/{id}"] = new("alert-rule-changed", async () => ($"alert-rules/{await MadeAsync("alert-rules", Other)}", Other.Replace("critical", "warning", StringComparison.Ordinal), Other)),
        ["alert-channels/{id}/test"] = new("alert-channel-tested", async () => await Same($"alert-channels/{await ChannelAsync()}/test", "{}")),
        ["alerts/{id}/acknowledge"] = new("alert-acknowledged", async () => await Same($"alerts/{await AlertAsync()}/acknowledge", """{"reason":"I am on it"}""")),
        ["alerts/{id}/unacknowledge"] = new("alert-unacknowledged", async () => await Same($"alerts/{await AlertAsync()}/unacknowledge", "{}")),
        ["alerts/{id}/shelve"] = new("alert-shelved", async () => await Same($"alerts/{await AlertAsync()}/shelve", """{"reason":"Parts are on their way","seconds":3600}""")),
        ["alerts/{id}/unshelve"] = new("alert-unshelved", async () => await Same($"alerts/{await AlertAsync()}/unshelve", "{}")) { Afterwards = _ => HealAsync() },
        ["audit/checkpoints"] = new("audit-checkpoint", () => Same("audit/checkpoints", """{"reason":"Before the update"}""")),
        ["maintenance-windows"] = new("maintenance-planned", () => Same("maintenance-windows", Window())),
        ["maintenance-windows/{id}/end"] = new("maintenance-ended", async () => await Same($"maintenance-windows/{await MadeAsync("maintenance-windows", Window())}/end", """{"reason":"It is done"}""")),
        ["nodes/{node}/rename"] = new("node-renamed", async () => await Same($"nodes/{await SpareAsync()}/rename", $$"""{"name":"named-{{++_number}}","reason":"A better name"}""")),
        ["nodes/{node}/revoke"] = new("certificate-revoked", async () => await Same($"nodes/{await SpareAsync()}/revoke", """{"reason":"The disk was stolen"}""")),
        ["nodes/{node}/remove"] = new("node-removed", async () => await Same($"nodes/{await SpareAsync()}/remove", """{"reason":"It was sold"}""")),
        ["nodes/{node}/operations"] = new("drain", () => Same("nodes/web-2/operations", """{"type":"drain","reason":"Kernel update"}""")),
        ["operations/{id}/cancel"] = new("cancel", async () => await Same($"operations/{await WaitingAsync()}/cancel", """{"reason":"Not today"}""")),
        ["operations/{id}/reject"] = new("reject", async () => await Same($"operations/{await WaitingAsync()}/reject", """{"reason":"Not today"}""")) { By = _bob },
        ["operations/{id}/approve"] = new("approve", async () => await Same($"operations/{await WaitingAsync()}/approve", """{"reason":"It is fine"}""")) { By = _bob, Afterwards = EndedAsync },
        ["pairs/{pair}/operations"] = new("switchover", () => Same("pairs/web/operations", """{"type":"switchover","reason":"Kernel update"}""")),
        ["pairs/{pair}/members"] = new("pair-member-let-in", async () =>
        {
            await ConnectAsync("web-3", ProtoRole.Secondary);
            await _hub.UntilAsync(s => s.FindPair("web")!.Claimants.Any(c => c.Node == "web-3"));
            return await Same("pairs/web/members", """{"node":"web-3","reason":"The third one"}""");
        }),
        ["settings/retention"] = new("retention-changed", () => Task.FromResult(("settings/retention", """{"eventDays":90,"probeHours":24}""", """{"eventDays":91,"probeHours":24}"""))),
        ["targets"] = new("target-added", () => Same("targets", """{"name":"router","kind":"tcp","address":"127.0.0.1","port":9,"intervalSeconds":3600}""")),
        ["users/{user}/roles"] = new("user-roles-changed", async () => await Same($"users/{await UserAsync()}/roles", """{"roles":["Operator"]}""")),
        ["users/{user}/lock"] = new("user-locked", async () => await Same($"users/{await UserAsync()}/lock", """{"locked":true}""")),
        ["operations"] = new("freeze", () => Same("operations", """{"type":"freeze","expiresInSeconds":600,"reason":"A holiday"}""")),
    };

    /// <summary>The other body means the same and is written otherwise: it is another request all the same.</summary>
    private static Task<(string Path, string Body, string Other)> Same(string path, string body) => Task.FromResult((path, body, body + " "));

    private static string Window() => $$"""{"scope":"all","until":"{{TimeProvider.System.GetUtcNow().AddHours(1):O}}","reason":"Kernel update"}""";

    private async Task<FakeAgent> ConnectAsync(string name, ProtoRole role)
    {
        FakeAgent agent = await (await JoinedAsync(name)).ConnectAsync(_hub.AgentUrl.AbsoluteUri, role: role);
        _agents.Add(agent);
        return agent;
    }

    private async Task<TestNode> JoinedAsync(string name)
    {
        var node = new TestNode();
        _nodes.Add(node);
        using var content = new StringContent("{}", Encoding.UTF8, "application/json");
        using HttpResponseMessage token = await _alice.PostAsync("/api/v1/join-tokens", content, Stop);
        await node.JoinAsync(_hub.AgentUrl.AbsoluteUri, (string)JsonNode.Parse(await token.Content.ReadAsStringAsync(Stop))!["token"]!, name);
        return node;
    }

    private async Task<HttpClient> ScriptOfAsync(string account)
    {
        string id;
        await using (HubDbContext db = await _hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop))
        {
            id = (await db.Users.SingleAsync(u => u.UserName == account, Stop)).Id;
        }

        Actor owner = WholeHub.Tester with { Name = account, Behind = new Requester.Account(id) };
        HttpClient client = _hub.Browser();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await _hub.Get<ApiTokens>().CreateAsync($"{account}-{++_number}", ApiScope.Admin, ApiTokens.DefaultLifetime, owner, Stop)).Token);
        return client;
    }

    /// <summary>The id of something made for a case.</summary>
    private async Task<string> MadeAsync(string path, string body)
    {
        Answer made = await PostAsync(_alice, path, $"made {++_number}", body);
        Assert.True((int)made.Status is >= 200 and < 300, $"{path}: {made}");
        return (string)JsonNode.Parse(made.Body)!["id"]!;
    }

    private async Task<string> ChannelAsync()
    {
        using var content = new StringContent($$"""{"name":"Hook","type":"webhook","url":"{{new Uri(_receiver.Url, "/hook").AbsoluteUri}}"}""", Encoding.UTF8, "application/json");
        using HttpResponseMessage made = await _alice.PostAsync("/api/v1/alert-channels", content, Stop);
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        return (string)JsonNode.Parse(await made.Content.ReadAsStringAsync(Stop))!["id"]!;
    }

    /// <summary>An alert that is active: the rule of the first case finds the pair with a session down.</summary>
    private async Task<string> AlertAsync()
    {
        await HeardAsync();
        await _one.ReportAsync(r => r.Sessions[0].State = Protos.V1.SessionState.Idle);
        await _hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Degraded);
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            JsonNode listed = JsonNode.Parse(await _alice.GetStringAsync("/api/v1/alerts?pair=web", Stop))!;
            if (listed["items"]!.AsArray().FirstOrDefault(a => (string?)a!["state"] != "resolved") is { } alert)
            {
                return (string)alert["id"]!;
            }

            await again.WaitForNextTickAsync(Stop);
        }
    }

    private async Task HealAsync()
    {
        await HeardAsync();
        await _one.ReportAsync(r => r.Sessions[0].State = Protos.V1.SessionState.Established);
        await _hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
    }

    private async Task<string> SpareAsync()
    {
        string name = $"spare-{++_number}";
        await JoinedAsync(name);
        await _hub.UntilAsync(s => s.FindNode(name) is not null);
        return name;
    }

    private async Task<string> UserAsync()
    {
        string name = $"user-{++_number}";
        await AccountTests.CreateAsync(_hub, name, HubRoles.Viewer);
        return name;
    }

    /// <summary>What was done before may have taken its time; who says nothing for a while is silent.</summary>
    private async Task HeardAsync()
    {
        foreach (FakeAgent agent in _agents.OfType<FakeAgent>())
        {
            await agent.ReportAsync();
        }
    }

    private async Task<string> WaitingAsync()
    {
        await HeardAsync();
        return await MadeAsync("pairs/web/operations", """{"type":"switchover","deadlineSeconds":120,"reason":"Kernel update"}""");
    }

    private async Task EndedAsync(Answer answer)
    {
        OperationView ended = await _hub.EndedAsync((string)JsonNode.Parse(answer.Body)!["id"]!);
        Assert.True(ended.Status == OperationStatus.Succeeded, $"{ended.Title}: {ended.Status}. {ended.Outcome} {string.Join(" | ", ended.Steps.Select(step => $"{step.Title}: {step.Detail}"))}");
    }

    private async Task<int> AcceptedAsync(string action) =>
        (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = action }, null, 500, Stop)).Items.Count(entry => entry.Outcome.StartsWith("accepted", StringComparison.Ordinal));

    private async Task<int> AuditedAsync() => (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter(), null, 500, Stop)).Items.Length;

    private async Task<Answer> PostAsync(HttpClient script, string path, string key, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/{path}");
        request.Headers.TryAddWithoutValidation(IdempotencyKey.Header, key);
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await script.SendAsync(request, Stop);
        return new Answer(answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop), answer.Headers.Location?.OriginalString, answer.Headers.ETag?.Tag, answer.Content.Headers.ContentType?.ToString());
    }

    /// <summary>One POST that may be repeated.</summary>
    /// <param name="Action">How the audit calls what it does.</param>
    /// <param name="Prepare">Makes what it is about; its path, its body, and another body.</param>
    private sealed record Case(string Action, Func<Task<(string Path, string Body, string Other)>> Prepare)
    {
        /// <summary>Who sends it; null: alice.</summary>
        public HttpClient? By { get; init; }

        /// <summary>What has to end before the next case.</summary>
        public Func<Answer, Task>? Afterwards { get; init; }
    }

    private sealed record Answer(HttpStatusCode Status, string Body, string? Location, string? Etag, string? ContentType);
}
