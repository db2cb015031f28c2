using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Reachability.Storage;

/// <summary>The probes of one series in a minute that is over.</summary>
/// <param name="Series">Of what.</param>
/// <param name="Interval">From one probe to the next when nothing happens.</param>
/// <param name="Samples">In order of coming.</param>
internal sealed record MinuteOfSeries(ProbeSeries Series, TimeSpan Interval, IReadOnlyList<ProbeSample> Samples)
{
    /// <summary>Without a probe for longer than that, nothing is known of the time between.</summary>
    public static TimeSpan HoleAfter(TimeSpan interval) => interval * 3 > TimeSpan.FromSeconds(3) ? interval * 3 : TimeSpan.FromSeconds(3);
}

/// <summary>
/// A minute that is over on its way into the packed rows, a step at a time, each behind whatever waits by then; the last step takes the minute out of the
/// journal. What is there already is kept, and each probe is there once: however often a minute is packed, also half, it comes to the same.
/// </summary>
internal sealed class PackMinute(HubWriter writer, long minute, IReadOnlyList<MinuteOfSeries> all, int done, SeriesIds ids, Action<bool> packed) : HubWrite
{
    /// <summary>Series of one step: some hundredths of a second of the writer.</summary>
    public const int Step = 250;

    private readonly MinuteOfSeries[] _step = [.. all.Skip(done).Take(Step)];
    private Dictionary<ProbeSeries, int> _ids = [];

    private bool IsLast => done + _step.Length >= all.Count;

    private (ProbeSeries, TimeSpan)[] Wanted => [.. _step.Select(s => (s.Series, s.Interval))];

    public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        // What came last of the minute is on its way into the journal in the same transaction: it has to be there before the minute is taken out, or it stays for ever.
        await db.SaveChangesAsync(cancellationToken);
        _ids = await ids.OfAsync(db, Wanted, cancellationToken);
        int[] numbers = [.. _ids.Values];
        long hour = Math.DivRem(minute, 60, out long slot);
        Dictionary<int, RawProbesEntity> raws = await db.RawProbes.Where(r => r.Minute == minute && numbers.Contains(r.SeriesId)).ToDictionaryAsync(r => r.SeriesId, cancellationToken);
        Dictionary<int, MinuteRollupsEntity> rollups = await db.MinuteRollups.Where(r => r.Hour == hour && numbers.Contains(r.SeriesId)).ToDictionaryAsync(r => r.SeriesId, cancellationToken);
        foreach (MinuteOfSeries one in _step)
        {
            int id = _ids[one.Series];
            raws.TryGetValue(id, out RawProbesEntity? raw);
            List<ProbeSample> samples = SampleUnion.Of(raw is null ? [] : SampleBytes.TryRead(minute, raw.Data) ?? [], one.Samples);
            if (samples.Count > SampleBytes.MostSamples)
            {
                samples.RemoveRange(SampleBytes.MostSamples, samples.Count - SampleBytes.MostSamples);
            }

            byte[] bytes = SampleBytes.Write(minute, samples);
            if (raw is null)
            {
                db.RawProbes.Add(new RawProbesEntity { Minute = minute, SeriesId = id, Data = bytes });
            }
            else
            {
                raw.Data = bytes;
            }

            if (!rollups.TryGetValue(id, out MinuteRollupsEntity? row))
            {
                db.MinuteRollups.Add(row = new MinuteRollupsEntity { Hour = hour, SeriesId = id, Data = [], Open = true });
            }

            ProbeRollup rollup = ProbeRollup.Of(samples, MinuteOfSeries.HoleAfter(one.Interval))!;
            row.Data = RollupBytes.With(RollupScale.MinutesOfAnHour, hour * RollupScale.MinutesOfAnHour.RowMs, row.Data, (int)slot, rollup);
            row.Open = true;
        }

        if (IsLast)
        {
            await db.ProbeJournal.Where(j => j.Minute == minute).ExecuteDeleteAsync(cancellationToken);
        }

