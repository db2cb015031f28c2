using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Data;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.History.Search;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.History;

/// <summary>The past, read from the database. Pages by number, newest first, so that what is appended meanwhile moves no page.</summary>
internal sealed class SqliteHistory(IDbContextFactory<HubDbContext> factory, HistoryChanges changes, AuditMemory memory) : IHistory
{
    private const int MaxLimit = 500;

    public async Task<HistoryPage<EventRecord>> EventsAsync(HistoryFilter filter, string? cursor, int limit, CancellationToken cancellationToken)
    {
        var before = ParseCursor(cursor);
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        var rows = await HistorySearch.Of(db).EventsAsync(db, filter, before, Limit(limit) + 1, cancellationToken);
        return Page(rows, limit, e => e.Id, HistoryRecords.ToRecord);
    }

    public async Task<HistoryPage<AuditEntry>> AuditAsync(HistoryFilter filter, string? cursor, int limit, CancellationToken cancellationToken)
    {
        var before = ParseCursor(cursor);
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        var rows = await HistorySearch.Of(db).AuditAsync(db, filter, before, Limit(limit) + 1, cancellationToken);
        return Page(rows, limit, a => a.Id, HistoryRecords.ToEntry);
    }

    public async Task<HistoryPage<AuditCheckpoint>> CheckpointsAsync(string? cursor, int limit, CancellationToken cancellationToken)
    {
        var before = ParseCursor(cursor);
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        var rows = await db.AuditCheckpoints.AsNoTracking().Where(c => c.Id < before).OrderByDescending(c => c.Id).Take(Limit(limit) + 1).ToListAsync(cancellationToken);
        return Page(rows, limit, c => c.Id, HistoryRecords.ToCheckpoint);
    }

    public async Task<AuditVerification> VerifyAuditAsync(CancellationToken cancellationToken)
    {
        var verifier = memory.Verifier();
        await foreach (var item in new StoredChain(factory).ReadAsync(cancellationToken))
        {
            item.Switch(verifier.Add, verifier.Add);
        }

        return verifier.Finish();
    }

    public async Task<ImmutableArray<IntentRecord>> IntentsAsync(string operationId, CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        var rows = await db.Intents.AsNoTracking().Where(i => i.OperationId == operationId).OrderBy(i => i.WrittenAtMs).ThenBy(i => i.Node).ThenBy(i => i.Revision).ToListAsync(cancellationToken);
        return [.. rows.Select(HistoryRecords.ToIntent)];
    }

    public IAsyncEnumerable<HistoryAppended> WatchAsync(CancellationToken cancellationToken) => changes.WatchAsync(cancellationToken);

    /// <summary>Makes findable what an older version wrote, and finds out the newest numbers, so that the first answer of <see cref="WatchAsync"/> is right after a restart.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        await HistorySearch.Of(db).CatchUpAsync(db, cancellationToken);
        changes.Appended(await db.Events.MaxAsync(e => (long?)e.Id, cancellationToken), await db.Audit.MaxAsync(a => (long?)a.Id, cancellationToken));
    }

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
