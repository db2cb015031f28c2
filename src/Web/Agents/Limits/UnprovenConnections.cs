using System.Net;
using FailoverHub.Web.Access;

namespace FailoverHub.Web.Agents.Limits;

/// <summary>
/// How many connections to the agents' port may be open that have not shown a certificate that opens something now: per address, and of all addresses
/// together. Each has a minute for what it came for, a join, and a few seconds for its first octet; so nobody holds places by saying nothing, or by saying it slowly. When all are taken, an address
/// that has fewer pushes out the oldest of the one that has most: a few addresses that fill them keep no fleet from coming back.
/// Connections that have shown one are not counted here, but by <see cref="NodeConnections"/>.
/// </summary>
internal sealed partial class UnprovenConnections(TimeProvider time, ILogger<UnprovenConnections> logger)
{
    /// <summary>All agents behind one address may dial at once when the hub is back; a handshake takes some milliseconds.</summary>
    public const int PerAddress = 512;

    public const int All = 4_096;

    /// <summary>An agent says it at once, and gives up after as long.</summary>
    public static readonly TimeSpan FirstOctetWithin = TimeSpan.FromSeconds(5);

    /// <summary>For handshake and join.</summary>
    public static readonly TimeSpan Within = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan ToldEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();

    // By address, as AccessLimits.CallerOf counts them; the oldest first.
    private readonly Dictionary<string, LinkedList<Place>> _open = [];
    private int _all;
    private long? _toldAt;

    /// <summary>Takes a place; null: there is none, and the connection is to be closed.</summary>
    /// <param name="address">Where it comes from.</param>
    /// <param name="onLate">Closes it when its time is over, or another one is to have its place.</param>
    public Place? TryEnter(IPAddress? address, Action onLate)
    {
        var key = AccessLimits.CallerOf(address);
        Place? place = null;
        Place? pushedOut = null;
        bool isNews;
        lock (_gate)
        {
            var own = _open.GetValueOrDefault(key)?.Count ?? 0;
            pushedOut = own < PerAddress && _all >= All ? OldestOfMost(own) : null;
            if (pushedOut is not null)
            {
                Remove(pushedOut);
            }

            if (own < PerAddress && _all < All)
            {
                place = new Place(this, key, onLate, time);
                Add(place);
            }

            isNews = (place is null || pushedOut is not null) && (_toldAt is not { } told || time.GetElapsedTime(told) >= ToldEvery);
            _toldAt = isNews ? time.GetTimestamp() : _toldAt;
        }

        pushedOut?.Close();
        if (isNews && pushedOut is not null)
        {
            LogPushedOut(logger, pushedOut.Key, All, key);
        }
        else if (isNews)
        {
            LogFull(logger, key, All, PerAddress);
        }

        return place;
    }

    // Null: with the new one its address would have as many as any other.
    private Place? OldestOfMost(int own) => _open.Values.MaxBy(places => places.Count) is { } most && most.Count > own + 1 ? most.First!.Value : null;

    private void Add(Place place)
    {
        if (!_open.TryGetValue(place.Key, out var places))
        {
            places = _open[place.Key] = [];
        }

        places.AddLast(place.Node);
        _all++;
    }

    private void Remove(Place place)
    {
        var places = place.Node.List!;
        places.Remove(place.Node);
        _all--;
        if (places.Count == 0)
        {
            _open.Remove(place.Key);
        }
    }

    private void Leave(Place place)
    {
        lock (_gate)
        {
            // It may have been pushed out before.
            if (place.Node.List is not null)
            {
                Remove(place);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A connection from {Address} to the agents' port is closed: {All} connections without a certificate are open, or {PerAddress} from there. Nodes that have one are served on. Told once a minute")]
    private static partial void LogFull(ILogger logger, string address, int all, int perAddress);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The oldest connection from {Address} to the agents' port is closed for one from {Other}: {All} connections without a certificate are open, and most of them are from there. Told once a minute")]
    private static partial void LogPushedOut(ILogger logger, string address, int all, string other);

    /// <summary>The place of one connection, until it has shown a certificate or is closed.</summary>
    internal sealed class Place : IDisposable
    {
        private readonly UnprovenConnections _all;
        private readonly Action _close;
        private readonly ITimer _late;
        private int _left;

        public Place(UnprovenConnections all, string key, Action onLate, TimeProvider time)
        {
            (_all, Key, _close, Node) = (all, key, onLate, new LinkedListNode<Place>(this));
            _late = time.CreateTimer(_ => onLate(), null, FirstOctetWithin, Timeout.InfiniteTimeSpan);
        }

        /// <summary>Whose it counts as.</summary>
        public string Key { get; }

        /// <summary>Where it stands among those of its address.</summary>
        public LinkedListNode<Place> Node { get; }

        /// <summary>Its first octet has come: from now on it has its minute.</summary>
        public void HasSpoken() => _late.Change(Within, Timeout.InfiniteTimeSpan);

        /// <summary>Another one has its place. One that has shown a certificate in this very moment goes on.</summary>
        public void Close()
        {
            _late.Dispose();
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                _close();
            }
        }

        /// <summary>It has shown a certificate, or is closed.</summary>
        public void Leave()
        {
            Volatile.Write(ref _left, 1);
            _late.Dispose();
            _all.Leave(this);
        }

        public void Dispose() => Leave();
    }
}
