using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using FailoverHub.Examples;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Api.Live;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Api.Live;

/// <summary>The SignalR hub, with its real client over a real port.</summary>
[Trait("Kind", "Hub")]
public sealed class FleetHubTests : IDisposable
{
    private const string Password = "correct horse battery";

    private readonly CancellationTokenSource _safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

    public FleetHubTests() => _safety.CancelAfter(TimeSpan.FromSeconds(60));

    private CancellationToken Stop => _safety.Token;

    public void Dispose() => _safety.Dispose();

    [Fact]
    public async Task WatchFleet_BeginsWithASnapshotAndTellsWhatChanges()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        (PairView web, PairView db) = (Make.HealthyPair("web"), Make.HealthyPair("db"));
        hub.Fleet.Publish(Make.Fleet(web, db));
        await using HubConnection client = await ConnectAsync(hub);
        await using IAsyncEnumerator<JsonElement> messages = client.StreamAsync<JsonElement>("WatchFleet", Stop).GetAsyncEnumerator(Stop);

        Assert.True(await messages.MoveNextAsync());
        Assert.Equal("snapshot", messages.Current.GetProperty("kind").GetString());
        Assert.Equal(["web", "db"], Names(messages.Current));

        hub.Fleet.Publish(Make.Fleet(web, db with { State = PairState.Degraded, StateReason = "A session is down." }) with { Version = 2 });
        Assert.True(await messages.MoveNextAsync());
        Assert.Equal(("changes", 2), (messages.Current.GetProperty("kind").GetString(), messages.Current.GetProperty("version").GetInt64()));
        Assert.Equal(["db"], Names(messages.Current));
        Assert.Equal("Degraded", messages.Current.GetProperty("pairs")[0].GetProperty("state").GetString());

