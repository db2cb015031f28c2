using System.Collections.Immutable;
using AngleSharp.Dom;
using Bunit;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.SecondFactor;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Components.Pages.Account;
using FailoverHub.Web.Components.Pages.History;
using FailoverHub.Web.Components.Pages.Settings;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.History.Retention;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Forms;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Components.Pages;

/// <summary>Users, tokens, retention, signatures and one's own account, over the real rooms behind them and a real database: what is pressed is done, audited, and said.</summary>
[Trait("Kind", "Hub")]
public sealed class SettingsPagesTests : DashboardTest, IAsyncLifetime
{
    private const string Password = "correct horse battery";
    private static readonly Actor Ann = new("ann", "192.0.2.1", null) { Rights = Rights.All };

    private new static readonly TimeSpan Safety = TimeSpan.FromSeconds(60);

    private WholeHub _hub = null!;

    private static CancellationToken Stop => Xunit.TestContext.Current.CancellationToken;

    private Accounts Accounts => _hub.Get<Accounts>();

    public async ValueTask InitializeAsync()
    {
        _hub = await WholeHub.StartAsync();
        Services.AddSingleton(Accounts).AddSingleton(_hub.Get<SecondFactorRule>()).AddSingleton(_hub.Get<ApiTokens>()).AddSingleton(_hub.Get<AccountDesk>());
        Services.AddSingleton(_hub.Get<RetentionSettings>()).AddSingleton(_hub.Get<AuditCheckpoints>()).AddSingleton(_hub.Get<AuditLog>()).AddSingleton(_hub.Get<IHistory>());
        Services.AddScoped<PageGate>();
        Services.AddSingleton<AuthenticationStateProvider, AdminVisitor>();
        Services.AddSingleton<AntiforgeryStateProvider, NoForms>();
        JSInterop.SetupModule("./js/passkeys.js").Mode = JSRuntimeMode.Loose;
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        await _hub.DisposeAsync();
    }

