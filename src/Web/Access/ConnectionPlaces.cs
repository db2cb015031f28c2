using System.Net;

namespace FailoverHub.Web.Access;

/// <summary>How many of something may be open at once: from one address (as <see cref="AccessLimits.CallerOf"/> counts them), and of all addresses together.</summary>
internal sealed class ConnectionPlaces(int perAddress, int all, TimeProvider time)
{
    private static readonly TimeSpan ToldEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _open = [];
    private int _all;
    private long? _toldAt;

    /// <summary>Takes one.</summary>
    /// <param name="address">For whom.</param>
    /// <param name="key">To give it back with.</param>
    /// <param name="isNews">There is none, and nobody was told so within the last minute.</param>
    /// <returns>False: there is none.</returns>
    public bool TryEnter(IPAddress? address, out string key, out bool isNews)
    {
        key = AccessLimits.CallerOf(address);
        return TryEnter(key, out isNews);
    }

    /// <summary>The same for somebody who is not known by an address; the key gives it back.</summary>
    public bool TryEnter(string key, out bool isNews)
    {
        isNews = false;
        lock (_gate)
        {
            int open = _open.GetValueOrDefault(key);
            if (open < perAddress && _all < all)
            {
                _open[key] = open + 1;
                _all++;
                return true;
            }

            isNews = _toldAt is not { } told || time.GetElapsedTime(told) >= ToldEvery;
            _toldAt = isNews ? time.GetTimestamp() : _toldAt;
            return false;
        }
    }

    /// <summary>Gives one back.</summary>
    public void Leave(string key)
    {
        lock (_gate)
        {
            _all--;
            if (--_open[key] == 0)
            {
                _open.Remove(key);
            }
        }
    }
}
