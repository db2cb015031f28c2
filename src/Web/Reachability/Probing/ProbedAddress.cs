using System.Collections.Immutable;

namespace FailoverHub.Web.Reachability.Probing;

/// <summary>One address on the board: when it is due, what is out, and what came back. Times are those of the prober's clock.</summary>
internal sealed class ProbedAddress(ProbeTarget target)
{
    /// <summary>Two in a row: one lost packet is no outage.</summary>
    private const int FailuresThatMeanLost = 2;

    /// <summary>In a burst two in a row are lost within a hundredth of a second; they count as much as they do at ten a second.</summary>
    private static readonly TimeSpan ShortestLoss = TimeSpan.FromMilliseconds(80);

    // Each sample, and when it was sent; a slow answer may come after a newer one, so both are kept in order of sending.
    private ImmutableArray<ProbeSample> _samples = [];
    private ImmutableArray<TimeSpan> _sentAt = [];

    // Sent while the hub may have been cut off itself: silence that says nothing of the address.
    private readonly HashSet<TimeSpan> _doubted = [];
    private ImmutableArray<ProbeSample>? _recent;

    public ProbeTarget Target { get; set; } = target;

    public TimeSpan Due { get; set; }

    /// <summary>Probes without a result so far.</summary>
    public int Out { get; set; }

    /// <summary>No longer probed: what is still in a queue or on its way counts for nothing.</summary>
    public bool Gone { get; set; }

    /// <summary>Looked at closely, as the board has room for it.</summary>
    public bool Close { get; set; }

    /// <summary>Probed in a burst, as the board has room for it.</summary>
    public bool Bursting { get; set; }

    /// <summary>When the newest reason for a burst began; null: there was none yet.</summary>
    public TimeSpan? StirredFrom { get; private set; }

    /// <summary>When there last was one.</summary>
    public TimeSpan? StirredAt { get; private set; }

    /// <summary>When the last thing happened to it; null: nothing yet.</summary>
    public TimeSpan? NewsAt { get; set; }

    /// <summary>The newest samples that say something of the address, oldest first.</summary>
    public ImmutableArray<ProbeSample> Recent => _recent ??= _doubted.Count == 0 ? _samples : [.. _samples.Where((_, i) => !_doubted.Contains(_sentAt[i]))];

    /// <summary>The newest probe had no answer, and whether that says anything is not known.</summary>
    public bool IsNewestDoubted => !_sentAt.IsEmpty && _doubted.Contains(_sentAt[^1]);

    public string? Problem { get; set; }

    public bool Lost { get; private set; }

    public TimeSpan? LostSince { get; private set; }

    public TimeSpan? LastAnsweredSentAt { get; private set; }

    /// <summary>How long an answer takes usually: smoothed, a newer one counts for an eighth. Zero: none has come.</summary>
    public TimeSpan UsualRoundTrip { get; private set; }

    public TimeSpan? NewestSentAt => _sentAt.IsEmpty ? null : _sentAt[^1];

    /// <summary>So many of the newest probes were not answered.</summary>
    public int Failures { get; private set; }

    /// <summary>When the so-manieth of the newest probes was sent that had no answer; null: so many were not lost in a row.</summary>
    public TimeSpan? SilentSince(int probes) => Failures >= probes ? _sentAt[^(Failures - probes + 1)] : null;

    /// <summary>The probe of that time had no answer, and the hub may have been cut off itself then: it counts for nothing.</summary>
    public void Doubt(TimeSpan sentAt)
    {
        if (_sentAt.Contains(sentAt) && _doubted.Add(sentAt))
        {
            _recent = null;
        }
    }

    /// <summary>Whether it would be looked at closely if there is room.</summary>
    public bool DeservesACloseLook(ProbePace pace, TimeSpan now) =>
        Target.IsShared && (Target.Changing || DeservesABurst(pace, now)
        || (NewsAt is { } news && now - news < pace.CloseFor)
        || (LostSince is { } lost && now - lost < pace.CloseWhileLost));

    /// <summary>Whether it would be probed in a burst if there is room: beginning and end of what happens are to be known exactly, for as long as that takes and no longer.</summary>
    public bool DeservesABurst(ProbePace pace, TimeSpan now) =>
        Target.IsShared && StirredAt is { } stirred && now - stirred < pace.SettlesWithin && StirredFrom is { } from && now - from < pace.BurstFor;

