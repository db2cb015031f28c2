namespace FailoverHub.Agent.Hub;

/// <summary>
/// The waits between dials of the hub: doubling from 0.2 s to 10 s, each one somewhere between half of it and the whole, so that a
/// fleet does not come back in one moment.
/// </summary>
internal sealed class HubBackoff(Random random, TimeSpan longest)
{
    public static readonly TimeSpan First = TimeSpan.FromMilliseconds(200);
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private TimeSpan _ceiling = First;

    /// <summary>The hub was of use: the next loss starts from the beginning.</summary>
    public void Reset() => _ceiling = First;

    /// <summary>Something is wrong that dialling soon cannot mend.</summary>
    public void Exhaust() => _ceiling = longest;

    /// <param name="most">The longest that this one may be; null: as always. More for a hub that will not take this node before somebody has done something.</param>
    public TimeSpan Next(TimeSpan? most = null)
    {
        var top = most ?? longest;
        var ceiling = _ceiling < top ? _ceiling : top;
        _ceiling = ceiling * 2 < top ? ceiling * 2 : top;
        return ceiling * (0.5 + (random.NextDouble() / 2));
    }
}
