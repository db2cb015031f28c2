using System.Diagnostics;
using System.Globalization;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Bench.History;

/// <summary>
/// A history of a million events on the hub's own database, and how long a page of it takes for every combination of the filters that pages offer,
/// newest page and one further back. `./bench.sh history [EVENTS]`.
/// </summary>
internal static class HistoryBench
{
    private const int Batch = 5_000;
    private const int PageSize = 100;
    private static readonly DateTimeOffset End = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Length = TimeSpan.FromDays(60);
    private static readonly string[] Words =
        ["announced", "withdrawn", "session", "hold", "timer", "route", "server", "primary", "secondary", "lost", "established", "because", "address", "answers", "again", "peer", "closed", "connection"];

    public static async Task RunAsync(int events, TextWriter output)
    {
        string folder = Directory.CreateTempSubdirectory("failoverhub-bench-").FullName;
        try
        {
            await using ServiceProvider services = new ServiceCollection().AddHubDatabase(folder).BuildServiceProvider();
            var factory = services.GetRequiredService<IDbContextFactory<HubDbContext>>();
            await HubDatabase.MigrateAsync(factory, CancellationToken.None);
            long began = Stopwatch.GetTimestamp();
            await FillAsync(factory, events);
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{events} events written in {Stopwatch.GetElapsedTime(began).TotalSeconds:0} s; the database has {new FileInfo(Path.Combine(folder, "hub.db")).Length / 1_048_576} MiB."));
            await MeasureAsync(new SqliteHistory(factory, new HistoryChanges()), output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task FillAsync(IDbContextFactory<HubDbContext> factory, int events)
    {
        var random = new Random(1);
        for (int from = 0; from < events; from += Batch)
        {
            await using HubDbContext db = await factory.CreateDbContextAsync();
            db.ChangeTracker.AutoDetectChangesEnabled = false;
            for (int i = from; i < Math.Min(events, from + Batch); i++)
            {
                // Mostly in order; one in a hundred comes hours late, as journals do.
                DateTimeOffset at = End - Length + Length * ((double)i / events) - (random.Next(100) == 0 ? TimeSpan.FromHours(random.Next(1, 48)) : TimeSpan.Zero);
                int pair = random.Next(50);
                db.Events.Add(new EventEntity
                {
                    AtMs = at.ToUnixTimeMilliseconds(),
                    RecordedAtMs = at.ToUnixTimeMilliseconds(),
                    Kind = $"kind-{random.Next(20)}",
                    Severity = random.Next(100) switch { 0 => EventSeverity.Critical, < 10 => EventSeverity.Warning, _ => EventSeverity.Info },
                    Pair = $"pair-{pair}",
                    Node = $"node-{pair * 2 + random.Next(2)}",
                    Prefix = $"203.0.113.{pair}/32",
                    Text = string.Join(' ', random.GetItems(Words, 9)),
                    OperationId = random.Next(50) == 0 ? $"operation-{i / 20_000}" : null,
                });
            }

            await db.SaveChangesAsync();
        }
    }

    private static async Task MeasureAsync(SqliteHistory history, TextWriter output)
    {
        const int filters = 7;
        var all = new List<(double Ms, string What)>();
        for (int combination = 0; combination < 1 << filters; combination++)
        {
            foreach (bool fits in new[] { true, false })
            {
                HistoryFilter filter = Filter(combination, fits);
                for (int i = 0; i < 5; i++)
                {
                    long began = Stopwatch.GetTimestamp();
                    HistoryPage<EventRecord> page = await history.EventsAsync(filter, null, PageSize, CancellationToken.None);
                    all.Add((Stopwatch.GetElapsedTime(began).TotalMilliseconds, Describe(combination, fits)));
                    if (page.NextCursor is { } cursor)
                    {
                        string further = (long.Parse(cursor, CultureInfo.InvariantCulture) / 2 + 1).ToString(CultureInfo.InvariantCulture);
                        began = Stopwatch.GetTimestamp();
                        await history.EventsAsync(filter, further, PageSize, CancellationToken.None);
                        all.Add((Stopwatch.GetElapsedTime(began).TotalMilliseconds, Describe(combination, fits) + ", further back"));
                    }
                }
            }
        }

        all.Sort((a, b) => a.Ms.CompareTo(b.Ms));
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{all.Count} pages of {PageSize}, {1 << filters} combinations of filters, each also so that little or nothing fits: p50 {At(0.5).Ms:0.0} ms, p99 {At(0.99).Ms:0.0} ms, longest {all[^1].Ms:0.0} ms ({all[^1].What})."));
        foreach (var (ms, what) in all.TakeLast(5))
        {
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"  {ms:0.0} ms  {what}"));
        }

        (double Ms, string What) At(double share) => all[(int)(share * (all.Count - 1))];
    }

    // "Does not fit": node and pair, kind and node of different rows, so that long lists have (nearly) nothing in common.
    private static HistoryFilter Filter(int combination, bool fits)
    {
        bool Has(int bit) => (combination & (1 << bit)) != 0;
        return new HistoryFilter
        {
            Text = Has(0) ? "announced hold" : null,
            Pair = Has(1) ? "pair-7" : null,
            Node = Has(2) ? fits ? "node-14" : "node-17" : null,
            Kind = Has(3) ? "kind-3" : null,
            MinimumSeverity = Has(4) ? EventSeverity.Warning : null,
            From = Has(5) ? End.AddDays(-31).AddMinutes(-123) : null,
            To = Has(5) ? End.AddDays(fits ? -3 : -29).AddMinutes(77) : null,
            OperationId = Has(6) ? fits ? "operation-20" : "operation-1" : null,
        };
    }

    private static string Describe(int combination, bool fits)
    {
        string[] names = ["text", "pair", "node", "kind", "severity", "time", "operation"];
        return $"{string.Join('+', names.Where((_, i) => (combination & (1 << i)) != 0).DefaultIfEmpty("nothing"))}{(fits ? "" : ", little fits")}";
    }
}
