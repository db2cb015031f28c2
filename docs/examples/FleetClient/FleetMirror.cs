using System.Text.Json;
using Microsoft.AspNetCore.SignalR.Client;

namespace FailoverHub.Examples;

/// <summary>
/// Follows the fleet of a hub and keeps a copy of it: what a monitoring tool, a chat bot or a wall display begins with. Needs Microsoft.AspNetCore.SignalR.Client and a token of scope read.
/// </summary>
public sealed class FleetMirror : IAsyncDisposable
{
    private readonly HubConnection _connection;
    private readonly Dictionary<string, JsonElement> _pairs = [];
    private readonly Dictionary<string, JsonElement> _nodes = [];

    /// <param name="hub">Where the dashboard is: http://127.0.0.1:5080.</param>
    /// <param name="token">From `failoverhub token create --name NAME --scope read`.</param>
    public FleetMirror(Uri hub, string token)
    {
        _connection = new HubConnectionBuilder()
            .WithUrl(new Uri(hub, "/hubs/fleet"), options => options.AccessTokenProvider = () => Task.FromResult<string?>(token))
            .Build();
    }

    /// <summary>Pairs by id, as GET /api/v1/pairs/{pair} shows them.</summary>
    public IReadOnlyDictionary<string, JsonElement> Pairs => _pairs;

    /// <summary>Nodes by name, as GET /api/v1/nodes/{node} shows them.</summary>
    public IReadOnlyDictionary<string, JsonElement> Nodes => _nodes;

    /// <summary>The last event that was seen; kept over a broken connection, so that nothing is missed and nothing told twice. Null: begin with what happens from now on.</summary>
    public long? LastEvent { get; set; }

    /// <summary>
    /// Follows until it is cancelled. When the connection breaks it dials again, and goes on: the fleet begins with a whole snapshot, the events with the first one that was not seen.
    /// Until then what it has is old, and <paramref name="lost"/> says so.
    /// </summary>
    public async Task FollowAsync(Action changed, Action<JsonElement> happened, Action<Exception?> lost, CancellationToken stop)
    {
        for (var wait = TimeSpan.FromSeconds(1); !stop.IsCancellationRequested;)
        {
            try
            {
                await _connection.StartAsync(stop);
                using var both = CancellationTokenSource.CreateLinkedTokenSource(stop);
                Task[] streams = [FollowFleetAsync(changed, both.Token), FollowEventsAsync(happened, both.Token)];
                wait = TimeSpan.FromSeconds(1);
                await await Task.WhenAny(streams);
                await both.CancelAsync();
                await Task.WhenAll(streams).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                lost(null);
            }
            catch (Exception exception) when (!stop.IsCancellationRequested)
            {
                lost(exception);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }

            await _connection.StopAsync(CancellationToken.None);
            await Task.Delay(wait, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            wait = TimeSpan.FromSeconds(Math.Min(30, wait.TotalSeconds * 2));
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async Task FollowFleetAsync(Action changed, CancellationToken stop)
    {
        await foreach (var message in _connection.StreamAsync<JsonElement>("WatchFleet", stop))
        {
            if (message.GetProperty("kind").GetString() == "snapshot")
            {
                _pairs.Clear();
                _nodes.Clear();
            }

            Put(_pairs, message.GetProperty("pairs"), "id");
            Put(_nodes, message.GetProperty("nodes"), "name");
            Remove(_pairs, message.GetProperty("removedPairs"));
            Remove(_nodes, message.GetProperty("removedNodes"));
            changed();
        }
    }

    private async Task FollowEventsAsync(Action<JsonElement> happened, CancellationToken stop)
    {
        await foreach (var message in _connection.StreamAsync<JsonElement>("WatchEvents", LastEvent, stop))
        {
            foreach (var one in message.GetProperty("events").EnumerateArray())
            {
                happened(one);
                LastEvent = one.GetProperty("id").GetInt64();
            }
        }
    }

    private static void Put(Dictionary<string, JsonElement> known, JsonElement news, string key)
    {
        foreach (var one in news.EnumerateArray())
        {
            known[one.GetProperty(key).GetString()!] = one;
        }
    }

    private static void Remove(Dictionary<string, JsonElement> known, JsonElement gone)
    {
        foreach (var one in gone.EnumerateArray())
        {
            known.Remove(one.GetString()!);
        }
    }
}
