namespace FailoverHub.Web.Reachability.Storage;

/// <summary>
/// What the probes of some time come to. Rollups of any parts of that time, in any order, make the same one together: counts and times are added up,
/// percentiles come from <see cref="RoundTrips"/>, and the silence at either end is kept, so that one that goes on over a boundary is found whole.
/// Times are UTC epoch milliseconds, round trips microseconds. There is none of a time without probes: that is unknown, not lost.
/// </summary>
internal sealed record ProbeRollup
{
    /// <summary>No round trip is taken for longer than that: ten minutes.</summary>
    public const long LongestUs = 600_000_000;

    /// <summary>Probes that were sent, 1 and up.</summary>
    public required int Sent { get; init; }

    /// <summary>Those without an answer.</summary>
    public required int Lost { get; init; }

    /// <summary>When the first probe was sent.</summary>
    public required long FirstMs { get; init; }

    /// <summary>When the last probe was sent.</summary>
    public required long LastMs { get; init; }

    /// <summary>The first probe was not answered.</summary>
    public required bool BeginsSilent { get; init; }

    /// <summary>The last probe was not answered.</summary>
    public required bool EndsSilent { get; init; }

    /// <summary>No probe was answered, and none was missing between them.</summary>
    public required bool AllSilent { get; init; }

    /// <summary>From the first probe to what ended the silence that it began with, milliseconds; 0: it was answered.</summary>
    public required long HeadMs { get; init; }

    /// <summary>From what began the silence at the end to the last probe, milliseconds; 0: it was answered.</summary>
    public required long TailMs { get; init; }

    /// <summary>The longest silence, milliseconds: from one answer to the next with an unanswered probe between them, as far as it was seen. 0: none, or a single probe.</summary>
    public required long LongestMs { get; init; }

    /// <summary>The shortest round trip; 0 without an answer.</summary>
    public required long MinUs { get; init; }

    /// <summary>The longest one; 0 without an answer.</summary>
    public required long MaxUs { get; init; }

    /// <summary>All of them together.</summary>
    public required long SumUs { get; init; }

    /// <summary>How they are spread.</summary>
    public required RoundTripSketch RoundTrips { get; init; }

    /// <summary>Probes with an answer.</summary>
    public int Answered => Sent - Lost;

    /// <summary>The mean round trip in microseconds; null without an answer.</summary>
    public double? MeanUs => Answered > 0 ? (double)SumUs / Answered : null;

    /// <summary>A percentile of the round trips in microseconds, within 2 % of the exact one; null without an answer.</summary>
    public double? PercentileUs(double part) => RoundTrips.Percentile(part) is { } value ? Math.Clamp(value, MinUs, MaxUs) : null;

    /// <summary>Of these probes; null: there are none.</summary>
    /// <param name="samples">By the time of sending, oldest first.</param>
    /// <param name="holeAfter">Without a probe for longer than that, nothing is known of the time between: a silence does not go on over it.</param>
    public static ProbeRollup? Of(IReadOnlyList<ProbeSample> samples, TimeSpan holeAfter)
    {
        if (samples.Count == 0)
        {
            return null;
        }

        var silence = new SilenceMeter((long)holeAfter.TotalMilliseconds);
        var sketch = new RoundTripSketchBuilder();
        int answered = 0;
        (long min, long max, long sum) = (long.MaxValue, 0, 0);
        foreach (ProbeSample sample in samples)
        {
            silence.Take(sample.At.ToUnixTimeMilliseconds(), sample.Answered);
            if (sample.RoundTrip is { } roundTrip)
            {
                long microseconds = MicrosecondsOf(roundTrip);
                (answered, sum) = (answered + 1, sum + microseconds);
                (min, max) = (Math.Min(min, microseconds), Math.Max(max, microseconds));
                sketch.Add(microseconds);
            }
        }

        return silence.Finish(new ProbeRollup
        {
            Sent = samples.Count,
            Lost = samples.Count - answered,
            FirstMs = samples[0].At.ToUnixTimeMilliseconds(),
            LastMs = samples[^1].At.ToUnixTimeMilliseconds(),
            BeginsSilent = !samples[0].Answered,
            EndsSilent = !samples[^1].Answered,
            AllSilent = false,
            HeadMs = 0,
            TailMs = 0,
            LongestMs = 0,
            MinUs = answered > 0 ? min : 0,
            MaxUs = max,
            SumUs = sum,
            RoundTrips = sketch.ToSketch(),
        });
    }

