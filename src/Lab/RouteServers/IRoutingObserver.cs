using FailoverHub.Lab.Routes;

namespace FailoverHub.Lab.RouteServers;

/// <summary>Hears of every change, in order, from the routing loop, which waits for it.</summary>
internal interface IRoutingObserver
{
    ValueTask OnChangedAsync(RoutingEvent happened, RoutingState before, RoutingState after);
}
