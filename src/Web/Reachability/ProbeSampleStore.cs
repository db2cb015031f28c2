using System.Net;
using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Reachability;

/// <summary>
/// Raw probes in the database. The loop "probe-store" hands them to the hub's writer every five seconds and, each minute, has it remove
/// what is older than it is kept, in small steps, so that no other write waits long.
/// </summary>
internal sealed class ProbeSampleStore(IDbContextFactory<HubDbContext> database, HubWriter writer, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan HandOverEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PruneEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long _keptTicks = TimeSpan.FromHours(24).Ticks;
    // Bounded by what is probed in five seconds.
    private List<ProbeSampleEntity> _fresh = [];

    /// <summary>Takes a sample without waiting; it is on disk some seconds later.</summary>
    public void Add(IPNetwork prefix, ProbeSample sample)
    {
        var row = new ProbeSampleEntity
        {
            Prefix = prefix.ToString(),
            AtMs = sample.At.ToUnixTimeMilliseconds(),
            RttMicroseconds = sample.RoundTrip is { } rtt ? (long)rtt.TotalMicroseconds : null,
            Error = sample.Error,
        };
        lock (_gate)
        {
            _fresh.Add(row);
        }
    }

    /// <summary>How long samples are kept from now on; 24 hours at first.</summary>
    public void KeepFor(TimeSpan length) => Interlocked.Exchange(ref _keptTicks, length.Ticks);

    /// <summary>Stored samples, oldest first: the oldest ones when there are more than the limit.</summary>
    public async Task<IReadOnlyList<ProbeSample>> ReadAsync(IPNetwork prefix, DateTimeOffset from, DateTimeOffset to, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 10_000);
        string key = prefix.ToString();
        long first = from.ToUnixTimeMilliseconds();
        long end = to.ToUnixTimeMilliseconds();
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        List<ProbeSampleEntity> rows = await db.ProbeSamples.AsNoTracking()
            .Where(p => p.Prefix == key && p.AtMs >= first && p.AtMs < end)
            .OrderBy(p => p.AtMs).Take(limit).ToListAsync(cancellationToken);
        return [.. rows.Select(r => new ProbeSample(
            DateTimeOffset.FromUnixTimeMilliseconds(r.AtMs), r.RttMicroseconds is { } rtt ? TimeSpan.FromMicroseconds(rtt) : null, r.Error))];
    }

    /// <summary>Gives the writer what has come since the last time.</summary>
    internal void HandOver()
    {
        List<ProbeSampleEntity> batch;
        lock (_gate)
        {
            (batch, _fresh) = (_fresh, []);
        }

        if (batch.Count > 0)
        {
            // Refused when the writer is 20,000 writes behind; it counts that and tells of it.
            writer.Enqueue(new AddSamples(batch));
        }
    }

    /// <summary>Has the writer remove what is too old.</summary>
    internal void Prune() => writer.Enqueue(new RemoveSamples(writer, (time.GetUtcNow() - TimeSpan.FromTicks(Interlocked.Read(ref _keptTicks))).ToUnixTimeMilliseconds()));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(HandOverEvery, time);
        long pruned = time.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                HandOver();
                if (time.GetElapsedTime(pruned) >= PruneEvery)
                {
                    pruned = time.GetTimestamp();
                    Prune();
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            HandOver();
        }
    }

    private sealed class AddSamples(List<ProbeSampleEntity> rows) : HubWrite
    {
        public override Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
        {
            db.ProbeSamples.AddRange(rows);
            return Task.CompletedTask;
        }
    }

    /// <summary>One step; if there was enough for another, that comes behind whatever waits by then.</summary>
    private sealed class RemoveSamples(HubWriter writer, long beforeMs) : HubWrite
    {
        private const int Step = 2_000;
        private int _removed;

        public override string Key => "remove-old-probes";

        public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken) =>
            _removed = await db.ProbeSamples.Where(p => p.AtMs < beforeMs).OrderBy(p => p.AtMs).Take(Step).ExecuteDeleteAsync(cancellationToken);

        public override void Committed()
        {
            if (_removed == Step)
            {
                writer.Enqueue(new RemoveSamples(writer, beforeMs));
            }
        }
    }
}
