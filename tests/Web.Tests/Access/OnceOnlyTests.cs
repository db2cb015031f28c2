using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.SecondFactor;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using static System.Buffers.Text.Base64Url;
using static FailoverHub.Web.Tests.Access.AccountTests;

namespace FailoverHub.Web.Tests.Access;

/// <summary>Cookies of a sign-in that is under way: a copy of one that was used opens nothing, and neither does one of an earlier run of the hub.</summary>
[Trait("Kind", "Hub")]
public sealed partial class OnceOnlyTests
{
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PendingCookie_ThatWasUsed_IsNotTakenAgainEvenWithACodeThatWasNot()
    {
        await using WholeHub hub = await StartAsync();
        (_, string[] codes) = await WithAppAsync(hub);
        var jar = new CookieContainer();
        HttpClient browser = hub.Browser(jar);
        (await SignInAsync(browser, "anna")).Dispose();
        CookieContainer copy = CopyOf(jar, hub.BrowserUrl);

        using HttpResponseMessage first = await WholeHub.SendFormAsync(browser, "/sign-in/next", "/sign-in/next", ("code", codes[0]));
        HttpClient thief = hub.Browser(copy);
        using HttpResponseMessage shown = await thief.GetAsync("/sign-in/next", Stop);
        using HttpResponseMessage again = await WholeHub.SendFormAsync(thief, "/sign-in", "/sign-in/next", ("code", codes[1]));

        Assert.Equal("/", first.Headers.Location?.OriginalString);
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (shown.StatusCode, again.StatusCode));
        Assert.Contains("was used already", await again.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal(RecoveryCodes.Count - 1, (await FindAsync(hub, "anna")).RecoveryCodesLeft);
    }

    [Fact]
    public async Task PendingCookie_SentByManyAtOnce_IsTakenOnce()
    {
        await using WholeHub hub = await StartAsync();
        (_, string[] codes) = await WithAppAsync(hub);
        var jar = new CookieContainer();
        (await SignInAsync(hub.Browser(jar), "anna")).Dispose();
        HttpClient[] browsers = [.. Enumerable.Range(0, 6).Select(_ => hub.Browser(CopyOf(jar, hub.BrowserUrl)))];

        HttpResponseMessage[] answers = await Task.WhenAll(browsers.Select((browser, i) => WholeHub.SendFormAsync(browser, "/sign-in", "/sign-in/next", ("code", codes[i]))));

        Assert.Single(answers, a => a.StatusCode == HttpStatusCode.Redirect);
        Assert.Equal(RecoveryCodes.Count - 1, (await FindAsync(hub, "anna")).RecoveryCodesLeft);
        Assert.All(answers, a => a.Dispose());
    }

    [Fact]
    public async Task PersonWhoMistypesACode_GoesOnWithTheNextCookie()
    {
        await using WholeHub hub = await StartAsync();
        (string secret, _) = await WithAppAsync(hub);
        _clock.Advance(TimeSpan.FromMinutes(1));
        HttpClient browser = hub.Browser();
        (await SignInAsync(browser, "anna")).Dispose();
        (await WholeHub.SendFormAsync(browser, "/sign-in/next", "/sign-in/next", ("code", "000000"))).Dispose();
        (await browser.GetAsync("/sign-in/next", Stop)).Dispose();

        using HttpResponseMessage right = await WholeHub.SendFormAsync(browser, "/sign-in/next", "/sign-in/next", ("code", TimeCodes.CodeAt(secret, _clock.GetUtcNow())));

        Assert.Equal("/", right.Headers.Location?.OriginalString);
    }

