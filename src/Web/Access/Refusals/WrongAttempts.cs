using System.Net;

namespace FailoverHub.Web.Access.Refusals;

/// <summary>
/// How many wrong secrets one address (a /64 of IPv6) may try in a minute; then they are not even looked up until it is over. Its memory is bounded: of more than
/// <see cref="MaxAddresses"/> addresses in one minute the rest are not counted, and never blocked: whoever has many addresses must not be able to close the door for everybody else's.
/// </summary>
internal abstract class WrongAttempts(TimeProvider time, int perAddressAndMinute)
{
    internal const int MaxAddresses = 4_096;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _wrong = [];
    private long _windowBegan = time.GetTimestamp();
    private bool _anyBlocked;

    /// <summary>Whether this address has tried too often and is not even looked up, until the minute is over.</summary>
    /// <param name="address">Where it comes from.</param>
    /// <param name="isNews">Nobody has been told in this minute that somebody is.</param>
    public bool IsBlocked(IPAddress? address, out bool isNews)
    {
        lock (_gate)
        {
            Turn();
            var blocked = _wrong.GetValueOrDefault(AccessLimits.CallerOf(address)) >= perAddressAndMinute;
            isNews = blocked && !_anyBlocked;
            _anyBlocked |= blocked;
            return blocked;
        }
    }

    /// <summary>One more was wrong.</summary>
    public void Note(IPAddress? address)
    {
        lock (_gate)
        {
            Turn();
            var key = AccessLimits.CallerOf(address);
            if (_wrong.ContainsKey(key) || _wrong.Count < MaxAddresses)
            {
                _wrong[key] = _wrong.GetValueOrDefault(key) + 1;
            }
        }
    }

    private void Turn()
    {
        if (time.GetElapsedTime(_windowBegan) < Window)
        {
            return;
        }

        _windowBegan = time.GetTimestamp();
        _wrong.Clear();
        _anyBlocked = false;
    }
}
