using System.Text.Json;
using System.Text.Json.Nodes;
using FailoverHub.Web.Access;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Configuration;
using Json.Schema;

namespace FailoverHub.Web.Tests.Api;

/// <summary>The document says what the hub does: every call is complete in it, its examples are of its schemas, and so is what the hub really answers.</summary>
[Trait("Kind", "Hub")]
public sealed class OpenApiTests(SharedHub shared) : IClassFixture<SharedHub>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryCall_HasSummaryParametersAndAllItsAnswers()
    {
        JsonNode document = await DocumentAsync(shared.Fresh());

        foreach ((string path, string method, JsonNode call) in Calls(document))
        {
            string name = $"{method} {path}";
            Assert.True((string?)call["summary"] is { Length: > 0 }, $"{name} has no summary");
            Assert.True((string?)call["operationId"] is { Length: > 0 }, $"{name} has no operationId");
            Assert.All(call["parameters"]?.AsArray() ?? [], p => Assert.True((string?)p!["description"] is { Length: > 0 } && p["schema"] is not null, $"{name}: {p["name"]} is not described"));
            Assert.Equal(PathParameters(path), (call["parameters"]?.AsArray() ?? []).Where(p => (string)p!["in"]! == "path").Select(p => (string)p!["name"]!));
            JsonObject answers = call["responses"]!.AsObject();
            Assert.True(answers.Any(a => a.Key[0] == '2' && (a.Key == "204" || a.Value!["content"] is not null)), $"{name} says nothing of its good answer");
            string[] problems = method switch { "get" => path.StartsWith("/api/v1/users", StringComparison.Ordinal) || path.StartsWith("/api/v1/alert-channels", StringComparison.Ordinal) ? ["401", "403", "429", "500"] : ["401", "429", "500"], "delete" => ["401", "403", "429", "500"], _ => ["400", "401", "403", "429", "500"] };
            Assert.All(problems, status => Assert.True(answers.ContainsKey(status), $"{name} says nothing of {status}"));
            Assert.All(answers.Where(a => a.Key[0] is '4' or '5'), a => Assert.True(a.Value!["content"]?["application/problem+json"]?["schema"] is not null, $"{name}: {a.Key} is no problem document"));
            Assert.True(method is "get" or "delete" || (call["requestBody"] is not null && (call["parameters"]?.AsArray() ?? []).Any(p => (string)p!["name"]! == "Idempotency-Key") != (method == "put" || HasASecretInItsAnswer(path))), $"{name} says nothing of body or Idempotency-Key");
            if (path.Contains('{', StringComparison.Ordinal))
            {
                Assert.True(answers.ContainsKey("404"), $"{name} says nothing of 404");
            }
        }
    }

    // PUT says what shall be: twice is the same as once.
    // What is never stored cannot be given again.
    private static bool HasASecretInItsAnswer(string path) => path is "/api/v1/join-tokens" or "/api/v1/api-tokens" or "/api/v1/alert-channels" or "/api/v1/alert-channels/{id}" or "/api/v1/users" or "/api/v1/users/{user}/reset";

    [Fact]
    public async Task Query_ThatIsDescribed_IsTheOneThatIsTaken()
    {
        WholeHub hub = shared.Fresh();
        JsonNode document = await DocumentAsync(hub);
        HttpClient script = await hub.ScriptAsync(ApiScope.Read);
        int asked = 0;

        foreach ((string path, _, JsonNode call) in Calls(document).Where(c => c.Method == "get" && !c.Path.Contains('{', StringComparison.Ordinal)))
        {
            string[] known = [.. (call["parameters"]?.AsArray() ?? []).Where(p => (string)p!["in"]! == "query").Select(p => (string)p!["name"]!)];
            if (known.Length == 0)
            {
                continue;
            }

            using HttpResponseMessage answer = await script.GetAsync($"{path}?no-such=1", Stop);
            string problem = await answer.Content.ReadAsStringAsync(Stop);
            Assert.Contains(string.Join(", ", known), problem, StringComparison.Ordinal);
            asked++;
        }

        Assert.True(asked >= 4, $"{asked} calls with a query");
    }

    [Fact]
    public async Task Examples_AreOfTheirSchemas()
    {
        JsonNode document = await DocumentAsync(shared.Fresh());
        int examples = 0;

        foreach ((string path, string method, JsonNode call) in Calls(document))
        {
            IEnumerable<KeyValuePair<string, JsonNode?>> contents = call["responses"]!.AsObject().SelectMany(a => a.Value!["content"]?.AsObject().ToArray() ?? []).Concat(call["requestBody"]?["content"]?.AsObject().ToArray() ?? []);
            foreach (JsonNode content in contents.Select(c => c.Value!).Where(c => c["example"] is not null))
            {
                Check(document, content["schema"]!, content["example"]!, $"the example of {method} {path}");
                examples++;
            }
        }

        Assert.True(examples >= 6, $"{examples} examples");
    }

    [Theory]
    [InlineData("/api/v1/pairs", "/api/v1/pairs", "200")]
    [InlineData("/api/v1/pairs/{pair}", "/api/v1/pairs/web", "200")]
    [InlineData("/api/v1/pairs/{pair}", "/api/v1/pairs/none", "404")]
    [InlineData("/api/v1/nodes", "/api/v1/nodes", "200")]
    [InlineData("/api/v1/nodes/{node}", "/api/v1/nodes/node-a", "200")]
    [InlineData("/api/v1/operations", "/api/v1/operations", "200")]
    [InlineData("/api/v1/operations/{id}", "/api/v1/operations/op-1", "200")]
    [InlineData("/api/v1/events", "/api/v1/events", "200")]
    [InlineData("/api/v1/events", "/api/v1/events?limit=x", "400")]
    [InlineData("/api/v1/audit", "/api/v1/audit", "200")]
    [InlineData("/api/v1/audit/verify", "/api/v1/audit/verify", "200")]
    [InlineData("/api/v1/reachability", "/api/v1/reachability", "200")]
    [InlineData("/api/v1/alerts", "/api/v1/alerts", "200")]
    [InlineData("/api/v1/alert-rules", "/api/v1/alert-rules", "200")]
    [InlineData("/api/v1/alert-rules/{id}", "/api/v1/alert-rules/no-announcer", "200")]
    public async Task Answer_OfTheHub_IsOfTheSchemaThatTheDocumentPromises(string described, string path, string status)
    {
        WholeHub hub = shared.Fresh();
        hub.Fleet.Publish(Make.Fleet(Make.HealthyPair()));
        hub.Operations.Publish(Make.Operation());
        hub.Reachability.Publish(Make.Target(ReachabilityState.Reachable, [new ProbeSample(Make.At, TimeSpan.FromMilliseconds(1), null)]));
        JsonNode document = await DocumentAsync(hub);

        using HttpResponseMessage answer = await (await hub.ScriptAsync(ApiScope.Read)).GetAsync(path, Stop);

        Assert.Equal(status, ((int)answer.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture));
        JsonObject content = document["paths"]![described]!["get"]!["responses"]![status]!["content"]!.AsObject();
        JsonNode schema = content[answer.Content.Headers.ContentType!.MediaType!]!["schema"]!;
        Check(document, schema, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Stop))!, $"the answer of {path}");
    }

    /// <summary>OpenAPI 3.1 is JSON Schema 2020-12: the whole document is the schema's root, so that its references lead somewhere.</summary>
    private static void Check(JsonNode document, JsonNode schema, JsonNode instance, string what)
    {
        var root = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["components"] = document["components"]!.DeepClone(),
            ["allOf"] = new JsonArray(schema.DeepClone()),
        };
        EvaluationResults results = JsonSchema.FromText(root.ToJsonString()).Evaluate(instance, new EvaluationOptions { OutputFormat = OutputFormat.List });
        Assert.True(results.IsValid, $"{what}: {JsonSerializer.Serialize(results.Details.Where(d => d.HasErrors).Select(d => new { d.InstanceLocation, d.Errors }))}");
    }

    private static IEnumerable<(string Path, string Method, JsonNode Call)> Calls(JsonNode document) =>
        document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(call => (path.Key, call.Key, call.Value!)));

    private static IEnumerable<string> PathParameters(string path) => path.Split('/').Where(p => p.StartsWith('{')).Select(p => p.Trim('{', '}'));

    private static async Task<JsonNode> DocumentAsync(WholeHub hub) => JsonNode.Parse(await (await hub.ScriptAsync(ApiScope.Read)).GetStringAsync("/openapi/v1.json", Stop))!;
}
