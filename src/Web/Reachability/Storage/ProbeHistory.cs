using System.Collections.Immutable;
using FailoverHub.Web.Data;
using FailoverHub.Web.Reachability.Vantages;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Reachability.Storage;

/// <summary>
/// Charts out of what is packed and what is still in memory: points of less than a minute from single probes, of less than an hour from minutes, longer
/// ones from hours, and each from the next that is kept for so long. A row is found by its key, so that a chart costs the same however many targets there are.
/// </summary>
internal sealed class ProbeHistory(IDbContextFactory<HubDbContext> database, ProbeSampleStore store, VantageNames names) : IReachabilityHistory
{
    private const int MostRaw = 400_000;

    public async Task<ReachabilityChart> ReadAsync(string target, string vantage, DateTimeOffset from, DateTimeOffset to, TimeSpan step, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ChartSteps.PointsOf(from, to, step), ChartSteps.MostPoints);
        var series = new ProbeSeries(target, names.IdOf(vantage));

        // What is asked for in seconds may be so old that only its minutes, or its hours, are left.
        TimeSpan shortest = store.ShortestStepFrom(ChartSteps.Begin(from, step));
        step = step > shortest ? step : shortest;
        DateTimeOffset begin = ChartSteps.Begin(from, step);

        // Memory first: what is packed meanwhile is then found in both.
        IReadOnlyList<ProbeSample> open = store.InMemory(series, begin, to);
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        ProbeSeriesEntity? known = await RawReading.SeriesAsync(db, series, cancellationToken);
        TimeSpan hole = MinuteOfSeries.HoleAfter(TimeSpan.FromMilliseconds(known?.IntervalMs ?? 1_000));
        IEnumerable<ProbeRollup> parts = step < TimeSpan.FromMinutes(1)
            ? Divide(SampleUnion.Of(await RawReading.ReadAsync(db, series, begin, to, MostRaw, cancellationToken), open), step, hole)
            : await MinutesAndHoursAsync(db, known?.Id, open, hole, begin, to, step, cancellationToken);
        return ToChart(begin, to, step, [.. parts], hole);
    }

    public async Task<ImmutableArray<VantageName>> VantagesAsync(string target, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        return
        [
            .. (await db.ProbeSeries.AsNoTracking().Where(s => s.Target == target).Select(s => s.Vantage).ToListAsync(cancellationToken))
                .Select(names.Of).OrderBy(v => v.Id != VantagePoint.HubId).ThenBy(v => v.Name, StringComparer.OrdinalIgnoreCase),
        ];
    }

    public Task<IReadOnlyList<ProbeSample>> SamplesAsync(string target, string vantage, DateTimeOffset from, DateTimeOffset to, int limit, CancellationToken cancellationToken) =>
        store.ReadAsync(new ProbeSeries(target, names.IdOf(vantage)), from, to, limit, cancellationToken);

    private static async Task<IEnumerable<ProbeRollup>> MinutesAndHoursAsync(
        HubDbContext db, int? series, IReadOnlyList<ProbeSample> open, TimeSpan hole, DateTimeOffset from, DateTimeOffset to, TimeSpan step, CancellationToken cancellationToken)
    {
        // A minute that is in memory is there whole, unless a late part of it came after it was packed: both together are right.
        Dictionary<long, List<ProbeSample>> inMemory = open.GroupBy(s => OpenMinutes.MinuteOf(s.At)).ToDictionary(g => g.Key, g => g.ToList());
        var minutes = new SortedDictionary<long, ProbeRollup>();
        var hours = new SortedDictionary<long, ProbeRollup>();
        if (series is { } id)
        {
            if (inMemory.Count > 0)
            {
                long[] ofMemory = [.. inMemory.Keys];
                foreach (RawProbesEntity raw in await db.RawProbes.AsNoTracking().Where(r => ofMemory.Contains(r.Minute) && r.SeriesId == id).ToListAsync(cancellationToken))
                {
                    inMemory[raw.Minute].AddRange(SampleBytes.TryRead(raw.Minute, raw.Data) ?? []);
                }
            }

            long first = from.ToUnixTimeMilliseconds() / RollupScale.HoursOfADay.SlotMs;
            long last = (to.ToUnixTimeMilliseconds() - 1) / RollupScale.HoursOfADay.SlotMs;
            if (step < TimeSpan.FromHours(1))
            {
                long[] wanted = [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => first + i)];
                ReadMinutes(await db.MinuteRollups.AsNoTracking().Where(m => wanted.Contains(m.Hour) && m.SeriesId == id).ToListAsync(cancellationToken), minutes);
            }
            else
            {
                // The hours that are not in their day yet, or not as memory has them, are found minute by minute.
                long[] ofMemory = [.. inMemory.Keys.Select(m => m / 60).Distinct()];
                List<MinuteRollupsEntity> notYet = await db.MinuteRollups.AsNoTracking().Where(m => m.Open && m.SeriesId == id && m.Hour >= first && m.Hour <= last).ToListAsync(cancellationToken);
                notYet.AddRange(await db.MinuteRollups.AsNoTracking().Where(m => ofMemory.Contains(m.Hour) && m.SeriesId == id && !m.Open).ToListAsync(cancellationToken));
                await ReadHoursAsync(db, id, first, last, notYet, hours, cancellationToken);
                ReadMinutes(notYet, minutes);
            }
        }

        foreach ((long minute, List<ProbeSample> samples) in inMemory)
        {
            minutes[minute] = ProbeRollup.Of(SampleUnion.Of(samples, []), hole)!;
        }

        return minutes.Values.Concat(hours.Values).Where(r => r.LastMs >= from.ToUnixTimeMilliseconds() && r.FirstMs < to.ToUnixTimeMilliseconds());
    }

    private static async Task ReadHoursAsync(HubDbContext db, int id, long first, long last, List<MinuteRollupsEntity> notYet, SortedDictionary<long, ProbeRollup> hours, CancellationToken cancellationToken)
    {
        HashSet<long> newer = [.. notYet.Select(m => m.Hour)];
        foreach (HourRollupsEntity row in await db.HourRollups.AsNoTracking().Where(h => h.SeriesId == id && h.Day >= first / 24 && h.Day <= last / 24).ToListAsync(cancellationToken))
        {
            foreach ((int slot, ProbeRollup rollup) in RollupBytes.TryRead(RollupScale.HoursOfADay, row.Day * RollupScale.HoursOfADay.RowMs, row.Data) ?? [])
            {
                if (!newer.Contains((row.Day * 24) + slot))
                {
                    hours.Add((row.Day * 24) + slot, rollup);
                }
            }
        }
    }

    private static void ReadMinutes(List<MinuteRollupsEntity> rows, SortedDictionary<long, ProbeRollup> minutes)
    {
        foreach (MinuteRollupsEntity row in rows)
        {
            foreach ((int slot, ProbeRollup rollup) in RollupBytes.TryRead(RollupScale.MinutesOfAnHour, row.Hour * RollupScale.MinutesOfAnHour.RowMs, row.Data) ?? [])
            {
                minutes[(row.Hour * 60) + slot] = rollup;
            }
        }
    }

    private static IEnumerable<ProbeRollup> Divide(List<ProbeSample> samples, TimeSpan step, TimeSpan hole) =>
        samples.GroupBy(s => s.At.UtcTicks / step.Ticks).Select(g => ProbeRollup.Of([.. g], hole)!);

    private static ReachabilityChart ToChart(DateTimeOffset from, DateTimeOffset to, TimeSpan step, ImmutableArray<ProbeRollup> parts, TimeSpan hole)
    {
        long stepMs = (long)step.TotalMilliseconds;
        long epoch = DateTimeOffset.UnixEpoch.UtcTicks / TimeSpan.TicksPerMillisecond;
        var points = ImmutableArray.CreateBuilder<ReachabilityPoint>();
        var merged = new List<ProbeRollup>();
        foreach (var group in parts.GroupBy(p => (p.FirstMs + epoch) / stepMs).OrderBy(g => g.Key))
        {
            ProbeRollup rollup = ProbeRollup.Of(group, hole)!;
            merged.Add(rollup);
            points.Add(ToPoint(DateTimeOffset.FromUnixTimeMilliseconds((group.Key * stepMs) - epoch), rollup));
        }

        return new ReachabilityChart(from, to, step, points.ToImmutable()) { Whole = ProbeRollup.Of(merged, hole) is { } whole ? ToPoint(from, whole) : null };
    }

    private static ReachabilityPoint ToPoint(DateTimeOffset at, ProbeRollup rollup) => new(
        at,
        rollup.Sent,
        rollup.Lost,
        rollup.Answered == 0 ? null : new RoundTripFigures(
            TimeSpan.FromMicroseconds(rollup.MinUs),
            TimeSpan.FromMicroseconds(rollup.MeanUs ?? 0),
            TimeSpan.FromMicroseconds(rollup.PercentileUs(0.5) ?? 0),
            TimeSpan.FromMicroseconds(rollup.PercentileUs(0.95) ?? 0),
            TimeSpan.FromMicroseconds(rollup.PercentileUs(0.99) ?? 0),
            TimeSpan.FromMicroseconds(rollup.MaxUs)),
        TimeSpan.FromMilliseconds(rollup.LongestMs));
}