        hub.Fleet.Publish(Make.Fleet(web) with { Version = 3 });
        Assert.True(await messages.MoveNextAsync());
        Assert.Equal("id-db", messages.Current.GetProperty("removedPairs")[0].GetString());
    }

    [Fact]
    public async Task WatchOperations_BeginsWithTheNewestAndTellsEachThatChanges()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        hub.Operations.Publish(Make.Operation());
        await using HubConnection client = await ConnectAsync(hub);
        await using IAsyncEnumerator<JsonElement> messages = client.StreamAsync<JsonElement>("WatchOperations", Stop).GetAsyncEnumerator(Stop);

        Assert.True(await messages.MoveNextAsync());
        Assert.Equal("Running", messages.Current.GetProperty("status").GetString());
        hub.Operations.Publish(Make.Operation(status: OperationStatus.Succeeded));
        Assert.True(await messages.MoveNextAsync());
        Assert.Equal("Succeeded", messages.Current.GetProperty("status").GetString());
    }

    [Fact]
    public async Task WatchEvents_AfterAReconnect_MissesNothingAndRepeatsNothing()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        EventLog events = hub.Get<EventLog>();
        await using HubConnection first = await ConnectAsync(hub);
        var told = new List<(long Id, string Text)>();
        await using (IAsyncEnumerator<JsonElement> messages = first.StreamAsync<JsonElement>("WatchEvents", 0L, Stop).GetAsyncEnumerator(Stop))
        {
            events.Append("test", "one");
            await UntilAsync(messages, told, "one");
        }

        await first.StopAsync(Stop);
        events.Append("test", "two");
        events.Append("test", "three");
        await using HubConnection second = await ConnectAsync(hub);
        await using IAsyncEnumerator<JsonElement> again = second.StreamAsync<JsonElement>("WatchEvents", told[^1].Id, Stop).GetAsyncEnumerator(Stop);
        await UntilAsync(again, told, "three");
        events.Append("test", "four");
        await UntilAsync(again, told, "four");

        Assert.Equal(["one", "two", "three", "four"], told.Select(t => t.Text).Where(t => !t.StartsWith("The hub", StringComparison.Ordinal)));
        Assert.Equal(told.Select(t => t.Id).Distinct().Order(), told.Select(t => t.Id));
    }

    [Fact]
    public async Task ClientOfTheExample_HubGoesAndReturns_MirrorsTheFleetAndEveryEvent()
    {
        WholeHub hub = await WholeHub.StartAsync();
        string data = hub.Data;
        string token = await hub.TokenAsync("mirror", ApiScope.Read);
        hub.Fleet.Publish(Make.Fleet(Make.HealthyPair()));
        var texts = Channel.CreateUnbounded<string>();
        var changes = Channel.CreateUnbounded<int>();
        await using var mirror = new FleetMirror(hub.BrowserUrl, token) { LastEvent = 0 };
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Task following = mirror.FollowAsync(() => changes.Writer.TryWrite(mirror.Pairs.Count), e => texts.Writer.TryWrite(e.GetProperty("text").GetString()!), _ => { }, ending.Token);

        Assert.Equal(1, await changes.Reader.ReadAsync(Stop));
        hub.Get<EventLog>().Append("test", "before");
        await UntilAsync(texts.Reader, "before");
        await hub.App.StopAsync(Stop);
        await hub.App.DisposeAsync();
        await using WholeHub again = await WholeHub.StartAsync(data: data, port: hub.BrowserUrl.Port);
        again.Fleet.Publish(Make.Fleet(Make.HealthyPair("web"), Make.HealthyPair("db")));
        again.Get<EventLog>().Append("test", "after");

        await UntilAsync(texts.Reader, "after");
        while (await changes.Reader.ReadAsync(Stop) != 2)
        {
        }

        await ending.CancelAsync();
        await following;
    }

    [Theory]
    [InlineData("WatchFleet")]
    [InlineData("WatchOperations")]
    [InlineData("WatchEvents")]
    public async Task TokenRevoked_WhileAStreamIsOpen_EndsItAtOnce_AndNoOtherIsOpened(string stream)
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        hub.Operations.Publish(Make.Operation());
        await using HubConnection client = await ConnectAsync(hub, await hub.TokenAsync("live", ApiScope.Read));
        await using IAsyncEnumerator<JsonElement> messages = Stream(client, stream);
        Task<bool> next = messages.MoveNextAsync().AsTask();
        if (stream != "WatchEvents")
        {
            Assert.True(await next);
            next = messages.MoveNextAsync().AsTask();
        }

        await hub.Get<ApiTokens>().RevokeAsync("live", WholeHub.Tester, Stop);

        await RefusedAsync(next);
        await using IAsyncEnumerator<JsonElement> again = Stream(client, stream);
        await RefusedAsync(again.MoveNextAsync().AsTask());
    }

    [Fact]
    public async Task TokenExpired_OrRevokedByAnotherProcess_EndsTheStreamAtTheNextLook()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using WholeHub hub = await WholeHub.StartAsync(builder =>
        {
            // The clock of tokens and streams alone.
            builder.Services.AddSingleton(p => new ApiTokens(p.GetRequiredService<IDbContextFactory<HubDbContext>>(), p.GetRequiredService<AuditLog>(), p.GetRequiredService<SessionSignals>(), time));
            builder.Services.AddSingleton(p => new LiveAccess(p.GetRequiredService<ApiTokens>(), p.GetRequiredService<Sessions>(), p.GetRequiredService<SessionSignals>(), time));
        });
        await using HubConnection client = await ConnectAsync(hub, await hub.TokenAsync("live", ApiScope.Read, LiveAccess.Every));
        await using IAsyncEnumerator<JsonElement> messages = Stream(client, "WatchFleet");
        Assert.True(await messages.MoveNextAsync());
        Task<bool> next = messages.MoveNextAsync().AsTask();

        // The look is bound to the clock as soon as the first one is over; each further step of the clock is one more look.
        while (!next.IsCompleted)
        {
            time.Advance(LiveAccess.Every);
            await Task.WhenAny(next, hub.Get<ApiTokens>().ListAsync(Stop));
        }

        await RefusedAsync(next);
    }

    [Theory]
    [InlineData("signed out")]
    [InlineData("other roles")]
    [InlineData("locked")]
    [InlineData("removed")]
    public async Task SessionOfABrowser_EndsOrItsAccountChanges_EndsItsStreamsAtOnce(string how)
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        var accounts = hub.Get<Accounts>();
        Assert.True((await accounts.CreateAsync("anna", [HubRoles.Admin], Password, onlyAsFirst: false, WholeHub.Tester, Stop)).Succeeded);
        Assert.True((await accounts.CreateAsync("carol", [HubRoles.Viewer], Password, onlyAsFirst: false, WholeHub.Tester, Stop)).Succeeded);
        var cookies = new CookieContainer();
        HttpClient browser = hub.Browser(cookies);
        (await WholeHub.SendFormAsync(browser, "/sign-in", "/sign-in/password", ("name", "carol"), ("password", Password))).Dispose();
        await using HubConnection client = await ConnectAsync(hub, cookies);
        await using IAsyncEnumerator<JsonElement> messages = Stream(client, "WatchFleet");
        Assert.True(await messages.MoveNextAsync());
        Task<bool> next = messages.MoveNextAsync().AsTask();

        await EndAsync(hub, browser, how);

        await RefusedAsync(next);
    }

    [Fact]
    public async Task Connection_WithMoreStreamsThanAllowed_IsRefusedTheNextOne()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        await using HubConnection client = await ConnectAsync(hub);
        var open = new List<IAsyncEnumerator<JsonElement>>();
        for (int i = 0; i < FleetHub.MaxStreams; i++)
        {
            open.Add(client.StreamAsync<JsonElement>("WatchFleet", Stop).GetAsyncEnumerator(Stop));
            Assert.True(await open[^1].MoveNextAsync());
        }

        await using IAsyncEnumerator<JsonElement> more = client.StreamAsync<JsonElement>("WatchFleet", Stop).GetAsyncEnumerator(Stop);
        var refused = await Assert.ThrowsAsync<HubException>(async () => await more.MoveNextAsync());

        Assert.Contains("at most 8 streams", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("fh_wrong")]
    public async Task Connection_WithoutAToken_IsRefused(string? token)
    {
        await using WholeHub hub = await WholeHub.StartAsync();

        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => ConnectAsync(hub, token ?? ""));

        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    private IAsyncEnumerator<JsonElement> Stream(HubConnection client, string stream) =>
        (stream == "WatchEvents" ? client.StreamAsync<JsonElement>(stream, null, Stop) : client.StreamAsync<JsonElement>(stream, Stop)).GetAsyncEnumerator(Stop);

    private static async Task RefusedAsync(Task<bool> next)
    {
        var ended = await Assert.ThrowsAsync<HubException>(() => next);
        Assert.Contains("may no longer read", ended.Message, StringComparison.Ordinal);
    }

    private async Task EndAsync(WholeHub hub, HttpClient browser, string how)
    {
        var accounts = hub.Get<Accounts>();
        AccountView carol = (await accounts.FindAsync("carol", Stop))!;
        switch (how)
        {
            case "signed out":
                (await WholeHub.PressSignOutAsync(browser)).Dispose();
                break;
            case "other roles":
                Assert.True((await accounts.SetRolesAsync(carol, [HubRoles.Operator], WholeHub.Tester, Stop)).Succeeded);
                break;
            case "locked":
                Assert.True((await accounts.LockAsync(carol, WholeHub.Tester, Stop)).Succeeded);
                break;
            default:
                Assert.True((await accounts.RemoveAsync(carol, WholeHub.Tester, Stop)).Succeeded);
                break;
        }
    }

    private async Task<HubConnection> ConnectAsync(WholeHub hub, CookieContainer cookies)
    {
        HubConnection client = new HubConnectionBuilder().WithUrl(new Uri(hub.BrowserUrl, FleetHub.Path), options => options.Cookies = cookies).Build();
        await client.StartAsync(Stop);
        return client;
    }

    private async Task<HubConnection> ConnectAsync(WholeHub hub, string? token = null)
    {
        string bearer = token ?? await hub.TokenAsync($"t-{Guid.NewGuid():N}", ApiScope.Read);
        HubConnection client = new HubConnectionBuilder()
            .WithUrl(new Uri(hub.BrowserUrl, FleetHub.Path), options => options.AccessTokenProvider = () => Task.FromResult<string?>(bearer))
            .Build();
        await client.StartAsync(Stop);
        return client;
    }

    private static string[] Names(JsonElement message) => [.. message.GetProperty("pairs").EnumerateArray().Select(p => p.GetProperty("name").GetString()!)];

    private static async Task UntilAsync(IAsyncEnumerator<JsonElement> messages, List<(long Id, string Text)> told, string text)
    {
        while (!told.Exists(t => t.Text == text))
        {
            Assert.True(await messages.MoveNextAsync());
            Assert.False(messages.Current.GetProperty("gap").GetBoolean());
            told.AddRange(messages.Current.GetProperty("events").EnumerateArray().Select(e => (e.GetProperty("id").GetInt64(), e.GetProperty("text").GetString()!)));
        }
    }

    private async Task UntilAsync(ChannelReader<string> texts, string text)
    {
        while (await texts.ReadAsync(Stop) != text)
        {
        }
    }
}
