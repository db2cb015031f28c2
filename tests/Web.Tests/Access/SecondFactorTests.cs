using System.Net;
using System.Text.RegularExpressions;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.SecondFactor;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Data;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using static FailoverHub.Web.Tests.Access.AccountTests;

namespace FailoverHub.Web.Tests.Access;

/// <summary>Codes of an authenticator app, and those for the day it is lost.</summary>
[Trait("Kind", "Hub")]
public sealed partial class SecondFactorTests
{
    // RFC 6238 appendix B: the ASCII secret "12345678901234567890", the last six digits of its eight.
    private const string RfcSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(1234567890, "005924")]
    [InlineData(20000000000, "353130")]
    public void Code_IsTheOneOfTheRfc(long second, string code) => Assert.Equal(second / 30, TimeCodes.StepOf(RfcSecret, code, DateTimeOffset.FromUnixTimeSeconds(second), 0));

    [Fact]
    public void Code_IsGoodForOneStepEitherWayAndNeverTwice()
    {
        DateTimeOffset now = DateTimeOffset.FromUnixTimeSeconds(1111111109);
        long step = now.ToUnixTimeSeconds() / 30;

        Assert.Equal(step - 1, TimeCodes.StepOf(RfcSecret, TimeCodes.CodeAt(RfcSecret, now.AddSeconds(-30)), now, 0));
        Assert.Equal(step + 1, TimeCodes.StepOf(RfcSecret, TimeCodes.CodeAt(RfcSecret, now.AddSeconds(30)), now, 0));
        Assert.Null(TimeCodes.StepOf(RfcSecret, TimeCodes.CodeAt(RfcSecret, now.AddSeconds(-60)), now, 0));
        Assert.Null(TimeCodes.StepOf(RfcSecret, TimeCodes.CodeAt(RfcSecret, now), now, step));
        Assert.Null(TimeCodes.StepOf(RfcSecret, "12345", now, 0));
    }

    [Fact]
    public void RecoveryCode_IsGoodOnceHoweverItIsTyped()
    {
        string[] codes = [.. RecoveryCodes.New()];
        string stored = RecoveryCodes.Stored(codes);

        string? left = RecoveryCodes.After(stored, codes[3].ToUpperInvariant().Replace("-", " ", StringComparison.Ordinal));

        Assert.Equal(RecoveryCodes.Count, codes.Distinct().Count());
        Assert.NotNull(left);
        Assert.Null(RecoveryCodes.After(left, codes[3]));
        Assert.NotNull(RecoveryCodes.After(left, codes[4]));
        Assert.DoesNotContain(codes[0], stored, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SignIn_WithAnApp_AsksForTheCodeAndTakesNoCodeTwice()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using WholeHub hub = await WholeHub.StartAsync(builder => builder.Services.AddSingleton<TimeProvider>(clock));
        (string secret, _) = await WithAppAsync(hub, clock);
        clock.Advance(TimeSpan.FromMinutes(1));
        HttpClient browser = hub.Browser();

        using HttpResponseMessage password = await SignInAsync(browser, "anna");
        HttpStatusCode before = (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode;
        using HttpResponseMessage wrong = await WholeHub.SendFormAsync(browser, "/sign-in/next", "/sign-in/next", ("code", "000000"));
        using HttpResponseMessage right = await WholeHub.SendFormAsync(browser, "/sign-in/next", "/sign-in/next", ("code", TimeCodes.CodeAt(secret, clock.GetUtcNow())));
        HttpClient other = hub.Browser();
        (await SignInAsync(other, "anna")).Dispose();
        using HttpResponseMessage again = await WholeHub.SendFormAsync(other, "/sign-in/next", "/sign-in/next", ("code", TimeCodes.CodeAt(secret, clock.GetUtcNow())));

        Assert.Equal("/sign-in/next", password.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.Unauthorized, before);
        Assert.Equal(HttpStatusCode.Forbidden, wrong.StatusCode);
        Assert.Equal("/", right.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, again.StatusCode);
    }

    [Fact]
    public async Task SignIn_WithARecoveryCode_UsesItUp()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using WholeHub hub = await WholeHub.StartAsync(builder => builder.Services.AddSingleton<TimeProvider>(clock));
        (_, string[] codes) = await WithAppAsync(hub, clock);
        HttpClient browser = hub.Browser();

        (await SignInAsync(browser, "anna")).Dispose();
        using HttpResponseMessage answer = await WholeHub.SendFormAsync(browser, "/sign-in/next", "/sign-in/next", ("code", codes[0]));

        Assert.Equal("/", answer.Headers.Location?.OriginalString);
        Assert.Equal(RecoveryCodes.Count - 1, (await FindAsync(hub, "anna")).RecoveryCodesLeft);
        Assert.Equal("""{"by":"recovery code"}""", (await AuditAsync(hub, "second-factor-used")).Single().After);
    }

    [Fact]
    public async Task CodeAlone_WithoutThePasswordBefore_OpensNothing()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using WholeHub hub = await WholeHub.StartAsync(builder => builder.Services.AddSingleton<TimeProvider>(clock));
        (string secret, _) = await WithAppAsync(hub, clock);
        HttpClient browser = hub.Browser();

        using HttpResponseMessage answer = await WholeHub.SendFormAsync(browser, "/sign-in", "/sign-in/next", ("code", TimeCodes.CodeAt(secret, clock.GetUtcNow().AddSeconds(30))));

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode);
    }

    [Fact]
    public async Task SecondFactor_ThatIsRequired_IsSetUpAtTheNextSignInBeforeAnythingOpens()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using WholeHub hub = await WholeHub.StartAsync(builder => builder.Services.AddSingleton<TimeProvider>(clock));
        await CreateAsync(hub, "anna", HubRoles.Viewer);
        await hub.Get<SecondFactorRule>().RequireAsync(true, WholeHub.Tester, Stop);
        HttpClient browser = hub.Browser();

        (await SignInAsync(browser, "anna")).Dispose();
        string page = await browser.GetStringAsync("/sign-in/next", Stop);
        string secret = ShownSecret().Match(page).Groups[1].Value;
        HttpStatusCode before = (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode;
        using HttpResponseMessage answer = await WholeHub.SendFormAsync(browser, "/sign-in/next", "/sign-in/next", ("code", TimeCodes.CodeAt(secret, clock.GetUtcNow())));

        Assert.Contains("<svg", page, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, before);
        Assert.Contains("recovery-codes", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Assert.True((await FindAsync(hub, "anna")).HasAuthenticator);
    }

    [Fact]
    public async Task Secret_InTheDatabase_IsEncryptedAndRecoveryCodesAreHashes()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using WholeHub hub = await WholeHub.StartAsync(builder => builder.Services.AddSingleton<TimeProvider>(clock));
        (string secret, string[] codes) = await WithAppAsync(hub, clock);
        await using HubDbContext db = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
        HubUser row = await db.Users.SingleAsync(Stop);

        Assert.DoesNotContain(secret, row.AuthenticatorSecret, StringComparison.Ordinal);
        Assert.All(codes, code => Assert.DoesNotContain(code, row.RecoveryCodes, StringComparison.Ordinal));
        Assert.All(await db.Audit.ToListAsync(Stop), entry => Assert.DoesNotContain(secret, $"{entry.After}{entry.Before}{entry.Outcome}{entry.Reason}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WhatOpensTheAccountLaterOn_IsNotAddedAtAnOpenBrowserWithoutThePassword()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        await CreateAsync(hub, "anna", HubRoles.Viewer);
        AccountView anna = await FindAsync(hub, "anna");
        string secret = TimeCodes.NewSecret();

        AccountResult passkey = await hub.Get<OwnAccount>().AddPasskeyAsync(anna, "not the password", SomePasskey(), WholeHub.Tester, Stop);
        AccountResult app = await hub.Get<OwnAccount>().AddAuthenticatorAsync(anna, "not the password", secret, TimeCodes.CodeAt(secret, DateTimeOffset.UtcNow), WholeHub.Tester, Stop);
        AccountResult right = await hub.Get<OwnAccount>().AddPasskeyAsync(anna, Password, SomePasskey(), WholeHub.Tester, Stop);

        Assert.Equal([Credentials.Wrong, Credentials.Wrong, null], [passkey.Problem, app.Problem, right.Problem]);
        Assert.Equal("passkey", Assert.Single(await hub.Get<OwnAccount>().PasskeysAsync(anna, Stop)).Name);
        Assert.False((await FindAsync(hub, "anna")).HasAuthenticator);
    }

    internal static UserPasskeyInfo SomePasskey() => new([1, 2, 3], [4, 5, 6], DateTimeOffset.UnixEpoch, 0, null, true, false, false, [], []) { Name = "passkey" };

    private static async Task<(string Secret, string[] Codes)> WithAppAsync(WholeHub hub, FakeTimeProvider clock)
    {
        await CreateAsync(hub, "anna", HubRoles.Viewer);
        string secret = TimeCodes.NewSecret();
        AccountResult added = await hub.Get<OwnAccount>().AddAuthenticatorAsync(await FindAsync(hub, "anna"), null, secret, TimeCodes.CodeAt(secret, clock.GetUtcNow()), WholeHub.Tester, Stop);
        Assert.Null(added.Problem);
        return (secret, added.Secret!.Split('\n'));
    }

    [GeneratedRegex("<code id=\"secret\">([A-Z2-7]+)</code>")]
    private static partial Regex ShownSecret();
}