    /// <summary>Something happens to the address that is worth a burst.</summary>
    /// <param name="anew">It is another thing than before, whatever was then.</param>
    /// <param name="pace">How long a burst lasts, and how long there is none after it.</param>
    /// <param name="now">When.</param>
    public void Stir(bool anew, ProbePace pace, TimeSpan now)
    {
        StirredFrom = anew || StirredAt is not { } before || now - before >= pace.SettlesWithin ? now : StirredFrom;
        StirredAt = StirredAt > now ? StirredAt : now;
    }

    /// <summary>Whether the answer to a probe of that time is overdue: none to it or to a later one has come, from an address that answered shortly before.</summary>
    public bool IsOverdue(TimeSpan sentAt, ProbePace pace) =>
        !Gone && LastAnsweredSentAt is { } answered && answered < sentAt && sentAt - answered < pace.BurstFor;

    /// <summary>Takes in a result. Returns what changed by it, or null.</summary>
    /// <param name="sample">The result.</param>
    /// <param name="sentAt">When the probe was sent.</param>
    /// <param name="proven">Whether silence at a time may be believed: it may not while the hub itself may be cut off.</param>
    public ReachabilityChange? Record(ProbeSample sample, TimeSpan sentAt, Func<TimeSpan, bool> proven)
    {
        Problem = null;
        Keep(sample, sentAt);
        int before = Failures;
        Failures = 0;
        while (Failures < _samples.Length && !_samples[^(Failures + 1)].Answered)
        {
            Failures++;
        }

        if ((before == 0) != (Failures == 0))
        {
            NewsAt = sentAt;
        }

        if (sample.Answered)
        {
            // How long it really was silent is not known if it never answered before.
            TimeSpan? silence = LastAnsweredSentAt is { } last ? sentAt - last : null;
            LastAnsweredSentAt = LastAnsweredSentAt > sentAt ? LastAnsweredSentAt : sentAt;
            UsualRoundTrip = silence is null ? sample.RoundTrip!.Value : UsualRoundTrip + ((sample.RoundTrip!.Value - UsualRoundTrip) / 8);
            if (!Lost || Failures > 0)
            {
                return null;
            }

            (Lost, LostSince) = (false, null);
            return new ReachabilityChange(Target, Lost: false, sample.At, silence, null);
        }

        if (Lost || !MeansLost(proven))
        {
            return null;
        }

        (Lost, LostSince) = (true, _sentAt[^Failures]);
        return new ReachabilityChange(Target, Lost: true, _samples[^1].At, null, _samples[^1].Error);
    }

    /// <summary>
    /// Two probes were lost that were not sent in the same moment, and all between them and since; and of both it is proven that it was not the hub that was cut off. What is refused at once
    /// comes before a gateway can have answered after it, so of the newest ones that may not be known yet.
    /// </summary>
    private bool MeansLost(Func<TimeSpan, bool> proven)
    {
        int newest = 1;
        while (newest <= Failures && !proven(_sentAt[^newest]))
        {
            newest++;
        }

        int other = newest + FailuresThatMeanLost - 1;
        while (other <= Failures && _sentAt[^newest] - _sentAt[^other] < ShortestLoss)
        {
            other++;
        }

        return other <= Failures && proven(_sentAt[^other]);
    }

    private void Keep(ProbeSample sample, TimeSpan sentAt)
    {
        int place = _sentAt.Length;
        while (place > 0 && _sentAt[place - 1] > sentAt)
        {
            place--;
        }

        int old = 0;
        while (old < place && _samples.Length - old >= KnownTarget.Fewest && (_samples.Length - old >= KnownTarget.MostRecent || sentAt - _sentAt[old] >= KnownTarget.KeptFor))
        {
            _doubted.Remove(_sentAt[old]);
            old++;
        }

        _recent = null;
        _samples = [.. _samples.AsSpan()[old..place], sample, .. _samples.AsSpan()[place..]];
        _sentAt = [.. _sentAt.AsSpan()[old..place], sentAt, .. _sentAt.AsSpan()[place..]];
    }
}

/// <summary>An address stopped answering, or answers again.</summary>
/// <param name="Target">Which.</param>
/// <param name="Lost">It stopped; else it is back.</param>
/// <param name="At">When the probe that showed it was sent.</param>
/// <param name="Silence">From the last answered probe to the first answered one again; null when that is not known.</param>
/// <param name="Error">Why the last probe had no answer.</param>
internal sealed record ReachabilityChange(ProbeTarget Target, bool Lost, DateTimeOffset At, TimeSpan? Silence, string? Error);
