using System.Net;
using FailoverHub.Web.Access;

namespace FailoverHub.Web.Agents.Limits;

/// <summary>
/// How many connections to the agents' port may be open that have not shown a certificate that opens something now: per address, and of all addresses
/// together. Each has a minute for what it came for, a join; so nobody holds places by saying nothing, or by saying it slowly.
/// Connections that have shown one are not counted here, but by <see cref="NodeConnections"/>.
/// </summary>
internal sealed partial class UnprovenConnections(TimeProvider time, ILogger<UnprovenConnections> logger)
{
    /// <summary>All agents behind one address may dial at once when the hub is back; a handshake takes some milliseconds.</summary>
    public const int PerAddress = 512;

    public const int All = 4_096;

    /// <summary>For handshake and join.</summary>
    public static readonly TimeSpan Within = TimeSpan.FromMinutes(1);

    private readonly ConnectionPlaces _places = new(PerAddress, All, time);

    /// <summary>Takes a place; null: there is none, and the connection is to be closed.</summary>
    /// <param name="address">Where it comes from.</param>
    /// <param name="onLate">Closes it when its time is over.</param>
    public Place? TryEnter(IPAddress? address, Action onLate)
    {
        if (_places.TryEnter(address, out var key, out var isNews))
        {
            return new Place(_places, key, onLate, time);
        }

        if (isNews)
        {
            LogFull(logger, key, All, PerAddress);
        }

        return null;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A connection from {Address} to the agents' port is closed: {All} connections without a certificate are open, or {PerAddress} from there. Nodes that have one are served on. Told once a minute")]
    private static partial void LogFull(ILogger logger, string address, int all, int perAddress);

    /// <summary>The place of one connection, until it has shown a certificate or is closed.</summary>
    internal sealed class Place : IDisposable
    {
        private readonly ConnectionPlaces _all;
        private readonly string _key;
        private readonly ITimer _late;
        private int _left;

        public Place(ConnectionPlaces all, string key, Action onLate, TimeProvider time)
        {
            (_all, _key) = (all, key);
            _late = time.CreateTimer(_ => onLate(), null, Within, Timeout.InfiniteTimeSpan);
        }

        /// <summary>It has shown a certificate, or is closed.</summary>
        public void Leave()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                _late.Dispose();
                _all.Leave(_key);
            }
        }

        public void Dispose() => Leave();
    }
}
