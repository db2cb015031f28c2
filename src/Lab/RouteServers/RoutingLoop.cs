using System.Collections.Immutable;
using System.Threading.Channels;
using FailoverHub.Lab.Routes;

namespace FailoverHub.Lab.RouteServers;

/// <summary>
/// Owns the <see cref="RoutingState"/>: sessions post what happened, the loop applies it and tells the observers. One loop for all route
/// servers, so that a change is seen by the fabric before the next one is looked at.
/// </summary>
internal sealed class RoutingLoop
{
    /// <summary>A session that posts more waits, and TCP then slows its neighbor.</summary>
    private const int Capacity = 1024;

    private readonly Channel<RoutingEvent> _events =
        Channel.CreateBounded<RoutingEvent>(new BoundedChannelOptions(Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly ImmutableArray<IRoutingObserver> _observers;
    private readonly TimeProvider _time;
    private RoutingState _state;

    public RoutingLoop(RoutingState initial, IEnumerable<IRoutingObserver> observers, TimeProvider time)
    {
        _state = initial;
        _observers = [.. observers];
        _time = time;
    }

    public ChannelWriter<RoutingEvent> Events => _events.Writer;

    /// <summary>Runs until the writer is completed and everything posted before is applied.</summary>
    public async Task RunAsync()
    {
        try
        {
            await foreach (var happened in _events.Reader.ReadAllAsync())
            {
                await ApplyAsync(happened);
            }
        }
        catch (Exception bug)
        {
            // Nobody may wait for room in a channel that nobody empties any more.
            _events.Writer.TryComplete(bug);
            throw;
        }
    }

    private async Task ApplyAsync(RoutingEvent happened)
    {
        var before = _state;
        _state = before.Apply(happened, _time.GetUtcNow());
        foreach (var observer in _observers)
        {
            await observer.OnChangedAsync(happened, before, _state);
        }
    }
}
