using System.Net;
using System.Net.Http.Headers;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Refusals;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Access.Refusals;

/// <summary>Tokens that open nothing: what trace they leave, and how many are looked up.</summary>
[Trait("Kind", "Hub")]
public sealed class WrongApiTokenTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));
    private WholeHub _hub = null!;
    private Crowd _crowd = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _hub = await WholeHub.StartAsync(builder => builder.Services.AddSingleton<TimeProvider>(_clock));
        _crowd = new Crowd(_hub);
    }

    public async ValueTask DisposeAsync()
    {
        _crowd.Dispose();
        await _hub.DisposeAsync();
    }

    [Theory]
    [InlineData("revoked")]
    [InlineData("expired")]
    public async Task TokenThatHasEnded_IsNamedInTheAuditOnceAndThenCounted(string how)
    {
        string token = await _hub.TokenAsync("ci", ApiScope.Read, TimeSpan.FromDays(1));
        if (how == "revoked")
        {
            await _hub.Get<ApiTokens>().RevokeAsync("ci", WholeHub.Tester, Stop);
        }
        else
        {
            _clock.Advance(TimeSpan.FromDays(2));
        }

        HttpClient script = Script(1, token);
        for (int i = 0; i < 5; i++)
        {
            using HttpResponseMessage answer = await script.GetAsync("/api/v1/pairs", Stop);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }

        IReadOnlyList<AuditEntry> entries = await _crowd.ToldAsync(TokenGate.Action, _clock);
        AuditEntry named = Assert.Single(entries, a => !Crowd.IsSum(a));
        Assert.Equal(("token ci", "GET /api/v1/pairs", Crowd.Address(1).ToString()), (named.Actor, named.Target, named.RemoteAddress));
        Assert.StartsWith(how == "revoked" ? "refused: the token 'ci' was revoked at 20" : "refused: the token 'ci' expired at 20", named.Outcome, StringComparison.Ordinal);
        Assert.EndsWith("From token ci 4", Assert.Single(entries, Crowd.IsSum).Outcome, StringComparison.Ordinal);
        Assert.DoesNotContain(entries, a => a.Outcome.Contains(token, StringComparison.Ordinal));

        _clock.Advance(TokenGate.NamedEvery);
        (await script.GetAsync("/api/v1/pairs", Stop)).Dispose();
        Assert.Equal(2, (await AuditAsync()).Count(a => !Crowd.IsSum(a)));
    }

    [Fact]
    public async Task AddressWithTooManyWrongTokens_IsNotLookedUpForAMinuteButForTheTokenThatWasGood()
    {
        string token = await _hub.TokenAsync("ci", ApiScope.Read);
        string newer = await _hub.TokenAsync("newer", ApiScope.Read);
        HttpClient good = Script(1, token);
        Assert.Equal(HttpStatusCode.OK, (await good.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        HttpClient wrong = Script(1, "fh_wrong");

        for (int i = 0; i < WrongApiTokens.PerAddressAndMinute; i++)
        {
            using HttpResponseMessage answer = await wrong.GetAsync("/api/v1/pairs", Stop);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }

        using HttpResponseMessage tooOften = await wrong.GetAsync("/api/v1/pairs", Stop);
        using HttpResponseMessage tooOftenToo = await Script(1, newer).GetAsync("/api/v1/pairs", Stop);

        Assert.Equal([HttpStatusCode.TooManyRequests, HttpStatusCode.TooManyRequests], [tooOften.StatusCode, tooOftenToo.StatusCode]);
        Assert.Equal(TimeSpan.FromMinutes(1), tooOften.Headers.RetryAfter?.Delta);
        Assert.Equal("application/problem+json", tooOften.Content.Headers.ContentType?.MediaType);
        Assert.Contains("was not looked up", await tooOften.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await good.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await Script(2, newer).GetAsync("/api/v1/pairs", Stop)).StatusCode);

        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.OK, (await Script(1, newer).GetAsync("/api/v1/pairs", Stop)).StatusCode);
    }

    [Fact]
    public async Task TokenThatWasGoodAndIsRevoked_OpensNothingBehindABlockedAddressEither()
    {
        string token = await _hub.TokenAsync("ci", ApiScope.Read);
        HttpClient script = Script(1, token);
        Assert.Equal(HttpStatusCode.OK, (await script.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        HttpClient wrong = Script(1, "fh_wrong");
        for (int i = 0; i < WrongApiTokens.PerAddressAndMinute; i++)
        {
            (await wrong.GetAsync("/api/v1/pairs", Stop)).Dispose();
        }

        await _hub.Get<ApiTokens>().RevokeAsync("ci", WholeHub.Tester, Stop);

        Assert.Equal(HttpStatusCode.Unauthorized, (await script.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await script.GetAsync("/api/v1/pairs", Stop)).StatusCode);
    }

    [Fact]
    public async Task WrongTokensOfManyAddresses_AreSixtyEntriesAndOneNumber()
    {
        const int Scripts = 200;
        await Parallel.ForEachAsync(Enumerable.Range(0, Scripts), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Stop }, async (i, stop) =>
        {
            using HttpResponseMessage answer = await Script(i, $"fh_{i}").GetAsync("/api/v1/pairs", stop);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        });

        IReadOnlyList<AuditEntry> entries = await _crowd.ToldAsync(TokenGate.Action, _clock);

        Assert.Equal(RefusalTally.OneByOne, entries.Count(a => a.Outcome.StartsWith("refused: the token is not one of this hub", StringComparison.Ordinal)));
        Assert.StartsWith($"refused: {Scripts - RefusalTally.OneByOne} more between ", Assert.Single(entries, Crowd.IsSum).Outcome, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TokenWhoseScopeDoesNotAllowIt_FillsNoMoreThanItsMinuteEither()
    {
        HttpClient reader = Script(1, await _hub.TokenAsync("reader", ApiScope.Read));
        for (int i = 0; i < RefusalTally.OneByOne + 10; i++)
        {
            using HttpResponseMessage answer = await reader.GetAsync("/api/v1/users", Stop);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }

        IReadOnlyList<AuditEntry> entries = await _crowd.ToldAsync(TokenGate.Action, _clock);

        Assert.Equal(RefusalTally.OneByOne + 1, entries.Count);
        Assert.EndsWith("From token reader 10", Assert.Single(entries, Crowd.IsSum).Outcome, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RevokedToken_InAFloodOfBogusOnes_IsNamedAllTheSame()
    {
        string token = await _hub.TokenAsync("ci", ApiScope.Read);
        HttpClient reader = Script(90, await _hub.TokenAsync("reader", ApiScope.Read));
        await _hub.Get<ApiTokens>().RevokeAsync("ci", WholeHub.Tester, Stop);
        for (int i = 0; i < RefusalTally.OneByOne + 20; i++)
        {
            (await Script(i, $"fh_{i}").GetAsync("/api/v1/pairs", Stop)).Dispose();
        }

        using HttpResponseMessage revoked = await Script(91, token).GetAsync("/api/v1/pairs", Stop);
        using HttpResponseMessage forbidden = await reader.GetAsync("/api/v1/users", Stop);

        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden), (revoked.StatusCode, forbidden.StatusCode));
        IReadOnlyList<AuditEntry> entries = await AuditAsync();
        Assert.Single(entries, a => a.Actor == "token ci" && a.Outcome.StartsWith("refused: the token 'ci' was revoked", StringComparison.Ordinal));
        Assert.Single(entries, a => a is { Actor: "token reader", Target: "GET /api/v1/users" });
    }

    [Fact]
    public async Task LongPath_IsCutInTheAudit()
    {
        (await Script(1, "fh_wrong").GetAsync($"/api/v1/{new string('a', 3_000)}", Stop)).Dispose();
        (await Script(1, "fh_wrong").GetAsync($"/api/v1/nodes/{new string('b', 3_000)}", Stop)).Dispose();

        Assert.All(await AuditAsync(), a => Assert.InRange(a.Target.Length, 1, 210));
        Assert.Contains(await AuditAsync(), a => a.Target.EndsWith(Cut.Mark, StringComparison.Ordinal));
    }

    private HttpClient Script(int address, string token)
    {
        HttpClient script = _crowd.At(address);
        script.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return script;
    }

    private async Task<IReadOnlyList<AuditEntry>> AuditAsync() => (await _hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = TokenGate.Action }, null, 500, Stop)).Items;
}
