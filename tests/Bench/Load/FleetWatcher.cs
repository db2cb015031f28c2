using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR.Client;

namespace FailoverHub.Bench.Load;

/// <summary>A program at /hubs/fleet, as docs/examples has one: it sees the marks.</summary>
internal sealed class FleetWatcher : IAsyncDisposable
{
    private readonly HubConnection _connection;
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _watching = Task.CompletedTask;

    private FleetWatcher(HubProcess hub) =>
        _connection = new HubConnectionBuilder().WithUrl($"{hub.Url}/hubs/fleet", o => o.AccessTokenProvider = () => Task.FromResult<string?>(hub.Token)).Build();

    public Marks Marks { get; } = new();

    public static async Task<FleetWatcher> StartAsync(HubProcess hub, CancellationToken stop)
    {
        var watcher = new FleetWatcher(hub);
        await watcher._connection.StartAsync(stop);
        watcher._watching = Task.Run(watcher.WatchAsync, CancellationToken.None);
        await watcher._first.Task.WaitAsync(stop);
        return watcher;
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _connection.DisposeAsync();
        await _watching;
        _ending.Dispose();
    }

    private async Task WatchAsync()
    {
        try
        {
            await foreach (var message in _connection.StreamAsync<JsonElement>("WatchFleet", _ending.Token))
            {
                var at = Stopwatch.GetTimestamp();
                _first.TrySetResult();
                foreach (var node in message.GetProperty("nodes").EnumerateArray())
                {
                    if (node.GetProperty("sessions") is { ValueKind: JsonValueKind.Array } sessions && sessions.GetArrayLength() > 0)
                    {
                        Marks.Seen(sessions[0].GetProperty("lastError").GetString(), at);
                    }
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or HttpRequestException or InvalidOperationException or IOException or System.Net.WebSockets.WebSocketException or Microsoft.AspNetCore.SignalR.HubException)
        {
            // The bench ends it.
            _first.TrySetException(e);
        }
    }
}
