using FailoverHub.Web.Data;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Storage;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Tests.Reachability.Storage;

/// <summary>What a year of a thousand targets costs (docs/adr/0028), and that it is right.</summary>
[Trait("Kind", "Long")]
public sealed class DayOfManyTargetsTests
{
    private const double MiB = 1024 * 1024;
    private static readonly TimeSpan Hole = TimeSpan.FromSeconds(3);
    private static readonly DateTimeOffset Day = new(2026, 5, 4, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>86.4 million probes, each packed, rolled up to minutes and hours: what a year comes to, and percentiles against the exact ones.</summary>
    [Fact]
    public async Task AThousandTargets_OneDay_HasTheStatedSizeAndRightPercentiles()
    {
        const int Targets = 1_000;
        (long raw, long minutes, long hours) = (0, 0, 0);
        await Parallel.ForAsync(0, Targets, Stop, (target, _) =>
        {
            (long rawOfIt, long minutesOfIt, long hoursOfIt) = SimulateDay(target, verify: target % 40 == 0);
            Interlocked.Add(ref raw, rawOfIt);
            Interlocked.Add(ref minutes, minutesOfIt);
            Interlocked.Add(ref hours, hoursOfIt);
            return ValueTask.CompletedTask;
        });

        string found = $"a day of {Targets} targets: raw {raw / MiB:0} MiB, minutes {minutes / MiB:0} MiB, hours {hours / MiB:0.0} MiB; "
            + $"kept for 24 h, 30 and 400 days: {(raw + (30 * minutes) + (400 * hours)) / MiB:0} MiB";
        TestContext.Current.TestOutputHelper?.WriteLine(found);
        Assert.True(raw < 300 * MiB, found);
        Assert.True(30 * minutes < 1_500 * MiB, found);
        Assert.True(400 * hours < 1_500 * MiB, found);
    }

    /// <summary>The same through the database, for fewer targets: what the rows and their keys add.</summary>
    [Fact]
    public async Task TargetsOfADay_InTheDatabase_TakeLittleMoreThanTheirBytes()
    {
        const int Targets = 20;
        await using var rig = new StoreRig(Day);
        await rig.StartAsync();
        long before = await SizeAsync(rig);
        var streams = Enumerable.Range(0, Targets).Select(i => new Stream(i)).ToArray();
        ProbeSeries[] series = [.. Enumerable.Range(0, Targets).Select(i => new ProbeSeries($"203.0.113.{i}/32", ProbeSeries.Hub))];
        for (int minute = 0; minute < 24 * 60; minute++)
        {
            for (int i = 0; i < Targets; i++)
            {
                foreach (ProbeSample sample in streams[i].Minute(minute))
                {
                    rig.Add(series[i], sample);
                }
            }

            await rig.MinuteAsync();
            if (TestDatabases.OnPostgres && minute % 60 == 59)
            {
                // As its autovacuum does all the time, which a day of some seconds leaves behind.
                await using HubDbContext hourly = await rig.Database.CreateDbContextAsync(Stop);
                await hourly.Database.ExecuteSqlRawAsync("""VACUUM "RawProbes", "MinuteRollups", "HourRollups" """, Stop);
            }
        }

        await rig.MinuteAsync();
        await rig.MinuteAsync();
        long size = await SizeAsync(rig) - before;
        await using HubDbContext db = await rig.Database.CreateDbContextAsync(Stop);
        long bytes = await db.RawProbes.SumAsync(r => (long)r.Data.Length, Stop) + await db.MinuteRollups.SumAsync(r => (long)r.Data.Length, Stop) + await db.HourRollups.SumAsync(r => (long)r.Data.Length, Stop);
        ReachabilityChart chart = await rig.History.ReadAsync(series[3].Target, ProbeSeries.Hub, Day, Day.AddDays(1), TimeSpan.FromMinutes(5), Stop);

        string found = $"a day of {Targets} targets in the database: {size / MiB:0.0} MiB for {bytes / MiB:0.0} MiB of packed bytes";
        TestContext.Current.TestOutputHelper?.WriteLine(found);
        Assert.True(size < bytes * 2.2, found);
        Assert.Equal(288, chart.Points.Length);
        Assert.Equal(Stream.Sent(24 * 60), chart.Whole!.Sent);
    }

    private static (long Raw, long Minutes, long Hours) SimulateDay(int target, bool verify)
    {
        var stream = new Stream(target);
        (long raw, long minutes) = (0, 0);
        long day = Day.ToUnixTimeMilliseconds() / 86_400_000;
        var hours = new Dictionary<int, ProbeRollup>();
        var exact = new List<double>();
        for (int hour = 0; hour < 24; hour++)
        {
            var all = new Dictionary<int, ProbeRollup>();
            exact.Clear();
            for (int minute = 0; minute < 60; minute++)
            {
                List<ProbeSample> samples = stream.Minute((hour * 60) + minute);
                raw += SampleBytes.Write((Day.ToUnixTimeMilliseconds() / 60_000) + (hour * 60) + minute, samples).Length;
                all[minute] = ProbeRollup.Of(samples, Hole)!;
                if (verify)
                {
                    exact.AddRange(samples.Where(s => s.Answered).Select(s => (double)ProbeRollup.MicrosecondsOf(s.RoundTrip!.Value)));
                }
            }

            long rowMs = Day.AddHours(hour).ToUnixTimeMilliseconds();
            byte[] row = RollupBytes.Write(RollupScale.MinutesOfAnHour, rowMs, all);
            minutes += row.Length;
            hours[hour] = ProbeRollup.Of(RollupBytes.TryRead(RollupScale.MinutesOfAnHour, rowMs, row)!.Values, Hole)!;
            if (verify)
            {
                Verify(hours[hour], exact);
            }
        }

        return (raw, minutes, RollupBytes.Write(RollupScale.HoursOfADay, day * 86_400_000, hours).Length);
    }

    private static void Verify(ProbeRollup rollup, List<double> exact)
    {
        exact.Sort();
        Assert.Equal(exact.Count, rollup.Answered);
        Assert.Equal(exact.Sum(), rollup.SumUs);
        foreach (double part in new[] { 0.5, 0.95, 0.99 })
        {
            double wanted = exact[(int)Math.Ceiling(part * exact.Count) - 1];
            Assert.InRange(rollup.PercentileUs(part)!.Value, wanted * 0.98, wanted * 1.02);
        }
    }

    /// <summary>On SQLite the file and its log, on PostgreSQL the tables with their keys.</summary>
    private static async Task<long> SizeAsync(StoreRig rig)
    {
        await using HubDbContext db = await rig.Database.CreateDbContextAsync(Stop);
        return TestDatabases.OnPostgres
            ? await db.Database.SqlQueryRaw<long>("""SELECT (pg_total_relation_size('"RawProbes"') + pg_total_relation_size('"MinuteRollups"') + pg_total_relation_size('"HourRollups"'))::bigint AS "Value" """).SingleAsync(Stop)
            : await db.Database.SqlQueryRaw<long>("SELECT (page_count - (SELECT freelist_count FROM pragma_freelist_count())) * (SELECT page_size FROM pragma_page_size()) AS Value FROM pragma_page_count()").SingleAsync(Stop);
    }

    /// <summary>A target as they are: a distance of its own from 0.2 to 40 ms, jitter, a tail, now and then a loss, and an outage some time of the day.</summary>
    private sealed class Stream(int target)
    {
        private readonly Random _random = new(target);
        private readonly double _base = 200 * Math.Pow(200, target % 100 / 99.0);

        public List<ProbeSample> Minute(int minute)
        {
            var samples = new List<ProbeSample>(60);
            DateTimeOffset begin = Day.AddMinutes(minute);
            for (int second = 0; second < 60; second++)
            {
                double jitter = _random.NextDouble();
                double roundTrip = _base * (1 + (0.15 * jitter * jitter)) + (_random.Next(50) == 0 ? _base * _random.NextDouble() * 3 : 0);
                bool lost = _random.Next(2_000) == 0 || (minute == target % 1_440 && second < 9);
                DateTimeOffset at = begin.AddMilliseconds((second * 1_000) + (target % 900) + _random.Next(6));
                samples.Add(new ProbeSample(at, lost ? null : TimeSpan.FromMicroseconds(roundTrip), lost ? "no answer within 900 ms" : null));
            }

            return samples;
        }

        public static int Sent(int minutes) => 60 * minutes;
    }
}
