using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Lab.Routes;

/// <summary>A node as one route server sees it.</summary>
internal sealed record NeighborEntry
{
    /// <summary>Source address of the connection.</summary>
    public required IPAddress Address { get; init; }

    public required SessionState State { get; init; }

    public required DateTimeOffset Since { get; init; }

    public required string Reason { get; init; }

    public ImmutableDictionary<IPNetwork, Route> Routes { get; init; } = ImmutableDictionary<IPNetwork, Route>.Empty;
}

/// <summary>One route server's sessions, routes and choices. Immutable: an event makes the next one.</summary>
internal sealed record RouteServerTable
{
    /// <summary>Routes that one node may have here; more are not taken. Bounds what a mad peer can cost.</summary>
    public const int MaximumRoutesPerNode = 256;

    public required IPAddress Address { get; init; }

    public ImmutableSortedDictionary<long, NeighborEntry> Neighbors { get; init; } = ImmutableSortedDictionary<long, NeighborEntry>.Empty;

    public ImmutableDictionary<IPNetwork, Route> Best { get; init; } = ImmutableDictionary<IPNetwork, Route>.Empty;

    private long NextArrival { get; init; } = 1;

    public RouteServerTable Apply(RoutingEvent happened, DateTimeOffset at) => happened switch
    {
        RoutingEvent.SessionMoved moved => Move(moved, at),
        RoutingEvent.RoutesChanged changed => Change(changed, at),
        RoutingEvent.SessionEnded ended => Without(ended.Session),
        _ => throw new ArgumentOutOfRangeException(nameof(happened)),
    };

    private RouteServerTable Move(RoutingEvent.SessionMoved moved, DateTimeOffset at)
    {
        var entry = new NeighborEntry { Address = moved.Neighbor, State = moved.State, Since = at, Reason = moved.Reason };
        if (moved.State == SessionState.Established && Neighbors.TryGetValue(moved.Session, out var known))
        {
            entry = entry with { Routes = known.Routes };
        }

        // A session that left Established has lost its routes (RFC 4271 8.2.2), even before its connection is gone.
        return (this with { Neighbors = Neighbors.SetItem(moved.Session, entry) }).Choose(LostPrefixes(moved.Session, entry.Routes));
    }

    private RouteServerTable Change(RoutingEvent.RoutesChanged changed, DateTimeOffset at)
    {
        if (!Neighbors.TryGetValue(changed.Session, out var entry))
        {
            return this;
        }

        var routes = entry.Routes.RemoveRange(changed.Update.Withdrawn);
        var arrival = NextArrival;
        foreach (var offer in changed.Update.Accepted)
        {
            var known = routes.TryGetValue(offer.Prefix, out var before);
            if ((known && before!.Offer == offer) || (!known && routes.Count >= MaximumRoutesPerNode))
            {
                continue;
            }

            routes = routes.SetItem(offer.Prefix, new Route { Offer = offer, Session = changed.Session, Arrival = arrival++, ReceivedAt = at });
        }

        var touched = changed.Update.Withdrawn.Concat(changed.Update.Accepted.Select(offer => offer.Prefix)).Distinct().ToList();
        return (this with
        {
            Neighbors = Neighbors.SetItem(changed.Session, entry with { Routes = routes }),
            NextArrival = arrival,
        }).Choose(touched);
    }

    private RouteServerTable Without(long session) =>
        (this with { Neighbors = Neighbors.Remove(session) }).Choose(LostPrefixes(session, ImmutableDictionary<IPNetwork, Route>.Empty));

    private List<IPNetwork> LostPrefixes(long session, ImmutableDictionary<IPNetwork, Route> kept) =>
        Neighbors.TryGetValue(session, out var entry) ? [.. entry.Routes.Keys.Where(prefix => !kept.ContainsKey(prefix))] : [];

    private RouteServerTable Choose(IReadOnlyCollection<IPNetwork> prefixes)
    {
        var best = Best;
        foreach (var prefix in prefixes)
        {
            long? incumbent = best.TryGetValue(prefix, out var before) ? before.Session : null;
            var candidates = Neighbors.Values
                .Select(neighbor => neighbor.Routes.GetValueOrDefault(prefix))
                .OfType<Route>();
            best = BestRoute.Select(candidates, incumbent) is { } chosen ? best.SetItem(prefix, chosen) : best.Remove(prefix);
        }

        return this with { Best = best };
    }
}
