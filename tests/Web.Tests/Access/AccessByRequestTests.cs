using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Identity;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Access;

/// <summary>
/// Every way into a running hub, really asked by everybody: what comes back is compared with <see cref="AccessTable"/>, status by status. That a policy stands at
/// a route is one thing (<see cref="AccessTableTests"/>); that the request is stopped by it, before anything else answers, is this.
/// </summary>
[Trait("Kind", "Hub")]
public sealed class AccessByRequestTests : IAsyncLifetime
{
    private readonly LeapingTime _time = new(DateTimeOffset.UtcNow);
    private readonly CancellationTokenSource _safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private WholeHub _hub = null!;
    private List<Asker> _askers = [];

    private CancellationToken Stop => _safety.Token;

    private IEnumerable<WayIn> Ways => WayIn.AllOf(_hub.App.Services.GetRequiredService<EndpointDataSource>());

    public async ValueTask InitializeAsync()
    {
        _safety.CancelAfter(TimeSpan.FromMinutes(2));
        _hub = await WholeHub.StartAsync(builder => builder.Services.AddSingleton<TimeProvider>(_time));
        _askers = await Askers.AllAsync(_hub, _time);
    }

    public async ValueTask DisposeAsync()
    {
        _askers.ForEach(one => one.Dispose());
        await _hub.DisposeAsync();
        _safety.Dispose();
    }

    [Fact]
    public async Task EveryRoute_AskedByEverybody_AnswersAsTheTableSays()
    {
        // Of files that are the same for everybody one is enough. What is called over an open connection is a test of its own.
        List<WayIn> ways = [.. Ways.Where(way => way.Call is null).DistinctBy(way => way.Name)];
        var wrong = new ConcurrentBag<string>();
        int asked = 0;

        await Parallel.ForEachAsync(_askers, Stop, async (asker, stop) =>
        {
            foreach (WayIn way in ways)
            {
                foreach (string method in way.Method is { } one ? [one] : AccessTable.MethodsOfAny)
                {
                    using HttpResponseMessage answer = await AskAsync(asker, method, way, stop);
                    Interlocked.Increment(ref asked);
                    int expected = Expected(way, method, asker);
                    if ((int)answer.StatusCode != expected)
                    {
                        wrong.Add($"{way.Name} ({method} {way.Path}) answered {(int)answer.StatusCode} to {asker.Who}, the table says {expected}");
                    }
                }
            }
        });

        Assert.True(wrong.IsEmpty, $"{wrong.Count} of {asked}:\n{string.Join('\n', wrong.Order(StringComparer.Ordinal))}");
        Assert.True(asked >= 2_000, string.Create(CultureInfo.InvariantCulture, $"only {asked} requests were sent"));
    }

    [Fact]
    public async Task EveryRouteOfBrowsers_OnTheAgentsPort_IsNotThereWhoeverAsks()
    {
        string token = _askers.Single(one => one.Who == ApiScopes.Admin).Token!;
        using var client = new HttpClient { BaseAddress = _hub.AgentUrl, DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        client.DefaultRequestHeaders.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", token);
        var wrong = new ConcurrentBag<string>();

        await Parallel.ForEachAsync(Ways.Where(way => !way.IsForAgents && way.Call is null).DistinctBy(way => way.Name), Stop, async (way, stop) =>
        {
            using var request = new HttpRequestMessage(new HttpMethod(way.Method ?? "GET"), way.Path) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            using HttpResponseMessage answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            if (answer.StatusCode != HttpStatusCode.NotFound)
            {
                wrong.Add($"{way.Name} answered {(int)answer.StatusCode}");
            }
        });

        Assert.Empty(wrong);
    }

    [Fact]
    public async Task EverySignalRHub_AskedByEverybody_LetsInThoseOfTheTable()
    {
        WayIn[] calls = [.. Ways.Where(way => way.Call is not null)];
        Assert.NotEmpty(calls);

        await Parallel.ForEachAsync(_askers, Stop, async (asker, stop) =>
        {
            foreach (WayIn way in calls)
            {
                await using HubConnection client = asker.Connect(new Uri(_hub.BrowserUrl, way.Path));
                if (!AccessTable.LetsIn(way.Name, asker.Who))
                {
                    var refused = await Assert.ThrowsAsync<HttpRequestException>(() => client.StartAsync(stop));
                    Assert.Equal(asker.IsNobody ? HttpStatusCode.Unauthorized : HttpStatusCode.Forbidden, refused.StatusCode);
                    continue;
                }

                await client.StartAsync(stop);
                Assert.Equal(HubConnectionState.Connected, client.State);
            }
        });
    }

    [Fact]
    public async Task UserWhoIsLockedOutByWrongPasswords_DoesNotComeInWithTheRightOneFromAnywhere()
    {
        await AccountTests.CreateAsync(_hub, "anna", HubRoles.Admin);
        for (int i = 0; i < LockOut.Attempts; i++)
        {
            using HttpResponseMessage wrong = await AccountTests.SignInAsync(_hub.Browser(), "anna", "not the password");
            Assert.Equal(HttpStatusCode.Forbidden, wrong.StatusCode);
        }

        HttpClient browser = _hub.Browser();
        using HttpResponseMessage right = await AccountTests.SignInAsync(browser, "anna");

        Assert.Equal(HttpStatusCode.Forbidden, right.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode);
    }

    private static async Task<HttpResponseMessage> AskAsync(Asker asker, string method, WayIn way, CancellationToken stop)
    {
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), way.Path);
            HttpResponseMessage answer = await asker.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            if (answer.StatusCode != HttpStatusCode.TooManyRequests)
            {
                return answer;
            }

            // Of what is long some are written at a time, for all together, and all ask at once.
            answer.Dispose();
            await again.WaitForNextTickAsync(stop);
        }
    }

    private static int Expected(WayIn way, string method, Asker asker)
    {
        if (way.IsForAgents)
        {
            // What gRPC has for methods that it does not know asks first who it is.
            return !way.IsGrpc && (asker.IsNobody || asker.Token is not null) ? (int)HttpStatusCode.Unauthorized : (int)HttpStatusCode.NotFound;
        }

        if (AccessTable.LetsIn(way.Name, asker.Who))
        {
            return AccessTable.AnswerOf(way.Name, method, asker.Who);
        }

        // Known, and not allowed: 403. A token is known only where tokens count.
        return asker.IsNobody || asker.Token is not null && !AccessTable.IsForScripts(way.Path) ? (int)HttpStatusCode.Unauthorized : (int)HttpStatusCode.Forbidden;
    }
}
