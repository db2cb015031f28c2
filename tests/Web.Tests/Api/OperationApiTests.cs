using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using FailoverHub.Web.Access;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Configuration;

namespace FailoverHub.Web.Tests.Api;

[Trait("Kind", "Hub")]
public sealed class OperationApiTests(SharedHub shared) : IClassFixture<SharedHub>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Switchover_Accepted_IsAnsweredWith202AndWhereToFollowIt()
    {
        WholeHub hub = shared.Fresh();
        HttpClient script = await hub.ScriptAsync(ApiScope.Operate);
        script.DefaultRequestHeaders.Add("X-Forwarded-For", "192.0.2.7");

        using HttpResponseMessage answer = await PostAsync(script, "/api/v1/pairs/web/operations",
            """{"type":"switchover","reason":"Kernel update","target":"node-b","prefix":"203.0.113.10/32","deadlineSeconds":20,"expectedRevision":7,"overrideRules":["SR-01"]}""");

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal("/api/v1/operations/op-1", answer.Headers.Location!.OriginalString);
        Assert.Equal("""{"id":"op-1"}""", await answer.Content.ReadAsStringAsync(Stop));
        (OperationRequest request, Actor actor) = Assert.Single(hub.Operations.Submitted);
        Assert.Equal((OperationType.Switchover, "web", null, "node-b"), (request.Type, request.Pair, request.Node, request.Target));
        Assert.Equal((Make.Prefix, TimeSpan.FromSeconds(20), 7L, "Kernel update"), (request.Prefix, request.Deadline, request.ExpectedRevision, request.Reason));
        Assert.Equal(["SR-01"], request.OverrideRules);
        Assert.StartsWith("token t-", actor.Name, StringComparison.Ordinal);
        Assert.Equal(("127.0.0.1", "192.0.2.7"), (actor.RemoteAddress, actor.ForwardedFor));
    }

    [Fact]
    public async Task SetRole_OnANode_NamesNodeAndRole()
    {
        WholeHub hub = shared.Fresh();

        using HttpResponseMessage answer = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), "/api/v1/nodes/node-a/operations", """{"type":"set-role","role":"secondary","reason":"test"}""");

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        OperationRequest request = hub.Operations.Submitted[0].Request;
        Assert.Equal((OperationType.SetRole, null, "node-a", Role.Secondary), (request.Type, request.Pair, request.Node, request.Role));
    }

    [Fact]
    public async Task Operations_MoreThanAPage_ArePagedByCursorWithoutLossOrRepetition()
    {
        WholeHub hub = shared.Fresh();
        for (int i = 0; i < 5; i++)
        {
            hub.Operations.Publish(Make.Operation($"op-{i}", OperationStatus.Succeeded) with { RequestedAt = Make.At.AddSeconds(i) });
        }

        HttpClient script = await hub.ScriptAsync(ApiScope.Read);
        var seen = new List<string>();
        string? cursor = "";
        do
        {
            JsonNode page = (await script.GetFromJsonAsync<JsonNode>($"/api/v1/operations?limit=2{cursor}", Stop))!;
            seen.AddRange(page["items"]!.AsArray().Select(o => (string)o!["id"]!));
            cursor = (string?)page["nextCursor"] is { } next ? $"&cursor={next}" : null;
        }
        while (cursor is not null);

        Assert.Equal(["op-4", "op-3", "op-2", "op-1", "op-0"], seen);
        using HttpResponseMessage wrong = await script.GetAsync("/api/v1/operations?cursor=op-9", Stop);
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
    }

    [Theory]
    [InlineData("""{"type":"drain","reason":"test","role":"tertiary"}""", "drain", "test", "role:")]
    [InlineData("""{"type":"explode"}""", "unknown operation", null, "type:")]
    [InlineData("{", "unknown operation", null, "$:")]
    public async Task MalformedRequest_IsAuditedAsARefusal(string body, string action, string? reason, string field)
    {
        WholeHub hub = shared.Fresh();
        string node = $"node-{Guid.NewGuid():N}";

        using HttpResponseMessage answer = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), $"/api/v1/nodes/{node}/operations", body);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        AuditEntry entry = Assert.Single((await hub.Get<IHistory>().AuditAsync(new HistoryFilter { Node = node }, null, 10, Stop)).Items);
        Assert.Equal((action, reason, "127.0.0.1"), (entry.Action, entry.Reason, entry.RemoteAddress));
        Assert.StartsWith($"refused, malformed: {field}", entry.Outcome, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type":"set-failback","reason":"test","failback":{"policy":"after-stable","stableSeconds":90}}""", "AfterStable 90")]
    [InlineData("""{"type":"set-failback","reason":"test","failback":{"policy":"after-stable"}}""", "AfterStable 60")]
    [InlineData("""{"type":"set-failback","reason":"test","failback":{"policy":"manual","stableSeconds":90}}""", "Manual 0")]
    [InlineData("""{"type":"set-failback","reason":"test","failback":{"policy":"whenever"}}""", "failback.policy")]
    [InlineData("""{"type":"set-failback","reason":"test","failback":{"policy":"after-stable","stableSeconds":0}}""", "failback.stableSeconds")]
    [InlineData("""{"type":"set-failback","reason":"test","failback":{"policy":"after-stable","seconds":5}}""", "seconds")]
    public async Task SetFailback_IsReadOrNamesTheField(string body, string expected)
    {
        WholeHub hub = shared.Fresh();

        using HttpResponseMessage answer = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), "/api/v1/pairs/web/operations", body);

        if (answer.StatusCode == HttpStatusCode.Accepted)
        {
            OperationRequest request = Assert.Single(hub.Operations.Submitted).Request;
            Assert.Equal((OperationType.SetFailback, "web", expected), (request.Type, request.Pair, $"{request.Failback!.Policy} {request.Failback.StableFor.TotalSeconds}"));
        }
        else
        {
            Assert.Contains((await answer.Content.ReadFromJsonAsync<JsonNode>(Stop))!["errors"]!.AsObject(), e => e.Key.EndsWith(expected, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Failback_OnANodesPath_SaysWhereItBelongs()
    {
        WholeHub hub = shared.Fresh();

        using HttpResponseMessage answer = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), "/api/v1/nodes/node-a/operations", """{"type":"failback","reason":"test"}""");

        Assert.Contains("POST /api/v1/pairs/{pair}/operations", (string?)(await answer.Content.ReadFromJsonAsync<JsonNode>(Stop))!["errors"]!["type"]![0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Target_OnANodesPath_IsRefusedInsteadOfIgnored()
    {
        WholeHub hub = shared.Fresh();

        using HttpResponseMessage answer = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), "/api/v1/nodes/node-a/operations", """{"type":"drain","target":"node-b","reason":"test"}""");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.NotNull((await answer.Content.ReadFromJsonAsync<JsonNode>(Stop))!["errors"]!["target"]);
        Assert.Empty(hub.Operations.Submitted);
    }

    [Fact]
    public async Task Drain_OnAPairsPath_MeansTheTargetedNodeOfThatPair()
    {
        WholeHub hub = shared.Fresh();

        await PostAsync(await hub.ScriptAsync(ApiScope.Operate), "/api/v1/pairs/web/operations", """{"type":"drain","target":"node-b","reason":"test"}""");

        OperationRequest request = hub.Operations.Submitted[0].Request;
        Assert.Equal((OperationType.Drain, "web", "node-b", null), (request.Type, request.Pair, request.Node, request.Target));
    }

    [Theory]
    [InlineData("SR-01", 409)]
    [InlineData("SR-03", 409)]
    [InlineData("SR-04", 412)]
    [InlineData("SR-05", 409)]
    [InlineData("SR-14", 422)]
    public async Task Refusal_HasTheRulesStatusAndNamesRuleAndRemedy(string ruleId, int status)
    {
        WholeHub hub = shared.Fresh();
        RuleResult blocking = Make.Rule(ruleId, "SomeRule", passed: false, message: "It is not so.", remedy: "Make it so.") with { HttpStatus = status };
        hub.Operations.OnSubmit = _ => new SubmitResult.Refused(Make.Preview(rules: [Make.Rule("SR-00", "Passed", true), blocking]));

        using HttpResponseMessage answer = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), "/api/v1/pairs/web/operations", """{"type":"switchover","reason":"test"}""");

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        JsonNode problem = (await answer.Content.ReadFromJsonAsync<JsonNode>(Stop))!;
        Assert.Equal((ruleId, "Make it so.", "It is not so."), ((string?)problem["ruleId"], (string?)problem["remedy"], (string?)problem["detail"]));
        Assert.Equal(ruleId, (string?)Assert.Single(problem["blockingRules"]!.AsArray())!["ruleId"]);
    }

    [Fact]
    public async Task Refusal_ThatIsOverAfterAWhile_SaysWhenInRetryAfter()
    {
        WholeHub hub = shared.Fresh();
        RuleResult blocking = Make.Rule("SR-06", "Cooldown", passed: false, remedy: "Wait.") with { HttpStatus = 429, RetryAfter = TimeSpan.FromSeconds(22.2) };
        hub.Operations.OnSubmit = _ => new SubmitResult.Refused(Make.Preview(rules: [blocking]));

        using HttpResponseMessage answer = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), "/api/v1/pairs/web/operations", """{"type":"switchover","reason":"test"}""");

        Assert.Equal((429, TimeSpan.FromSeconds(23)), ((int)answer.StatusCode, answer.Headers.RetryAfter!.Delta));
        Assert.Equal(23, (int?)(await answer.Content.ReadFromJsonAsync<JsonNode>(Stop))!["retryAfterSeconds"]);
    }

    [Theory]
    [InlineData("/api/v1/pairs/web/operations", """{"type":"freeze","reason":"audit","expiresInSeconds":600}""", "web")]
    [InlineData("/api/v1/operations", """{"type":"freeze","reason":"audit","expiresInSeconds":600}""", "*")]
    public async Task Freeze_OfAPairOrOfAll_NamesItsScopeAndItsEnd(string path, string body, string scope)
    {
        WholeHub hub = shared.Fresh();

        using HttpResponseMessage answer = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), path, body);

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        OperationRequest request = hub.Operations.Submitted[^1].Request;
        Assert.Equal((OperationType.Freeze, scope, TimeSpan.FromMinutes(10)), (request.Type, request.Pair, request.ExpiresIn));
    }

    [Theory]
    [InlineData("/api/v1/operations", """{"type":"switchover","reason":"test"}""", "type")]
    [InlineData("/api/v1/pairs/web/operations", """{"type":"freeze","reason":"test","expiresInSeconds":59}""", "expiresInSeconds")]
    [InlineData("/api/v1/nodes/node-a/operations", """{"type":"reset-session","reason":"test","neighbor":""}""", "neighbor")]
    public async Task RequestThatMakesNoSense_NamesTheField(string path, string body, string field)
    {
        WholeHub hub = shared.Fresh();

        using HttpResponseMessage answer = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), path, body);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.NotNull((await answer.Content.ReadFromJsonAsync<JsonNode>(Stop))!["errors"]![field]);
    }

    [Fact]
    public async Task Cancel_NamesOperationAndReason()
    {
        WholeHub hub = shared.Fresh();

        using HttpResponseMessage answer = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), "/api/v1/operations/op-7/cancel", """{"reason":"not now"}""");

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal(("op-7", "not now"), hub.Operations.Cancelled[^1]);
    }

    [Fact]
    public async Task AuditThatCannotBeWritten_IsAnsweredWith503()
    {
        WholeHub hub = shared.Fresh();
        hub.Operations.OnSubmit = _ => new SubmitResult.Unavailable("The disk is full.");

        using HttpResponseMessage answer = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), "/api/v1/pairs/web/operations", """{"type":"switchover","reason":"test"}""");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("The disk is full. Nothing was done.", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PairThatIsNotThere_IsAnsweredWith404()
    {
        WholeHub hub = shared.Fresh();
        hub.Operations.OnSubmit = _ => new SubmitResult.NotFound("No pair is called 'web'.");

        using HttpResponseMessage answer = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), "/api/v1/pairs/web/operations", """{"type":"switchover","reason":"test"}""");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Theory]
    [InlineData("""{"type":"switchover","reason":"x","typ":"y"}""", "typ")]
    [InlineData("""{"Type":"switchover","reason":"x"}""", "Type")]
    [InlineData("""{"type":"switchover","deadlineSeconds":"20"}""", "deadlineSeconds")]
    [InlineData("""{"type":"switchover","deadlineSeconds":601}""", "deadlineSeconds")]
    [InlineData("""{"type":"switchover","deadlineSeconds":1.5}""", "deadlineSeconds")]
    [InlineData("""{"type":"switchover","expectedRevision":"7"}""", "expectedRevision")]
    [InlineData("""{"type":"switchover","prefix":"203.0.113.10/24"}""", "prefix")]
    [InlineData("""{"type":"switchover","role":"Primary"}""", "role")]
    [InlineData("""{"type":"switchover","overrideRules":["all"]}""", "overrideRules")]
    [InlineData("""{"type":"switchover","overrideRules":[null]}""", "overrideRules")]
    [InlineData("""{"type":"SetRole"}""", "type")]
    [InlineData("""{"reason":"x"}""", "type")]
    [InlineData("""{"type":"drain","reason":"x"}""", "target")]
    [InlineData("""{"type":"switchover","type":"drain"}""", "type")]
    [InlineData("""{"type":"switchover","reason":"Kernel\u0000update"}""", "reason")]
    [InlineData("""{"type":"switchover","reason":"Kernel\nupdate"}""", "reason")]
    [InlineData("""{"type":""", "$")]
    [InlineData("""[]""", "$")]
    [InlineData("""null""", "$")]
    [InlineData("", "$")]
    public async Task Body_ThatCannotBeUnderstood_IsRefusedByItsFieldAndReachesNobody(string body, string field)
    {
        WholeHub hub = shared.Fresh();
        HttpClient script = await hub.ScriptAsync(ApiScope.Operate);

        foreach (string path in (string[])["/api/v1/pairs/web/operations", "/api/v1/pairs/web/operations/preview"])
        {
            using HttpResponseMessage answer = await PostAsync(script, path, body);
            JsonNode problem = (await answer.Content.ReadFromJsonAsync<JsonNode>(Stop))!;
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.True(problem["errors"]![field] is not null, problem.ToJsonString());
        }

        Assert.Empty(hub.Operations.Submitted);
    }

    [Fact]
    public async Task Body_LargerThanAnyRequestNeedsToBe_IsRefused()
    {
        WholeHub hub = shared.Fresh();

        using HttpResponseMessage answer = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), "/api/v1/pairs/web/operations", $$"""{"type":"switchover","reason":"{{new string('x', 70_000)}}"}""");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Fact]
    public async Task Body_OfAnotherMediaType_IsRefused()
    {
        WholeHub hub = shared.Fresh();
        HttpClient script = await hub.ScriptAsync(ApiScope.Operate);
        using var form = new FormUrlEncodedContent([new("type", "switchover")]);

        using HttpResponseMessage answer = await script.PostAsync("/api/v1/pairs/web/operations", form, Stop);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
    }

    [Fact]
    public async Task Switchover_OnANodesPath_PointsToThePair()
    {
        WholeHub hub = shared.Fresh();

        using HttpResponseMessage answer = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), "/api/v1/nodes/node-a/operations", """{"type":"switchover","reason":"test"}""");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("/api/v1/pairs/", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Preview_SaysWhatWouldHappenAndDoesNothing()
    {
        WholeHub hub = shared.Fresh();
        hub.Operations.OnPreview = _ => Make.Preview(outage: true, Make.Rule("SR-03", "TargetReady", passed: false, canOverride: true, remedy: "Wait."));

        using HttpResponseMessage answer = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), "/api/v1/pairs/web/operations/preview", """{"type":"switchover"}""");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        JsonNode preview = (await answer.Content.ReadFromJsonAsync<JsonNode>(Stop))!;
        Assert.False((bool)preview["allowed"]!);
        Assert.True((bool)preview["outagePossible"]!);
        Assert.Equal(("SR-03", "Wait."), ((string?)preview["rules"]![0]!["ruleId"], (string?)preview["rules"]![0]!["remedy"]));
        Assert.Equal(3, preview["steps"]!.AsArray().Count);
        Assert.Empty(hub.Operations.Submitted);
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string path, string body) =>
        client.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"), Stop);
}
