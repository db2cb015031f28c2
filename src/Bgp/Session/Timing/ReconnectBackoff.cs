namespace FailoverHub.Bgp.Session.Timing;

// How long to wait before the next dial: 1.5 s at first, doubled with each failure, at most the connect-retry time; each with the jitter of
// RFC 4271 10 (0.75 to 1), so that agents that lost the same route server do not return in step; and never less than a second.
//
// This is also what the RFC calls DampPeerOscillations (8.1.1): a neighbor that ends one session after the other with a NOTIFICATION, or that we have to end so, has
// something to say that the next dial does not change. From the third in a row on the wait grows to six times the connect-retry time.
internal sealed class ReconnectBackoff(TimeSpan longest, Random random)
{
    // A session that held this long was a good one: the next failure is a new story and starts with the short wait again.
    public static readonly TimeSpan StableAfter = TimeSpan.FromSeconds(10);

    private const int PatientRefusals = 2;
    private const int LongestAfterRefusals = 6;

    private static readonly TimeSpan First = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan Floor = TimeSpan.FromSeconds(1);

    private TimeSpan _next = First;
    private int _refusals;

    public void Reset()
    {
        _next = First;
        _refusals = 0;
    }

    // After a dial that failed or a connection that was lost.
    public TimeSpan Next()
    {
        _refusals = 0;
        return Next(longest);
    }

    // After a NOTIFICATION, of either side.
    public TimeSpan NextAfterRefusal()
    {
        _refusals = Math.Min(_refusals + 1, PatientRefusals + 1);
        return Next(_refusals > PatientRefusals ? longest * LongestAfterRefusals : longest);
    }

    public TimeSpan Jittered(TimeSpan interval) => interval * (0.75 + (0.25 * random.NextDouble()));

    private TimeSpan Next(TimeSpan most)
    {
        var wait = Jittered(Min(_next, most));
        _next = Min(_next * 2, most);
        return wait < Floor ? Min(Floor, longest) : wait;
    }

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