        // The next minute may be in the same transaction, and looks for these rows.
        await db.SaveChangesAsync(cancellationToken);
        db.ChangeTracker.Clear();
    }

    public override void Committed()
    {
        ids.Committed(_ids, Wanted);
        if (IsLast)
        {
            packed(true);
        }
        else if (!writer.Enqueue(new PackMinute(writer, minute, all, done + Step, ids, packed)))
        {
            packed(false);
        }
    }

    public override void Dropped(Exception why) => packed(true);
}

/// <summary>Hours that are over on their way from the minutes into the row of their day, a step at a time.</summary>
internal sealed class RollHours(HubWriter writer, long beforeHour) : HubWrite
{
    /// <summary>Rows of one step.</summary>
    public const int Step = 200;

    private int _rolled;

    public override string Key => "roll-probe-hours";

    public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        await db.SaveChangesAsync(cancellationToken);
        List<MinuteRollupsEntity> open = await db.MinuteRollups.Where(m => m.Open && m.Hour < beforeHour).OrderBy(m => m.SeriesId).ThenBy(m => m.Hour).Take(Step).ToListAsync(cancellationToken);
        _rolled = open.Count;
        if (open.Count == 0)
        {
            return;
        }

        int[] ids = [.. open.Select(m => m.SeriesId).Distinct()];
        long[] days = [.. open.Select(m => m.Hour / 24).Distinct()];
        Dictionary<int, int> intervals = await db.ProbeSeries.AsNoTracking().Where(s => ids.Contains(s.Id)).ToDictionaryAsync(s => s.Id, s => s.IntervalMs, cancellationToken);
        Dictionary<(int, long), HourRollupsEntity> rows = (await db.HourRollups.Where(h => ids.Contains(h.SeriesId) && days.Contains(h.Day)).ToListAsync(cancellationToken)).ToDictionary(h => (h.SeriesId, h.Day));
        foreach (MinuteRollupsEntity minutes in open)
        {
            long day = Math.DivRem(minutes.Hour, 24, out long slot);
            TimeSpan hole = MinuteOfSeries.HoleAfter(TimeSpan.FromMilliseconds(intervals.GetValueOrDefault(minutes.SeriesId, 1_000)));
            if (RollupBytes.TryRead(RollupScale.MinutesOfAnHour, minutes.Hour * RollupScale.MinutesOfAnHour.RowMs, minutes.Data) is { } read && ProbeRollup.Of(read.Values, hole) is { } rollup)
            {
                if (!rows.TryGetValue((minutes.SeriesId, day), out HourRollupsEntity? row))
                {
                    rows.Add((minutes.SeriesId, day), row = new HourRollupsEntity { SeriesId = minutes.SeriesId, Day = day, Data = [] });
                    db.HourRollups.Add(row);
                }

                row.Data = RollupBytes.With(RollupScale.HoursOfADay, day * RollupScale.HoursOfADay.RowMs, row.Data, (int)slot, rollup);
            }

            minutes.Open = false;
        }

        await db.SaveChangesAsync(cancellationToken);
        db.ChangeTracker.Clear();
    }

    public override void Committed()
    {
        if (_rolled == Step)
        {
            writer.Enqueue(new RollHours(writer, beforeHour));
        }
    }
}

/// <summary>How long what the probes found is kept.</summary>
/// <param name="Raw">Single probes.</param>
/// <param name="Minutes">What they come to each minute.</param>
/// <param name="Hours">What they come to each hour.</param>
internal sealed record ProbeRetention(TimeSpan Raw, TimeSpan Minutes, TimeSpan Hours);

/// <summary>
/// Series of which nothing is kept any more: their numbers go, some at a time. What is still probed, or waits in memory or in the journal, is kept whatever the rows say.
/// </summary>
/// <param name="writer">The hub's.</param>
/// <param name="ids">Which numbers are known in memory.</param>
/// <param name="isInUse">Asked within the transaction: whether a probe of it has come lately.</param>
internal sealed class RemoveSeries(HubWriter writer, SeriesIds ids, Func<ProbeSeries, bool> isInUse) : HubWrite
{
    /// <summary>Rows of one step.</summary>
    public const int Step = 500;

