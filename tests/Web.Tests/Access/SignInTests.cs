using System.Net;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Refusals;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Access;

[Trait("Kind", "Hub")]
public sealed class SignInTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Link_OpenedManyTimes_IsUsedUpOnlyByTheButton()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        string code = await hub.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop);
        using HttpClient scanner = hub.Browser();
        await scanner.GetAsync($"/sign-in?code={code}", Stop);
        await scanner.GetAsync($"/sign-in?code={code}", Stop);

        using HttpClient person = hub.Browser();
        using HttpResponseMessage answer = await WholeHub.PressSignInAsync(person, code);

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Equal("/", answer.Headers.Location!.OriginalString);
        Assert.Equal(HttpStatusCode.OK, (await person.GetAsync("/api/v1/pairs", Stop)).StatusCode);
    }

    [Fact]
    public async Task Link_UsedTwice_IsRefusedTheSecondTimeAndBothAreAudited()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        string code = await hub.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop);

        using HttpResponseMessage first = await WholeHub.PressSignInAsync(hub.Browser(), code);
        HttpClient late = hub.Browser();
        using HttpResponseMessage second = await WholeHub.PressSignInAsync(late, code);

        Assert.Equal(HttpStatusCode.Redirect, first.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, second.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await late.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        HistoryPage<AuditEntry> audit = await hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = "sign-in" }, null, 10, Stop);
        Assert.Equal(["nobody", "operator"], audit.Items.Select(a => a.Actor));
        Assert.StartsWith("refused", audit.Items[0].Outcome, StringComparison.Ordinal);
        Assert.Equal("accepted", audit.Items[1].Outcome);
        Assert.All(audit.Items, a => Assert.Equal("127.0.0.1", a.RemoteAddress));
    }

    [Fact]
    public async Task Link_UsedByManyAtOnce_LetsOneIn()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        string code = await hub.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop);

        SignInOutcome[] letIn = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => hub.Get<SignInCodes>().UseAsync(code, Session(), WholeHub.Tester, Stop)));

        Assert.Single(letIn, outcome => outcome == SignInOutcome.Accepted);
        Assert.Equal(7, letIn.Count(outcome => outcome == SignInOutcome.Refused));
    }

    [Fact]
    public async Task Link_AfterFifteenMinutes_IsRefused()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using WholeHub hub = await WholeHub.StartAsync();
        var codes = new SignInCodes(hub.Get<IDbContextFactory<HubDbContext>>(), hub.Get<AccessAudit>(), clock);
        string young = await codes.CreateAsync(WholeHub.Tester, Stop);
        string old = await codes.CreateAsync(WholeHub.Tester, Stop);

        clock.Advance(TimeSpan.FromMinutes(15) - TimeSpan.FromMilliseconds(1));
        SignInOutcome inTime = await codes.UseAsync(young, Session(), WholeHub.Tester, Stop);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        SignInOutcome tooLate = await codes.UseAsync(old, Session(), WholeHub.Tester, Stop);

        Assert.Equal(SignInOutcome.Accepted, inTime);
        Assert.Equal(SignInOutcome.Refused, tooLate);
    }

    [Fact]
    public async Task Code_InTheDatabase_IsNotTheCode()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        string code = await hub.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop);

        await using HubDbContext db = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);

        Assert.All(await db.SignInCodes.ToListAsync(Stop), row => Assert.NotEqual(code, row.Hash));
        Assert.Equal(43, code.Length);
    }

    [Fact]
    public async Task Post_WithoutTheFormsToken_DoesNotUseTheCode()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        string code = await hub.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop);
        using var form = new FormUrlEncodedContent([new("code", code)]);

        using HttpResponseMessage answer = await hub.Browser().PostAsync("/sign-in", form, Stop);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(SignInOutcome.Accepted, await hub.Get<SignInCodes>().UseAsync(code, Session(), WholeHub.Tester, Stop));
    }

    [Fact]
    public async Task Post_FromAPageOfAnotherOrigin_IsRefused()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        HttpClient browser = await hub.SignedInAsync();
        browser.DefaultRequestHeaders.Add("Origin", "http://127.0.0.1:1");

        using HttpResponseMessage answer = await browser.PostAsync("/sign-out", null, Stop);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Theory]
    [InlineData("/pairs/web?tab=audit", "/pairs/web?tab=audit")]
    [InlineData("https://elsewhere.example/", "/")]
    [InlineData("//elsewhere.example/", "/")]
    [InlineData("/\\elsewhere.example/", "/")]
    [InlineData("", "/")]
    public async Task ReturnUrl_ThatLeavesTheHub_IsReplacedByTheStartPage(string asked, string taken)
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        string code = await hub.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop);

        using HttpResponseMessage answer = await WholeHub.PressSignInAsync(hub.Browser(), code, asked);

        Assert.Equal(taken, answer.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task SessionCookie_IsOutOfReachOfScriptsAndOtherSites()
    {
        await using WholeHub hub = await WholeHub.StartAsync();

        using HttpResponseMessage answer = await WholeHub.PressSignInAsync(hub.Browser(), await hub.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop));

        string cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"), c => c.StartsWith("failoverhub.session=", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Session_SurvivesARestartOfTheHub()
    {
        string data = WholeHub.NewFolder();
        string cookie;
        await using (WholeHub first = await WholeHub.StartAsync(data: data))
        {
            using HttpResponseMessage answer = await WholeHub.PressSignInAsync(first.Browser(), await first.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop));
            cookie = answer.Headers.GetValues("Set-Cookie").First(c => c.StartsWith("failoverhub.session=", StringComparison.Ordinal)).Split(';')[0];
            Assert.All(Directory.GetFiles(Path.Combine(data, "keys")), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
            CopyKeys(data, out string copy);
            File.Copy(Path.Combine(data, "authority.pem"), Path.Combine(copy, "authority.pem"));
            if (TestDatabases.OnPostgres)
            {
                TestDatabases.Copy(data, copy);
            }
            else
            {
                await using HubDbContext db = await first.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
                await db.Database.ExecuteSqlAsync($"VACUUM INTO {Path.Combine(copy, "hub.db")}", Stop);
            }

            data = copy;
        }

        await using WholeHub second = await WholeHub.StartAsync(data: data);
        HttpClient browser = new(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = second.BrowserUrl };
        browser.DefaultRequestHeaders.Add("Cookie", cookie);

        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        browser.Dispose();
    }

    [Fact]
    public async Task SignIn_TriedMoreOftenThanAPersonWould_IsSlowedDown()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        HttpClient attacker = hub.Browser();
        HttpResponseMessage? last = null;
        for (int i = 0; i <= AccessLimits.SignInsPerMinute; i++)
        {
            last?.Dispose();
            last = await attacker.PostAsync("/sign-in", null, Stop);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, last!.StatusCode);
        Assert.NotNull(last.Headers.RetryAfter);
        last.Dispose();
    }

    private static NewSession Session() => new(Secret.New(), "tester", null, "link", null, null);

    // The first hub removes its folder when it ends; keys and database have to outlive it.
    private static void CopyKeys(string from, out string to)
    {
        to = WholeHub.NewFolder();
        Directory.CreateDirectory(Path.Combine(to, "keys"));
        foreach (string file in Directory.GetFiles(Path.Combine(from, "keys")))
        {
            File.Copy(file, Path.Combine(to, "keys", Path.GetFileName(file)));
        }
    }
}
