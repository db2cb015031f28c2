using System.Data.Common;
using System.Globalization;
using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace FailoverHub.Web.History.Search;

/// <summary>
/// SQLite's FTS5 as the index of everything: tables EventTerms and AuditTerms keep for each of the <see cref="SearchTerms"/> the numbers of the
/// entries that have it, and nothing else (no text, no positions). A page is the intersection of some lists, read from its newest end.
/// </summary>
internal sealed class SqliteSearch : IHistorySearch
{
    public static readonly SqliteSearch Instance = new();

    private const int CatchUpStep = 1_000;

    /// <summary>A beginning of more words than that is left to FTS5: each of them is rare then, or there would not be so many.</summary>
    private const int MostWords = 64;

    private SqliteSearch()
    {
    }

    public async Task<List<EventEntity>> EventsAsync(HubDbContext db, HistoryFilter filter, long before, int limit, CancellationToken cancellationToken)
    {
        if (SearchQuery.IsEmpty(filter))
        {
            return await db.Events.AsNoTracking().Where(e => e.Id < before).OrderByDescending(e => e.Id).Take(limit).ToListAsync(cancellationToken);
        }

        return await EventQueryAsync(db, filter, before, limit, cancellationToken) is { } query ? await query.ToListAsync(cancellationToken) : [];
    }

    public async Task<List<AuditEntity>> AuditAsync(HubDbContext db, HistoryFilter filter, long before, int limit, CancellationToken cancellationToken)
    {
        if (SearchQuery.IsEmpty(filter))
        {
            return await db.Audit.AsNoTracking().Where(a => a.Id < before).OrderByDescending(a => a.Id).Take(limit).ToListAsync(cancellationToken);
        }

        return await AuditQueryAsync(db, filter, before, limit, cancellationToken) is { } query ? await query.ToListAsync(cancellationToken) : [];
    }

    /// <summary>The query of a filter that is not empty; null: nothing can match.</summary>
    internal static async Task<IQueryable<EventEntity>?> EventQueryAsync(HubDbContext db, HistoryFilter filter, long before, int limit, CancellationToken cancellationToken)
    {
        var kept = SearchQuery.HasTime(filter)
            ? (await db.Events.MinAsync(e => (long?)e.AtMs, cancellationToken), await db.Events.MaxAsync(e => (long?)e.AtMs, cancellationToken))
            : (null, null);
        return SearchQuery.Of(filter, kept) is { } query && await MatchAsync(db, "Event", query, cancellationToken) is { } match
            ? db.Events.FromSqlRaw(Sql("Event", "Events"), match, before, query.FromMs, query.ToMs, limit).AsNoTracking()
            : null;
    }

    /// <inheritdoc cref="EventQueryAsync"/>
    internal static async Task<IQueryable<AuditEntity>?> AuditQueryAsync(HubDbContext db, HistoryFilter filter, long before, int limit, CancellationToken cancellationToken)
    {
        var kept = SearchQuery.HasTime(filter)
            ? (await db.Audit.MinAsync(a => (long?)a.AtMs, cancellationToken), await db.Audit.MaxAsync(a => (long?)a.AtMs, cancellationToken))
            : (null, null);
        return SearchQuery.Of(filter, kept) is { } query && await MatchAsync(db, "Audit", query, cancellationToken) is { } match
            ? db.Audit.FromSqlRaw(Sql("Audit", "Audit"), match, before, query.FromMs, query.ToMs, limit).AsNoTracking()
            : null;
    }

    public async Task AddAsync(HubDbContext db, IReadOnlyCollection<EventEntity> events, IReadOnlyCollection<AuditEntity> audit, CancellationToken cancellationToken)
    {
        await WriteAsync(db, "INSERT INTO EventTerms (rowid, Terms) VALUES ($id, $terms)", events.Select(e => (e.Id, (string?)SearchTerms.Of(e))), cancellationToken);
        await WriteAsync(db, "INSERT INTO AuditTerms (rowid, Terms) VALUES ($id, $terms)", audit.Select(a => (a.Id, (string?)SearchTerms.Of(a))), cancellationToken);
    }

