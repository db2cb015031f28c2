using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using FailoverHub.Web.Access;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Configuration;

namespace FailoverHub.Web.Tests.Api;

/// <summary>Tokens made, listed and revoked by a script: the secret is in one answer and nowhere else.</summary>
[Trait("Kind", "Hub")]
public sealed class ApiTokenApiTests(SharedHub shared) : IClassFixture<SharedHub>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Token_MadeUsedListedAndRevoked_EachStepIsAudited()
    {
        WholeHub hub = shared.Fresh();
        HttpClient admin = await hub.ScriptAsync(ApiScope.Admin);
        string name = $"deploy-{Guid.NewGuid():N}";

        (HttpStatusCode created, JsonNode? made) = await SendAsync(admin, HttpMethod.Post, "api-tokens", $$"""{"name":"{{name}}","scope":"operate","days":7}""");
        string secret = (string)made!["token"]!;
        HttpClient script = hub.Browser();
        script.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        HttpStatusCode used = (await script.GetAsync("/api/v1/pairs", Stop)).StatusCode;
        string listed = await admin.GetStringAsync("/api/v1/api-tokens", Stop);
        (HttpStatusCode revoked, _) = await SendAsync(admin, HttpMethod.Delete, $"api-tokens/{name}");
        (HttpStatusCode again, _) = await SendAsync(admin, HttpMethod.Delete, $"api-tokens/{name}");

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK, HttpStatusCode.NoContent, HttpStatusCode.NotFound), (created, used, revoked, again));
        Assert.Equal(HttpStatusCode.Unauthorized, (await script.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        JsonNode one = Assert.Single(JsonNode.Parse(listed)!.AsArray(), t => (string)t!["name"]! == name)!;
        Assert.Equal("operate", (string)one["scope"]!);
        Assert.Equal(TimeSpan.FromDays(7), (DateTimeOffset)one["expiresAt"]! - (DateTimeOffset)one["createdAt"]!);
        Assert.Equal(one["name"]!.ToString(), made["info"]!["name"]!.ToString());
        Assert.DoesNotContain(secret, listed, StringComparison.Ordinal);
        AuditEntry[] audit = [.. (await hub.Get<IHistory>().AuditAsync(new HistoryFilter(), null, 100, Stop)).Items.Where(a => a.Target == $"token {name}").Reverse()];
        Assert.Equal(["token-created accepted", "token-revoked accepted", "token-revoked refused: there is no such token"], audit.Select(a => $"{a.Action} {a.Outcome}"));
        Assert.All(audit, a => Assert.DoesNotContain(secret, $"{a.After}{a.Outcome}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"name":"two words","scope":"read"}""", HttpStatusCode.Conflict)]
    [InlineData("""{"name":"ci","scope":"king"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"name":"ci","scope":"read","days":0}""", HttpStatusCode.Conflict)]
    [InlineData("""{"name":"ci","scope":"read","days":367}""", HttpStatusCode.Conflict)]
    [InlineData("""{"name":"ci","scope":"read","days":99999999}""", HttpStatusCode.Conflict)]
    [InlineData("""{"name":"ci","scope":"read","days":-99999999}""", HttpStatusCode.Conflict)]
    [InlineData("""{"name":"ci"}""", HttpStatusCode.BadRequest)]
    public async Task Attempt_ThatCannotBe_IsRefusedAndAudited(string body, HttpStatusCode expected)
    {
        WholeHub hub = shared.Fresh();
        HttpClient admin = await hub.ScriptAsync(ApiScope.Admin);
        long before = await RefusedAsync(hub);

        (HttpStatusCode status, _) = await SendAsync(admin, HttpMethod.Post, "api-tokens", body);

        Assert.Equal(expected, status);
        Assert.Equal(before + 1, await RefusedAsync(hub));
    }

    [Theory]
    [InlineData("read")]
    [InlineData("operate")]
    [InlineData("approve")]
    public async Task OtherScopes_NeitherMakeNorSeeNorRevokeTokens(string scope)
    {
        WholeHub hub = shared.Fresh();
        HttpClient script = await hub.ScriptAsync(ApiScopes.Parse(scope)!.Value);

        Assert.Equal(HttpStatusCode.Forbidden, (await script.GetAsync("/api/v1/api-tokens", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync(script, HttpMethod.Post, "api-tokens", """{"name":"mine","scope":"admin"}""")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync(script, HttpMethod.Delete, "api-tokens/whoever")).Status);
    }

    [Fact]
    public async Task Secret_IsNotKeptForARepeatedRequest()
    {
        WholeHub hub = shared.Fresh();
        HttpClient admin = await hub.ScriptAsync(ApiScope.Admin);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/api-tokens") { Content = Json($$"""{"name":"once-{{Guid.NewGuid():N}}","scope":"read"}""") };
        request.Headers.Add("Idempotency-Key", "one");

        Assert.Equal(HttpStatusCode.BadRequest, (await admin.SendAsync(request, Stop)).StatusCode);
    }

    private static async Task<long> RefusedAsync(WholeHub hub) =>
        (await hub.Get<IHistory>().AuditAsync(new HistoryFilter(), null, 200, Stop)).Items.Count(a => a.Outcome.StartsWith("refused", StringComparison.Ordinal));

    private static async Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(HttpClient client, HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}") { Content = body is null ? null : Json(body) };
        using HttpResponseMessage answer = await client.SendAsync(request, Stop);
        string text = await answer.Content.ReadAsStringAsync(Stop);
        return (answer.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
