using System.Collections.Immutable;
using System.Net;
using FailoverHub.Lab.Nodes;
using FailoverHub.Lab.Routes;

namespace FailoverHub.Lab.State;

/// <summary>From the routing state to the state file.</summary>
internal static class StateMapping
{
    public static StateDocument ToDocument(RoutingState state, ImmutableSortedDictionary<string, AddressDocument> addresses, NodeNames names, DateTimeOffset at) =>
        new(at, [.. addresses.Values], [.. state.Servers.Select(server => ToDocument(server, names))]);

    public static AddressDocument ToAddress(IPNetwork prefix, IPAddress? holder, NodeNames names, DateTimeOffset at) =>
        new(prefix.ToString(), holder is null ? null : names.Find(holder) ?? holder.ToString(), holder?.ToString(), at);

    public static string ToWord(RoutePreference preference) => preference == RoutePreference.Primary ? "primary" : "secondary";

    private static RouteServerDocument ToDocument(RouteServerTable server, NodeNames names) =>
        new(server.Address.ToString(), [.. server.Neighbors.Values.Select(neighbor => ToDocument(neighbor, server, names))]);

    private static SessionDocument ToDocument(NeighborEntry neighbor, RouteServerTable server, NodeNames names) =>
        new(
            names.Find(neighbor.Address),
            neighbor.Address.ToString(),
            neighbor.State.ToString(),
            neighbor.Since,
            neighbor.Reason,
            [.. neighbor.Routes.Values.OrderBy(route => route.Offer.Prefix.ToString(), StringComparer.Ordinal).Select(route => ToDocument(route, server))]);

    private static RouteDocument ToDocument(Route route, RouteServerTable server) =>
        new(
            route.Offer.Prefix.ToString(),
            ToWord(route.Offer.Preference),
            route.Offer.Origin.ToString(),
            route.Offer.AsPathLength,
            route.Offer.NextHop.ToString(),
            route.ReceivedAt,
            server.Best.GetValueOrDefault(route.Offer.Prefix)?.Session == route.Session);
}
