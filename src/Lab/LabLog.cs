using System.Net;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Lab;

/// <summary>Everything that the lab says: one line per transition, with what follows from it.</summary>
internal static partial class LabLog
{
    [LoggerMessage(1, LogLevel.Information, "Trial data center is up: {Servers} route servers (AS {As}) on port {BgpPort}, nodes {Nodes}; shared addresses are forwarded on TCP {TcpPort} and UDP {UdpPort} once a node announces them")]
    public static partial void DataCenterUp(this ILogger logger, int servers, uint @as, int bgpPort, string nodes, int tcpPort, int udpPort);

    [LoggerMessage(2, LogLevel.Information, "Trial data center stops: Cease goes to every node, no address is forwarded any more")]
    public static partial void DataCenterStops(this ILogger logger);

    [LoggerMessage(3, LogLevel.Critical, "{Loop} failed; the trial data center stops because it would show something untrue")]
    public static partial void LoopFailed(this ILogger logger, string loop, Exception error);

    [LoggerMessage(10, LogLevel.Information, "Route server {Server}: session with {Node} is {State} ({Reason})")]
    public static partial void SessionMoved(this ILogger logger, IPAddress server, string node, string state, string reason);

    [LoggerMessage(11, LogLevel.Information, "Route server {Server}: session with {Node} ended ({Reason}); its routes are gone")]
    public static partial void SessionEnded(this ILogger logger, IPAddress server, string node, string reason);

    [LoggerMessage(12, LogLevel.Information, "Route server {Server}: {Node} announces {Prefix} as {Preference} (origin {Origin})")]
    public static partial void RouteAnnounced(this ILogger logger, IPAddress server, string node, IPNetwork prefix, string preference, string origin);

    [LoggerMessage(13, LogLevel.Information, "Route server {Server}: {Node} withdrew {Prefix}")]
    public static partial void RouteWithdrawn(this ILogger logger, IPAddress server, string node, IPNetwork prefix);

    [LoggerMessage(14, LogLevel.Warning, "Route server {Server}: {Prefix} from {Neighbor} is not accepted: {Reason}")]
    public static partial void RouteRefused(this ILogger logger, IPAddress server, IPNetwork prefix, IPAddress neighbor, string reason);

    [LoggerMessage(15, LogLevel.Warning, "Route server {Server}: connection from {Neighbor} closed: {Limit} connections are open, that is the limit")]
    public static partial void TooManyConnections(this ILogger logger, IPAddress server, IPAddress neighbor, int limit);

    [LoggerMessage(16, LogLevel.Warning, "Route server {Server}: cannot accept connections for the moment ({Reason}); tried again in {Delay}")]
    public static partial void AcceptFailed(this ILogger logger, IPAddress server, string reason, TimeSpan delay);

    [LoggerMessage(20, LogLevel.Information, "{Prefix} goes to {Node} from now on")]
    public static partial void AddressAppeared(this ILogger logger, IPNetwork prefix, string node);

    [LoggerMessage(21, LogLevel.Information, "{Prefix} MOVED from {From} to {To}: new traffic goes there, open connections to {From} are cut")]
    public static partial void AddressMoved(this ILogger logger, IPNetwork prefix, string from, string to);

    [LoggerMessage(22, LogLevel.Warning, "{Prefix} goes NOWHERE: no node announces it any more, {From} was the last; connections are refused, datagrams dropped")]
    public static partial void AddressLost(this ILogger logger, IPNetwork prefix, string from);

    [LoggerMessage(23, LogLevel.Warning, "{Prefix} is announced, but not forwarded here: {Reason}")]
    public static partial void AddressNotForwarded(this ILogger logger, IPNetwork prefix, string reason);

    [LoggerMessage(24, LogLevel.Information, "{Address}: {Relays} open connections to {Node} were cut by the move, {Flows} datagram flows go on elsewhere")]
    public static partial void RelaysCut(this ILogger logger, IPAddress address, int relays, IPAddress node, int flows);

    [LoggerMessage(25, LogLevel.Warning, "{Address}: connection refused, {Limit} are relayed already, that is the limit")]
    public static partial void TooManyRelays(this ILogger logger, IPAddress address, int limit);

    [LoggerMessage(26, LogLevel.Warning, "{Address}: node {Node} does not take the connection ({Reason}); the client was reset")]
    public static partial void NodeUnreachable(this ILogger logger, IPAddress address, IPEndPoint node, string reason);

    [LoggerMessage(30, LogLevel.Warning, "State file {Path} could not be written ({Reason}); it is older than what happens until the next change")]
    public static partial void StateFileFailed(this ILogger logger, string path, string reason);
}
