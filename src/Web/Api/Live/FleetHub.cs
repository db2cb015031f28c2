using System.Runtime.CompilerServices;
using FailoverHub.Web.Access;
using FailoverHub.Web.Api.Operations;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.SignalR;

namespace FailoverHub.Web.Api.Live;

/// <summary>What the methods of <see cref="FleetHub"/> read.</summary>
internal sealed record LiveSources(IFleetView Fleet, IOperations Operations, IHistory History, LiveAccess Access, LiveClients Clients);

/// <summary>
/// `/hubs/fleet`: the present as it changes, for programs. Three streams, each of which begins with what is so now; whoever was away calls it again and has missed nothing.
/// It reads and changes nothing. A stream ends when the token or session of its caller does.
/// </summary>
[Authorize(AccessPolicies.ApiRead)]
internal sealed class FleetHub(LiveSources sources) : Hub
{
    public const string Path = "/hubs/fleet";

    /// <summary>Streams of one connection at a time.</summary>
    public const int MaxStreams = 8;

    private const string NoLonger = "The token or session that opened this stream may no longer read.";
    private const int MostEvents = 5_000;
    private const int EventPage = 500;
    private const string StreamsKey = "streams";

    public override Task OnConnectedAsync()
    {
        Context.Items[StreamsKey] = new StreamCount();
        sources.Clients.Connected();
        return base.OnConnectedAsync();
    }

    public override Task OnDisconnectedAsync(Exception? exception)
    {
        sources.Clients.Disconnected();
        return base.OnDisconnectedAsync(exception);
    }

    /// <summary>All pairs and nodes, then what changes.</summary>
    public IAsyncEnumerable<FleetChangeDto> WatchFleet(CancellationToken cancellationToken) => Guarded(FleetAsync, cancellationToken);

    /// <summary>The newest hundred operations, oldest first, then every operation that changes, whole.</summary>
    public IAsyncEnumerable<OperationDto> WatchOperations(CancellationToken cancellationToken) => Guarded(stop => OperationStream.ReadAsync(sources.Operations, stop), cancellationToken);

    /// <summary>Every event after that one, then each that is added.</summary>
    /// <param name="after">Id of the last event that is known; null: begin with what happens from now on.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    public IAsyncEnumerable<EventsDto> WatchEvents(long? after, CancellationToken cancellationToken) => Guarded(stop => EventsAsync(after, stop), cancellationToken);

    /// <summary>Bounds the streams of a connection, and ends a stream whose caller may no longer see it.</summary>
    private async IAsyncEnumerable<T> Guarded<T>(Func<CancellationToken, IAsyncEnumerable<T>> stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var streams = (StreamCount)Context.Items[StreamsKey]!;
        if (!streams.TryAdd())
        {
            throw new HubException($"A connection has at most {MaxStreams} streams.");
        }

        HttpContext? http = Context.GetHttpContext();
        if (!await sources.Access.IsAllowedAsync(http, cancellationToken))
        {
            streams.Remove();
            throw new HubException(NoLonger);
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task watching = sources.Access.EndWhenRefusedAsync(http, ended);
        try
        {
            await using IAsyncEnumerator<T> items = stream(ended.Token).GetAsyncEnumerator(ended.Token);
            while (await NextAsync(items, ended.Token))
            {
                yield return items.Current;
            }

            if (ended.IsCancellationRequested && !cancellationToken.IsCancellationRequested && !Context.ConnectionAborted.IsCancellationRequested)
            {
                throw new HubException(NoLonger);
            }
        }
        finally
        {
            streams.Remove();
            await ended.CancelAsync();
            await watching;
        }
    }

    private static async Task<bool> NextAsync<T>(IAsyncEnumerator<T> items, CancellationToken ended)
    {
        try
        {
            return await items.MoveNextAsync();
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return false;
        }
    }

    private async IAsyncEnumerable<FleetChangeDto> FleetAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var difference = new FleetDifference();
        await foreach (FleetSnapshot now in sources.Fleet.WatchAsync(stop))
        {
            if (difference.To(now) is { } change)
            {
                sources.Clients.Told(change.Kind);
                yield return change;
            }
        }
    }

    private async IAsyncEnumerable<EventsDto> EventsAsync(long? after, [EnumeratorCancellation] CancellationToken stop)
    {
        long? told = after;
        await foreach (HistoryAppended appended in sources.History.WatchAsync(stop))
        {
            told ??= appended.LastEventId;
            if (appended.LastEventId <= told)
            {
                continue;
            }

            (List<EventRecord> news, bool gap) = await EventsSinceAsync(told.Value, stop);
            if (news.Count > 0)
            {
                told = news[^1].Id;
                yield return new EventsDto([.. news.Select(e => e.ToDto())], gap);
            }
        }
    }

    private async Task<(List<EventRecord> News, bool Gap)> EventsSinceAsync(long told, CancellationToken stop)
    {
        var news = new List<EventRecord>();
        string? cursor = null;
        do
        {
            HistoryPage<EventRecord> page = await sources.History.EventsAsync(new HistoryFilter(), cursor, EventPage, stop);
            news.AddRange(page.Items.Where(e => e.Id > told));
            cursor = !page.Items.IsEmpty && page.Items[^1].Id > told ? page.NextCursor : null;
        }
        while (cursor is not null && news.Count < MostEvents);

        news.Reverse();
        return (news, cursor is not null);
    }

    private sealed class StreamCount
    {
        private int _count;

        public bool TryAdd()
        {
            if (Interlocked.Increment(ref _count) <= MaxStreams)
            {
                return true;
            }

            Interlocked.Decrement(ref _count);
            return false;
        }

        public void Remove() => Interlocked.Decrement(ref _count);
    }
}
