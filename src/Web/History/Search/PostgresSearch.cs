using System.Globalization;
using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace FailoverHub.Web.History.Search;

/// <summary>
/// PostgreSQL's full-text index: tables EventTerms and AuditTerms keep the <see cref="SearchTerms"/> of each entry as a tsvector (taken as they are, no dictionary) below a GIN index.
/// Such an index knows no order, so a page is looked for window by window from the newest entry backwards: each entry also has its block (<see cref="BlockOf"/>) as a term, and a window is some blocks.
/// What is common is found in the first window; what is rare costs a few lookups of lists that have nothing in common.
/// </summary>
internal sealed class PostgresSearch : IHistorySearch
{
    public static readonly PostgresSearch Instance = new();

    private const int CatchUpStep = 1_000;

    /// <summary>Entries of a block: 2 to the power of that.</summary>
    private const int BlockBits = 13;

    // 65,536 entries: that many rows are looked at in some 50 ms when each of them matches but for the minutes at the ends of a span.
    private const long MostBlocks = 8;

    private PostgresSearch()
    {
    }

    public Task<List<EventEntity>> EventsAsync(HubDbContext db, HistoryFilter filter, long before, int limit, CancellationToken cancellationToken) =>
        PageAsync(db, db.Events, new Table<EventEntity>("Event", "Events", e => e.Id, e => e.AtMs), filter, before, limit, cancellationToken);

    public Task<List<AuditEntity>> AuditAsync(HubDbContext db, HistoryFilter filter, long before, int limit, CancellationToken cancellationToken) =>
        PageAsync(db, db.Audit, new Table<AuditEntity>("Audit", "Audit", a => a.Id, a => a.AtMs), filter, before, limit, cancellationToken);

    public async Task AddAsync(HubDbContext db, IReadOnlyCollection<EventEntity> events, IReadOnlyCollection<AuditEntity> audit, CancellationToken cancellationToken)
    {
        await WriteAsync(db, "Event", [.. events.Select(e => (e.Id, SearchTerms.Of(e)))], cancellationToken);
        await WriteAsync(db, "Audit", [.. audit.Select(a => (a.Id, SearchTerms.Of(a)))], cancellationToken);
    }

    public async Task RemoveAsync(HubDbContext db, IReadOnlyCollection<EventEntity> events, CancellationToken cancellationToken)
    {
        long[] gone = [.. events.Select(e => e.Id)];
        await db.Database.ExecuteSqlAsync($"""DELETE FROM "EventTerms" WHERE "Id" = ANY ({gone})""", cancellationToken);
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

        var kept = SearchQuery.HasTime(filter) ? (await set.MinAsync(table.AtMs, cancellationToken), await set.MaxAsync(table.AtMs, cancellationToken)) : (null, null);
        if (SearchQuery.Of(filter, kept) is not { } query)
        {
            return [];
        }

        var found = new List<T>();
        long block = BlockOf(Math.Min(before - 1, await set.MaxAsync(table.Id, cancellationToken) ?? 0));
        long oldest = BlockOf(await set.MinAsync(table.Id, cancellationToken) ?? 0);
        for (long size = 1; block >= oldest && found.Count < limit; size = Math.Min(2 * size, MostBlocks))
        {
            long first = Math.Max(oldest, block - size + 1);
            found.AddRange(await set.FromSqlRaw(
                Sql(table),
                Match(query, first, block), Math.Min(before, (block + 1) << BlockBits), first << BlockBits, query.FromMs, query.ToMs, limit - found.Count).AsNoTracking().ToListAsync(cancellationToken));
            block = first - 1;
        }

        return found;
    }

    private static string Newest<T>(Table<T> table) => $$"""SELECT * FROM "{{table.Name}}" WHERE "Id" < {0} ORDER BY "Id" DESC LIMIT {1}""";

    // The bounds of the window stand there twice, as terms and as numbers: whichever way the planner goes, it goes through the window only.
    private static string Sql<T>(Table<T> table) =>
        $$"""
        SELECT e.* FROM "{{table.Terms}}Terms" AS t JOIN "{{table.Name}}" AS e ON e."Id" = t."Id"
        WHERE t."Terms" @@ CAST({0} AS tsquery) AND t."Id" < {1} AND t."Id" >= {2} AND e."AtMs" >= {3} AND e."AtMs" < {4}
        ORDER BY t."Id" DESC LIMIT {5}
        """;

    /// <summary>As a tsquery is written. No term has a quote or a backslash in it.</summary>
    internal static string Match(SearchQuery query, long firstBlock, long lastBlock)
    {
        var clauses = query.All.Select(t => t.EndsWith('*') ? $"'{t[..^1]}':*" : $"'{t}'").ToList();
        if (query.Times is { IsEmpty: false } times)
        {
            clauses.Add($"({string.Join(" | ", times.Select(t => $"'{t}'"))})");
        }

        List<string> blocks = [];
        for (long block = firstBlock; block <= lastBlock; block++)
        {
            blocks.Add($"'{BlockTerm(block)}'");
        }

        clauses.Add($"({string.Join(" | ", blocks)})");
        return string.Join(" & ", clauses);
    }

    private static long BlockOf(long id) => id >> BlockBits;

    private static string BlockTerm(long block) => string.Create(CultureInfo.InvariantCulture, $"=b{block}");

    private static async Task WriteAsync(HubDbContext db, string table, (long Id, string Terms)[] rows, CancellationToken cancellationToken)
    {
        if (rows.Length == 0)
        {
            return;
        }

        long[] ids = [.. rows.Select(r => r.Id)];
        string[] terms = [.. rows.Select(r => $"{r.Terms} {BlockTerm(BlockOf(r.Id))}".TrimStart())];
        // An entry may be there again under the number of one that somebody took away behind the hub: that one is found by its own words.
        string insert = $$"""INSERT INTO "{{table}}Terms" ("Id", "Terms") SELECT n.id, array_to_tsvector(string_to_array(n.terms, ' ')) FROM unnest({0}, {1}) AS n(id, terms) ON CONFLICT ("Id") DO UPDATE SET "Terms" = EXCLUDED."Terms" """;
        await db.Database.ExecuteSqlRawAsync(
            insert,
            [new NpgsqlParameter { Value = ids, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint }, new NpgsqlParameter { Value = terms, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text }],
            cancellationToken);
    }

    private static Task<long> NewestAsync(HubDbContext db, string table, CancellationToken cancellationToken)
    {
        string newest = $"""SELECT coalesce(max("Id"), 0) AS "Value" FROM "{table}Terms" """;
        return db.Database.SqlQueryRaw<long>(newest).SingleAsync(cancellationToken);
    }

    /// <param name="Terms">What the name of its index begins with.</param>
    /// <param name="Name">Of the table.</param>
    /// <param name="Id">Its numbers.</param>
    /// <param name="AtMs">When an entry happened.</param>
    private sealed record Table<T>(string Terms, string Name, System.Linq.Expressions.Expression<Func<T, long?>> Id, System.Linq.Expressions.Expression<Func<T, long?>> AtMs);
}
