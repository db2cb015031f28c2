using System.Diagnostics;
using System.Globalization;
using FailoverHub.Web.Data;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Storage;
using FailoverHub.Web.Reachability.Vantages;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Bench.Probing;

/// <summary>Charts of each range out of a database that has a year of one target among a hundred: hours of 400 days, minutes of 30, single probes of one.</summary>
internal sealed class ChartBench(IDbContextFactory<HubDbContext> factory, ProbeSampleStore store)
{
    private const int Series = 100;
    private const int Rounds = 9;
    private static readonly DateTimeOffset End = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);
    private static readonly (string Name, TimeSpan Length)[] Ranges =
        [("1 h", TimeSpan.FromHours(1)), ("6 h", TimeSpan.FromHours(6)), ("24 h", TimeSpan.FromHours(24)), ("7 d", TimeSpan.FromDays(7)), ("30 d", TimeSpan.FromDays(30)), ("400 d", TimeSpan.FromDays(400))];

    public async Task RunAsync(TextWriter output, CancellationToken cancellationToken)
    {
        await FillAsync(cancellationToken);
        var history = new ProbeHistory(factory, store, new VantageNames(new NodeRegister()));
        foreach ((string name, TimeSpan length) in Ranges)
        {
            var took = new List<double>();
            int points = 0;
            for (int i = 0; i < Rounds; i++)
            {
                long began = Stopwatch.GetTimestamp();
                ReachabilityChart chart = await history.ReadAsync($"chart-{i * 7}", ProbeSeries.Hub, End - length, End, ChartSteps.For(End - length, End)!.Value, cancellationToken);
                took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                points = chart.Points.Length;
            }

            took.Sort();
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"chart of {name}: {points} points, median {took[Rounds / 2]:0.0} ms, slowest {took[^1]:0.0} ms"));
        }
    }

    private async Task FillAsync(CancellationToken cancellationToken)
    {
        var random = new Random(1);
        int[] ids = await SeriesAsync(cancellationToken);
        long day = End.ToUnixTimeMilliseconds() / 86_400_000;
        Dictionary<int, byte[]> hours = Enumerable.Range(0, 8).ToDictionary(i => i, i => RollupBytes.Write(RollupScale.HoursOfADay, 0, Rollups(random, RollupScale.HoursOfADay, 3_600)));
        Dictionary<int, byte[]> minutes = Enumerable.Range(0, 8).ToDictionary(i => i, i => RollupBytes.Write(RollupScale.MinutesOfAnHour, 0, Rollups(random, RollupScale.MinutesOfAnHour, 60)));
        byte[] raw = SampleBytes.Write(0, [.. Enumerable.Range(0, 60).Select(s => new ProbeSample(DateTimeOffset.FromUnixTimeMilliseconds((s * 1_000) + random.Next(5)), TimeSpan.FromMicroseconds(random.Next(300, 900)), null))]);
        for (long back = 0; back <= 400; back++)
        {
            await SaveAsync(db => db.HourRollups.AddRange(ids.Select(id => new HourRollupsEntity { SeriesId = id, Day = day - back, Data = hours[(int)((id + back) % 8)] })), cancellationToken);
        }

        for (long hour = (day * 24) + 12 - (30 * 24); hour < (day * 24) + 12; hour++)
        {
            await SaveAsync(db => db.MinuteRollups.AddRange(ids.Select(id => new MinuteRollupsEntity { SeriesId = id, Hour = hour, Data = minutes[(int)((id + hour) % 8)], Open = false })), cancellationToken);
        }

        long last = End.ToUnixTimeMilliseconds() / 60_000;
        for (long minute = last - 1_440; minute < last; minute++)
        {
            await SaveAsync(db => db.RawProbes.AddRange(ids.Select(id => new RawProbesEntity { SeriesId = id, Minute = minute, Data = raw })), cancellationToken);
        }
    }

    private async Task<int[]> SeriesAsync(CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        ProbeSeriesEntity[] made = [.. Enumerable.Range(0, Series).Select(i => new ProbeSeriesEntity { Target = $"chart-{i}", Vantage = ProbeSeries.Hub, IntervalMs = 1_000 })];
        db.ProbeSeries.AddRange(made);
        await db.SaveChangesAsync(cancellationToken);
        return [.. made.Select(s => s.Id)];
    }

    private async Task SaveAsync(Action<HubDbContext> add, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        add(db);
        await db.SaveChangesAsync(cancellationToken);
    }

    private static Dictionary<int, ProbeRollup> Rollups(Random random, RollupScale scale, int probes) => Enumerable.Range(0, scale.Slots).ToDictionary(
        slot => slot,
        slot => ProbeRollup.Of(
            [.. Enumerable.Range(0, probes).Select(s => new ProbeSample(DateTimeOffset.FromUnixTimeMilliseconds((slot * scale.SlotMs) + (s * 1_000L)), random.Next(500) == 0 ? null : TimeSpan.FromMicroseconds(400 * Math.Exp(random.NextDouble())), null))],
            TimeSpan.FromSeconds(3))!);
}
