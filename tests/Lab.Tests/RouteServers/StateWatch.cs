using System.Net;
using FailoverHub.Lab.Routes;
using FailoverHub.Lab.RouteServers;

namespace FailoverHub.Lab.Tests.RouteServers;

/// <summary>Waits for a state of the route servers. Told after the fabric, so the fabric has moved when a wait ends.</summary>
internal sealed class StateWatch : IRoutingObserver
{
    private readonly Lock _gate = new();
    private readonly List<(Func<RoutingState, bool> Wanted, TaskCompletionSource<RoutingState> Seen)> _waiting = [];
    private RoutingState? _latest;

    public Task<RoutingState> WhenAsync(Func<RoutingState, bool> wanted)
    {
        lock (_gate)
        {
            if (_latest is { } latest && wanted(latest))
            {
                return Task.FromResult(latest);
            }

            var seen = new TaskCompletionSource<RoutingState>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((wanted, seen));
            return seen.Task.WaitAsync(Patience.Token);
        }
    }

    public Task<RoutingState> WhenHolderAsync(string prefix, IPAddress? node) =>
        WhenAsync(state => Equals(state.Holders.GetValueOrDefault(IPNetwork.Parse(prefix))?.Offer.NextHop, node));

    public ValueTask OnChangedAsync(RoutingEvent happened, RoutingState before, RoutingState after)
    {
        lock (_gate)
        {
            _latest = after;
            foreach (var (wanted, seen) in _waiting)
            {
                if (wanted(after))
                {
                    seen.TrySetResult(after);
                }
            }
        }

        return ValueTask.CompletedTask;
    }
}
