using System.Net;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Proxies;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Tests.Access.Refusals;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Identity;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;
using IPNetwork = System.Net.IPNetwork;

namespace FailoverHub.Web.Tests.Access.Proxies;

/// <summary>For whom a request is, by a trusted proxy's word and by a stranger's. The proxies are this machine's addresses, on real connections from there.</summary>
[Trait("Kind", "Hub")]
public sealed class ForwardedRequestTests : IAsyncLifetime
{
    private const int Proxy = 1;
    private const int SecondProxy = 2;
    private const int Stranger = 3;

    private WholeHub _hub = null!;
    private Crowd _crowd = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _hub = await WholeHub.StartAsync(agentUrl: "https://127.0.0.1:0", with: options => options with
        {
            TrustedProxies = [new IPNetwork(Crowd.Address(Proxy), 32), new IPNetwork(Crowd.Address(SecondProxy), 32), new IPNetwork(IPAddress.Loopback, 32)],
        });
        _crowd = new Crowd(_hub);
    }

    public async ValueTask DisposeAsync()
    {
        _crowd.Dispose();
        await _hub.DisposeAsync();
    }

    [Fact]
    public async Task TrustedProxy_SaysForWhomItAsksAndTheAuditHasBoth()
    {
        using HttpResponseMessage answer = await SignInAsync(Through(Proxy, "203.0.113.9"));

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        AuditEntry entry = await NewestAsync("sign-in");
        Assert.Equal(("203.0.113.9", $"203.0.113.9 via {Crowd.Address(Proxy)}"), (entry.RemoteAddress, entry.ForwardedFor));
    }

    [Fact]
    public async Task Stranger_SaysForWhomHeAsksAndItIsOnlyKept()
    {
        using HttpResponseMessage answer = await SignInAsync(Through(Stranger, "203.0.113.9", "https", "hub.example"));

        AuditEntry entry = await NewestAsync("sign-in");
        Assert.Equal((Crowd.Address(Stranger).ToString(), "203.0.113.9"), (entry.RemoteAddress, entry.ForwardedFor));
        Assert.False(answer.Headers.Contains("Strict-Transport-Security"));
        Assert.All(answer.Headers.GetValues("Set-Cookie"), cookie => Assert.DoesNotContain("secure", cookie, StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("198.51.100.66, 203.0.113.9", "203.0.113.9")]
    [InlineData("127.0.0.1, 203.0.113.9", "203.0.113.9")]
    [InlineData("198.51.100.66, 203.0.113.9, 127.7.1.3", "203.0.113.9")]
    [InlineData("198.51.100.66, nonsense, 127.7.1.3", "127.7.1.3")]
    [InlineData("2001:db8::9", "2001:db8::9")]
    [InlineData("nonsense", "127.7.1.2")]
    public async Task Chain_IsBelievedFromItsEndAsFarAsTrustedProxiesWroteIt(string header, string believed)
    {
        (await SignInAsync(Through(Proxy, header))).Dispose();

        AuditEntry entry = await NewestAsync("sign-in");
        Assert.Equal(believed, entry.RemoteAddress);
        Assert.StartsWith(header, entry.ForwardedFor, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HeaderThatLooksLikeTheHubsOwnWords_DoesNotAnyMore()
    {
        (await SignInAsync(Through(Stranger, $"203.0.113.9 via {Crowd.Address(Proxy)}"))).Dispose();
        string spoofed = (await NewestAsync("sign-in")).ForwardedFor!;
        (await SignInAsync(Through(Stranger, new string('9', 3_000)))).Dispose();
        string longOne = (await NewestAsync("sign-in")).ForwardedFor!;

        Assert.DoesNotContain(" via ", spoofed, StringComparison.Ordinal);
        Assert.Equal(ForwardedRequests.LongestClaim, longOne.Length);
        Assert.EndsWith(Cut.Mark, longOne, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Https_AtTheProxy_MakesCookiesSecureAndTellsTheBrowserToStayThere()
    {
        HttpClient browser = Through(Proxy, "203.0.113.9", "https", "hub.example");
        using HttpResponseMessage page = await browser.GetAsync("/sign-in", Stop);
        using HttpResponseMessage plain = await Through(Proxy, "203.0.113.9", "http", "hub.example").GetAsync("/sign-in", Stop);
        using HttpResponseMessage form = await WholeHub.PressSignInAsync(WithoutJar(Proxy, "203.0.113.9", "https", "hub.example"), await LinkAsync());

        Assert.Equal("max-age=2592000", Assert.Single(page.Headers.GetValues("Strict-Transport-Security")));
        Assert.Contains("secure", Assert.Single(page.Headers.GetValues("Set-Cookie")), StringComparison.OrdinalIgnoreCase);
        Assert.False(plain.Headers.Contains("Strict-Transport-Security"));
        Assert.DoesNotContain("secure", Assert.Single(plain.Headers.GetValues("Set-Cookie")), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(HttpStatusCode.Redirect, form.StatusCode);
        Assert.Contains("secure", Assert.Single(form.Headers.GetValues("Set-Cookie"), c => c.StartsWith("failoverhub.session=", StringComparison.Ordinal)), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Limit_IsTheBrowsersOwnBehindATrustedProxyAndThePeersElse()
    {
        HttpStatusCode first = await ExhaustAsync(() => Through(Proxy, "203.0.113.9"));
        using HttpResponseMessage other = await Through(Proxy, "203.0.113.10").PostAsync("/sign-in", null, Stop);
        int claimed = 0;
        HttpStatusCode liar = await ExhaustAsync(() => Through(Stranger, $"203.0.113.{++claimed}"));

        Assert.Equal((HttpStatusCode.TooManyRequests, HttpStatusCode.BadRequest, HttpStatusCode.TooManyRequests), (first, other.StatusCode, liar));
    }

    [Fact]
    public async Task Host_OfATrustedProxy_IsTheOneThatFormsComeFrom()
    {
        HttpClient trusted = Through(Proxy, "203.0.113.9", "https", "hub.example");
        trusted.DefaultRequestHeaders.Add("Origin", "https://hub.example");
        HttpClient stranger = Through(Stranger, "203.0.113.9", "https", "hub.example");
        stranger.DefaultRequestHeaders.Add("Origin", "https://hub.example");

        using HttpResponseMessage own = await trusted.PostAsync("/sign-in", null, Stop);
        using HttpResponseMessage foreign = await stranger.PostAsync("/sign-in", null, Stop);

        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.Forbidden), (own.StatusCode, foreign.StatusCode));
    }

    [Fact]
    public async Task AgentsPort_KnowsNoProxies()
    {
        using var node = new TestNode();
        using var channel = node.Channel(_hub.AgentUrl.AbsoluteUri);
        var request = new JoinRequest { Node = "web-1", CertificateRequest = ByteString.CopyFrom(node.Request), Token = JoinToken.New(null).ToString() };

        await Assert.ThrowsAsync<RpcException>(async () => await new Enrollment.EnrollmentClient(channel).JoinAsync(request, new Metadata { { "x-forwarded-for", "203.0.113.9" } }, cancellationToken: Stop));

        Assert.Equal("127.0.0.1", (await NewestAsync("node-joined")).RemoteAddress);
    }

    [Fact]
    public void Headers_AreNeverBelievedOfEverybody() => Assert.Equal(ForwardedHeaders.None, _hub.Get<IOptions<ForwardedHeadersOptions>>().Value.ForwardedHeaders);

    private static async Task<HttpStatusCode> ExhaustAsync(Func<HttpClient> browser)
    {
        HttpStatusCode last = default;
        for (int i = 0; i <= AccessLimits.SignInsPerMinute; i++)
        {
            using HttpResponseMessage answer = await browser().PostAsync("/sign-in", null, Stop);
            last = answer.StatusCode;
        }

        return last;
    }

    private async Task<HttpResponseMessage> SignInAsync(HttpClient browser) => await WholeHub.PressSignInAsync(browser, await LinkAsync());

    private Task<string> LinkAsync() => _hub.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop);

    private HttpClient Through(int peer, string forwardedFor, string? scheme = null, string? host = null) => With(_crowd.At(peer), forwardedFor, scheme, host);

    // The jar of a browser that believes to speak http would not send Secure cookies back; this one gives back whatever it got.
    private HttpClient WithoutJar(int peer, string forwardedFor, string? scheme = null, string? host = null) => With(_crowd.At(peer, sendsAllCookies: true), forwardedFor, scheme, host);

    private static HttpClient With(HttpClient browser, string forwardedFor, string? scheme, string? host)
    {
        browser.DefaultRequestHeaders.TryAddWithoutValidation("X-Forwarded-For", forwardedFor);
        if (scheme is not null)
        {
            browser.DefaultRequestHeaders.Add("X-Forwarded-Proto", scheme);
        }

        if (host is not null)
        {
            browser.DefaultRequestHeaders.Add("X-Forwarded-Host", host);
        }

        return browser;
    }

    private async Task<AuditEntry> NewestAsync(string action) => (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = action }, null, 1, Stop)).Items[0];
}