    [Fact]
    public async Task Users_Created_ShowsThePasswordOnceAndTheAccountInTheList()
    {
        await MakeAsync("ann", HubRoles.Admin);
        var page = Open<UsersPage>();
        page.WaitForElement("[data-testid=new-name]", Safety);
        Change(page, "new-name", "carol");

        Press(page, "create-user");

        page.WaitForElement("[data-testid=user-carol]", Safety);
        Assert.Equal(20, Text(page, "shown-once-secret").Length);
        Assert.Contains("Password of carol", Text(page, "shown-once"), StringComparison.Ordinal);
        Assert.Contains("Has a temporary password", Text(page, "user-carol"), StringComparison.Ordinal);
        Assert.Equal("ann", (await AuditAsync("user-created"))[0].Actor);
        Press(page, "shown-once-kept");
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("[data-testid=shown-once]")), Safety);
    }

    [Fact]
    public async Task Users_ChangedLockedResetAndRemoved_EachIsDoneAndAudited()
    {
        await MakeAsync("ann", HubRoles.Admin);
        await MakeAsync("carol", HubRoles.Viewer);
        var page = Open<UsersPage>();
        page.WaitForElement("[data-testid=change-carol]", Safety);
        Press(page, "change-carol");
        page.WaitForElement("[data-testid=change-panel]", Safety);

        await page.InvokeAsync(() => page.Find("[data-testid=change-panel] [data-testid=role-Operator]").Change(true));
        Press(page, "save-roles");
        page.WaitForAssertion(() => Assert.Contains("Viewer, Operator", Text(page, "user-carol"), StringComparison.Ordinal), Safety);
        Press(page, "lock");
        Press(page, "lock-sure");
        page.WaitForAssertion(() => Assert.Contains("Locked", Text(page, "user-carol"), StringComparison.Ordinal), Safety);
        Press(page, "unlock");
        page.WaitForAssertion(() => Assert.DoesNotContain("Locked", Text(page, "user-carol"), StringComparison.Ordinal), Safety);
        Press(page, "reset-password");
        Press(page, "reset-password-sure");
        page.WaitForElement("[data-testid=shown-once-secret]", Safety);
        Assert.True(page.Find("[data-testid=remove]").HasAttribute("disabled"));
        Change(page, "remove-typed", "carol");
        page.WaitForAssertion(() => Assert.False(page.Find("[data-testid=remove]").HasAttribute("disabled")), Safety);
        Press(page, "remove");
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("[data-testid=user-carol]")), Safety);

        string[] done = ["user-removed", "user-password-reset", "user-unlocked", "user-locked", "user-roles-changed"];
        Assert.Equal(done, (await AuditAsync(null)).Where(a => done.Contains(a.Action)).Select(a => a.Action));
    }

    [Fact]
    public async Task Users_LastAdminTakenAway_IsRefusedInWordsAndAudited()
    {
        await MakeAsync("ann", HubRoles.Admin);
        var page = Open<UsersPage>();
        page.WaitForElement("[data-testid=change-ann]", Safety);
        Press(page, "change-ann");
        page.WaitForElement("[data-testid=lock]", Safety);

        Press(page, "lock");
        Press(page, "lock-sure");

        page.WaitForAssertion(() => Assert.Contains("without an admin", Text(page, "users-problem"), StringComparison.Ordinal), Safety);
        Assert.StartsWith("refused: ", (await AuditAsync("user-locked")).Single().Outcome, StringComparison.Ordinal);
        Assert.False((await Accounts.FindAsync("ann", Stop))!.IsLocked);
    }

    /// <summary>A double click is one wish, not two.</summary>
    [Theory]
    [InlineData("lock", "is signed out everywhere at once")]
    [InlineData("reset-password", "is worthless at once")]
    public async Task Users_LockOrResetPressedTwice_OnlyTellsWhatWouldFollow(string button, string effect)
    {
        await MakeAsync("ann", HubRoles.Admin);
        await MakeAsync("carol", HubRoles.Viewer);
        var page = Open<UsersPage>();
        page.WaitForElement("[data-testid=change-carol]", Safety);
        Press(page, "change-carol");

        Press(page, button);
        Press(page, button);

        page.WaitForAssertion(() => Assert.Contains(effect, Text(page, $"{button}-step"), StringComparison.Ordinal), Safety);
        Assert.Empty(page.FindAll("[data-testid=shown-once]"));
        Assert.False((await Accounts.FindAsync("carol", Stop))!.IsLocked);
        Assert.Empty((await AuditAsync(null)).Where(a => a.Action is "user-locked" or "user-password-reset"));
    }

    [Theory]
    [InlineData("users")]
    [InlineData("tokens")]
    [InlineData("retention")]
    [InlineData("audit")]
    public async Task Page_WhoseReaderMayNotAnyMore_DoesNothingSaysSoAndIsAudited(string which)
    {
        await MakeAsync("ann", HubRoles.Admin);
        (IRenderedComponent<PageFrame> page, string button, string problem, string action) = which switch
        {
            "users" => (Open<UsersPage>(), "create-user", "users-problem", "user-created"),
            "tokens" => (Open<TokensPage>(), "create-token", "tokens-problem", "token-created"),
            "retention" => (Open<RetentionPage>(), "save-retention", "retention-problem", "retention-changed"),
            _ => (Open<AuditPage>(), "sign-audit", "sign-problem", "audit-checkpoint"),
        };
        page.WaitForElement($"[data-testid={button}]", Safety);
        if (which != "audit")
        {
            Change(page, which switch { "users" => "new-name", "tokens" => "token-name", _ => "event-days" }, which == "retention" ? "30" : "carol");
        }

        SignedIn = false;
        Press(page, button);

        page.WaitForAssertion(() => Assert.Contains(PageGate.Closed, Text(page, problem), StringComparison.Ordinal), Safety);
        Assert.Contains(await AuditAsync(action), a => a.Outcome.StartsWith("refused: not allowed", StringComparison.Ordinal));
        Assert.Equal("ann", Assert.Single(await Accounts.ListAsync(Stop)).Name);
        Assert.Empty(await _hub.Get<ApiTokens>().ListAsync(Stop));
        Assert.Equal(RetentionPeriods.Default, await _hub.Get<RetentionSettings>().ReadAsync(Stop));
    }

    [Fact]
    public async Task Tokens_MadeIsShownOnce_AndRevokedOnlyByAnotherButton()
    {
        var page = Open<TokensPage>();
        page.WaitForElement("[data-testid=token-name]", Safety);
        Change(page, "token-name", "deploy");
        Press(page, "create-token");
        page.WaitForElement("[data-testid=token-deploy]", Safety);
        string secret = Text(page, "shown-once-secret");
        Assert.Equal(("deploy", ApiScope.Read), await _hub.Get<ApiTokens>().AuthenticateAsync(secret, Stop) is { } use ? (use.Name, use.Scope) : default);

        Press(page, "revoke-deploy");
        Press(page, "revoke-deploy");
        page.WaitForAssertion(() => Assert.Contains("Whoever uses deploy is refused", Text(page, "revoke-step"), StringComparison.Ordinal), Safety);
        Assert.NotNull(await _hub.Get<ApiTokens>().AuthenticateAsync(secret, Stop));
        Press(page, "revoke-back");
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("[data-testid=revoke-step]")), Safety);
        Press(page, "revoke-deploy");
        Assert.Equal("Revoke deploy", Text(page, "revoke-sure"));
        Press(page, "revoke-sure");

        page.WaitForAssertion(() => Assert.Empty(page.FindAll("[data-testid=token-deploy]")), Safety);
        Assert.Null(await _hub.Get<ApiTokens>().AuthenticateAsync(secret, Stop));
        Assert.Single(await AuditAsync("token-revoked"));
    }

    [Fact]
    public async Task Retention_MadeShorter_WarnsFirstAndIsAudited()
    {
        var page = Open<RetentionPage>();
        page.WaitForElement("[data-testid=event-days]", Safety);
        Assert.True(page.Find("[data-testid=save-retention]").HasAttribute("disabled"));

        Change(page, "event-days", "30");
        page.WaitForAssertion(() => Assert.Contains("removed for good", Text(page, "retention-warning"), StringComparison.Ordinal), Safety);
        Press(page, "save-retention");

        page.WaitForElement("[data-testid=retention-saved]", Safety);
        Assert.Equal(new RetentionPeriods(30, 24), await _hub.Get<RetentionSettings>().ReadAsync(Stop));
        Assert.Equal(("ann", """{"eventDays":30,"probeHours":24,"minuteDays":30,"hourDays":400}"""), ((await AuditAsync(RetentionSettings.Action)).Single().Actor, (await AuditAsync(RetentionSettings.Action)).Single().After));
        page.WaitForAssertion(() => Assert.Contains("Last changed by ann", page.Markup, StringComparison.Ordinal), Safety);
    }

    /// <summary>A page that was opened an hour ago knows nothing of what a colleague has set since, and would take it back with all that it sends.</summary>
    [Fact]
    public async Task Retention_ChangedBySomebodyElseMeanwhile_IsNotTakenBack()
    {
        var page = Open<RetentionPage>();
        page.WaitForElement("[data-testid=event-days]", Safety);
        RetentionSettings settings = _hub.Get<RetentionSettings>();
        Assert.Null(await settings.ChangeAsync(RetentionPeriods.Default with { EventDays = 3_650 }, Ann with { Name = "bob" }, Stop));

        Change(page, "probe-hours", "48");
        Press(page, "save-retention");

        page.WaitForAssertion(() => Assert.Contains(RetentionSettings.ChangedMeanwhile, Text(page, "retention-problem"), StringComparison.Ordinal), Safety);
        Assert.Equal(new RetentionPeriods(3_650, 24), await settings.ReadAsync(Stop));
        Assert.Equal($"refused: {RetentionSettings.ChangedMeanwhile}", (await AuditAsync(RetentionSettings.Action))[0].Outcome);
        page.WaitForAssertion(() => Assert.Equal("3650", page.Find("[data-testid=event-days]").GetAttribute("value")), Safety);

        Change(page, "probe-hours", "48");
        Press(page, "save-retention");

        page.WaitForElement("[data-testid=retention-saved]", Safety);
        Assert.Equal(new RetentionPeriods(3_650, 48), await settings.ReadAsync(Stop));
    }

    [Fact]
    public async Task Audit_SignedNow_ShowsTheSignedEntry()
    {
        var page = Open<AuditPage>();
        page.WaitForElement("[data-testid=sign-audit]", Safety);

        Press(page, "sign-audit");

        page.WaitForElement("[data-testid=sign-result]", Safety);
        AuditEntry entry = (await AuditAsync(AuditCheckpoints.Action)).Single();
        Assert.Contains($"Signed up to entry {entry.Id}.", Text(page, "sign-result"), StringComparison.Ordinal);
        Assert.Contains(entry.Hash, Text(page, "sign-result"), StringComparison.Ordinal);
    }

    [Fact]
    public void Audit_ReadBySomebodyWhoMayNotSign_HasNoButtonForIt()
    {
        var page = Open<AuditPage>(Somebody);

        page.WaitForElement("[data-testid=verify-chain]", Safety);
        Assert.Empty(page.FindAll("[data-testid=sign-audit]"));
    }

    [Fact]
    public async Task Account_PasswordChanged_IsSaidAndAudited_AndTheWrongOneChangesNothing()
    {
        await MakeAsync("ann", HubRoles.Admin);
        var page = await OpenAccountAsync("ann");
        await FillPasswordAsync(page, "not the one I have", "another horse battery", "another horse battery");
        page.WaitForElement("[data-testid=account-problem]", Safety);

        await FillPasswordAsync(page, Password, "another horse battery", "another horse batterie");
        page.WaitForAssertion(() => Assert.Contains("not the same", Text(page, "account-problem"), StringComparison.Ordinal), Safety);

        await FillPasswordAsync(page, Password, "another horse battery", "another horse battery");
        page.WaitForAssertion(() => Assert.Contains("password is changed", Text(page, "account-done"), StringComparison.Ordinal), Safety);

        Assert.Equal(["accepted"], (await AuditAsync("password-changed")).Where(a => a.Outcome == "accepted").Select(a => a.Outcome));
    }

    [Fact]
    public async Task Account_AuthenticatorSetUpWithItsCode_ShowsRecoveryCodesOnce()
    {
        await MakeAsync("ann", HubRoles.Admin);
        var page = await OpenAccountAsync("ann");
        page.WaitForElement("[data-testid=set-up-authenticator]", Safety);
        Press(page, "set-up-authenticator");
        page.WaitForElement("[data-testid=qr]", Safety);
        Change(page, "authenticator-code", "000000");
        Change(page, "authenticator-password", Password);
        Press(page, "confirm-authenticator");
        page.WaitForElement("[data-testid=account-problem]", Safety);

        Change(page, "authenticator-code", TimeCodes.CodeAt(Text(page, "authenticator-secret"), DateTimeOffset.UtcNow));
        Change(page, "authenticator-password", Password);
        Press(page, "confirm-authenticator");

        page.WaitForElement("[data-testid=shown-once-secret]", Safety);
        Assert.Equal(10, Text(page, "shown-once-secret").Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.True((await Accounts.FindAsync("ann", Stop))!.HasAuthenticator);
        Assert.Single(await AuditAsync("authenticator-added"), a => a.Outcome == "accepted");
    }

    [Fact]
    public void Account_OfTheOneTimeLink_SaysWhereAccountsAreMade()
    {
        var page = Open<AccountPage>();

        page.WaitForAssertion(() => Assert.Contains("signed in by a one-time link", page.Markup, StringComparison.Ordinal), Safety);
        Assert.Empty(page.FindAll("[data-testid=change-password]"));
    }

    private async Task MakeAsync(string name, string role) =>
        Assert.True((await Accounts.CreateAsync(name, [role], Password, onlyAsFirst: false, WholeHub.Tester, Stop)).Succeeded);

    private async Task<IRenderedComponent<PageFrame>> OpenAccountAsync(string name)
    {
        AccountView account = (await Accounts.FindAsync(name, Stop))!;
        return Open<AccountPage>(Ann, Task.FromResult(new AuthenticationState(FailoverHub.Web.Access.SignIn.SignedIn.As(name, account.Id, account.Roles, "session-1"))));
    }

    private IRenderedComponent<PageFrame> Open<T>(Actor? actor = null, Task<AuthenticationState>? authentication = null)
        where T : IComponent => Render<PageFrame>(frame => frame.Add(f => f.Page, outer =>
        {
            outer.OpenComponent<CascadingValue<Actor>>(0);
            outer.AddComponentParameter(1, nameof(CascadingValue<Actor>.Value), actor ?? Ann);
            outer.AddComponentParameter(2, nameof(CascadingValue<Actor>.ChildContent), (RenderFragment)(middle =>
            {
                middle.OpenComponent<CascadingValue<Task<AuthenticationState>>>(0);
                middle.AddComponentParameter(1, nameof(CascadingValue<Actor>.Value), authentication);
                middle.AddComponentParameter(2, nameof(CascadingValue<Actor>.ChildContent), (RenderFragment)(inner =>
                {
                    inner.OpenComponent<T>(0);
                    inner.CloseComponent();
                }));
                middle.CloseComponent();
            }));
            outer.CloseComponent();
        }));

    private static async Task FillPasswordAsync(IRenderedComponent<PageFrame> page, string current, string wanted, string again)
    {
        page.WaitForElement("[data-testid=current-password]", Safety);
        Change(page, "current-password", current);
        Change(page, "wanted-password", wanted);
        Change(page, "again-password", again);
        UntilEnabled(page, "change-password");
        await page.InvokeAsync(() => page.Find("form:has([data-testid=current-password])").Submit());
    }

    private static string Text(IRenderedComponent<PageFrame> page, string testId) => page.Find($"[data-testid={testId}]").TextContent.Trim();

    // A page that is still at the step before takes no other: its buttons are off until then.
    private static void Press(IRenderedComponent<PageFrame> page, string testId)
    {
        UntilEnabled(page, testId);
        On(page, testId, element => element.Click());
    }

    private static void UntilEnabled(IRenderedComponent<PageFrame> page, string testId) =>
        page.WaitForAssertion(() => Assert.False(page.Find($"[data-testid={testId}]").HasAttribute("disabled")), Safety);

    private static void Change(IRenderedComponent<PageFrame> page, string testId, string value) => On(page, testId, element => element.Input(value));

    private async Task<ImmutableArray<AuditEntry>> AuditAsync(string? action) => (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = action }, null, 100, Stop)).Items;

    private sealed class NoForms : AntiforgeryStateProvider
    {
        public override AntiforgeryRequestToken? GetAntiforgeryToken() => null;
    }
}
