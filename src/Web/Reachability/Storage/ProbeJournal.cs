using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Reachability.Storage;

/// <summary>
/// Probes of a minute that is not over, so that a hub that is killed has lost seconds of them at most. A row holds, for one series after the other, its
/// number, how many bytes follow, and these as <see cref="SampleBytes"/>; numbers are those of <see cref="VarIntWriter"/>, behind the version, a byte 1.
/// </summary>
internal static class ProbeJournal
{
    private const byte Version = 1;

    public static byte[] Write(long minute, IEnumerable<(int SeriesId, IReadOnlyList<ProbeSample> Samples)> parts)
    {
        var bytes = new VarIntWriter();
        bytes.Byte(Version);
        foreach ((int id, IReadOnlyList<ProbeSample> samples) in parts)
        {
            byte[] packed = SampleBytes.Write(minute, samples);
            bytes.Unsigned(id);
            bytes.Unsigned(packed.Length);
            bytes.Bytes(packed);
        }

        return bytes.ToArray();
    }

    /// <summary>What can be read of a row; what comes behind something damaged is lost.</summary>
    public static List<(int SeriesId, List<ProbeSample> Samples)> Read(long minute, ReadOnlySpan<byte> bytes)
    {
        var parts = new List<(int, List<ProbeSample>)>();
        var reader = new VarIntReader(bytes);
        if (reader.Byte() != Version)
        {
            return parts;
        }

        while (!reader.AtEnd)
        {
            int id = (int)reader.Unsigned(int.MaxValue);
            if (SampleBytes.TryRead(minute, reader.Bytes(reader.Unsigned(int.MaxValue))) is not { } samples)
            {
                break;
            }

            parts.Add((id, samples));
        }

        return parts;
    }

    /// <summary>Everything in the journal.</summary>
    public static async Task<List<(ProbeSeries Series, TimeSpan Interval, List<ProbeSample> Samples)>> ReadAllAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        var found = new List<(ProbeSeries, TimeSpan, List<ProbeSample>)>();
        List<ProbeJournalEntity> rows = await db.ProbeJournal.AsNoTracking().OrderBy(j => j.Id).ToListAsync(cancellationToken);
        if (rows.Count == 0)
        {
            return found;
        }

        Dictionary<int, ProbeSeriesEntity> series = await db.ProbeSeries.AsNoTracking().ToDictionaryAsync(s => s.Id, cancellationToken);
        foreach (ProbeJournalEntity row in rows)
        {
            foreach ((int id, List<ProbeSample> samples) in Read(row.Minute, row.Data))
            {
                if (series.TryGetValue(id, out ProbeSeriesEntity? entity))
                {
                    found.Add((new ProbeSeries(entity.Target, entity.Vantage), TimeSpan.FromMilliseconds(entity.IntervalMs), samples));
                }
            }
        }

        return found;
    }
}

/// <summary>Some seconds of probes on their way into the journal.</summary>
internal sealed class AddToJournal(IReadOnlyDictionary<(long Minute, ProbeSeries Series), List<ProbeSample>> fresh, Func<ProbeSeries, TimeSpan> intervalOf, SeriesIds ids, Action<bool> done) : HubWrite
{
    private readonly (ProbeSeries, TimeSpan)[] _series = [.. fresh.Keys.Select(k => k.Series).Distinct().Select(s => (s, intervalOf(s)))];
    private Dictionary<ProbeSeries, int> _ids = [];

    public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        _ids = await ids.OfAsync(db, _series, cancellationToken);
        foreach (var minute in fresh.GroupBy(f => f.Key.Minute))
        {
            db.ProbeJournal.Add(new ProbeJournalEntity
            {
                Minute = minute.Key,
                Data = ProbeJournal.Write(minute.Key, minute.Select(m => (_ids[m.Key.Series], (IReadOnlyList<ProbeSample>)SampleUnion.Of(m.Value, [])))),
            });
        }
    }

    public override void Committed()
    {
        ids.Committed(_ids, _series);
        done(true);
    }

    public override void Dropped(Exception why) => done(false);
}
