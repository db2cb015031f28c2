using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Lab.Routes;

/// <summary>All route servers together, and what follows for the fabric. Immutable; the routing loop owns the current one.</summary>
internal sealed record RoutingState
{
    /// <summary>In configured order.</summary>
    public required ImmutableArray<RouteServerTable> Servers { get; init; }

    /// <summary>
    /// Which node each shared prefix is forwarded to. The real platform's routers follow route servers that agree; while they do not (a few
    /// milliseconds during a change, longer when a node has lost some sessions only) the first route server in order that has a best route
    /// for the prefix decides.
    /// </summary>
    public ImmutableDictionary<IPNetwork, Route> Holders { get; private init; } = ImmutableDictionary<IPNetwork, Route>.Empty;

    public static RoutingState Of(IEnumerable<IPAddress> servers) =>
        new() { Servers = [.. servers.Select(address => new RouteServerTable { Address = address })] };

    public RoutingState Apply(RoutingEvent happened, DateTimeOffset at)
    {
        var servers = Servers.SetItem(happened.Server, Servers[happened.Server].Apply(happened, at));
        var holders = ImmutableDictionary.CreateBuilder<IPNetwork, Route>();
        foreach (var (prefix, best) in servers.SelectMany(server => server.Best))
        {
            holders.TryAdd(prefix, best);
        }

        var same = holders.Count == Holders.Count && holders.All(entry => Holders.TryGetValue(entry.Key, out var before) && before == entry.Value);
        return this with { Servers = servers, Holders = same ? Holders : holders.ToImmutable() };
    }
}
