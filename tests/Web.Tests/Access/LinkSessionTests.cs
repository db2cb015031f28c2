using System.Net;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Configuration;
using static FailoverHub.Web.Tests.Access.AccountTests;

namespace FailoverHub.Web.Tests.Access;

/// <summary>Sessions by a one-time link: as strong as an admin, and nobody's; so they end when there is an admin.</summary>
[Trait("Kind", "Hub")]
public sealed class LinkSessionTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FirstAdmin_MadeOnTheSetupPage_EndsEverySessionByALinkAndSaysSo()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        HttpClient maker = await hub.SignedInAsync();
        HttpClient other = await hub.SignedInAsync();
        Task told = hub.Get<SessionSignals>().Next;

        using HttpResponseMessage made = await WholeHub.SendFormAsync(maker, "/setup", "/setup", ("name", "anna"), ("password", Password), ("again", Password));
        await told.WaitAsync(TimeSpan.FromSeconds(60), Stop);

        Assert.Equal("/", made.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.OK, (await maker.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await other.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        string page = await other.GetStringAsync("/sign-in", Stop);
        Assert.Contains("end when the hub gets its first admin account", WebUtility.HtmlDecode(page), StringComparison.Ordinal);
        Assert.Contains("id=\"password-sign-in\"", page, StringComparison.Ordinal);
        AuditEntry entry = Assert.Single(await AuditAsync(hub, "sessions-ended"));
        Assert.Equal(("operator", "accepted: the hub has its first admin account, so 2 sessions by a one-time link ended"), (entry.Actor, entry.Outcome));
        Assert.True((await hub.Get<IHistory>().VerifyAuditAsync(Stop)).Intact);
    }

    [Theory]
    [InlineData("created")]
    [InlineData("promoted")]
    public async Task FirstAdmin_MadeElsewhere_EndsThemButForTheOneItWasMadeIn(string how)
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        var jar = new CookieContainer();
        HttpClient maker = hub.Browser(jar);
        (await WholeHub.PressSignInAsync(maker, await hub.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop))).Dispose();
        string session = (await SessionsAsync(hub)).Single();
        HttpClient other = await hub.SignedInAsync();
        Actor actor = WholeHub.Tester with { Session = session };
        var accounts = hub.Get<Accounts>();

        Assert.Null((await accounts.CreateAsync("anna", [how == "created" ? HubRoles.Admin : HubRoles.Viewer], Password, false, actor, Stop)).Problem);
        if (how == "promoted")
        {
            Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/api/v1/pairs", Stop)).StatusCode);
            Assert.Null((await accounts.CreateAsync("bert", [HubRoles.Viewer], Password, false, actor, Stop)).Problem);
            Assert.Null((await accounts.SetRolesAsync(await FindAsync(hub, "anna"), [HubRoles.Admin], actor, Stop)).Problem);
        }

        Assert.Equal(HttpStatusCode.OK, (await maker.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await other.GetAsync("/api/v1/pairs", Stop)).StatusCode);

        using HttpResponseMessage signedIn = await WholeHub.SendFormAsync(maker, "/sign-in?code=none", "/sign-in/password", ("name", "anna"), ("password", Password), ("returnUrl", "/"));
        Assert.Equal("/", signedIn.Headers.Location?.OriginalString);
        Assert.Contains(await AuditAsync(hub, "sign-out"), a => a.Outcome == "accepted: this browser signed in anew");
        Assert.Empty(await SessionsAsync(hub));
    }

    [Fact]
    public async Task LinkForWhoeverIsLockedOut_IsNotEndedByFurtherAdmins()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        await CreateAsync(hub, "anna", HubRoles.Admin);
        HttpClient locked = await hub.SignedInAsync();

        await CreateAsync(hub, "bert", HubRoles.Admin);
        (await SignInAsync(hub.Browser(), "bert")).Dispose();

        Assert.Equal(HttpStatusCode.OK, (await locked.GetAsync("/api/v1/pairs", Stop)).StatusCode);
    }

    [Fact]
    public async Task BrowserWithALinksSession_ThatUsesAnotherLink_HasOneSession()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        HttpClient browser = await hub.SignedInAsync();

        (await WholeHub.PressSignInAsync(browser, await hub.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop))).Dispose();

        Assert.Single(await SessionsAsync(hub));
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode);
    }

    // Those by a link that are open.
    private static async Task<List<string>> SessionsAsync(WholeHub hub)
    {
        await using var db = await hub.Get<Microsoft.EntityFrameworkCore.IDbContextFactory<FailoverHub.Web.Data.HubDbContext>>().CreateDbContextAsync(Stop);
        return [.. db.Sessions.Where(s => s.UserId == null && s.RevokedAtMs == null).Select(s => s.Id)];
    }
}
