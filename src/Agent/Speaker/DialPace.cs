namespace FailoverHub.Agent.Speaker;

/// <summary>
/// When a dial that nobody answers is begun again with a new socket. The kernel repeats a lost SYN after one second and after two more,
/// so a path that heals would be found late; a new socket sends one at once. Eager while the silence is young; later the kernel's
/// own pace is enough, so that a neighbor that stays away is not bothered. And eager only where a new socket cannot overtake an answer that is
/// still on its way: where the neighbor is known to be near, or nothing could be sent at all. Time in, time out.
/// </summary>
/// <param name="patience">How long one dial may last.</param>
/// <param name="random">For the jitter: when a path heals, the sessions over it shall not all have just missed the moment.</param>
internal sealed class DialPace(TimeSpan patience, Random random)
{
    /// <summary>The most between two SYNs, three quarters of it the least: route servers of the same data center answer within a few milliseconds.</summary>
    public static readonly TimeSpan Eager = TimeSpan.FromMilliseconds(200);

    /// <summary>Of the answers seen, the quickest must not have taken longer: an answer four times as slow still finds its socket.</summary>
    public static readonly TimeSpan Near = Eager * 0.75 / 4;

    /// <summary>How long a silence counts as young: some 300 SYNs of 80 octets in the meantime.</summary>
    public static readonly TimeSpan EagerFor = TimeSpan.FromMinutes(1);

    /// <summary>What the last socket of a dial has at least, for an answer from far away.</summary>
    public static readonly TimeSpan Last = TimeSpan.FromMilliseconds(500);

    private TimeSpan? _silentSince;
    private TimeSpan _begunAt;
    private TimeSpan _sentAt;
    private TimeSpan? _quickestAnswer;

    /// <summary>When the dial has lasted too long.</summary>
    public TimeSpan GiveUpAt => _begunAt + patience;

    /// <summary>When the next socket is wanted; null: the one that there is stays to the end.</summary>
    public TimeSpan? NextAt { get; private set; }

    /// <summary>A dial begins; its first socket follows.</summary>
    public void Begin(TimeSpan now)
    {
        _silentSince ??= now;
        _begunAt = now;
        NextAt = null;
    }

    /// <summary>A socket has been dialled.</summary>
    /// <param name="now">When.</param>
    /// <param name="isUnderWay">An answer may be on its way; false: there was no path to send anything on.</param>
    public void Dialled(TimeSpan now, bool isUnderWay)
    {
        _sentAt = now;
        var next = now + (Eager * (0.75 + (0.25 * random.NextDouble())));
        var eager = !isUnderWay || _quickestAnswer <= Near;
        NextAt = eager && next - _silentSince <= EagerFor && next + Last <= GiveUpAt ? next : null;
    }

    /// <summary>The neighbor has accepted: the silence is over, and how near it is has been seen.</summary>
    public void Connected(TimeSpan now)
    {
        var took = now - _sentAt;
        _quickestAnswer = _quickestAnswer < took ? _quickestAnswer : took;
        Refused();
    }

    /// <summary>Somebody has said no, the neighbor or this host: the silence is over.</summary>
    public void Refused()
    {
        _silentSince = null;
        NextAt = null;
    }
}
