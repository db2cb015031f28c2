using System.Net;
using FailoverHub.Web.Access;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Access;

[Trait("Kind", "Hub")]
public sealed class DenyByDefaultTests(SharedHub shared) : IClassFixture<SharedHub>
{
    /// <summary>All that answers without being signed in; every other route of the hub must not.</summary>
    private static readonly string[] Open = ["/healthz/live", "/healthz/ready", "/sign-in", "/sign-in/password", "/sign-in/next", "/sign-in/passkey", "/sign-in/passkey/options", "/sign-in/provider", "/sign-in/provider/callback", "/sign-out"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryRoute_AskedWithoutBeingSignedIn_IsRefusedUnlessItIsOpenOnPurpose()
    {
        WholeHub hub = shared.Fresh();
        HttpClient nobody = hub.Browser();
        int asked = 0;

        foreach (RouteEndpoint route in hub.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            string path = PathOf(route);
            if (route.Metadata.GetMetadata<ServedOn>() == ServedOn.Agents || Open.Contains(path) || IsStaticFile(route))
            {
                continue;
            }

            foreach (string method in route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is { Count: > 0 } some ? some : ["GET", "POST"])
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), path);
                using HttpResponseMessage answer = await nobody.SendAsync(request, Stop);
                Assert.True(answer.StatusCode == HttpStatusCode.Unauthorized, $"{method} {path} answered {(int)answer.StatusCode} to nobody");
                asked++;
            }
        }

        Assert.True(asked >= 15, $"only {asked} routes were asked");
    }

    [Theory]
    [InlineData("/no/such/page")]
    [InlineData("/api/v1/no-such-thing")]
    public async Task UnknownPath_AskedWithoutBeingSignedIn_IsRefusedToo(string path)
    {
        WholeHub hub = shared.Fresh();

        using HttpResponseMessage answer = await hub.Browser().GetAsync(path, Stop);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task Page_AskedByABrowserThatIsNotSignedIn_LeadsToTheSignInPageAndBack()
    {
        WholeHub hub = shared.Fresh();
        HttpClient browser = hub.Browser();
        browser.DefaultRequestHeaders.Accept.ParseAdd("text/html");

        using HttpResponseMessage answer = await browser.GetAsync("/pairs/web", Stop);

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Equal("/sign-in?returnUrl=%2Fpairs%2Fweb", answer.Headers.Location!.OriginalString);
    }

    [Theory]
    [InlineData("/sign-in")]
    [InlineData("/healthz/live")]
    [InlineData("/api/v1/pairs")]
    public async Task EveryAnswer_TellsBrowsersToLoadNothingForeignAndToBeFramedNowhere(string path)
    {
        WholeHub hub = shared.Fresh();

        using HttpResponseMessage answer = await hub.Browser().GetAsync(path, Stop);

        string policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.False(answer.Headers.Contains("Server"));
    }

    [Fact]
    public async Task SignedInBrowser_PostingToTheApi_IsRefusedBecauseAnyPageCouldMakeItDoSo()
    {
        WholeHub hub = shared.Fresh();
        HttpClient browser = await hub.SignedInAsync();
        using var body = new StringContent("""{"type":"switchover","reason":"test"}""", System.Text.Encoding.UTF8, "application/json");

        using HttpResponseMessage answer = await browser.PostAsync("/api/v1/pairs/web/operations", body, Stop);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Empty(hub.Operations.Submitted);
    }

    [Fact]
    public async Task TokenOfScopeRead_ChangingSomething_IsForbidden()
    {
        WholeHub hub = shared.Fresh();
        HttpClient script = await hub.ScriptAsync(ApiScope.Read);
        using var body = new StringContent("""{"type":"switchover","reason":"test"}""", System.Text.Encoding.UTF8, "application/json");

        using HttpResponseMessage answer = await script.PostAsync("/api/v1/pairs/web/operations", body, Stop);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Empty(hub.Operations.Submitted);
        HistoryPage<AuditEntry> audit = await hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = "api-request" }, null, 10, Stop);
        Assert.Contains(audit.Items, a => a.Target == "POST /api/v1/pairs/web/operations" && a.Outcome == "refused: the token's scope does not allow it" && a.Actor.StartsWith("token ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/healthz/ready")]
    [InlineData("/openapi/v1")]
    public void Route_ThatReadsOrWritesMuch_IsLimited(string path)
    {
        WholeHub hub = shared.Fresh();
        RouteEndpoint route = hub.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().First(r => PathOf(r).StartsWith(path, StringComparison.Ordinal));

        Assert.Equal(AccessLimits.Api, route.Metadata.GetMetadata<EnableRateLimitingAttribute>()?.PolicyName);
    }

    [Theory]
    [InlineData("http://127.0.0.1:1", HttpStatusCode.Forbidden)]
    [InlineData("null", HttpStatusCode.Forbidden)]
    [InlineData(null, HttpStatusCode.SwitchingProtocols)]
    public async Task CircuitsWebSocket_IsOpenedOnlyForTheHubsOwnPages(string? origin, HttpStatusCode answered)
    {
        WholeHub hub = shared.Fresh();
        HttpClient browser = await hub.SignedInAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/_blazor");
        request.Headers.Add("Connection", "Upgrade");
        request.Headers.Add("Upgrade", "websocket");
        request.Headers.Add("Sec-WebSocket-Version", "13");
        request.Headers.Add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        request.Headers.Add("Origin", origin ?? $"http://{hub.BrowserUrl.Authority}");

        using HttpResponseMessage answer = await browser.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);

        Assert.Equal(answered, answer.StatusCode);
    }

    [Theory]
    [InlineData("http://127.0.0.1:5080", "127.0.0.1:5080", true)]
    [InlineData("https://hub.example", "hub.example", true)]
    [InlineData("https://hub.example", "hub.example:443", true)]
    [InlineData("http://127.0.0.1:8080", "127.0.0.1:5080", false)]
    [InlineData("http://localhost:5080", "127.0.0.1:5080", false)]
    [InlineData("null", "127.0.0.1:5080", false)]
    public void Origin_IsOwnOnlyWithTheSameHostAndPort(string origin, string host, bool own) =>
        Assert.Equal(own, BrowserGuards.IsOwn(origin, new HostString(host)));

    /// <summary>Static files are the same for everybody, and the browser needs some before it is signed in.</summary>
    private static bool IsStaticFile(RouteEndpoint route) => route.Metadata.Any(m => m.GetType().Name.Contains("StaticAsset", StringComparison.Ordinal))
        || Path.HasExtension(route.RoutePattern.RawText) && route.RoutePattern.RawText!.StartsWith("_framework/", StringComparison.Ordinal);

    private static string PathOf(RouteEndpoint route) => "/" + string.Join('/', route.RoutePattern.PathSegments.Select(segment =>
        string.Concat(segment.Parts.Select(part => part is Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal ? literal.Content
            : part is Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart { Name: "documentName" } ? "v1" : "x"))));
}
