using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Access;

/// <summary>People with accounts: how they come in, and how they are kept out.</summary>
[Trait("Kind", "Hub")]
public sealed class AccountTests
{
    internal const string Password = "correct horse battery";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FirstRun_LinkLeadsToTheSetup_WhichMakesTheFirstAdminOnce()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        HttpClient browser = await hub.SignedInAsync();

        using HttpResponseMessage made = await WholeHub.SendFormAsync(browser, "/setup", "/setup", ("name", "anna"), ("password", Password), ("again", Password));
        using HttpResponseMessage again = await browser.GetAsync("/setup", Stop);

        Assert.Equal("/", made.Headers.Location?.OriginalString);
        Assert.Equal("/", again.Headers.Location?.OriginalString);
        AccountView anna = Assert.Single(await hub.Get<Accounts>().ListAsync(Stop));
        Assert.Equal(("anna", "Admin"), (anna.Name, string.Join(' ', anna.Roles)));
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Assert.Equal("operator", (await AuditAsync(hub, "user-created")).Single().Actor);
        Assert.Equal("anna", (await AuditAsync(hub, "sign-in"))[0].Actor);
    }

    [Fact]
    public async Task Setup_WithoutBeingSignedIn_MakesNobody()
    {
        await using WholeHub hub = await WholeHub.StartAsync();

        using HttpResponseMessage answer = await WholeHub.SendFormAsync(hub.Browser(), "/sign-in", "/setup", ("name", "anna"), ("password", Password), ("again", Password));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.True(await hub.Get<Accounts>().NoneYetAsync(Stop));
    }

    [Fact]
    public async Task Password_ThatIsRight_OpensASessionWithTheRolesOfTheAccount()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        await CreateAsync(hub, "anna", HubRoles.Viewer);
        HttpClient browser = hub.Browser();

        using HttpResponseMessage answer = await SignInAsync(browser, "Anna", Password, "/pairs/web");

        Assert.Equal("/pairs/web", answer.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.GetAsync("/api/v1/audit", Stop)).StatusCode);
        Assert.NotNull((await hub.Get<Accounts>().FindAsync("anna", Stop))!.LastSignInAt);
    }

    [Theory]
    [InlineData("anna", "not the password", "user anna", "refused: the password is wrong")]
    [InlineData("nobody-here", Password, "hub", "refused: no such user")]
    public async Task Password_ThatIsWrong_SaysTheSameAsAnUnknownNameAndIsAudited(string name, string password, string target, string outcome)
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        await CreateAsync(hub, "anna", HubRoles.Viewer);

        using HttpResponseMessage answer = await SignInAsync(hub.Browser(), name, password);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("Name, password or code is wrong", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        AuditEntry entry = (await AuditAsync(hub, "sign-in"))[0];
        Assert.Equal(("nobody", target, outcome), (entry.Actor, entry.Target, entry.Outcome));
        Assert.DoesNotContain(password, $"{entry.After}{entry.Reason}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task FiveWrongPasswords_LockTheAccountUntilFiveMinutesArePastOrAnAdminOpensIt()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));
        await using WholeHub hub = await WholeHub.StartAsync(builder => builder.Services.AddSingleton<TimeProvider>(clock));
        await CreateAsync(hub, "anna", HubRoles.Viewer);
        var credentials = hub.Get<Credentials>();
        for (int i = 0; i < LockOut.Attempts; i++)
        {
            await credentials.CheckPasswordAsync("anna", "wrong", WholeHub.Tester, Stop);
        }

        CredentialResult locked = await credentials.CheckPasswordAsync("anna", Password, WholeHub.Tester, Stop);
        DateTimeOffset? shown = (await FindAsync(hub, "anna")).LockedOutUntil;
        clock.Advance(LockOut.Lasts);
        CredentialResult afterwards = await credentials.CheckPasswordAsync("anna", Password, WholeHub.Tester, Stop);

        Assert.Null(locked.User);
        Assert.Equal(clock.GetUtcNow(), shown);
        Assert.NotNull(afterwards.User);
        Assert.Contains("locked for 5 minutes", (await AuditAsync(hub, "sign-in"))[1].Outcome, StringComparison.Ordinal);

        for (int i = 0; i < LockOut.Attempts; i++)
        {
            await credentials.CheckPasswordAsync("anna", "wrong", WholeHub.Tester, Stop);
        }

        Assert.Null((await credentials.CheckPasswordAsync("anna", Password, WholeHub.Tester, Stop)).User);
        Assert.True((await hub.Get<Accounts>().UnlockAsync(await FindAsync(hub, "anna"), WholeHub.Tester, Stop)).Succeeded);
        Assert.NotNull((await credentials.CheckPasswordAsync("anna", Password, WholeHub.Tester, Stop)).User);
    }

    [Theory]
    [InlineData("roles")]
    [InlineData("lock")]
    [InlineData("reset")]
    [InlineData("remove")]
    public async Task Account_ThatAnAdminTakesSomethingFrom_IsSignedOutEverywhereAtOnce(string what)
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        await CreateAsync(hub, "admin", HubRoles.Admin);
        await CreateAsync(hub, "anna", HubRoles.Operator);
        HttpClient browser = hub.Browser();
        (await SignInAsync(browser, "anna", Password)).Dispose();
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Task told = hub.Get<SessionSignals>().Next;
        var accounts = hub.Get<Accounts>();
        AccountView anna = await FindAsync(hub, "anna");

        AccountResult done = what switch
        {
            "roles" => await accounts.SetRolesAsync(anna, [HubRoles.Viewer], WholeHub.Tester, Stop),
            "lock" => await accounts.LockAsync(anna, WholeHub.Tester, Stop),
            "reset" => await accounts.ResetPasswordAsync(anna, false, WholeHub.Tester, Stop),
            _ => await accounts.RemoveAsync(anna, WholeHub.Tester, Stop),
        };

        Assert.Null(done.Problem);
        await told.WaitAsync(TimeSpan.FromSeconds(60), Stop);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Assert.True((await hub.Get<IHistory>().VerifyAuditAsync(Stop)).Intact);
    }

    [Fact]
    public async Task LastAdmin_CannotBeLockedDemotedOrRemoved_AndTheAttemptIsAudited()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        await CreateAsync(hub, "anna", HubRoles.Admin);
        var accounts = hub.Get<Accounts>();
        AccountView anna = await FindAsync(hub, "anna");

        AccountResult[] tried =
        [
            await accounts.LockAsync(anna, WholeHub.Tester, Stop),
            await accounts.SetRolesAsync(anna, [HubRoles.Viewer], WholeHub.Tester, Stop),
            await accounts.RemoveAsync(anna, WholeHub.Tester, Stop),
        ];

        Assert.All(tried, result => Assert.Contains("without an admin", result.Problem, StringComparison.Ordinal));
        AccountView still = await FindAsync(hub, "anna");
        Assert.Equal((false, "Admin"), (still.IsLocked, string.Join(' ', still.Roles)));
        Assert.StartsWith("refused: ", (await AuditAsync(hub, "user-removed")).Single().Outcome, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TemporaryPassword_OpensOnlyThePageToChooseAnother()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        AccountResult made = await hub.Get<Accounts>().CreateAsync("anna", [HubRoles.Viewer], null, false, WholeHub.Tester, Stop);
        HttpClient browser = hub.Browser();

        using HttpResponseMessage first = await SignInAsync(browser, "anna", made.Secret!);
        HttpStatusCode before = (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode;
        using HttpResponseMessage same = await WholeHub.SendFormAsync(browser, "/sign-in/next", "/sign-in/next", ("password", made.Secret!), ("again", made.Secret!));
        using HttpResponseMessage chosen = await WholeHub.SendFormAsync(browser, "/sign-in/next", "/sign-in/next", ("password", Password), ("again", Password));

        Assert.Equal("/sign-in/next", first.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.Unauthorized, before);
        Assert.Equal(HttpStatusCode.BadRequest, same.StatusCode);
        Assert.Equal("/", chosen.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Assert.False((await FindAsync(hub, "anna")).PasswordIsTemporary);
    }

    [Fact]
    public async Task OwnPassword_Changed_SignsTheOtherBrowsersOutAndNotThisOne()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        await CreateAsync(hub, "anna", HubRoles.Viewer);
        HttpClient here = hub.Browser();
        HttpClient there = hub.Browser();
        (await SignInAsync(here, "anna", Password)).Dispose();
        await using HubDbContext db = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
        string session = (await db.Sessions.SingleAsync(Stop)).Id;
        (await SignInAsync(there, "anna", Password)).Dispose();
        var own = hub.Get<OwnAccount>();

        AccountResult wrong = await own.ChangePasswordAsync(await FindAsync(hub, "anna"), "not it", "another good password", session, WholeHub.Tester, Stop);
        AccountResult changed = await own.ChangePasswordAsync(await FindAsync(hub, "anna"), Password, "another good password", session, WholeHub.Tester, Stop);

        Assert.NotNull(wrong.Problem);
        Assert.Null(changed.Problem);
        Assert.Equal(HttpStatusCode.OK, (await here.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await there.GetAsync("/api/v1/pairs", Stop)).StatusCode);
    }

    [Fact]
    public void Passwords_AreHashedAsOftenAsOwaspAsksForOfSha512()
    {
        using ServiceProvider services = new ServiceCollection().AddHubAccounts().BuildServiceProvider();

        Assert.True(services.GetRequiredService<IOptions<PasswordHasherOptions>>().Value.IterationCount >= 210_000);
    }

    [Theory]
    [InlineData("short one", "at least 12")]
    [InlineData("aaaaaaaaaaaaaa", "5 different")]
    [InlineData("anna is my name!", "user's name")]
    [InlineData(Password, null)]
    public void PasswordRules_AskForLengthAndForLittleElse(string password, string? problem)
    {
        IReadOnlyList<string> problems = PasswordRules.ProblemsOf("anna", password);

        Assert.Equal(problem is null, problems.Count == 0);
        Assert.All(problems, said => Assert.Contains(problem!, said, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false, false, false, false, SignInStage.Done)]
    [InlineData(true, false, false, false, SignInStage.Code)]
    [InlineData(true, false, true, true, SignInStage.Code)]
    [InlineData(true, true, true, true, SignInStage.NewPassword)]
    [InlineData(true, true, false, true, SignInStage.Done)]
    [InlineData(false, false, true, true, SignInStage.NewPassword)]
    [InlineData(false, false, false, true, SignInStage.Enroll)]
    internal void AfterTheRightPassword_WhatIsMissingComesInThisOrder(bool app, bool codeGiven, bool temporary, bool required, SignInStage next) =>
        Assert.Equal(next, PendingSignIn.Next(app, codeGiven, temporary, required));

    internal static async Task CreateAsync(WholeHub hub, string name, params string[] roles)
    {
        AccountResult made = await hub.Get<Accounts>().CreateAsync(name, roles, Password, false, WholeHub.Tester, Stop);
        Assert.Null(made.Problem);
    }

    internal static Task<HttpResponseMessage> SignInAsync(HttpClient browser, string name, string password = Password, string returnUrl = "/") =>
        WholeHub.SendFormAsync(browser, $"/sign-in?returnUrl={Uri.EscapeDataString(returnUrl)}", "/sign-in/password", ("name", name), ("password", password));

    internal static async Task<AccountView> FindAsync(WholeHub hub, string name) => (await hub.Get<Accounts>().FindAsync(name, Stop))!;

    internal static async Task<ImmutableArray<AuditEntry>> AuditAsync(WholeHub hub, string kind) =>
        [.. (await hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = kind }, null, 100, Stop)).Items];
}
