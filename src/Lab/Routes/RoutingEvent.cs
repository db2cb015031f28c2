using System.Net;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Lab.Routes;

/// <summary>What happens at the route servers. A closed family.</summary>
/// <param name="Server">Index of the route server, in configured order.</param>
/// <param name="Session">Number of the session, unique at that route server.</param>
internal abstract record RoutingEvent(int Server, long Session)
{
    /// <summary>A node has connected, or its session changed state.</summary>
    public sealed record SessionMoved(int Server, long Session, IPAddress Neighbor, SessionState State, string Reason)
        : RoutingEvent(Server, Session);

    /// <summary>A node announced or withdrew.</summary>
    public sealed record RoutesChanged(int Server, long Session, ImportedUpdate Update) : RoutingEvent(Server, Session);

    /// <summary>The connection is gone, and every route with it.</summary>
    public sealed record SessionEnded(int Server, long Session, string Reason) : RoutingEvent(Server, Session);
}
