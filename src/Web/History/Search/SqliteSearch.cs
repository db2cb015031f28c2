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
        return SearchQuery.Of(filter, kept) is { } query
            ? db.Events.FromSqlRaw(Sql("Event", "Events"), Match(query), before, query.FromMs, query.ToMs, limit).AsNoTracking()
            : null;
    }

    /// <inheritdoc cref="EventQueryAsync"/>
    internal static async Task<IQueryable<AuditEntity>?> AuditQueryAsync(HubDbContext db, HistoryFilter filter, long before, int limit, CancellationToken cancellationToken)
    {
        var kept = SearchQuery.HasTime(filter)
            ? (await db.Audit.MinAsync(a => (long?)a.AtMs, cancellationToken), await db.Audit.MaxAsync(a => (long?)a.AtMs, cancellationToken))
            : (null, null);
        return SearchQuery.Of(filter, kept) is { } query
            ? db.Audit.FromSqlRaw(Sql("Audit", "Audit"), Match(query), before, query.FromMs, query.ToMs, limit).AsNoTracking()
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

    /// <summary>What FTS5 is asked.</summary>
    private static string Match(SearchQuery query)
    {
        var clauses = query.All.Select(t => t.EndsWith('*') ? $"\"{t[..^1]}\" *" : $"\"{t}\"").ToList();
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
