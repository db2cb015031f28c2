using System.Globalization;
using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace FailoverHub.Web.History.Search;

/// <summary>
/// PostgreSQL's full-text index: tables EventTerms and AuditTerms keep the <see cref="SearchTerms"/> of each entry as a tsvector (taken as they are, no dictionary) below a GIN index.
/// Such an index knows no order, so a page is looked for window by window from the newest entry backwards: each entry also has its block (<see cref="BlockOf"/>) as a term, and a window is some blocks.
/// What is common is found in the first window; what is rare costs a few lookups of lists that have nothing in common.
/// <para>
/// Of time it has no terms, because those of a long span are lists of nearly everything. Tables EventTimes and AuditTimes know instead which stretches of time (<see cref="StretchOf"/>)
/// each block has entries of: blocks that have nothing of a span are passed by, and within the others the row says when it was. Numbers are not in the order of time, since the journals
/// of nodes come late; a block then has stretches that lie far from its others, and is looked at for these too. A stretch that is left over costs one look at its block and hides nothing.
/// </para>
/// </summary>
internal sealed class PostgresSearch : IHistorySearch
{
    public static readonly PostgresSearch Instance = new();

    private const int CatchUpStep = 1_000;

    /// <summary>Entries of a block: 2 to the power of that.</summary>
    private const int BlockBits = 13;

    // 65,536 entries: that many rows are looked at in some 50 ms when each of them matches but for the minutes at the ends of a span.
    private const int MostBlocks = 8;

    /// <summary>Milliseconds of a stretch of time: 2 to the power of that, some 70 minutes.</summary>
    private const int StretchBits = 22;

    // Blocks of a span that are asked for at once: a page seldom needs as many.
    private const int BlocksAtOnce = 64;

    private PostgresSearch()
    {
    }

    public Task<List<EventEntity>> EventsAsync(HubDbContext db, HistoryFilter filter, long before, int limit, CancellationToken cancellationToken) =>
        PageAsync(db, db.Events, new Table<EventEntity>("Event", "Events", e => e.Id), filter, before, limit, cancellationToken);

    public Task<List<AuditEntity>> AuditAsync(HubDbContext db, HistoryFilter filter, long before, int limit, CancellationToken cancellationToken) =>
        PageAsync(db, db.Audit, new Table<AuditEntity>("Audit", "Audit", a => a.Id), filter, before, limit, cancellationToken);

    public async Task AddAsync(HubDbContext db, IReadOnlyCollection<EventEntity> events, IReadOnlyCollection<AuditEntity> audit, CancellationToken cancellationToken)
    {
        await WriteAsync(db, "Event", [.. events.Select(e => (e.Id, e.AtMs, SearchTerms.Of(e)))], cancellationToken);
        await WriteAsync(db, "Audit", [.. audit.Select(a => (a.Id, a.AtMs, SearchTerms.Of(a)))], cancellationToken);
    }

    public async Task RemoveAsync(HubDbContext db, IReadOnlyCollection<EventEntity> events, CancellationToken cancellationToken)
    {
        long[] gone = [.. events.Select(e => e.Id)];
        long[] blocks = [.. gone.Select(BlockOf).Distinct()];
        await db.Database.ExecuteSqlAsync(
            $"""
            DELETE FROM "EventTerms" WHERE "Id" = ANY ({gone});
            DELETE FROM "EventTimes" AS t WHERE t."Block" = ANY ({blocks})
              AND NOT EXISTS (SELECT 1 FROM "EventTerms" AS e WHERE e."Id" >= t."Block" << {BlockBits} AND e."Id" < (t."Block" + 1) << {BlockBits});
            """,
            cancellationToken);
    }

    public async Task CatchUpAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        while (true)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            long lastEvent = await NewestAsync(db, "Event", cancellationToken);
            long lastAudit = await NewestAsync(db, "Audit", cancellationToken);
            var events = await db.Events.AsNoTracking().Where(e => e.Id > lastEvent).OrderBy(e => e.Id).Take(CatchUpStep).ToListAsync(cancellationToken);
            var audit = await db.Audit.AsNoTracking().Where(a => a.Id > lastAudit).OrderBy(a => a.Id).Take(CatchUpStep).ToListAsync(cancellationToken);
            if (events.Count + audit.Count == 0)
            {
                return;
            }

