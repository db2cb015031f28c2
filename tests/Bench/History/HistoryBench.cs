using System.Diagnostics;
using System.Globalization;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace FailoverHub.Bench.History;

/// <summary>
/// A history of a million events on the hub's own database, and how long a page of it takes for every combination of the filters that pages offer,
/// newest page and further back. `./bench.sh history [EVENTS] [--keep DIR] [--database URL]`.
/// </summary>
internal static class HistoryBench
{
    private const int Batch = 5_000;
    private const int PageSize = 100;
    private const int Filters = 7;
    private static readonly DateTimeOffset End = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Length = TimeSpan.FromDays(60);
    private static readonly string[] Words =
        ["announced", "withdrawn", "session", "hold", "timer", "route", "server", "primary", "secondary", "lost", "established", "because", "address", "answers", "again", "peer", "closed", "connection"];

    /// <param name="arguments">[EVENTS] [--keep DIR] [--database URL]: how many; a folder (and database) that is filled once and measured again; PostgreSQL instead of the folder's file.</param>
    /// <param name="output">For the table.</param>
    public static async Task RunAsync(string[] arguments, TextWriter output)
    {
        string? Named(string name) => Array.IndexOf(arguments, name) is var i and >= 0 && i + 1 < arguments.Length ? arguments[i + 1] : null;
        int events = arguments is [var count, ..] && int.TryParse(count, CultureInfo.InvariantCulture, out int many) ? many : 1_000_000;
        string folder = Named("--keep") is { } kept ? Directory.CreateDirectory(kept).FullName : Directory.CreateTempSubdirectory("failoverhub-bench-").FullName;
        try
        {
            DatabaseSetting database = Named("--database") is { } url ? DatabaseSetting.Postgres(new NpgsqlConnectionStringBuilder(url)) : DatabaseSetting.InDataFolder;
            await using ServiceProvider services = new ServiceCollection().AddHubDatabase(folder, database).BuildServiceProvider();
            var factory = services.GetRequiredService<IDbContextFactory<HubDbContext>>();
            await HubDatabase.MigrateAsync(factory, CancellationToken.None);
            await FillAsync(factory, events, output);
            await MeasureAsync(new SqliteHistory(factory, new HistoryChanges(), AuditMemory.OfThisProcess()), output);
        }
        finally
        {
            if (Named("--keep") is null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static async Task FillAsync(IDbContextFactory<HubDbContext> factory, int events, TextWriter output)
    {
        long began = Stopwatch.GetTimestamp();
        int there;
        await using (HubDbContext db = await factory.CreateDbContextAsync())
        {
            there = await db.Events.CountAsync();
        }

        var random = new Random(1);
        for (int from = there; from < events; from += Batch)
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

        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{events} events, {Math.Max(0, events - there)} of them written now in {Stopwatch.GetElapsedTime(began).TotalSeconds:0} s."));
        await using HubDbContext settled = await factory.CreateDbContextAsync();
        if (settled.Database.IsNpgsql())
        {
            // What the server does by itself within a minute.
            await settled.Database.ExecuteSqlRawAsync("VACUUM ANALYZE");
        }
    }

    private static async Task MeasureAsync(SqliteHistory history, TextWriter output)
    {
        var all = new List<(double Ms, string What, int Filters)>();
        for (int combination = 0; combination < 1 << Filters; combination++)
        {
            foreach (bool fits in new[] { true, false })
            {
                await PagesAsync(history, Filter(combination, fits), Describe(combination, fits), int.PopCount(combination), all);
            }
        }

        await PagesAsync(history, new HistoryFilter { Text = "announc*" }, "text: a beginning that many words have", 1, all);
        await PagesAsync(history, new HistoryFilter { Text = "203.0.113.7" }, "text: an address", 1, all);
        await PagesAsync(history, new HistoryFilter { Text = "nowhere" }, "text: a word that is nowhere", 1, all);
        await PagesAsync(history, new HistoryFilter { Text = "announced withdrawn session hold timer route server primary" }, "text: eight common words", 1, all);

        await output.WriteLineAsync("page of 100 events, ms                                    p50     p99  longest");
        foreach (var one in all.Where(m => m.Filters <= 1).GroupBy(m => m.What))
        {
            await TellAsync(one.Key, [.. one.Select(m => m.Ms)], output);
        }

        await TellAsync($"all {1 << Filters} combinations, each also with little that fits", [.. all.Select(m => m.Ms)], output);
        foreach (var (ms, what, _) in all.GroupBy(m => m.What).Select(g => g.MaxBy(m => m.Ms)).OrderByDescending(m => m.Ms).Take(12))
        {
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"  longest: {ms:0.0} ms  {what}"));
        }
    }

    private static async Task TellAsync(string what, double[] ms, TextWriter output)
    {
        Array.Sort(ms);
        double At(double share) => ms[(int)Math.Ceiling(share * (ms.Length - 1))];
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{what,-55} {At(0.5),7:0.0} {At(0.99),7:0.0} {ms[^1],8:0.0}"));
    }

    // The newest page, one from the middle, and the one behind it. A first round is not counted: it reads what the others find in memory.
    private static async Task PagesAsync(SqliteHistory history, HistoryFilter filter, string what, int filters, List<(double Ms, string What, int Filters)> all)
    {
        int rounds = filters <= 1 ? 20 : 4;
        for (int round = 0; round <= rounds; round++)
        {
            string? cursor = null;
            foreach (string where in (string[])["", ", from the middle", ", the page behind"])
            {
                long began = Stopwatch.GetTimestamp();
                HistoryPage<EventRecord> page = await history.EventsAsync(filter, cursor, PageSize, CancellationToken.None);
                if (round > 0)
                {
                    all.Add((Stopwatch.GetElapsedTime(began).TotalMilliseconds, what + where, filters));
                }

                if (page.NextCursor is not { } next)
                {
                    break;
                }

                cursor = where.Length == 0 ? (long.Parse(next, CultureInfo.InvariantCulture) / 2 + 1).ToString(CultureInfo.InvariantCulture) : next;
            }
        }
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
