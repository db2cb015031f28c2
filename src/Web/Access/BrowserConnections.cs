using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace FailoverHub.Web.Access;

/// <summary>
/// How many connections to the browsers' port may be open: from one address, behind which there may be a proxy with everybody else, and together. Whoever opens more
/// is closed at once; so nobody takes the files and the memory that the agents' streams need, however slowly he speaks.
/// </summary>
internal sealed partial class BrowserConnections(TimeProvider time, ILogger<BrowserConnections> logger)
{
    public const int PerAddress = 1_024;

    public const int All = 4_096;

    /// <summary>A request's headers are there by then, in both ports.</summary>
    public static readonly TimeSpan HeadersWithin = TimeSpan.FromSeconds(10);

    /// <summary>A connection without a request is closed.</summary>
    public static readonly TimeSpan IdleFor = TimeSpan.FromMinutes(2);

    /// <summary>A request's body comes at least so fast, after some seconds to begin; agents' streams, which are bodies too, are excepted where they are served.</summary>
    public static readonly MinDataRate BodyRate = new(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));

    /// <summary>Of a request, in octets; where less is enough, less is said there. Agents' streams are excepted.</summary>
    public const long LargestBody = 1024 * 1024;

    private readonly ConnectionPlaces _places = new(PerAddress, All, time);

    /// <summary>What Kestrel itself bounds.</summary>
    public static void Bound(KestrelServerLimits limits)
    {
        limits.RequestHeadersTimeout = HeadersWithin;
        limits.KeepAliveTimeout = IdleFor;
        limits.MinRequestBodyDataRate = BodyRate;
        limits.MinResponseDataRate = BodyRate;
        limits.MaxRequestBodySize = LargestBody;
    }

    public static void Use(ListenOptions listen)
    {
        var connections = listen.ApplicationServices.GetRequiredService<BrowserConnections>();
        listen.Use(next => connection => connections.ServeAsync(connection, next));
    }

    internal async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (!_places.TryEnter((connection.RemoteEndPoint as IPEndPoint)?.Address, out string key, out bool isNews))
        {
            if (isNews)
            {
                LogFull(logger, key, All, PerAddress);
            }

            connection.Abort();
            return;
        }

        try
        {
            await next(connection);
        }
        finally
        {
            _places.Leave(key);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A connection from {Address} to the browsers' port is closed: {All} are open, or {PerAddress} from there. Told once a minute")]
    private static partial void LogFull(ILogger logger, string address, int all, int perAddress);
}
