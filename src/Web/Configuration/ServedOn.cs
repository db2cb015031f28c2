namespace FailoverHub.Web.Configuration;

/// <summary>The hub's two kinds of endpoint. Neither serves the other's calls.</summary>
internal enum HubPort
{
    /// <summary>Dashboard, API, health.</summary>
    Browser,

    /// <summary>gRPC from agents.</summary>
    Agents,
}

/// <summary>
/// Says which port a connection came in on, and which one a route belongs to. The connection is marked where it is
/// accepted: a Host header, which a caller chooses, decides nothing.
/// </summary>
internal sealed record ServedOn(HubPort Port)
{
    public static ServedOn Browser { get; } = new(HubPort.Browser);

    public static ServedOn Agents { get; } = new(HubPort.Agents);
}