    private ProbeSeries[] _removed = [];

    public override string Key => "remove-probe-series";

    public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        // Hours by their key first: hardly anything is left to look for among the minutes and single probes, which have no order by series.
        await db.SaveChangesAsync(cancellationToken);
        _removed = [];
        List<ProbeSeriesEntity> withoutHours = await db.ProbeSeries.AsNoTracking().Where(s => !db.HourRollups.Any(h => h.SeriesId == s.Id)).OrderBy(s => s.Id).ToListAsync(cancellationToken);
        ProbeSeriesEntity[] unused = [.. withoutHours.Where(s => !isInUse(new ProbeSeries(s.Target, s.Vantage))).Take(Step)];
        if (unused.Length == 0)
        {
            return;
        }

        int[] numbers = [.. unused.Select(s => s.Id)];
        List<int> kept = await db.MinuteRollups.Where(m => numbers.Contains(m.SeriesId)).Select(m => m.SeriesId).Distinct().ToListAsync(cancellationToken);
        kept.AddRange(await db.RawProbes.Where(r => numbers.Contains(r.SeriesId)).Select(r => r.SeriesId).Distinct().ToListAsync(cancellationToken));
        numbers = [.. numbers.Except(kept)];
        _removed = [.. unused.Where(s => numbers.Contains(s.Id)).Select(s => new ProbeSeries(s.Target, s.Vantage))];
        await db.ProbeSeries.Where(s => numbers.Contains(s.Id)).ExecuteDeleteAsync(cancellationToken);
    }

    public override void Committed()
    {
        ids.Forget(_removed);
        if (_removed.Length == Step)
        {
            writer.Enqueue(new RemoveSeries(writer, ids, isInUse));
        }
    }
}

/// <summary>One step of removing what is too old: a minute, an hour and a day's worth of rows; if there was one of each it is followed by another.</summary>
internal sealed class RemoveProbes(HubWriter writer, DateTimeOffset now, ProbeRetention kept) : HubWrite
{
    private int _removed;

    public override string Key => "remove-old-probes";

    public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        _removed = 0;
        long minutes = (now - kept.Raw).ToUnixTimeMilliseconds() / 60_000;
        if (await db.RawProbes.Where(r => r.Minute < minutes).MinAsync(r => (long?)r.Minute, cancellationToken) is { } minute)
        {
            _removed += await db.RawProbes.Where(r => r.Minute == minute).ExecuteDeleteAsync(cancellationToken);
        }

        // An hour that is not in the row of its day yet would be lost.
        long hours = (now - kept.Minutes).ToUnixTimeMilliseconds() / 3_600_000;
        if (await db.MinuteRollups.Where(r => r.Hour < hours && !r.Open).MinAsync(r => (long?)r.Hour, cancellationToken) is { } hour)
        {
            _removed += await db.MinuteRollups.Where(r => r.Hour == hour && !r.Open).ExecuteDeleteAsync(cancellationToken);
        }

        long days = (now - kept.Hours).ToUnixTimeMilliseconds() / 86_400_000;
        if (await db.HourRollups.Where(r => r.Day < days).MinAsync(r => (long?)r.Day, cancellationToken) is { } day)
        {
            _removed += await db.HourRollups.Where(r => r.Day == day).ExecuteDeleteAsync(cancellationToken);
        }

        // Few, and as long of use as the hours around them.
        long before = (now - kept.Hours).ToUnixTimeMilliseconds();
        await db.Outages.Where(o => o.AtMs < before).ExecuteDeleteAsync(cancellationToken);
    }

    public override void Committed()
    {
        if (_removed > 0)
        {
            writer.Enqueue(new RemoveProbes(writer, now, kept));
        }
    }
}
