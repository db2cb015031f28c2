using System.Diagnostics.CodeAnalysis;

namespace FailoverHub.Web.Reachability.Storage;

/// <summary>What is probed, and from where.</summary>
/// <param name="Target">A shared prefix as CIDR text, or the id of another target.</param>
/// <param name="Vantage">"hub", or the id of the node that probes.</param>
internal readonly record struct ProbeSeries(string Target, string Vantage)
{
    /// <summary>The vantage point that is the hub itself.</summary>
    public const string Hub = "hub";
}

/// <summary>The probes of one series in one minute, as far as they are in memory.</summary>
/// <param name="interval">From one probe to the next when nothing happens.</param>
internal sealed class OpenMinute(TimeSpan interval)
{
    private readonly List<ProbeSample> _samples = [];

    /// <summary>From one probe to the next when nothing happens; what the series has now.</summary>
    public TimeSpan Interval { get; set; } = interval;

    /// <summary>In order of coming.</summary>
    public IReadOnlyList<ProbeSample> Samples => _samples;

    /// <summary>False: there are as many as a minute may have, and it is not kept.</summary>
    public bool TryAdd(ProbeSample sample)
    {
        if (_samples.Count >= SampleBytes.MostSamples)
        {
            return false;
        }

        _samples.Add(sample);
        return true;
    }
}

/// <summary>
/// The probes that are not in the packed rows yet, by minute and series; pure. Those that came since the last time are handed out once, for the journal;
/// a minute that is over is handed out to be packed, and stays until that is done. Not for more than one thread.
/// </summary>
internal sealed class OpenMinutes
{
    /// <summary>So many minutes at most wait for a database that cannot be written; the oldest is given up for a newer one.</summary>
    public const int MostWaiting = 10;

    private readonly SortedDictionary<long, Dictionary<ProbeSeries, OpenMinute>> _minutes = [];
    private Dictionary<(long Minute, ProbeSeries Series), List<ProbeSample>> _fresh = [];

    /// <summary>Probes that were not kept: a minute was full, or had to be given up.</summary>
    public long Lost { get; private set; }

    /// <summary>Minutes there are something of, oldest first.</summary>
    public IReadOnlyCollection<long> Minutes => _minutes.Keys;

    /// <summary>Which minute a moment is in.</summary>
    public static long MinuteOf(DateTimeOffset at) => Math.DivRem(at.ToUnixTimeMilliseconds(), SampleBytes.MinuteMs, out long rest) - (rest < 0 ? 1 : 0);

    /// <summary>Takes a probe.</summary>
    /// <param name="series">Of what.</param>
    /// <param name="interval">From one of them to the next when nothing happens.</param>
    /// <param name="sample">The probe.</param>
    /// <param name="stored">It was read from the journal, which need not be given it again.</param>
    public void Add(ProbeSeries series, TimeSpan interval, ProbeSample sample, bool stored = false)
    {
        long minute = MinuteOf(sample.At);
        if (!_minutes.TryGetValue(minute, out Dictionary<ProbeSeries, OpenMinute>? all))
        {
            all = [];
            _minutes.Add(minute, all);
            if (_minutes.Count > MostWaiting + 1)
            {
                long oldest = _minutes.Keys.First();
                Lost += _minutes[oldest].Values.Sum(m => (long)m.Samples.Count);
                Forget(oldest);
                if (oldest == minute)
                {
                    Lost++;
                    return;
                }
            }
        }

        if (!all.TryGetValue(series, out OpenMinute? open))
        {
            all.Add(series, open = new OpenMinute(interval));
        }

        open.Interval = interval;
        if (!open.TryAdd(sample))
        {
            Lost++;
        }
        else if (!stored)
        {
            if (!_fresh.TryGetValue((minute, series), out List<ProbeSample>? fresh))
            {
                _fresh.Add((minute, series), fresh = []);
            }

            fresh.Add(sample);
        }
    }

    /// <summary>What has come since this was last asked, by minute and series, each oldest first; false: nothing.</summary>
    public bool TryTakeFresh([NotNullWhen(true)] out IReadOnlyDictionary<(long Minute, ProbeSeries Series), List<ProbeSample>>? fresh)
    {
        fresh = _fresh;
        _fresh = [];
        foreach (List<ProbeSample> samples in fresh.Values)
        {
            samples.Sort((a, b) => a.At.CompareTo(b.At));
        }

        return fresh.Count > 0;
    }

    /// <summary>The oldest minute that was over at that moment, with all its series; null: none is.</summary>
    public (long Minute, IReadOnlyList<MinuteOfSeries> Series)? Over(DateTimeOffset before)
    {
        long now = MinuteOf(before);
        return _minutes.Count > 0 && _minutes.First() is var (minute, all) && minute < now
            ? (minute, [.. all.OrderBy(s => s.Key.Target, StringComparer.Ordinal).ThenBy(s => s.Key.Vantage, StringComparer.Ordinal).Select(s => new MinuteOfSeries(s.Key, s.Value.Interval, [.. s.Value.Samples]))])
            : null;
    }

    /// <summary>That much of the minute is packed: what has come since stays.</summary>
    public void Packed(long minute, IReadOnlyList<MinuteOfSeries> packed)
    {
        if (!_minutes.TryGetValue(minute, out Dictionary<ProbeSeries, OpenMinute>? all))
        {
            return;
        }

        foreach ((ProbeSeries series, TimeSpan interval, IReadOnlyList<ProbeSample> samples) in packed)
        {
            if (all.Remove(series, out OpenMinute? open) && open.Samples.Count > samples.Count)
            {
                var late = new OpenMinute(interval);
                all.Add(series, late);
                foreach (ProbeSample sample in open.Samples.Skip(samples.Count))
                {
                    late.TryAdd(sample);
                }
            }
        }

        if (all.Count == 0)
        {
            Forget(minute);
        }
    }

    /// <summary>The probes of a series that are in memory, oldest first.</summary>
    /// <param name="series">Which.</param>
    /// <param name="from">At or after.</param>
    /// <param name="to">Before.</param>
    public IReadOnlyList<ProbeSample> Samples(ProbeSeries series, DateTimeOffset from, DateTimeOffset to) =>
    [
        .. _minutes.Where(m => m.Key >= MinuteOf(from) && m.Key <= MinuteOf(to))
            .SelectMany(m => m.Value.TryGetValue(series, out OpenMinute? open) ? open.Samples : [])
            .Where(s => s.At >= from && s.At < to)
            .OrderBy(s => s.At),
    ];

    private void Forget(long minute)
    {
        _minutes.Remove(minute);
        foreach ((long, ProbeSeries) gone in _fresh.Keys.Where(k => k.Minute == minute).ToArray())
        {
            _fresh.Remove(gone);
        }
    }
}
