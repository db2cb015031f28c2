using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Reachability.Storage;

/// <summary>
/// Probes on their way to the database, and single ones back. The loop "probe-store" hands the hub's writer every five seconds what has come, for the
/// journal, and minutes that are over, to be packed; each minute it has hours rolled up and what is too old removed, all in small steps. What was in the
/// journal when the hub ended is there again when it has started: seconds are lost at most, and nothing counts twice.
/// </summary>
internal sealed partial class ProbeSampleStore(IDbContextFactory<HubDbContext> database, HubWriter writer, TimeProvider time, ILogger<ProbeSampleStore> logger) : BackgroundService
{
    /// <summary>So many single probes at most are read at once.</summary>
    public const int MostRead = 10_000;

    private static readonly TimeSpan HandOverEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan TidyEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RemoveSeriesEvery = TimeSpan.FromHours(1);

    /// <summary>What has not been probed for so long is no longer in memory or in the journal; the writer drops what it cannot write for hours.</summary>
    private static readonly TimeSpan InUseFor = TimeSpan.FromHours(24);

    /// <summary>Answers of a minute come in until then: longer than any probe of the hub is out.</summary>
    private static readonly TimeSpan MinuteEndsAfter = TimeSpan.FromSeconds(3);

    private readonly Lock _gate = new();
    private readonly OpenMinutes _open = new();
    private readonly Dictionary<ProbeSeries, (TimeSpan Interval, long AddedAt)> _intervals = [];
    private long _removedSeriesAt = time.GetTimestamp();
    private readonly SeriesIds _ids = new();
    private ProbeRetention _kept = new(TimeSpan.FromHours(24), TimeSpan.FromDays(30), TimeSpan.FromDays(400));
    private bool _journaling;
    private bool _packing;
    private long _toldLost;

    /// <summary>Probes that could not be kept, because the database cannot be written for minutes or there were too many.</summary>
    public long Lost
    {
        get
        {
            lock (_gate)
            {
                return _open.Lost;
            }
        }
    }

    /// <summary>Takes a probe without waiting; it is on disk some seconds later.</summary>
    /// <param name="series">Of what, from where.</param>
    /// <param name="interval">From one of them to the next when nothing happens; what is missing for three times that is unknown.</param>
    /// <param name="sample">The probe.</param>
    public void Add(ProbeSeries series, TimeSpan interval, ProbeSample sample)
    {
        lock (_gate)
        {
            _intervals[series] = (interval, time.GetTimestamp());
            _open.Add(series, interval, sample);
        }
    }

    /// <summary>How long things are kept from now on: 24 hours, 30 and 400 days at first.</summary>
    public void KeepFor(ProbeRetention kept)
    {
        lock (_gate)
        {
            _kept = kept;
        }
    }

    /// <summary>The shortest point of a chart from that moment on: of what is older than single probes are kept there are minutes, and then hours.</summary>
    public TimeSpan ShortestStepFrom(DateTimeOffset begin)
    {
        lock (_gate)
        {
            TimeSpan age = time.GetUtcNow() - begin;
            return age <= _kept.Raw ? TimeSpan.Zero : age <= _kept.Minutes ? TimeSpan.FromMinutes(1) : TimeSpan.FromHours(1);
        }
    }

    /// <summary>Single probes, oldest first: the oldest ones when there are more than the limit.</summary>
    /// <param name="series">Of what, from where.</param>
    /// <param name="from">At or after.</param>
    /// <param name="to">Before.</param>
    /// <param name="limit">1 to <see cref="MostRead"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<IReadOnlyList<ProbeSample>> ReadAsync(ProbeSeries series, DateTimeOffset from, DateTimeOffset to, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MostRead);

