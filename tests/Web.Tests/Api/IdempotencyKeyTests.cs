using System.Net;
using System.Text;
using FailoverHub.Web.Access;
using FailoverHub.Web.Data;
using FailoverHub.Web.Data.Requests;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Api;

/// <summary>Requests with a key, sent again: against the real operations, agents and database.</summary>
[Trait("Kind", "Hub")]
public sealed class IdempotencyKeyTests
{
    private const string Path = "/api/v1/pairs/web/operations";
    private const string Switchover = """{"type":"switchover","reason":"Kernel update"}""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SameRequestSentAgain_IsAnsweredTheSameAndDoneOnce()
    {
        await using WholeHub hub = await StartAsync();
        await using var agents = await Pair.DialAsync(hub);
        HttpClient script = await hub.ScriptAsync(ApiScope.Operate);

        (HttpStatusCode Status, string Body, string? Location) first = await PostAsync(script, "key-1", Switchover);
        (HttpStatusCode Status, string Body, string? Location) again = await PostAsync(script, "key-1", Switchover);

        Assert.Equal(HttpStatusCode.Accepted, first.Status);
        Assert.Equal(first, again);
        Assert.Single(await hub.Get<IOperations>().RecentAsync(OperationFilter.All, 10, Stop));
        Assert.Single((await hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = "switchover" }, null, 10, Stop)).Items);
    }

    [Fact]
    public async Task SameRequestSentEightTimesAtOnce_IsDoneOnceAndEveryoneIsAnsweredTheSame()
    {
        await using WholeHub hub = await StartAsync();
        await using var agents = await Pair.DialAsync(hub);
        HttpClient script = await hub.ScriptAsync(ApiScope.Operate);

        (HttpStatusCode, string, string?)[] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => PostAsync(script, "key-1", Switchover)));

        Assert.Single(answers.Distinct());
        Assert.Single(await hub.Get<IOperations>().RecentAsync(OperationFilter.All, 10, Stop));
    }

    [Fact]
    public async Task SameKeyWithAnotherBody_IsRefusedAndNothingIsDone()
    {
        await using WholeHub hub = await StartAsync();
        await using var agents = await Pair.DialAsync(hub);
        HttpClient script = await hub.ScriptAsync(ApiScope.Operate);
        await PostAsync(script, "key-1", Switchover);

        (HttpStatusCode status, string body, _) = await PostAsync(script, "key-1", """{"type":"switchover","reason":"Something else"}""");

        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains("another request", body, StringComparison.Ordinal);
        Assert.Single(await hub.Get<IOperations>().RecentAsync(OperationFilter.All, 10, Stop));
    }

    [Fact]
    public async Task SameKeyOfAnotherToken_IsAnotherRequest()
    {
        await using WholeHub hub = await StartAsync();
        HttpClient one = await hub.ScriptAsync(ApiScope.Operate);
        HttpClient two = await hub.ScriptAsync(ApiScope.Operate);

        (HttpStatusCode first, _, _) = await PostAsync(one, "key-1", Switchover);
        (HttpStatusCode second, _, _) = await PostAsync(two, "key-1", """{"type":"switchover","reason":"Something else"}""");

        // There is no such pair, and that is what both hear: each of them was looked at.
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (first, second));
    }

    [Fact]
    public async Task RefusedRequestSentAgain_IsAnsweredTheSameAndAuditedOnce()
    {
        await using WholeHub hub = await StartAsync();
        await using var agents = await Pair.DialAsync(hub);
        HttpClient script = await hub.ScriptAsync(ApiScope.Operate);
        const string wrong = """{"type":"switchover","reason":"Kernel update","expectedRevision":4711}""";

        (HttpStatusCode Status, string Body, string? Location) first = await PostAsync(script, "key-1", wrong);
        (HttpStatusCode Status, string Body, string? Location) again = await PostAsync(script, "key-1", wrong);

        Assert.Equal(HttpStatusCode.PreconditionFailed, first.Status);
        Assert.Contains("\"SR-04\"", first.Body, StringComparison.Ordinal);
        Assert.Equal(first, again);
        Assert.Single((await hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = "switchover" }, null, 10, Stop)).Items);
    }

    [Fact]
    public async Task RequestThatIsToComeAgainLater_SentAgain_IsLookedAtAnew()
    {
        await using WholeHub hub = await StartAsync();
        await using var agents = await Pair.DialAsync(hub);
        HttpClient script = await hub.ScriptAsync(ApiScope.Operate);
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(script, "freeze", """{"type":"freeze","reason":"Audit in progress","expiresInSeconds":600}""")).Status);

        using HttpResponseMessage first = await SendAsync(script, Path, "key-1", Switchover);
        using HttpResponseMessage again = await SendAsync(script, Path, "key-1", Switchover);
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(script, "unfreeze", """{"type":"unfreeze","reason":"Audit is over"}""")).Status);
        HttpStatusCode later = (await PostAsync(script, "key-1", Switchover)).Status;
        HttpStatusCode replayed = (await PostAsync(script, "key-1", Switchover)).Status;

        Assert.All([first, again], answer => Assert.Equal(HttpStatusCode.Locked, answer.StatusCode));
        Assert.All([first, again], answer => Assert.NotNull(answer.Headers.RetryAfter));
        Assert.False(again.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.Accepted), (later, replayed));
        Assert.Single((await hub.Get<IOperations>().RecentAsync(OperationFilter.All, 10, Stop)), o => o.Type == OperationType.Switchover);
    }

    [Fact]
    public async Task HubRestarted_SameRequestSentAgain_IsStillAnsweredTheSameAndDoneOnce()
    {
        WholeHub before = await StartAsync();
        HttpClient script = await before.ScriptAsync(ApiScope.Operate);
        string token = script.DefaultRequestHeaders.Authorization!.Parameter!;
        (HttpStatusCode Status, string Body, string? Location) first;
        await using (var agents = await Pair.DialAsync(before))
        {
            first = await PostAsync(script, "key-1", Switchover);
        }

        await before.App.StopAsync(Stop);
        await before.App.DisposeAsync();
        await using WholeHub hub = await StartAsync(before.Data);
        HttpClient again = hub.Browser();
        again.DefaultRequestHeaders.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", token);

        Assert.Equal(first, await PostAsync(again, "key-1", Switchover));
        Assert.Single(await hub.Get<IOperations>().RecentAsync(OperationFilter.All, 10, Stop));
    }

    [Fact]
    public async Task HubKilledBetweenChangeAndAnswer_SameRequestSentAgain_IsToldWhatItSetGoing()
    {
        await using WholeHub hub = await StartAsync();
        await using var agents = await Pair.DialAsync(hub);
        HttpClient script = await hub.ScriptAsync(ApiScope.Operate);
        (HttpStatusCode Status, string Body, string? Location) first = await PostAsync(script, "key-1", Switchover);
        await using (HubDbContext db = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop))
        {
            // What a kill there leaves: the row of the change's transaction, without the answer.
            await db.RequestKeys.ExecuteUpdateAsync(set => set.SetProperty(k => k.Status, (int?)null).SetProperty(k => k.Body, (string?)null).SetProperty(k => k.Location, (string?)null), Stop);
        }

        Assert.Equal(first, await PostAsync(script, "key-1", Switchover));
        Assert.Single(await hub.Get<IOperations>().RecentAsync(OperationFilter.All, 10, Stop));
    }

    [Fact]
    public async Task Preview_WithAKey_StoresNothing()
    {
        await using WholeHub hub = await StartAsync();
        await using var agents = await Pair.DialAsync(hub);
        HttpClient script = await hub.ScriptAsync(ApiScope.Operate);

        using HttpResponseMessage answer = await SendAsync(script, Path + "/preview", "key-1", Switchover);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await using HubDbContext db = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
        Assert.Empty(db.RequestKeys);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(256)]
    public async Task Key_ThatIsNone_IsRefused(int length)
    {
        await using WholeHub hub = await StartAsync();

        (HttpStatusCode status, string body, _) = await PostAsync(await hub.ScriptAsync(ApiScope.Operate), new string('k', length), Switchover);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("Idempotency-Key", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_AfterADay_IsForgottenAndTakenAwayWithTheNextOne()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using WholeHub hub = await StartAsync(time: time);
        HttpClient script = await hub.ScriptAsync(ApiScope.Operate);
        await PostAsync(script, "key-1", Switchover);
        string caller;
        await using (HubDbContext db = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop))
        {
            caller = (await db.RequestKeys.SingleAsync(Stop)).Caller;
        }

        time.Advance(TimeSpan.FromHours(23));
        Assert.NotNull(await hub.Get<RequestKeys>().FindAsync(caller, "key-1", Stop));
        time.Advance(TimeSpan.FromHours(1.5));
        Assert.Null(await hub.Get<RequestKeys>().FindAsync(caller, "key-1", Stop));
        await PostAsync(script, "key-2", Switchover);

        await using HubDbContext after = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
        Assert.Equal("key-2", (await after.RequestKeys.SingleAsync(Stop)).Key);
    }

    [Fact]
    public async Task JoinToken_AskedForWithAKey_IsRefusedAndNeitherMadeNorKept()
    {
        await using WholeHub hub = await StartAsync();
        HttpClient script = await hub.ScriptAsync(ApiScope.Admin);

        using HttpResponseMessage refused = await SendAsync(script, "/api/v1/join-tokens", "key-1", "{}");
        string why = await refused.Content.ReadAsStringAsync(Stop);
        using HttpResponseMessage made = await script.PostAsync("/api/v1/join-tokens", new StringContent("{}", Encoding.UTF8, "application/json"), Stop);

        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("Send the request without the key", why, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        Assert.Single((await hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = "join-token-created" }, null, 10, Stop)).Items);
        await using HubDbContext db = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
        Assert.Empty(await db.RequestKeys.ToListAsync(Stop));
    }

    private static Task<WholeHub> StartAsync(string? data = null, TimeProvider? time = null) => WholeHub.StartAsync(
        builder =>
        {
            builder.Services.AddSingleton<IFleetView>(p => p.GetRequiredService<FleetStore>());
            builder.Services.AddSingleton<IOperations>(p => p.GetRequiredService<OperationDesk>());
            if (time is not null)
            {
                builder.Services.AddSingleton(time);
            }
        },
        data);

    private static async Task<(HttpStatusCode Status, string Body, string? Location)> PostAsync(HttpClient script, string key, string body)
    {
        using HttpResponseMessage answer = await SendAsync(script, Path, key, body);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop), answer.Headers.Location?.OriginalString);
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient script, string path, string key, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return await script.SendAsync(request, Stop);
    }

    /// <summary>web-1 and web-2, connected and well.</summary>
    private sealed class Pair(FakeAgent one, FakeAgent two) : IAsyncDisposable
    {
        public static async Task<Pair> DialAsync(WholeHub hub)
        {
            string url = hub.AgentUrl.ToString();
            var pair = new Pair(await FakeAgent.StartAsync(url, "web-1", ProtoRole.Primary), await FakeAgent.StartAsync(url, "web-2", ProtoRole.Secondary));
            using var safety = CancellationTokenSource.CreateLinkedTokenSource(Stop);
            safety.CancelAfter(TimeSpan.FromSeconds(60));
            await hub.Get<FleetStore>().WaitUntilAsync(s => s.Snapshot.FindPair("web")?.State == PairState.Healthy, safety.Token);
            return pair;
        }

        public async ValueTask DisposeAsync()
        {
            await one.DisposeAsync();
            await two.DisposeAsync();
        }
    }
}
