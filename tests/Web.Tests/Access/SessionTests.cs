using System.Net;
using System.Security.Claims;
using System.Threading.Channels;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Data;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Access;

[Trait("Kind", "Hub")]
public sealed class SessionTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CopyOfTheCookie_AfterSigningOut_OpensNothingAndTheSignOutIsAudited()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        HttpClient browser = hub.Browser();
        using HttpResponseMessage signedIn = await WholeHub.PressSignInAsync(browser, await hub.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop));
        string cookie = signedIn.Headers.GetValues("Set-Cookie").First(c => c.StartsWith("failoverhub.session=", StringComparison.Ordinal)).Split(';')[0];
        using var copy = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = hub.BrowserUrl };
        copy.DefaultRequestHeaders.Add("Cookie", cookie);
        Assert.Equal(HttpStatusCode.OK, (await copy.GetAsync("/api/v1/pairs", Stop)).StatusCode);

        using HttpResponseMessage signedOut = await WholeHub.PressSignOutAsync(browser);

        Assert.Equal("/sign-in", signedOut.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.Unauthorized, (await copy.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        HistoryPage<AuditEntry> audit = await hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = "sign-out" }, null, 10, Stop);
        Assert.Equal("accepted", Assert.Single(audit.Items).Outcome);
    }

    [Theory]
    [InlineData(true, 7 * 24)]
    [InlineData(false, 12)]
    public async Task Session_OfAnAccountOrByALink_IsOverAfterItsTimeHoweverBusyItWas(bool account, int hours)
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        Sessions sessions = await WithAsync(hub, clock, "s", account);

        clock.Advance(TimeSpan.FromHours(hours) - TimeSpan.FromMilliseconds(1));
        Assert.True(await sessions.IsOpenAsync(User("s"), Stop));
        clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.False(await sessions.IsOpenAsync(User("s"), Stop));
    }

    [Fact]
    public async Task Cookie_ThatNamesNoSession_IsNobodys()
    {
        await using WholeHub hub = await WholeHub.StartAsync();

        Assert.False(await hub.Get<Sessions>().IsOpenAsync(User("made-up"), Stop));
        Assert.False(await hub.Get<Sessions>().IsOpenAsync(AccessPolicies.Person("operator", [HubRoles.Admin], "test"), Stop));
    }

    [Fact]
    public async Task OpenPage_AfterSigningOut_MayChangeNothingAtOnce()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        Sessions sessions = await WithAsync(hub, TimeProvider.System, "s");
        var authorization = hub.Get<IAuthorizationService>();
        AuthorizationResult before = await authorization.AuthorizeAsync(User("s"), null, AccessPolicies.PageOperate);

        await sessions.CloseAsync(User("s"), WholeHub.Tester, Stop);
        AuthorizationResult after = await authorization.AuthorizeAsync(User("s"), null, AccessPolicies.PageOperate);

        Assert.True(before.Succeeded);
        Assert.False(after.Succeeded);
    }

    [Fact]
    public async Task OpenCircuit_AfterSigningOut_BecomesNobodysAtOnce()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        Sessions sessions = await WithAsync(hub, TimeProvider.System, "s");
        await using var circuit = new CircuitSession(sessions, hub.Get<SessionSignals>(), new FakeTimeProvider(), NullLogger<CircuitSession>.Instance);
        circuit.SetAuthenticationState(Task.FromResult(new AuthenticationState(User("s"))));
        var changed = new TaskCompletionSource<AuthenticationState>(TaskCreationOptions.RunContinuationsAsynchronously);
        circuit.AuthenticationStateChanged += async state => changed.TrySetResult(await state);

        await sessions.CloseAsync(User("s"), WholeHub.Tester, Stop);
        AuthenticationState now = await changed.Task.WaitAsync(TimeSpan.FromSeconds(60), Stop);

        Assert.False(now.User.Identity!.IsAuthenticated);
    }

    [Fact]
    public async Task OpenCircuit_WhoseSessionAnotherProcessHasEnded_BecomesNobodysAtTheNextLook()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        Sessions sessions = await WithAsync(hub, TimeProvider.System, "s");
        var clock = new FakeTimeProvider();
        await using var circuit = new CircuitSession(sessions, hub.Get<SessionSignals>(), clock, NullLogger<CircuitSession>.Instance);
        var changed = new TaskCompletionSource<AuthenticationState>(TaskCreationOptions.RunContinuationsAsynchronously);
        circuit.SetAuthenticationState(Task.FromResult(new AuthenticationState(User("s"))));
        circuit.AuthenticationStateChanged += async state => changed.TrySetResult(await state);
        await using (HubDbContext db = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop))
        {
            await db.Sessions.ExecuteUpdateAsync(set => set.SetProperty(session => session.RevokedAtMs, 1L), Stop);
        }

        // The first look may come before or after; in between only the clock makes it look again.
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        bound.CancelAfter(TimeSpan.FromSeconds(60));
        while (!changed.Task.IsCompleted)
        {
            bound.Token.ThrowIfCancellationRequested();
            clock.Advance(circuit.Every);
            await Task.Yield();
        }

        Assert.False((await changed.Task).User.Identity!.IsAuthenticated);
    }

    [Fact]
    public async Task OpenCircuit_WhileTheDatabaseIsAway_IsNobodysAndHisAgainAfterwards()
    {
        var disk = new FullDisk();
        await using WholeHub hub = await WholeHub.StartAsync(builder => disk.Install(builder.Services));
        Sessions sessions = await WithAsync(hub, TimeProvider.System, "s");
        var clock = new FakeTimeProvider();
        await using var circuit = new CircuitSession(sessions, hub.Get<SessionSignals>(), clock, NullLogger<CircuitSession>.Instance);
        var told = Channel.CreateUnbounded<bool>();
        circuit.AuthenticationStateChanged += async state => told.Writer.TryWrite((await state).User.Identity!.IsAuthenticated);
        disk.IsFull = true;
        circuit.SetAuthenticationState(Task.FromResult(new AuthenticationState(User("s"))));

        Assert.True(await NextAsync(told, clock));
        Assert.False(await NextAsync(told, clock));
        AuthorizationResult meanwhile = await hub.Get<IAuthorizationService>().AuthorizeAsync(User("s"), null, AccessPolicies.PageView);
        disk.IsFull = false;
        bool again = await NextAsync(told, clock);
        await sessions.CloseAsync(User("s"), WholeHub.Tester, Stop);

        Assert.False(meanwhile.Succeeded);
        Assert.True(again);
        Assert.False(await NextAsync(told, clock));
    }

    [Fact]
    public async Task LinkMadeOnTheCommandLine_IsAudited()
    {
        await using WholeHub hub = await WholeHub.StartAsync();

        await hub.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop);

        HistoryPage<AuditEntry> audit = await hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = "sign-in-link-created" }, null, 10, Stop);
        Assert.Equal("tester", Assert.Single(audit.Items).Actor);
    }

    /// <summary>Lets time pass until something is told.</summary>
    private static async Task<bool> NextAsync(Channel<bool> told, FakeTimeProvider clock)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        bound.CancelAfter(TimeSpan.FromSeconds(60));
        bool next;
        while (!told.Reader.TryRead(out next))
        {
            bound.Token.ThrowIfCancellationRequested();
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        return next;
    }

    private static async Task<Sessions> WithAsync(WholeHub hub, TimeProvider clock, string id, bool account = false)
    {
        var database = hub.Get<IDbContextFactory<HubDbContext>>();
        await using HubDbContext db = await database.CreateDbContextAsync(Stop);
        var user = new HubUser { UserName = "anna" };
        if (account)
        {
            db.Users.Add(user);
        }

        await Sessions.OpenAsync(db, new NewSession(id, "operator", account ? user.Id : null, account ? "password" : "link", null, null), clock.GetUtcNow(), Stop);
        await db.SaveChangesAsync(Stop);
        return new Sessions(database, hub.Get<AuditLog>(), hub.Get<SessionSignals>(), clock);
    }

    private static ClaimsPrincipal User(string session)
    {
        ClaimsPrincipal user = AccessPolicies.Person("operator", [HubRoles.Admin], "test");
        user.AddIdentity(new ClaimsIdentity([new Claim(Sessions.Claim, session)], "test"));
        return user;
    }
}
