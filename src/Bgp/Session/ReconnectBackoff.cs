namespace FailoverHub.Bgp.Session;

// How long to wait before the next dial: 1.5 s at first, doubled with each failure, at most the connect-retry time; each with the jitter of
// RFC 4271 10 (0.75 to 1), so that agents that lost the same route server do not return in step; and never less than a second.
internal sealed class ReconnectBackoff(TimeSpan longest, Random random)
{
    // A session that held this long was a good one: the next failure is a new story and starts with the short wait again.
    public static readonly TimeSpan StableAfter = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan First = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan Floor = TimeSpan.FromSeconds(1);

    private TimeSpan _next = First;

    public void Reset() => _next = First;

    public TimeSpan Next()
    {
        var wait = Jittered(Min(_next, longest));
        _next = Min(_next * 2, longest);
        return wait < Floor ? Min(Floor, longest) : wait;
    }

    public TimeSpan Jittered(TimeSpan interval) => interval * (0.75 + (0.25 * random.NextDouble()));

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
