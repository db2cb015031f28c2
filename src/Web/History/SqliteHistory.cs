using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.History;

/// <summary>The past, read from the database. Pages by number, newest first, so that what is appended meanwhile moves no page.</summary>
internal sealed class SqliteHistory(IDbContextFactory<HubDbContext> factory, HistoryChanges changes) : IHistory
{
    private const int MaxLimit = 500;
    private const string Escape = "\\";

    public async Task<HistoryPage<EventRecord>> EventsAsync(HistoryFilter filter, string? cursor, int limit, CancellationToken cancellationToken)
    {
        var before = ParseCursor(cursor);
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        var query = Filtered(db.Events.AsNoTracking(), filter).Where(e => e.Id < before);
        var rows = await query.OrderByDescending(e => e.Id).Take(Limit(limit) + 1).ToListAsync(cancellationToken);
        return Page(rows, limit, e => e.Id, HistoryRecords.ToRecord);
    }

    public async Task<HistoryPage<AuditEntry>> AuditAsync(HistoryFilter filter, string? cursor, int limit, CancellationToken cancellationToken)
    {
        var before = ParseCursor(cursor);
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        var query = Filtered(db.Audit.AsNoTracking(), filter).Where(a => a.Id < before);
        var rows = await query.OrderByDescending(a => a.Id).Take(Limit(limit) + 1).ToListAsync(cancellationToken);
        return Page(rows, limit, a => a.Id, HistoryRecords.ToEntry);
    }

    public async Task<AuditVerification> VerifyAuditAsync(CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        var verifier = new AuditVerifier();
        await foreach (var entry in db.Audit.AsNoTracking().OrderBy(a => a.Id).AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            verifier.Add(entry);
        }

        return verifier.Result;
    }

    public IAsyncEnumerable<HistoryAppended> WatchAsync(CancellationToken cancellationToken) => changes.WatchAsync(cancellationToken);

    /// <summary>Finds out the newest numbers, so that the first answer of <see cref="WatchAsync"/> is right after a restart.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        changes.Appended(await db.Events.MaxAsync(e => (long?)e.Id, cancellationToken), await db.Audit.MaxAsync(a => (long?)a.Id, cancellationToken));
    }

    private static IQueryable<EventEntity> Filtered(IQueryable<EventEntity> query, HistoryFilter filter)
    {
        var from = filter.From?.ToUnixTimeMilliseconds();
        var to = filter.To?.ToUnixTimeMilliseconds();
        query = from is null ? query : query.Where(e => e.AtMs >= from);
        query = to is null ? query : query.Where(e => e.AtMs < to);
        query = filter.Pair is null ? query : query.Where(e => e.Pair == filter.Pair);
        query = filter.Node is null ? query : query.Where(e => e.Node == filter.Node);
        query = filter.Kind is null ? query : query.Where(e => e.Kind == filter.Kind);
        query = filter.MinimumSeverity is null ? query : query.Where(e => e.Severity >= filter.MinimumSeverity);
        query = filter.OperationId is null ? query : query.Where(e => e.OperationId == filter.OperationId);
        return Words(filter.Text).Aggregate(query, (q, word) => q.Where(e => EF.Functions.Like(e.Text, word, Escape)));
    }

    private static IQueryable<AuditEntity> Filtered(IQueryable<AuditEntity> query, HistoryFilter filter)
    {
        var from = filter.From?.ToUnixTimeMilliseconds();
        var to = filter.To?.ToUnixTimeMilliseconds();
        var pair = filter.Pair is null ? null : AuditTarget.Pair(filter.Pair);
        var node = filter.Node is null ? null : AuditTarget.Node(filter.Node);
        query = from is null ? query : query.Where(a => a.AtMs >= from);
        query = to is null ? query : query.Where(a => a.AtMs < to);
        query = pair is null ? query : query.Where(a => a.Target == pair || EF.Functions.Like(a.Target, "% of " + LikeText(pair), Escape));
        query = node is null ? query : query.Where(a => a.Target == node || EF.Functions.Like(a.Target, LikeText(node) + " of %", Escape));
        query = filter.Kind is null ? query : query.Where(a => a.Action == filter.Kind);
        query = filter.Actor is null ? query : query.Where(a => a.Actor == filter.Actor);
        query = filter.OperationId is null ? query : query.Where(a => a.CorrelationId == filter.OperationId);
        return Words(filter.Text).Aggregate(query, (q, word) => q.Where(a =>
            EF.Functions.Like(a.Target, word, Escape) || EF.Functions.Like(a.Reason, word, Escape) || EF.Functions.Like(a.Outcome, word, Escape)
            || EF.Functions.Like(a.Actor, word, Escape) || EF.Functions.Like(a.Action, word, Escape)));
    }

    private static IEnumerable<string> Words(string? text) =>
        HistoryFilter.WordsOf(text).Take(HistoryFilter.MaxWords).Select(w => $"%{LikeText(w)}%");

    private static string LikeText(string text) =>
        text.Replace(Escape, Escape + Escape, StringComparison.Ordinal).Replace("%", Escape + "%", StringComparison.Ordinal).Replace("_", Escape + "_", StringComparison.Ordinal);

    private static HistoryPage<TItem> Page<TRow, TItem>(List<TRow> rows, int limit, Func<TRow, long> id, Func<TRow, TItem> map)
    {
        var items = rows.Take(Limit(limit)).ToList();
        return new HistoryPage<TItem>(
            items.Select(map).ToImmutableArray(),
            rows.Count > items.Count ? id(items[^1]).ToString(CultureInfo.InvariantCulture) : null);
    }

    private static int Limit(int limit) => Math.Clamp(limit, 1, MaxLimit);

    private static long ParseCursor(string? cursor) => cursor switch
    {
        null => long.MaxValue,
        _ when long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id > 0 => id,
        _ => throw new FormatException("The cursor is not one that an earlier page gave."),
    };
}

/// <summary>How the target of an audit entry is written, so that it can be found again.</summary>
internal static class AuditTarget
{
    public static string Pair(string name) => $"pair {name}";

    public static string Node(string name) => $"node {name}";

    public static string NodeOfPair(string node, string pair) => $"{Node(node)} of {Pair(pair)}";
}