            await AddAsync(db, events, audit, cancellationToken);
            await transaction.CommitAsync(CancellationToken.None);
        }
    }

    private static async Task<List<T>> PageAsync<T>(HubDbContext db, DbSet<T> set, Table<T> table, HistoryFilter filter, long before, int limit, CancellationToken cancellationToken)
        where T : class
    {
        if (SearchQuery.IsEmpty(filter))
        {
            return await set.FromSqlRaw(Newest(table), before, limit).AsNoTracking().ToListAsync(cancellationToken);
        }

        if (SearchQuery.ByRow(filter) is not { } query)
        {
            return [];
        }

        var found = new List<T>();
        int size = 1;
        await foreach (Window window in WindowsAsync(db, set, table, filter, query, before, () => size, cancellationToken))
        {
            found.AddRange(await In(set, table, query, window, before, limit - found.Count).AsNoTracking().ToListAsync(cancellationToken));
            if (found.Count >= limit)
            {
                break;
            }

            size = Math.Min(2 * size, MostBlocks);
        }

        return found;
    }

    // Blocks that follow each other, newest first.
    private static IAsyncEnumerable<Window> WindowsAsync<T>(
        HubDbContext db, DbSet<T> set, Table<T> table, HistoryFilter filter, SearchQuery query, long before, Func<int> size, CancellationToken cancellationToken)
        where T : class =>
        SearchQuery.HasTime(filter) ? OfSpanAsync(db, table.Terms, query, before, size, cancellationToken) : OfAllAsync(set, table, before, size, cancellationToken);

    private static async IAsyncEnumerable<Window> OfAllAsync<T>(DbSet<T> set, Table<T> table, long before, Func<int> size, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        long block = BlockOf(Math.Min(before - 1, await set.MaxAsync(table.Id, cancellationToken) ?? 0));
        long oldest = BlockOf(await set.MinAsync(table.Id, cancellationToken) ?? 0);
        while (block >= oldest)
        {
            var window = new Window(Math.Max(oldest, block - size() + 1), block);
            yield return window;
            block = window.First - 1;
        }
    }

    private static async IAsyncEnumerable<Window> OfSpanAsync(HubDbContext db, string terms, SearchQuery query, long before, Func<int> size, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string sql = $$"""SELECT "Block" AS "Value" FROM "{{terms}}Times" WHERE "Block" <= {0} AND "Time" >= {1} AND "Time" <= {2} GROUP BY "Block" ORDER BY "Block" DESC LIMIT {3}""";
        long block = BlockOf(before - 1);
        List<long> blocks;
        do
        {
            blocks = await db.Database.SqlQueryRaw<long>(sql, block, StretchOf(query.FromMs), StretchOf(query.ToMs - 1), BlocksAtOnce).ToListAsync(cancellationToken);
            for (int at = 0; at < blocks.Count;)
            {
                int count = 1;
                while (count < size() && at + count < blocks.Count && blocks[at + count] == blocks[at] - count)
                {
                    count++;
                }

                at += count;
                yield return new Window(blocks[at - 1], blocks[at - count]);
            }

            block = blocks.LastOrDefault() - 1;
        }
        while (blocks.Count == BlocksAtOnce);
    }

    private static IQueryable<T> In<T>(DbSet<T> set, Table<T> table, SearchQuery query, Window window, long before, int limit)
        where T : class
    {
        long first = window.First << BlockBits;
        long end = Math.Min(before, (window.Last + 1) << BlockBits);

        // Where only the time is asked for the terms have nothing to say.
        return query.All.IsEmpty
            ? set.FromSqlRaw(SqlOfTime(table), end, first, query.FromMs, query.ToMs, limit)
            : set.FromSqlRaw(Sql(table), Match(query, window), end, first, query.FromMs, query.ToMs, limit);
    }

    private static string Newest<T>(Table<T> table) => $$"""SELECT * FROM "{{table.Name}}" WHERE "Id" < {0} ORDER BY "Id" DESC LIMIT {1}""";

    // The bounds of the window stand there twice, as terms and as numbers: whichever way the planner goes, it goes through the window only.
    private static string Sql<T>(Table<T> table) =>
        $$"""
        SELECT e.* FROM "{{table.Terms}}Terms" AS t JOIN "{{table.Name}}" AS e ON e."Id" = t."Id"
        WHERE t."Terms" @@ CAST({0} AS tsquery) AND t."Id" < {1} AND t."Id" >= {2} AND e."AtMs" >= {3} AND e."AtMs" < {4}
        ORDER BY t."Id" DESC LIMIT {5}
        """;

    private static string SqlOfTime<T>(Table<T> table) =>
        $$"""SELECT * FROM "{{table.Name}}" WHERE "Id" < {0} AND "Id" >= {1} AND "AtMs" >= {2} AND "AtMs" < {3} ORDER BY "Id" DESC LIMIT {4}""";

    // As a tsquery is written. No term has a quote or a backslash in it.
    private static string Match(SearchQuery query, Window window)
    {
        var clauses = query.All.Select(t => t.EndsWith('*') ? $"'{t[..^1]}':*" : $"'{t}'").ToList();
        List<string> blocks = [];
        for (long block = window.First; block <= window.Last; block++)
        {
            blocks.Add($"'{BlockTerm(block)}'");
        }

        clauses.Add($"({string.Join(" | ", blocks)})");
        return string.Join(" & ", clauses);
    }

    private static long BlockOf(long id) => id >> BlockBits;

    private static long StretchOf(long atMs) => atMs >> StretchBits;

    private static string BlockTerm(long block) => string.Create(CultureInfo.InvariantCulture, $"=b{block}");

    private static async Task WriteAsync(HubDbContext db, string table, (long Id, long AtMs, string Terms)[] rows, CancellationToken cancellationToken)
    {
        if (rows.Length == 0)
        {
            return;
        }

        long[] ids = [.. rows.Select(r => r.Id)];
        string[] terms = [.. rows.Select(r => string.Join(' ', r.Terms.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(t => !TimeTerms.IsOne(t)).Append(BlockTerm(BlockOf(r.Id)))))];
        (long Block, long Stretch)[] times = [.. rows.Select(r => (BlockOf(r.Id), StretchOf(r.AtMs))).Distinct()];
        long[] blocks = [.. times.Select(t => t.Block)];
        long[] stretches = [.. times.Select(t => t.Stretch)];

        // An entry may be there again under the number of one that somebody took away behind the hub: that one is found by its own words.
        string insert =
            $$"""
            INSERT INTO "{{table}}Terms" ("Id", "Terms") SELECT n.id, array_to_tsvector(string_to_array(n.terms, ' ')) FROM unnest({0}, {1}) AS n(id, terms) ON CONFLICT ("Id") DO UPDATE SET "Terms" = EXCLUDED."Terms";
            INSERT INTO "{{table}}Times" ("Block", "Time") SELECT n.block, n.time FROM unnest({2}, {3}) AS n(block, time) ON CONFLICT DO NOTHING;
            """;
        await db.Database.ExecuteSqlRawAsync(insert, [Longs(ids), new NpgsqlParameter { Value = terms, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text }, Longs(blocks), Longs(stretches)], cancellationToken);
    }

    private static NpgsqlParameter Longs(long[] values) => new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint };

    private static Task<long> NewestAsync(HubDbContext db, string table, CancellationToken cancellationToken)
    {
        string newest = $"""SELECT coalesce(max("Id"), 0) AS "Value" FROM "{table}Terms" """;
        return db.Database.SqlQueryRaw<long>(newest).SingleAsync(cancellationToken);
    }

    /// <param name="Terms">What the names of its index begin with.</param>
    /// <param name="Name">Of the table.</param>
    /// <param name="Id">Its numbers.</param>
    private sealed record Table<T>(string Terms, string Name, Expression<Func<T, long?>> Id);

    /// <summary>Blocks that are looked through at once, both included.</summary>
    private readonly record struct Window(long First, long Last);
}
