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
        _tokens = LeftAt(now);
        _filledAt = now;
        if (_tokens < 1)
        {
            return false;
        }

        _tokens--;
        return true;
    }

    /// <summary>What is in it.</summary>
    public double LeftAt(TimeSpan now) => Math.Min(perSecond, _tokens + ((now - _filledAt).TotalSeconds * perSecond));
}

/// <summary>
/// How much is read and answered: in all, because the sessions of this node need its processor, and of each who asks, so that nobody is sent more who never asked: a request that was recorded
/// on its way can be sent again in any name. Pure, with one caller at a time.
/// </summary>
internal sealed class AnswerBudget
{
    /// <summary>Datagrams a second that are looked at, whatever they are and whoever sends them.</summary>
    public const int ReadPerSecond = 2000;

    /// <summary>Answers a second to one address.</summary>
    public const int AnsweredPerSecond = 1000;

    /// <summary>Askers that are told apart at one time: hubs are few. One more takes the place of who has asked least, so that nobody keeps the hub out by asking in many names.</summary>
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
            if (_askers.Count >= MostAskers)
            {
                _askers.Remove(LeastAsking(now));
            }

            _askers.Add(asker, bucket = new TokenBucket(AnsweredPerSecond));
        }

        return bucket.TryTake(now);
    }

    // What it may be sent more than its own thousand by that is bounded by what is read; who has been sent much is the last to lose its place.
    private IPAddress LeastAsking(TimeSpan now)
    {
        var (least, most) = (IPAddress.None, -1.0);
        foreach (var (asker, bucket) in _askers)
        {
            if (bucket.LeftAt(now) is var left && left > most)
            {
                (least, most) = (asker, left);
            }
        }

        return least;
    }
}
