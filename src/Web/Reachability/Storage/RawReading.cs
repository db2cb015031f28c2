using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Reachability.Storage;

/// <summary>Single probes out of the packed minutes.</summary>
internal static class RawReading
{
    /// <summary>Minutes that are asked for at once, each by its key.</summary>
    private const int Batch = 240;

    /// <summary>Oldest first, at least as many as the limit if there are so many.</summary>
    public static async Task<List<ProbeSample>> ReadAsync(HubDbContext db, ProbeSeries series, DateTimeOffset from, DateTimeOffset to, int limit, CancellationToken cancellationToken)
    {
        var found = new List<ProbeSample>();
        if (to <= from || await SeriesAsync(db, series, cancellationToken) is not { } known)
        {
            return found;
        }

        long last = OpenMinutes.MinuteOf(to);
        long next = OpenMinutes.MinuteOf(from);
        while (next <= last && found.Count < limit)
        {
            // What is empty, of any series, is left out: a hub may have been off for weeks.
            if (await db.RawProbes.Where(r => r.Minute >= next).MinAsync(r => (long?)r.Minute, cancellationToken) is not { } first || first > last)
            {
                break;
            }

            next = Math.Min(last + 1, first + Batch);
            long[] minutes = [.. Enumerable.Range(0, (int)(next - first)).Select(i => first + i)];
            foreach (RawProbesEntity row in await db.RawProbes.AsNoTracking().Where(r => minutes.Contains(r.Minute) && r.SeriesId == known.Id).OrderBy(r => r.Minute).ToListAsync(cancellationToken))
            {
                found.AddRange((SampleBytes.TryRead(row.Minute, row.Data) ?? []).Where(s => s.At >= from && s.At < to));
            }
        }

        return found;
    }

    /// <summary>The row that stands for a series, or null: nothing of it was ever stored.</summary>
    public static Task<ProbeSeriesEntity?> SeriesAsync(HubDbContext db, ProbeSeries series, CancellationToken cancellationToken) =>
        db.ProbeSeries.AsNoTracking().SingleOrDefaultAsync(s => s.Target == series.Target && s.Vantage == series.Vantage, cancellationToken);
}