        // Memory first: what is packed meanwhile is found in both, and counts once.
        IReadOnlyList<ProbeSample> open = InMemory(series, from, to);
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        List<ProbeSample> stored = await RawReading.ReadAsync(db, series, from, to, limit, cancellationToken);
        List<ProbeSample> all = SampleUnion.Of(stored, open);
        return all.Count > limit ? all[..limit] : all;
    }

    /// <summary>Single probes that may not be in the packed rows yet, oldest first.</summary>
    public IReadOnlyList<ProbeSample> InMemory(ProbeSeries series, DateTimeOffset from, DateTimeOffset to)
    {
        lock (_gate)
        {
            return _open.Samples(series, from, to);
        }
    }

    /// <summary>What an earlier life of the hub left in the journal comes back; the prober starts after that.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await RecoverAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <summary>What is in memory only is handed over; the writer, which ends after this, brings it to the disk.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        HandOver(last: true);
    }

    internal async Task RecoverAsync(CancellationToken cancellationToken)
    {
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        if (await db.ProbeJournal.MaxAsync(j => (long?)j.Minute, cancellationToken) is { } newest)
        {
            // No more minutes than that ever wait. What is older was packed, and left behind by a hub of before this line: packed once more, by then without its other probes, it would be wrong.
            long oldest = newest - OpenMinutes.MostWaiting;
            await db.ProbeJournal.Where(j => j.Minute < oldest).ExecuteDeleteAsync(cancellationToken);
        }

        foreach ((ProbeSeries series, TimeSpan interval, List<ProbeSample> samples) in await ProbeJournal.ReadAllAsync(db, cancellationToken))
        {
            lock (_gate)
            {
                _intervals.TryAdd(series, (interval, time.GetTimestamp()));
                samples.ForEach(s => _open.Add(series, interval, s, stored: true));
            }
        }
    }

    /// <summary>Gives the writer what has come since the last time, and the oldest minute that is over; one of each at a time, but for the last time.</summary>
    internal void HandOver(bool last = false)
    {
        HubWrite? journal = null;
        HubWrite? minute = null;
        lock (_gate)
        {
            if ((last || !_journaling) && _open.TryTakeFresh(out var fresh))
            {
                _journaling = true;
                Dictionary<ProbeSeries, TimeSpan> intervals = fresh.Keys.Select(k => k.Series).Distinct().ToDictionary(s => s, s => _intervals.TryGetValue(s, out var known) ? known.Interval : TimeSpan.FromSeconds(1));
                journal = new AddToJournal(fresh, s => intervals[s], _ids, EndJournaling);
            }

            if (!_packing && _open.Over(time.GetUtcNow() - MinuteEndsAfter) is { } over)
            {
                _packing = true;
                minute = new PackMinute(writer, over.Minute, over.Series, 0, _ids, gone => EndPacking(over, gone));
            }
        }

        // Refused when the writer is 20,000 writes behind; what was for the journal only is packed with its minute all the same.
        if (journal is not null && !writer.Enqueue(journal))
        {
            EndJournaling(false);
        }

        if (minute is not null && !writer.Enqueue(minute))
        {
            lock (_gate)
            {
                _packing = false;
            }
        }

        TellOfLost();
    }

    /// <summary>Has the writer roll up hours and remove what is too old.</summary>
    internal void Tidy()
    {
        ProbeRetention kept;
        lock (_gate)
        {
            kept = _kept;
        }

        if (time.GetElapsedTime(_removedSeriesAt) >= RemoveSeriesEvery)
        {
            _removedSeriesAt = time.GetTimestamp();
            ForgetUnused();
            writer.Enqueue(new RemoveSeries(writer, _ids, IsInUse));
        }

        DateTimeOffset now = time.GetUtcNow();
        writer.Enqueue(new RollHours(writer, (now - MinuteEndsAfter).ToUnixTimeMilliseconds() / RollupScale.HoursOfADay.SlotMs));
        writer.Enqueue(new RemoveProbes(writer, now, kept));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(HandOverEvery, time);
        long tidied = time.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                HandOver();
                if (time.GetElapsedTime(tidied) >= TidyEvery)
                {
                    tidied = time.GetTimestamp();
                    Tidy();
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The hub stops.
        }
    }

    private bool IsInUse(ProbeSeries series)
    {
        lock (_gate)
        {
            return _intervals.ContainsKey(series);
        }
    }

    private void ForgetUnused()
    {
        lock (_gate)
        {
            foreach (ProbeSeries unused in _intervals.Where(s => time.GetElapsedTime(s.Value.AddedAt) >= InUseFor).Select(s => s.Key).ToArray())
            {
                _intervals.Remove(unused);
            }
        }
    }

    private void EndJournaling(bool stored)
    {
        lock (_gate)
        {
            _journaling = false;
        }

        if (!stored)
        {
            LogNotJournaled();
        }
    }

    private void EndPacking((long Minute, IReadOnlyList<MinuteOfSeries> Series) over, bool gone)
    {
        lock (_gate)
        {
            _packing = false;
            if (gone)
            {
                _open.Packed(over.Minute, over.Series);
            }
        }
    }

    private void TellOfLost()
    {
        long lost = Lost;
        if (lost > _toldLost)
        {
            LogLost(lost - _toldLost);
            _toldLost = lost;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Some seconds of probes are not in the journal; they would be lost if the hub were killed within this minute")]
    private partial void LogNotJournaled();

    [LoggerMessage(Level = LogLevel.Error, Message = "{Count} probes are not kept: the database has not taken any for minutes, or an address had too many in one minute; charts have a gap there")]
    private partial void LogLost(long count);
}
