using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using FailoverHub.Web.Access;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Storage;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Api;

[Trait("Kind", "Hub")]
public sealed class ApiContractTests(SharedHub shared) : IClassFixture<SharedHub>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The document that other people's scripts were written against, field by field and in order.</summary>
    [Fact]
    public async Task Pair_IsTheDocumentThatScriptsRelyOn()
    {
        WholeHub hub = shared.Fresh();
        PairView pair = Make.HealthyPair() with { ActiveNodeBasis = ActiveNodeBasis.Observed };
        hub.Fleet.Publish(Make.Fleet(pair with { Members = [pair.Members[0]] }));
        HttpClient script = await hub.ScriptAsync(ApiScope.Read);

        string answer = await script.GetStringAsync("/api/v1/pairs/web", Stop);

        Assert.Equal(
            """
            {"id":"id-web","name":"web","state":"Healthy","failback":{"policy":"after-stable","stableSeconds":60},"failbackIsSet":false,"preferredNode":"node-a","activeNode":"node-a","activeNodeBasis":"observed","prefixes":["203.0.113.10/32"],"revision":7,"freeze":null,"operation":null,"members":[{"node":"node-a","link":"Connected","lastReportAt":"2026-11-22T14:00:00.000Z","drained":false,"locallyDrained":false,"health":"Healthy","sessions":{"established":4,"configured":4},"prefixes":[{"prefix":"203.0.113.10/32","assignedRole":"primary","reportedRole":"primary","announced":true,"withdrawnReason":null,"health":"Unknown","failback":null,"failbackHold":null,"damped":false,"localRole":null}]}],"claimants":[],"activeObservedAt":null,"answers":[],"sharedHost":null}
            """,
            answer);
    }

    [Fact]
    public async Task Pair_WhoseAddressAnswersInTurn_SaysWhoAnsweredWhenAndWhatIsWrong()
    {
        WholeHub hub = shared.Fresh();
        var at = new DateTimeOffset(2026, 11, 22, 14, 0, 0, TimeSpan.Zero);
        PairView pair = Make.HealthyPair() with
        {
            ActiveNodeBasis = ActiveNodeBasis.Observed,
            ActiveObservedAt = at,
            Answers = [new AnswerView(System.Net.IPNetwork.Parse("203.0.113.10/32"), null, at, 61, new AnswerMark(AnswerMarkKind.Split, "Both answer.", at))],
        };
        hub.Fleet.Publish(Make.Fleet(pair));

        JsonNode answer = await GetAsync(await hub.ScriptAsync(ApiScope.Read), "/api/v1/pairs/web");

        Assert.Equal("2026-11-22T14:00:00.000Z", (string?)answer["activeObservedAt"]);
        Assert.Equal("""[{"prefix":"203.0.113.10/32","node":null,"at":"2026-11-22T14:00:00.000Z","ttl":61,"problem":"split","text":"Both answer.","since":"2026-11-22T14:00:00.000Z"}]""", answer["answers"]!.ToJsonString());
    }

    [Fact]
    public async Task Pair_WithADrainedNode_SaysWhyInTheWordsOfTheDesign()
    {
        WholeHub hub = shared.Fresh();
        NodeView drained = Make.Node("node-b", null) with { Prefixes = [Make.PrefixOn(Role.Secondary, null) with { WithdrawnReason = WithdrawnReason.AddressMissing }] };
        hub.Fleet.Publish(Make.Fleet(Make.Pair("web", PairState.FailedOver, "x", null, Make.Node("node-a", Role.Primary), drained)));

        JsonNode pair = await GetAsync(await hub.ScriptAsync(ApiScope.Read), "/api/v1/pairs/id-web");

        Assert.Equal("FailedOver", (string?)pair["state"]);
        Assert.Equal("unknown", (string?)pair["activeNodeBasis"]);
        JsonNode prefix = pair["members"]![1]!["prefixes"]![0]!;
        Assert.Equal("secondary", (string?)prefix["assignedRole"]);
        Assert.Null(prefix["reportedRole"]);
        Assert.Equal("address-missing", (string?)prefix["withdrawnReason"]);
    }

    [Theory]
    [InlineData("/api/v1/pairs/no-such")]
    [InlineData("/api/v1/nodes/no-such")]
    [InlineData("/api/v1/operations/no-such")]
    [InlineData("/api/v1/reachability/192.0.2.1")]
    [InlineData("/api/v1/no-such-route")]
    public async Task WhatDoesNotExist_IsAProblemDocumentWithStatus404(string path)
    {
        WholeHub hub = shared.Fresh();

        using HttpResponseMessage answer = await (await hub.ScriptAsync(ApiScope.Read)).GetAsync(path, Stop);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task Pairs_MoreThanAPage_ArePagedByCursorWithoutLossOrRepetition()
    {
        WholeHub hub = shared.Fresh();
        ImmutableArray<PairView> pairs = [.. Enumerable.Range(0, 25).Select(i => Make.HealthyPair($"pair-{i:00}"))];
        hub.Fleet.Publish(Make.Fleet(pairs));
        HttpClient script = await hub.ScriptAsync(ApiScope.Read);
        var names = new List<string>();

        string? cursor = null;
        do
        {
            JsonNode page = await GetAsync(script, $"/api/v1/pairs?limit=10{(cursor is null ? "" : $"&cursor={cursor}")}");
            names.AddRange(page["items"]!.AsArray().Select(p => (string)p!["name"]!));
            cursor = (string?)page["nextCursor"];
        }
        while (cursor is not null);

        Assert.Equal(pairs.Select(p => p.Name), names);
    }

    [Fact]
    public async Task Node_TellsItsPairAndItsSessions()
    {
        WholeHub hub = shared.Fresh();
        hub.Fleet.Publish(Make.Fleet(Make.HealthyPair()));

        JsonNode node = await GetAsync(await hub.ScriptAsync(ApiScope.Read), "/api/v1/nodes/node-a");

        Assert.Equal("web", (string?)node["pair"]);
        Assert.Equal("Established", (string?)node["sessions"]![0]!["state"]);
        Assert.Equal(9, (double?)node["sessions"]![0]!["holdTimeSeconds"]);
        Assert.True((bool?)node["prefixes"]![0]!["addressPresent"]);
    }

    [Fact]
    public async Task Operation_Running_IsToldWithItsSteps()
    {
        WholeHub hub = shared.Fresh();
        hub.Operations.Publish(Make.Operation());
        HttpClient script = await hub.ScriptAsync(ApiScope.Read);

        JsonNode one = await GetAsync(script, "/api/v1/operations/op-1");
        JsonNode all = await GetAsync(script, "/api/v1/operations");

        Assert.Equal(("switchover", "Running", false), ((string?)one["type"], (string?)one["status"], (bool)one["finished"]!));
        Assert.Equal(["Succeeded", "Running", "Pending"], one["steps"]!.AsArray().Select(s => (string)s!["status"]!));
        Assert.Single(all["items"]!.AsArray());
    }

    [Theory]
    [InlineData("203.0.113.10%2F32")]
    [InlineData("203.0.113.10")]
    public async Task Reachability_ByPrefixOrAddress_IsTheSameTarget(string target)
    {
        WholeHub hub = shared.Fresh();
        hub.Reachability.Publish(Make.Target(ReachabilityState.Reachable, [new ProbeSample(Make.At, TimeSpan.FromMicroseconds(1_500), null), new ProbeSample(Make.At.AddSeconds(1), null, "no answer within 900 ms")]));
        foreach (ProbeSample sample in hub.Reachability.Current[0].Recent)
        {
            hub.Get<ProbeSampleStore>().Add(new ProbeSeries("203.0.113.10/32", ProbeSeries.Hub), TimeSpan.FromSeconds(1), sample);
        }

        HttpClient script = await hub.ScriptAsync(ApiScope.Read);

        JsonNode found = await GetAsync(script, $"/api/v1/reachability/{target}");
        JsonNode samples = await GetAsync(script, $"/api/v1/reachability/{target}/samples?from=2026-11-22T14:00:00Z&to=2026-11-22T14:00:01Z");

        Assert.Equal("Reachable", (string?)found["state"]);
        Assert.Equal("2026-11-22T14:00:01.000Z", (string?)found["lastProbeAt"]);
        Assert.Equal(1.5, (double?)found["recent"]![0]!["roundTripMs"]);
        Assert.Equal("no answer within 900 ms", (string?)found["recent"]![1]!["error"]);
        Assert.Single(samples["items"]!.AsArray());
    }

    [Fact]
    public async Task Samples_BeforeTheFirstMomentThereIs_AreNone()
    {
        WholeHub hub = shared.Fresh();
        hub.Reachability.Publish(Make.Target(ReachabilityState.Reachable, [new ProbeSample(Make.At, null, "no answer")]));

        JsonNode samples = await GetAsync(await hub.ScriptAsync(ApiScope.Read), "/api/v1/reachability/203.0.113.10/samples?to=0001-01-01T00:00:00Z");

        Assert.Empty(samples["items"]!.AsArray());
    }

    [Fact]
    public async Task Pairs_ByState_AreThoseInThatState()
    {
        WholeHub hub = shared.Fresh();
        hub.Fleet.Publish(Make.Fleet(Make.HealthyPair()));
        HttpClient script = await hub.ScriptAsync(ApiScope.Read);

        Assert.Single((await GetAsync(script, "/api/v1/pairs?state=healthy"))["items"]!.AsArray());
        Assert.Empty((await GetAsync(script, "/api/v1/pairs?state=Unknown"))["items"]!.AsArray());
    }

    [Fact]
    public async Task Audit_WhatTheHubItselfWrote_IsListedPagedAndVerified()
    {
        WholeHub hub = shared.Fresh();
        HttpClient script = await hub.ScriptAsync(ApiScope.Read);
        await hub.TokenAsync("one", ApiScope.Read);
        await hub.TokenAsync("two", ApiScope.Read);

        JsonNode first = await GetAsync(script, "/api/v1/audit?action=token-created&limit=1");
        JsonNode second = await GetAsync(script, $"/api/v1/audit?action=token-created&limit=1&cursor={(string)first["nextCursor"]!}");
        JsonNode verified = await GetAsync(script, "/api/v1/audit/verify");

        Assert.Equal("token two", (string?)first["items"]![0]!["target"]);
        Assert.Equal("token one", (string?)second["items"]![0]!["target"]);
        Assert.Equal((string?)second["items"]![0]!["hash"], (string?)first["items"]![0]!["previousHash"]);
        Assert.True((bool)verified["intact"]!);
        Assert.Equal((string?)first["items"]![0]!["hash"], (string?)verified["headHash"]);
    }

    [Theory]
    [InlineData("/api/v1/events?sevrity=critical", "sevrity")]
    [InlineData("/api/v1/events?severity=loud", "severity")]
    [InlineData("/api/v1/events?limit=0", "limit")]
    [InlineData("/api/v1/events?limit=501", "limit")]
    [InlineData("/api/v1/events?from=yesterday", "from")]
    [InlineData("/api/v1/events?cursor=abc", "cursor")]
    [InlineData("/api/v1/audit?kind=x", "kind")]
    [InlineData("/api/v1/pairs?limit=x", "limit")]
    [InlineData("/api/v1/events?pair=a&pair=b", "pair")]
    [InlineData("/api/v1/events?text=a+b+c+d+e+f+g+h+i+j+k", "text")]
    [InlineData("/api/v1/audit?text=a+b+c+d+e+f+g+h+i+j+k", "text")]
    [InlineData("/api/v1/pairs?state=bogus", "state")]
    [InlineData("/api/v1/pairs?state=1", "state")]
    public async Task Query_ThatIsMisspelt_IsRefusedByItsNameInsteadOfIgnored(string path, string parameter)
    {
        WholeHub hub = shared.Fresh();

        using HttpResponseMessage answer = await (await hub.ScriptAsync(ApiScope.Read)).GetAsync(path, Stop);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        JsonNode problem = (await answer.Content.ReadFromJsonAsync<JsonNode>(Stop))!;
        Assert.NotNull(problem["errors"]![parameter]);
    }

    [Fact]
    public async Task OpenApi_DescribesEveryRouteOfTheApiAndTheToken()
    {
        WholeHub hub = shared.Fresh();
        JsonNode document = await GetAsync(await hub.ScriptAsync(ApiScope.Read), "/openapi/v1.json");

        // Counted, so that a route that is lost is noticed too.
        int routes = 0;

        foreach (RouteEndpoint route in hub.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            string path = "/" + route.RoutePattern.RawText!.TrimStart('/');
            if (!path.StartsWith("/api/v1/", StringComparison.Ordinal) || path.Contains("**", StringComparison.Ordinal))
            {
                continue;
            }

            string method = Assert.Single(route.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods);
            JsonNode? described = document["paths"]![path]?[method.ToLowerInvariant()];
            Assert.True(described is not null, $"{method} {path} is not described");
            Assert.False(string.IsNullOrEmpty((string?)described["summary"]), $"{method} {path} has no summary");
            Assert.NotNull(described["responses"]!["401"]);
            if (method == "POST" && path.Contains("/operations", StringComparison.Ordinal) && !path.Contains("{id}/", StringComparison.Ordinal))
            {
                JsonNode body = described["requestBody"]!["content"]!["application/json"]!["schema"]!;
                Assert.Equal("integer", (string?)body["properties"]!["expectedRevision"]!["type"]![1]);
            }

            routes++;
        }

        Assert.Equal(77, routes);
        Assert.Equal("bearer", (string?)document["components"]!["securitySchemes"]!["bearer"]!["scheme"]);
        Assert.NotEmpty(document["security"]!.AsArray());
        Assert.Equal("Never changes, also when the pair is renamed.", (string?)document["components"]!["schemas"]!["PairDto"]!["properties"]!["id"]!["description"]);
    }

    [Fact]
    public async Task Health_OfAStartedHub_IsGoodForAnybody()
    {
        WholeHub hub = shared.Fresh();
        HttpClient nobody = hub.Browser();

        Assert.Equal("Healthy", await nobody.GetStringAsync("/healthz/live", Stop));
        Assert.Equal("Healthy", await nobody.GetStringAsync("/healthz/ready", Stop));
    }

    private static async Task<JsonNode> GetAsync(HttpClient client, string path)
    {
        using HttpResponseMessage answer = await client.GetAsync(path, Stop);
        string text = await answer.Content.ReadAsStringAsync(Stop);
        Assert.True(answer.IsSuccessStatusCode, $"{path} answered {(int)answer.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }
}
