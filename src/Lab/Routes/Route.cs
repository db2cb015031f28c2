using System.Net;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Lab.Routes;

/// <summary>What the community says about a route: the local preference that the platform gives it.</summary>
internal enum RoutePreference
{
    /// <summary>65000:2.</summary>
    Secondary = 1,

    /// <summary>65000:1.</summary>
    Primary = 2,
}

/// <summary>A route that passed the import policy, without its place in a table.</summary>
internal sealed record OfferedRoute
{
    public required IPNetwork Prefix { get; init; }

    /// <summary>Where packets for the prefix go: the node.</summary>
    public required IPAddress NextHop { get; init; }

    public required RoutePreference Preference { get; init; }

    public required int AsPathLength { get; init; }

    public required Origin Origin { get; init; }
}

/// <summary>A route in a route server's table.</summary>
internal sealed record Route
{
    public required OfferedRoute Offer { get; init; }

    /// <summary>The session it came over; unique at the route server, so a restarted node has another.</summary>
    public required long Session { get; init; }

    /// <summary>Counts up per table: a smaller one was there first. A changed route is a new one.</summary>
    public required long Arrival { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }
}