    [Fact]
    public async Task SecretOfAnAppThatIsBeingSetUp_StaysTheSameOnAPageThatIsLoadedAgain()
    {
        await using WholeHub hub = await StartAsync();
        await CreateAsync(hub, "anna", HubRoles.Viewer);
        await hub.Get<SecondFactorRule>().RequireAsync(true, WholeHub.Tester, Stop);
        HttpClient browser = hub.Browser();
        (await SignInAsync(browser, "anna")).Dispose();

        string first = ShownSecret().Match(await browser.GetStringAsync("/sign-in/next", Stop)).Groups[1].Value;
        string second = ShownSecret().Match(await browser.GetStringAsync("/sign-in/next", Stop)).Groups[1].Value;
        using HttpResponseMessage wrong = await WholeHub.SendFormAsync(browser, "/sign-in/next", "/sign-in/next", ("code", "000000"));
        string third = ShownSecret().Match(await wrong.Content.ReadAsStringAsync(Stop)).Groups[1].Value;
        using HttpResponseMessage right = await WholeHub.SendFormAsync(browser, "/sign-in/next", "/sign-in/next", ("code", TimeCodes.CodeAt(third, _clock.GetUtcNow())));

        Assert.NotEmpty(first);
        Assert.Equal((first, first), (second, third));
        Assert.Contains("recovery-codes", await right.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PasskeysAnswer_SentAgainWithItsCookie_OpensNothing()
    {
        await using WholeHub hub = await StartAsync();
        await CreateAsync(hub, "anna", HubRoles.Viewer);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        AccountView anna = await FindAsync(hub, "anna");
        Assert.Null((await hub.Get<OwnAccount>().AddPasskeyAsync(anna, Password, PasskeyOf(key), WholeHub.Tester, Stop)).Problem);
        var jar = new CookieContainer();
        HttpClient browser = AtHost(hub, jar);
        string token = FormToken().Match(await browser.GetStringAsync("/sign-in", Stop)).Groups[1].Value;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/sign-in/passkey/options") { Headers = { { "RequestVerificationToken", token } } };
        using HttpResponseMessage options = await browser.SendAsync(request, Stop);
        string challenge = (await options.Content.ReadFromJsonAsync<JsonElement>(Stop)).GetProperty("challenge").GetString()!;
        string answer = AnswerOf(key, anna.Id, challenge, browser.BaseAddress!);
        CookieContainer copy = CopyOf(jar, browser.BaseAddress!);

        using HttpResponseMessage first = await WholeHub.SendFormAsync(browser, "/sign-in?code=none", "/sign-in/passkey", ("credential", answer), ("returnUrl", "/pairs"));
        HttpClient thief = AtHost(hub, copy);
        using HttpResponseMessage again = await WholeHub.SendFormAsync(thief, "/sign-in?code=none", "/sign-in/passkey", ("credential", answer));

        Assert.Equal("/pairs", first.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.Forbidden, again.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await thief.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Assert.Contains(await AuditAsync(hub, "sign-in"), a => a.Outcome == "refused: the passkey's answer was used already");
    }

    [Fact]
    public void Tickets_AreSpentOnceForgottenWhenTooOldAndBounded()
    {
        var spent = new SpentTickets(_clock);
        DateTimeOffset until = _clock.GetUtcNow().AddMinutes(10);

        Assert.True(spent.TrySpend("a", until));
        Assert.False(spent.TrySpend("a", until));
        Assert.True(spent.IsSpent("a"));
        for (int i = 0; i < SpentTickets.Most; i++)
        {
            Assert.True(spent.TrySpend($"ticket {i}", until));
        }

        Assert.False(spent.IsSpent("a"));
        Assert.True(spent.IsSpent("ticket 0"));
        _clock.Advance(TimeSpan.FromMinutes(10));
        Assert.True(spent.TrySpend("b", until.AddMinutes(10)));
        Assert.False(spent.IsSpent("ticket 9999"));
        Assert.NotEqual(spent.Run, new SpentTickets(_clock).Run);
    }

    private Task<WholeHub> StartAsync() => WholeHub.StartAsync(builder => builder.Services.AddSingleton<TimeProvider>(_clock));

    private async Task<(string Secret, string[] Codes)> WithAppAsync(WholeHub hub)
    {
        await CreateAsync(hub, "anna", HubRoles.Viewer);
        string secret = TimeCodes.NewSecret();
        AccountResult added = await hub.Get<OwnAccount>().AddAuthenticatorAsync(await FindAsync(hub, "anna"), null, secret, TimeCodes.CodeAt(secret, _clock.GetUtcNow()), WholeHub.Tester, Stop);
        Assert.Null(added.Problem);
        return (secret, added.Secret!.Split('\n'));
    }

    // An address has no passkeys; they belong to a host name.
    private static HttpClient AtHost(WholeHub hub, CookieContainer jar)
    {
        HttpClient browser = hub.Browser(jar);
        browser.BaseAddress = new UriBuilder(hub.BrowserUrl) { Host = "localhost" }.Uri;
        browser.DefaultRequestHeaders.Add("Origin", browser.BaseAddress.GetLeftPart(UriPartial.Authority));
        return browser;
    }

    private static CookieContainer CopyOf(CookieContainer jar, Uri hub)
    {
        var copy = new CookieContainer();
        foreach (Cookie cookie in jar.GetAllCookies())
        {
            copy.Add(hub, new Cookie(cookie.Name, cookie.Value, cookie.Path));
        }

        return copy;
    }

    // COSE_Key of ES256 (RFC 9053 section 7.1): kty EC2, alg -7, crv P-256, x, y.
    private static UserPasskeyInfo PasskeyOf(ECDsa key)
    {
        ECPoint point = key.ExportParameters(false).Q;
        byte[] cose = [0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20, .. point.X!, 0x22, 0x58, 0x20, .. point.Y!];
        return new UserPasskeyInfo([1, 2, 3, 4], cose, DateTimeOffset.UnixEpoch, 0, null, true, false, false, [], []) { Name = "passkey" };
    }

    // What an authenticator says to navigator.credentials.get (WebAuthn section 6.3.3): user present and verified, no counter.
    private static string AnswerOf(ECDsa key, string userId, string challenge, Uri hub)
    {
        byte[] client = JsonSerializer.SerializeToUtf8Bytes(new { type = "webauthn.get", challenge, origin = hub.GetLeftPart(UriPartial.Authority), crossOrigin = false });
        byte[] authenticator = [.. SHA256.HashData(Encoding.UTF8.GetBytes(hub.Host)), 0x05, 0, 0, 0, 0];
        byte[] signature = key.SignData([.. authenticator, .. SHA256.HashData(client)], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        string id = EncodeToString([1, 2, 3, 4]);
        return JsonSerializer.Serialize(new
        {
            id,
            rawId = id,
            type = "public-key",
            clientExtensionResults = new { },
            response = new
            {
                clientDataJSON = EncodeToString(client),
                authenticatorData = EncodeToString(authenticator),
                signature = EncodeToString(signature),
                userHandle = EncodeToString(Encoding.UTF8.GetBytes(userId)),
            },
        });
    }

    [GeneratedRegex("<code id=\"secret\">([A-Z2-7]+)</code>")]
    private static partial Regex ShownSecret();

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex FormToken();
}
