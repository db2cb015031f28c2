using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Reachability.Storage;

/// <summary>Which number stands for which series in the rows. Used within transactions of the writer only, so by one task at a time.</summary>
internal sealed class SeriesIds
{
    // Bounded by the targets and vantage points of which anything is kept: what is removed is forgotten.
    private readonly Dictionary<ProbeSeries, (int Id, int IntervalMs)> _known = [];

    /// <summary>The numbers of these; what has none yet gets one in this transaction.</summary>
    public async Task<Dictionary<ProbeSeries, int>> OfAsync(HubDbContext db, IReadOnlyCollection<(ProbeSeries Series, TimeSpan Interval)> wanted, CancellationToken cancellationToken)
    {
        var ids = new Dictionary<ProbeSeries, int>();
        var unknown = new Dictionary<ProbeSeries, int>();
        foreach ((ProbeSeries series, TimeSpan interval) in wanted)
        {
            int milliseconds = (int)interval.TotalMilliseconds;
            if (_known.TryGetValue(series, out var known) && known.IntervalMs == milliseconds)
            {
                ids[series] = known.Id;
            }
            else
            {
                unknown[series] = milliseconds;
            }
        }

        foreach (KeyValuePair<ProbeSeries, int>[] some in unknown.Chunk(500))
        {
            string[] targets = [.. some.Select(s => s.Key.Target).Distinct()];
            var stored = (await db.ProbeSeries.Where(s => targets.Contains(s.Target)).ToListAsync(cancellationToken)).ToDictionary(s => new ProbeSeries(s.Target, s.Vantage));
            foreach ((ProbeSeries series, int milliseconds) in some)
            {
                if (!stored.TryGetValue(series, out ProbeSeriesEntity? entity))
                {
                    stored.Add(series, entity = new ProbeSeriesEntity { Target = series.Target, Vantage = series.Vantage, IntervalMs = milliseconds });
                    db.ProbeSeries.Add(entity);
                }

                entity.IntervalMs = milliseconds;
            }

            await db.SaveChangesAsync(cancellationToken);
            foreach ((ProbeSeries series, _) in some)
            {
                ids[series] = stored[series].Id;
            }
        }

        return ids;
    }

    /// <summary>Their rows are gone: what is probed again gets a number anew.</summary>
    public void Forget(IEnumerable<ProbeSeries> removed)
    {
        foreach (ProbeSeries series in removed)
        {
            _known.Remove(series);
        }
    }

    /// <summary>They are on the disk, and need not be looked up again.</summary>
    public void Committed(IReadOnlyDictionary<ProbeSeries, int> ids, IReadOnlyCollection<(ProbeSeries Series, TimeSpan Interval)> wanted)
    {
        foreach ((ProbeSeries series, TimeSpan interval) in wanted)
        {
            _known[series] = (ids[series], (int)interval.TotalMilliseconds);
        }
    }
}
