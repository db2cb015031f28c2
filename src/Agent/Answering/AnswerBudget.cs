using System.Net;

namespace FailoverHub.Agent.Answering;

/// <summary>A bucket that fills with so many tokens a second, up to as many.</summary>
/// <param name="perSecond">More than 0.</param>
internal sealed class TokenBucket(int perSecond)
{
    private double _tokens = perSecond;
    private TimeSpan _filledAt;

    /// <summary>Takes one, if there is one.</summary>
    /// <param name="now">Monotonic.</param>
    public bool TryTake(TimeSpan now)
    {
        _tokens = Math.Min(perSecond, _tokens + ((now - _filledAt).TotalSeconds * perSecond));
        _filledAt = now;
        if (_tokens < 1)
        {
            return false;
        }

        _tokens--;
        return true;
    }

    /// <summary>Nobody has taken from it for a second.</summary>
    public bool IsFull(TimeSpan now) => _tokens + ((now - _filledAt).TotalSeconds * perSecond) >= perSecond;
}

/// <summary>How much is read and answered: in all, because the sessions of this node need its processor, and of each who asks. Pure, with one caller at a time.</summary>
internal sealed class AnswerBudget
{
    /// <summary>Datagrams a second that are looked at, whatever they are and whoever sends them.</summary>
    public const int ReadPerSecond = 2000;

    /// <summary>Answers a second to one address.</summary>
    public const int AnsweredPerSecond = 1000;

    /// <summary>Askers that are told apart at one time; hubs are few, and only who has a hub's key is one.</summary>
    public const int MostAskers = 16;

    private readonly TokenBucket _read = new(ReadPerSecond);
    private readonly Dictionary<IPAddress, TokenBucket> _askers = [];

    /// <summary>One more datagram may be looked at.</summary>
    public bool MayRead(TimeSpan now) => _read.TryTake(now);

    /// <summary>This one may be answered once more.</summary>
    public bool MayAnswer(IPAddress asker, TimeSpan now)
    {
        if (!_askers.TryGetValue(asker, out var bucket))
        {
            foreach (var quiet in _askers.Where(known => known.Value.IsFull(now)).Select(known => known.Key).ToList())
            {
                _askers.Remove(quiet);
            }

            if (_askers.Count >= MostAskers)
            {
                return false;
            }

            _askers.Add(asker, bucket = new TokenBucket(AnsweredPerSecond));
        }

        return bucket.TryTake(now);
    }
}
