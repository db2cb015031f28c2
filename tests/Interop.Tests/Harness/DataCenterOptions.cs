using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Harness;

/// <summary>How a data center differs from the platform's. By default it does not.</summary>
internal sealed record DataCenterOptions
{
    /// <summary>What plays the route servers.</summary>
    public required RouteServerKind Kind { get; init; }

    /// <summary>How many of them there are, 1 to 4.</summary>
    public int Count { get; init; } = 4;

    /// <summary>How each of them is configured.</summary>
    public RouteServerOptions Servers { get; init; } = new();

    /// <summary>One router stands between the nodes' segment and the route servers: a packet comes with one hop less.</summary>
    public bool RouterBetween { get; init; }

    /// <summary>There is a client, and a fabric that forwards its packets to the node that the route servers chose.</summary>
    public bool Forwards { get; init; }
}
