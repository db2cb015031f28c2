using System.Net;
using FailoverHub.Web.Access;

namespace FailoverHub.Web.Identity;

/// <summary>What to do with a wrong join token.</summary>
internal enum WrongToken
{
    /// <summary>Answer, and write it into the audit.</summary>
    Audit,

    /// <summary>Answer, audit that no more of this minute are audited, and log it.</summary>
    AuditAndSayThatNoMoreAre,

    /// <summary>Answer only.</summary>
    AnswerOnly,
}

/// <summary>
/// How many wrong join tokens one address may try in a minute, and how many of them, of all addresses together, are written down. Its memory is
/// bounded: of more than <see cref="MaxAddresses"/> addresses in one minute all are counted as one.
/// </summary>
internal sealed class WrongTokens(TimeProvider time)
{
    public const int PerAddressAndMinute = 10;
    public const int AuditedPerMinute = 60;
    private const int MaxAddresses = 4_096;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _wrong = [];
    private long _windowBegan = time.GetTimestamp();
    private int _all;
    private bool _anyBlocked;

    /// <summary>Whether this address has tried too often and is not even looked up, until the minute is over.</summary>
    /// <param name="address">Where it comes from.</param>
    /// <param name="isNews">Nobody has been told in this minute that somebody is.</param>
    public bool IsBlocked(IPAddress? address, out bool isNews)
    {
        lock (_gate)
        {
            Turn();
            var blocked = _wrong.GetValueOrDefault(KeyOf(address)) >= PerAddressAndMinute;
            isNews = blocked && !_anyBlocked;
            _anyBlocked |= blocked;
            return blocked;
        }
    }

    public WrongToken Note(IPAddress? address)
    {
        lock (_gate)
        {
            Turn();
            var key = KeyOf(address);
            _wrong[key] = _wrong.GetValueOrDefault(key) + 1;
            _all++;
            return _all < AuditedPerMinute ? WrongToken.Audit : _all == AuditedPerMinute ? WrongToken.AuditAndSayThatNoMoreAre : WrongToken.AnswerOnly;
        }
    }

    private string KeyOf(IPAddress? address)
    {
        var key = AccessLimits.CallerOf(address);
        return _wrong.ContainsKey(key) || _wrong.Count < MaxAddresses ? key : "";
    }

    private void Turn()
    {
        if (time.GetElapsedTime(_windowBegan) < Window)
        {
            return;
        }

        _windowBegan = time.GetTimestamp();
        _wrong.Clear();
        _all = 0;
        _anyBlocked = false;
    }
}
