using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Provider;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using static FailoverHub.Web.Tests.Access.AccountTests;

namespace FailoverHub.Web.Tests.Access;

/// <summary>Signing in by an OpenID Connect provider, with a real one on loopback and the whole code flow.</summary>
[Trait("Kind", "Hub")]
public sealed class ProviderTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SignIn_ByTheProvider_MakesTheAccountWithTheRolesOfItsClaim()
    {
        await using Provider provider = await Provider.StartAsync();
        await using WholeHub hub = await HubWithAsync(provider);
        HttpClient browser = hub.Browser();

        (HttpResponseMessage answer, Uri asked) = await SignInAsync(hub, browser);

        Assert.Equal("/pairs/web", answer.Headers.Location?.OriginalString);
        Assert.Contains("code_challenge_method=S256", asked.Query, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/audit", Stop)).StatusCode);
        AccountView anna = await FindAsync(hub, "anna");
        Assert.Equal(("Operator", false), (string.Join(' ', anna.Roles), anna.HasPassword));
        Assert.Equal("""{"method":"provider"}""", (await AuditAsync(hub, "sign-in")).Single().After);
        answer.Dispose();
    }

    [Fact]
    public async Task SecondSignIn_WithOtherGroups_GivesOtherRolesAndEndsTheOldSession()
    {
        await using Provider provider = await Provider.StartAsync();
        await using WholeHub hub = await HubWithAsync(provider);
        HttpClient before = hub.Browser();
        (await SignInAsync(hub, before)).Answer.Dispose();

        provider.Groups = ["watchers", "somebody else's"];
        HttpClient browser = hub.Browser();
        (await SignInAsync(hub, browser)).Answer.Dispose();

        Assert.Equal(["Viewer"], (await FindAsync(hub, "anna")).Roles);
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.GetAsync("/api/v1/audit", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await before.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Assert.Equal("the provider says so", (await AuditAsync(hub, "user-roles-changed")).Single().Reason);
    }

    [Fact]
    public async Task SecondSignIn_WithoutAnyRole_TakesTheRolesAndTheOpenSessionsToo()
    {
        await using Provider provider = await Provider.StartAsync();
        await using WholeHub hub = await HubWithAsync(provider);
        HttpClient before = hub.Browser();
        (await SignInAsync(hub, before)).Answer.Dispose();

        provider.Groups = ["strangers"];
        (HttpResponseMessage refused, _) = await SignInAsync(hub, hub.Browser());

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Empty((await FindAsync(hub, "anna")).Roles);
        Assert.Equal(HttpStatusCode.Unauthorized, (await before.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Assert.Equal(("the provider says so", "anna"), (await AuditAsync(hub, "user-roles-changed")).Single() is var changed ? (changed.Reason, changed.Actor) : default);
        Assert.Equal("anna", Assert.Single(await AuditAsync(hub, "sign-in"), entry => entry.Outcome.StartsWith("refused: provider: ", StringComparison.Ordinal)).Actor);
        refused.Dispose();
    }

    [Fact]
    public async Task Account_OfTheProvider_TakesNoPasskeyThatWouldOpenItWithoutTheProvider()
    {
        await using Provider provider = await Provider.StartAsync();
        await using WholeHub hub = await HubWithAsync(provider);
        (await SignInAsync(hub, hub.Browser())).Answer.Dispose();

        AccountResult added = await hub.Get<OwnAccount>().AddPasskeyAsync(await FindAsync(hub, "anna"), "", SecondFactorTests.SomePasskey(), WholeHub.Tester, Stop);

        Assert.Contains("This account is the provider's", added.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WrongPasswords_OfStrangers_KeepNobodyOutWhomTheProviderVouchesFor()
    {
        await using Provider provider = await Provider.StartAsync();
        await using WholeHub hub = await HubWithAsync(provider);
        (await SignInAsync(hub, hub.Browser())).Answer.Dispose();
        for (int i = 0; i < LockOut.Attempts; i++)
        {
            Assert.Null((await hub.Get<Credentials>().CheckPasswordAsync("anna", "guessed", WholeHub.Tester, Stop)).User);
        }

        Assert.Null((await FindAsync(hub, "anna")).LockedOutUntil);
        Assert.Contains("has no password", (await AuditAsync(hub, "sign-in"))[0].Outcome, StringComparison.Ordinal);
        (HttpResponseMessage answer, _) = await SignInAsync(hub, hub.Browser());
        Assert.Equal("/pairs/web", answer.Headers.Location?.OriginalString);
        answer.Dispose();
    }

    [Fact]
    public async Task Account_ThatFailedPasswordsHaveClosed_IsOpenedByTheProviderButNotWhenAnAdminHasLockedIt()
    {
        await using Provider provider = await Provider.StartAsync();
        await using WholeHub hub = await HubWithAsync(provider);
        await CreateAsync(hub, "boss", HubRoles.Admin);
        (await SignInAsync(hub, hub.Browser())).Answer.Dispose();
        await using (HubDbContext db = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop))
        {
            HubUser anna = await db.Users.SingleAsync(u => u.UserName == "anna", Stop);
            anna.LockoutEnd = DateTimeOffset.UtcNow.AddMinutes(4);
            await db.SaveChangesAsync(Stop);
        }

        Assert.NotNull((await FindAsync(hub, "anna")).LockedOutUntil);
        (HttpResponseMessage closed, _) = await SignInAsync(hub, hub.Browser());
        Assert.True((await hub.Get<Accounts>().LockAsync(await FindAsync(hub, "anna"), WholeHub.Tester, Stop)).Succeeded);
        (HttpResponseMessage locked, _) = await SignInAsync(hub, hub.Browser());

        Assert.Equal("/pairs/web", closed.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.Forbidden, locked.StatusCode);
        closed.Dispose();
        locked.Dispose();
    }

    [Fact]
    public async Task WrongAnswers_OneAfterTheOther_AreNotAllWrittenIntoTheAudit()
    {
        await using Provider provider = await Provider.StartAsync();
        await using WholeHub hub = await HubWithAsync(provider);
        HttpClient attacker = hub.Browser();
        var statuses = new List<HttpStatusCode>();
        for (int i = 0; i < AccessLimits.SignInsPerMinute + 5; i++)
        {
            using HttpResponseMessage answer = await attacker.GetAsync("/sign-in/provider/callback?x", Stop);
            statuses.Add(answer.StatusCode);
        }

        Assert.Contains(HttpStatusCode.TooManyRequests, statuses);
        Assert.True((await AuditAsync(hub, "sign-in")).Length <= 2 * AccessLimits.SignInsPerMinute);
    }

    [Theory]
    [InlineData("strangers", "anna", "comes to a role of this hub")]
    [InlineData("noc", "taken", "account 'taken' of its own")]
    [InlineData("noc", "two words", "A user's name has")]
    public async Task SignIn_OfSomebodyWhoHasNoPlaceHere_SaysWhyAndIsAudited(string group, string name, string why)
    {
        await using Provider provider = await Provider.StartAsync();
        await using WholeHub hub = await HubWithAsync(provider);
        await CreateAsync(hub, "taken", HubRoles.Admin);
        (provider.Groups, provider.Name) = ([group], name);
        HttpClient browser = hub.Browser();

        (HttpResponseMessage answer, _) = await SignInAsync(hub, browser);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains(why, WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync(Stop)), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode);

        // Whom the provider calls 'taken' is not the hub's 'taken': what is claimed is said, and is not who did it.
        AuditEntry refused = Assert.Single(await AuditAsync(hub, "sign-in"), entry => entry.Outcome.StartsWith("refused: provider: ", StringComparison.Ordinal));
        Assert.Equal("nobody", refused.Actor);
        Assert.Contains($"'{name}'", refused.Outcome, StringComparison.Ordinal);
        answer.Dispose();
    }

    [Fact]
    public async Task ClientSecret_ThatIsWrong_IsSaidInTheProvidersWords()
    {
        await using Provider provider = await Provider.StartAsync();
        await using WholeHub hub = await HubWithAsync(provider, secret: "not the secret");
        HttpClient browser = hub.Browser();

        (HttpResponseMessage answer, _) = await SignInAsync(hub, browser);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("The provider did not sign you in", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        answer.Dispose();
    }

    [Fact]
    public async Task Answer_ThatThisBrowserNeverAskedFor_LetsNobodyIn()
    {
        await using Provider provider = await Provider.StartAsync();
        await using WholeHub hub = await HubWithAsync(provider);
        HttpClient attacker = hub.Browser();
        using HttpResponseMessage begun = await attacker.GetAsync("/sign-in/provider", Stop);
        using var direct = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using HttpResponseMessage code = await direct.GetAsync(begun.Headers.Location, Stop);

        HttpClient victim = hub.Browser();
        using HttpResponseMessage answer = await victim.GetAsync(code.Headers.Location!.PathAndQuery, Stop);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await victim.GetAsync("/api/v1/pairs", Stop)).StatusCode);
    }

    [Fact]
    public async Task Provider_ThatCannotBeReached_IsSaidOnTheSignInPageAndPasswordsStillWork()
    {
        Provider provider = await Provider.StartAsync();
        await using WholeHub hub = await HubWithAsync(provider);
        await provider.DisposeAsync();
        await CreateAsync(hub, "anna", HubRoles.Viewer);
        HttpClient browser = hub.Browser();

        using HttpResponseMessage answer = await browser.GetAsync("/sign-in/provider", Stop);
        using HttpResponseMessage password = await AccountTests.SignInAsync(browser, "anna");

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Contains(".well-known/openid-configuration", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal("/", password.Headers.Location?.OriginalString);
    }

    [Fact]
    public void Settings_WithMistakes_NameEachOfThem()
    {
        var problems = new List<string>();
        var settings = new ProviderSettings(Authority: "http://id.example", SecretFile: "/no/such/file", Roles: "noc=Boss");

        ProviderOptions? options = settings.Parse(problems, File.ReadAllText);

        Assert.Null(options);
        Assert.Equal(4, problems.Count);
        Assert.All(["Authority", "ClientId", "SecretFile", "noc=Boss"], word => Assert.Contains(problems, problem => problem.Contains(word, StringComparison.Ordinal)));
    }

    [Fact]
    public void Settings_OfTheFile_MayBeReplacedByTheEnvironment()
    {
        IConfiguration file = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["FailoverHub:Provider:Authority"] = "https://id.example/",
            ["FailoverHub:Provider:ClientId"] = "hub",
            ["FailoverHub:Provider:Roles:noc"] = "operator",
        }).Build();
        var problems = new List<string>();

        ProviderOptions? options = ProviderSettings.Layer(name => name == "FAILOVERHUB_PROVIDER_CLIENT_ID" ? "other" : null, file)!.Parse(problems, File.ReadAllText);

        Assert.Empty(problems);
        Assert.Equal(("other", "id.example", "groups"), (options!.ClientId, options.Name, options.RoleClaim));
        Assert.Equal([HubRoles.Operator], options.RolesOf(["noc", "unknown"]));
    }

    private static Task<WholeHub> HubWithAsync(Provider provider, string secret = Provider.Secret) => WholeHub.StartAsync(provider: new ProviderOptions
    {
        Name = "the test's provider",
        Authority = provider.Authority,
        ClientId = Provider.ClientId,
        ClientSecret = secret,
        Scopes = ["profile"],
        RoleClaim = "groups",
        Roles = ImmutableDictionary<string, string>.Empty.Add("noc", HubRoles.Operator).Add("watchers", HubRoles.Viewer),
    });

    /// <summary>What a browser does: to the provider, and back with its answer.</summary>
    private static async Task<(HttpResponseMessage Answer, Uri Asked)> SignInAsync(WholeHub hub, HttpClient browser)
    {
        using HttpResponseMessage begun = await browser.GetAsync("/sign-in/provider?returnUrl=/pairs/web", Stop);
        Uri asked = begun.Headers.Location!;
        using var direct = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using HttpResponseMessage code = await direct.GetAsync(asked, Stop);
        Assert.Equal(hub.BrowserUrl.Authority, code.Headers.Location!.Authority);
        return (await browser.GetAsync(code.Headers.Location.PathAndQuery, Stop), asked);
    }
}