    /// <summary>Of the probes of both. Which one is asked makes no difference; the silences are right where neither lies within the other.</summary>
    public ProbeRollup With(ProbeRollup other, TimeSpan holeAfter)
    {
        (ProbeRollup a, ProbeRollup b) = FirstMs <= other.FirstMs ? (this, other) : (other, this);
        bool joined = b.FirstMs - a.LastMs <= holeAfter.TotalMilliseconds;
        long began = a.EndsSilent ? a.LastMs - a.TailMs : a.LastMs;
        long ended = b.BeginsSilent ? b.FirstMs + b.HeadMs : b.FirstMs;
        long between = joined && (a.EndsSilent || b.BeginsSilent) ? Math.Max(0, ended - began) : 0;
        return new ProbeRollup
        {
            Sent = a.Sent + b.Sent,
            Lost = a.Lost + b.Lost,
            FirstMs = a.FirstMs,
            LastMs = Math.Max(a.LastMs, b.LastMs),
            BeginsSilent = a.BeginsSilent,
            EndsSilent = b.EndsSilent,
            AllSilent = joined && a.AllSilent && b.AllSilent,
            HeadMs = a.AllSilent && joined ? ended - a.FirstMs : a.HeadMs,
            TailMs = b.AllSilent && joined ? b.LastMs - began : b.TailMs,
            LongestMs = Math.Max(between, Math.Max(a.LongestMs, b.LongestMs)),
            MinUs = a.Answered == 0 ? b.MinUs : b.Answered == 0 ? a.MinUs : Math.Min(a.MinUs, b.MinUs),
            MaxUs = Math.Max(a.MaxUs, b.MaxUs),
            SumUs = a.SumUs + b.SumUs,
            RoundTrips = a.RoundTrips.With(b.RoundTrips),
        };
    }

    /// <summary>Of the probes of all of them; null: there are none.</summary>
    public static ProbeRollup? Of(IEnumerable<ProbeRollup> rollups, TimeSpan holeAfter) =>
        rollups.OrderBy(r => r.FirstMs).Aggregate((ProbeRollup?)null, (sum, next) => sum?.With(next, holeAfter) ?? next);

    /// <summary>As it is stored: whole microseconds, from 0 to <see cref="LongestUs"/>.</summary>
    public static long MicrosecondsOf(TimeSpan roundTrip) => Math.Clamp((long)roundTrip.TotalMicroseconds, 0, LongestUs);

    /// <summary>Finds the silences among probes in order.</summary>
    private struct SilenceMeter(long holeAfterMs)
    {
        private long? _first;
        private long _previous;
        private bool _previousAnswered;
        private long? _began;
        private bool _broken;
        private long _head;
        private long _longest;

        public void Take(long at, bool answered)
        {
            bool known = _first is not null && at - _previous <= holeAfterMs;
            if (_first is null)
            {
                _first = at;
            }
            else if (!known)
            {
                End(_previous);
                _broken = true;
            }

            if (answered)
            {
                End(at);
                _broken = true;
            }
            else
            {
                _began ??= known && _previousAnswered ? _previous : at;
            }

            (_previous, _previousAnswered) = (at, answered);
        }

        public ProbeRollup Finish(ProbeRollup rollup)
        {
            long tail = _began is { } began ? _previous - began : 0;
            bool all = _began is not null && !_broken;
            return rollup with { AllSilent = all, HeadMs = all ? tail : _head, TailMs = tail, LongestMs = Math.Max(_longest, tail) };
        }

        private void End(long at)
        {
            if (_began is { } began)
            {
                _longest = Math.Max(_longest, at - began);
                _head = _broken ? _head : at - began;
                _began = null;
            }
        }
    }
}
