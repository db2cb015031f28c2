using System.Net;
using System.Threading.RateLimiting;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Access;

[Trait("Kind", "Hub")]
public sealed class ApiTokenTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Token_AfterItsLifetime_IsNobodys()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using WholeHub hub = await WholeHub.StartAsync();
        var tokens = new ApiTokens(hub.Get<IDbContextFactory<HubDbContext>>(), hub.Get<AuditLog>(), hub.Get<SessionSignals>(), clock);
        string token = (await tokens.CreateAsync("ci", ApiScope.Operate, TimeSpan.FromDays(1), WholeHub.Tester, Stop)).Token!;

        ApiTokenUse? before = await tokens.AuthenticateAsync(token, Stop);
        clock.Advance(TimeSpan.FromDays(1));
        ApiTokenUse? after = await tokens.AuthenticateAsync(token, Stop);

        Assert.Equal(("ci", ApiScope.Operate, new Requester.Machine(), "token ci"), (before!.Name, before.Scope, before.Owner, before.ActorName));
        Assert.Null(after);
    }

    [Fact]
    public async Task Token_InTheDatabaseAndTheAudit_IsNotTheToken()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        string token = await hub.TokenAsync("ci", ApiScope.Read);

        await using HubDbContext db = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
        ApiTokenEntity row = await db.ApiTokens.SingleAsync(Stop);
        HistoryPage<AuditEntry> audit = await hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = "token-created" }, null, 10, Stop);

        Assert.NotEqual(token, row.Hash);
        Assert.Equal("read", row.Role);
        AuditEntry entry = Assert.Single(audit.Items);
        Assert.Equal(("tester", "token ci", "accepted"), (entry.Actor, entry.Target, entry.Outcome));
        Assert.StartsWith("""{"scope":"read","expiresAt":"20""", entry.After, StringComparison.Ordinal);
        Assert.True((await hub.Get<IHistory>().VerifyAuditAsync(Stop)).Intact);
    }

    [Fact]
    public async Task Token_Used_RemembersWhenToTheMinute()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000));
        await using WholeHub hub = await WholeHub.StartAsync();
        var tokens = new ApiTokens(hub.Get<IDbContextFactory<HubDbContext>>(), hub.Get<AuditLog>(), hub.Get<SessionSignals>(), clock);
        var uses = new TokenUses(hub.Get<HubWriter>(), clock);
        await tokens.CreateAsync("ci", ApiScope.Read, ApiTokens.DefaultLifetime, WholeHub.Tester, Stop);
        DateTimeOffset first = clock.GetUtcNow();

        uses.Note("ci");
        clock.Advance(TimeSpan.FromSeconds(59));
        uses.Note("ci");
        await hub.Get<HubWriter>().FlushAsync(Stop);
        DateTimeOffset? withinTheMinute = (await tokens.ListAsync(Stop))[0].LastUsedAt;
        clock.Advance(TimeSpan.FromSeconds(1));
        uses.Note("ci");
        await hub.Get<HubWriter>().FlushAsync(Stop);

        Assert.Equal(first, withinTheMinute);
        Assert.Equal(first.AddMinutes(1), (await tokens.ListAsync(Stop))[0].LastUsedAt);
    }

    [Fact]
    public async Task Token_UsedWhileSomebodyElseWrites_IsAnsweredWithoutWaiting()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        HttpClient script = await hub.ScriptAsync(ApiScope.Read);
        await using HubDbContext db = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
        HttpStatusCode answered;
        await using (await db.Database.BeginTransactionAsync(Stop))
        {
            using HttpResponseMessage answer = await script.GetAsync("/api/v1/pairs", Stop);
            answered = answer.StatusCode;
        }

        await hub.Get<HubWriter>().FlushAsync(Stop);

        Assert.Equal(HttpStatusCode.OK, answered);
        Assert.NotNull((await hub.Get<ApiTokens>().ListAsync(Stop))[0].LastUsedAt);
    }

    [Fact]
    public async Task Token_BeyondTheLimit_IsNotLookedUp()
    {
        // One request in an hour, whoever asks.
        await using WholeHub hub = await WholeHub.StartAsync(builder => builder.Services.PostConfigure<RateLimiterOptions>(limits =>
            limits.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(_ => RateLimitPartition.GetFixedWindowLimiter("all", _ =>
                new FixedWindowRateLimiterOptions { PermitLimit = 1, Window = TimeSpan.FromHours(1) }))));
        HttpClient script = await hub.ScriptAsync(ApiScope.Read);
        await hub.Browser().GetAsync("/healthz/live", Stop);

        using HttpResponseMessage answer = await script.GetAsync("/api/v1/pairs", Stop);
        await hub.Get<HubWriter>().FlushAsync(Stop);

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Null((await hub.Get<ApiTokens>().ListAsync(Stop))[0].LastUsedAt);
    }

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7")]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7")]
    [InlineData("2001:db8:1:2:3:4:5:6", "20010db800010002")]
    [InlineData("2001:db8:1:2:ffff::1", "20010db800010002")]
    public void Limit_CountsAHostWithAllItsAddressesAsOne(string address, string caller) => Assert.Equal(caller, AccessLimits.CallerOf(IPAddress.Parse(address)));

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(367)]
    public async Task Token_ForNoTimeOrLongerThanAYear_IsNotMade(int days)
    {
        await using WholeHub hub = await WholeHub.StartAsync();

        TokenCreation made = await hub.Get<ApiTokens>().CreateAsync("ci", ApiScope.Read, TimeSpan.FromDays(days), WholeHub.Tester, Stop);

        Assert.Null(made.Token);
        Assert.Contains("1 to 366 days", made.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("line\nbreak")]
    [InlineData("a\"quote")]
    public async Task Name_ThatIsNoWord_IsRefused(string name)
    {
        await using WholeHub hub = await WholeHub.StartAsync();

        TokenCreation made = await hub.Get<ApiTokens>().CreateAsync(name, ApiScope.Read, ApiTokens.DefaultLifetime, WholeHub.Tester, Stop);

        Assert.Null(made.Token);
        Assert.NotNull(made.Problem);
    }

    [Theory]
    [InlineData("Bearer fh_wrong")]
    [InlineData("Bearer ")]
    [InlineData("Basic b3BlcmF0b3I6")]
    public async Task AuthorizationHeader_ThatOpensNothing_IsAnsweredAsAProblem(string header)
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        HttpClient script = hub.Browser();
        script.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", header);

        using HttpResponseMessage answer = await script.GetAsync("/api/v1/pairs", Stop);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.StartsWith("Bearer", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }
}