    public Task RemoveAsync(HubDbContext db, IReadOnlyCollection<EventEntity> events, CancellationToken cancellationToken) =>
        WriteAsync(db, "DELETE FROM EventTerms WHERE rowid = $id", events.Select(e => (e.Id, (string?)null)), cancellationToken);

    public async Task CatchUpAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        while (true)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            long lastEvent = await NewestAsync(db, "EventTerms", cancellationToken);
            long lastAudit = await NewestAsync(db, "AuditTerms", cancellationToken);
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

    // The lists are the outer loop; rows are only looked at for the two minutes at the ends of a span.
    private static string Sql(string terms, string table) =>
        $$"""
        SELECT e.* FROM "{{terms}}Terms" CROSS JOIN "{{table}}" AS e ON e."Id" = "{{terms}}Terms".rowid
        WHERE "{{terms}}Terms" MATCH {0} AND "{{terms}}Terms".rowid < {1} AND e."AtMs" >= {2} AND e."AtMs" < {3}
        ORDER BY "{{terms}}Terms".rowid DESC LIMIT {4}
        """;

    /// <summary>What FTS5 is asked; null: nothing can match.</summary>
    private static async Task<string?> MatchAsync(HubDbContext db, string terms, SearchQuery query, CancellationToken cancellationToken)
    {
        var clauses = new List<string>();
        foreach (string term in query.All)
        {
            if (!term.EndsWith('*'))
            {
                clauses.Add($"\"{term}\"");
                continue;
            }

            List<string> words = await WordsAsync(db, terms, term[..^1], cancellationToken);
            if (words.Count == 0)
            {
                return null;
            }

            clauses.Add(words.Count > MostWords ? $"\"{term[..^1]}\" *" : $"({string.Join(" OR ", words.Select(w => $"\"{w}\""))})");
        }

        if (query.Times is not { } times)
        {
            // Something has to be asked.
            clauses.Add("\"@y\" *");
        }
        else if (!times.IsEmpty)
        {
            clauses.Add($"({string.Join(" OR ", times.Select(t => $"\"{t}\""))})");
        }

        return string.Join(" AND ", clauses);
    }

    // FTS5 gathers every entry of a beginning before it gives the first one; the words that there are it walks from their newest end.
    private static async Task<List<string>> WordsAsync(HubDbContext db, string terms, string beginning, CancellationToken cancellationToken)
    {
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using (var vocabulary = Command(db, $"CREATE VIRTUAL TABLE IF NOT EXISTS temp.{terms}Words USING fts5vocab('main', '{terms}Terms', 'instance')"))
            {
                await vocabulary.ExecuteNonQueryAsync(cancellationToken);
            }

            // One look for each word: the table has a row for each entry of a word, and they are not walked.
            await using var next = Command(db, $"SELECT term FROM temp.{terms}Words WHERE term >= $from LIMIT 1");
            var from = Parameter(next, "$from");
            from.Value = beginning;
            var words = new List<string>();
            while (words.Count <= MostWords && await next.ExecuteScalarAsync(cancellationToken) is string word && word.StartsWith(beginning, StringComparison.Ordinal))
            {
                words.Add(word);
                from.Value = word + "\u0001";
            }

            return words;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    private static async Task<long> NewestAsync(HubDbContext db, string table, CancellationToken cancellationToken)
    {
        await using var command = Command(db, $"SELECT rowid FROM {table} ORDER BY rowid DESC LIMIT 1");
        return await command.ExecuteScalarAsync(cancellationToken) is { } newest ? Convert.ToInt64(newest, CultureInfo.InvariantCulture) : 0;
    }

    private static async Task WriteAsync(HubDbContext db, string sql, IEnumerable<(long Id, string? Terms)> rows, CancellationToken cancellationToken)
    {
        await using var command = Command(db, sql);
        var id = Parameter(command, "$id");
        var terms = Parameter(command, "$terms");
        foreach (var row in rows)
        {
            id.Value = row.Id;
            terms.Value = row.Terms ?? "";
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private static DbParameter Parameter(DbCommand command, string name)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        command.Parameters.Add(parameter);
        return parameter;
    }

    private static DbCommand Command(HubDbContext db, string sql)
    {
        var command = db.Database.GetDbConnection().CreateCommand();
        command.CommandText = sql;
        command.Transaction = db.Database.CurrentTransaction?.GetDbTransaction();
        return command;
    }
}
