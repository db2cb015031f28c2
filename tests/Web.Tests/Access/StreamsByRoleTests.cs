using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using FailoverHub.Web.Access;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Access;

/// <summary>
/// Every stream of a SignalR hub, really called by everybody: whom <see cref="AccessTable"/> lets in is told what is so, anybody else is not even connected. The hub goes by
/// the real clock, by which SignalR keeps its connections.
/// </summary>
[Trait("Kind", "Hub")]
public sealed class StreamsByRoleTests
{
    [Fact]
    public async Task EveryStream_CalledByEverybody_TellsThoseOfTheTable_AndConnectsNobodyElse()
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(90));
        await using WholeHub hub = await WholeHub.StartAsync();
        hub.Fleet.Publish(Make.Fleet(Make.HealthyPair()));
        hub.Operations.Publish(Make.Operation());
        hub.Get<EventLog>().Append("test", "one");
        WayIn[] calls = [.. WayIn.AllOf(hub.App.Services.GetRequiredService<EndpointDataSource>()).Where(way => way.Call is not null)];
        List<Asker> askers = await Askers.AllAsync(hub);
        var came = new ConcurrentBag<(string Stream, string Who, string What)>();
        try
        {
            await Parallel.ForEachAsync(askers, safety.Token, async (asker, stop) =>
            {
                foreach (WayIn way in calls)
                {
                    came.Add((way.Call!, asker.Who, await CallAsync(asker, new Uri(hub.BrowserUrl, way.Path), way.Call!, stop)));
                }
            });
        }
        finally
        {
            askers.ForEach(one => one.Dispose());
        }

        Assert.Equal(["WatchEvents", "WatchFleet", "WatchOperations"], calls.Select(way => way.Call).Order(StringComparer.Ordinal));
        Assert.Equal(
            calls.SelectMany(way => askers.Select(one => (way.Call!, one.Who, AccessTable.LetsIn(way.Name, one.Who) ? Told(way.Call!) : one.IsNobody ? "Unauthorized" : "Forbidden"))).Order(),
            came.Order());

        // The table itself, once more in plain words: whoever may view sees all of it live, and so does a script that may read.
        string[] seeing = [.. came.Where(c => c.What == Told(c.Stream)).Select(c => c.Who).Distinct().Order(StringComparer.Ordinal)];
        Assert.Superset(new HashSet<string> { HubRoles.Viewer, HubRoles.Operator, ApiScopes.Word(ApiScope.Read), ApiScopes.Word(ApiScope.Operate) }, seeing.ToHashSet());
        Assert.DoesNotContain("nobody", seeing);
    }

    // What the first message of each stream has that no refusal has.
    private static string Told(string stream) => stream switch
    {
        "WatchFleet" => "snapshot of 1 pairs",
        "WatchOperations" => "operation Running",
        _ => "events",
    };

    private static async Task<string> CallAsync(Asker asker, Uri url, string stream, CancellationToken stop)
    {
        await using HubConnection client = asker.Connect(url);
        try
        {
            await client.StartAsync(stop);
        }
        catch (HttpRequestException refused)
        {
            return (refused.StatusCode ?? HttpStatusCode.OK).ToString();
        }

        object?[] arguments = stream == "WatchEvents" ? [0L] : [];
        await using IAsyncEnumerator<JsonElement> messages = client.StreamAsyncCore<JsonElement>(stream, arguments, stop).GetAsyncEnumerator(stop);
        try
        {
            Assert.True(await messages.MoveNextAsync(), $"{stream} ended without a word to {asker.Who}");
        }
        catch (HubException refused)
        {
            return refused.Message;
        }

        JsonElement first = messages.Current;
        return stream switch
        {
            "WatchFleet" => $"{first.GetProperty("kind").GetString()} of {first.GetProperty("pairs").GetArrayLength()} pairs",
            "WatchOperations" => $"operation {first.GetProperty("status").GetString()}",
            _ => first.GetProperty("events").GetArrayLength() > 0 ? "events" : "no events",
        };
    }
}
