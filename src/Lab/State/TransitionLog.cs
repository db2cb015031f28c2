using System.Net;
using FailoverHub.Bgp.Session;
using FailoverHub.Lab.Nodes;
using FailoverHub.Lab.Routes;
using FailoverHub.Lab.RouteServers;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Lab.State;

/// <summary>One log line per transition, with its consequence.</summary>
internal sealed class TransitionLog(NodeNames names, ILogger logger) : IRoutingObserver
{
    public ValueTask OnChangedAsync(RoutingEvent happened, RoutingState before, RoutingState after)
    {
        var address = after.Servers[happened.Server].Address;
        switch (happened)
        {
            case RoutingEvent.SessionMoved { State: SessionState.Established } moved:
                logger.SessionMoved(address, names.Describe(moved.Neighbor), moved.State.ToString(), moved.Reason);
                break;
            case RoutingEvent.RoutesChanged changed when before.Servers[happened.Server].Neighbors.TryGetValue(changed.Session, out var neighbor):
                LogRoutes(address, names.Describe(neighbor.Address), neighbor, after.Servers[happened.Server].Neighbors[changed.Session]);
                break;
            case RoutingEvent.SessionEnded ended when before.Servers[happened.Server].Neighbors.TryGetValue(ended.Session, out var neighbor):
                logger.SessionEnded(address, names.Describe(neighbor.Address), ended.Reason);
                break;
            default:
                // The steps on the way to Established are in the state file, they move nothing.
                break;
        }

        LogHolders(before, after);
        return ValueTask.CompletedTask;
    }

    private void LogRoutes(IPAddress server, string node, NeighborEntry before, NeighborEntry after)
    {
        foreach (var (prefix, route) in after.Routes)
        {
            if (before.Routes.GetValueOrDefault(prefix)?.Offer != route.Offer)
            {
                logger.RouteAnnounced(server, node, prefix, StateMapping.ToWord(route.Offer.Preference), route.Offer.Origin.ToString());
            }
        }

        foreach (var prefix in before.Routes.Keys.Where(prefix => !after.Routes.ContainsKey(prefix)))
        {
            logger.RouteWithdrawn(server, node, prefix);
        }
    }

    private void LogHolders(RoutingState before, RoutingState after)
    {
        foreach (var prefix in before.Holders.Keys.Union(after.Holders.Keys))
        {
            var from = before.Holders.GetValueOrDefault(prefix)?.Offer.NextHop;
            var to = after.Holders.GetValueOrDefault(prefix)?.Offer.NextHop;
            switch (from, to)
            {
                case (null, not null):
                    logger.AddressAppeared(prefix, names.Describe(to));
                    break;
                case (not null, null):
                    logger.AddressLost(prefix, names.Describe(from));
                    break;
                case (not null, not null) when !from.Equals(to):
                    logger.AddressMoved(prefix, names.Describe(from), names.Describe(to));
                    break;
                default:
                    break;
            }
        }
    }
}
