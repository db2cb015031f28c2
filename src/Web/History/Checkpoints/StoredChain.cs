using System.Runtime.CompilerServices;
using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.History.Checkpoints;

/// <summary>One of the two.</summary>
internal readonly record struct ChainItem(AuditEntity? Entry, AuditCheckpoint? Checkpoint)
{
    public void Switch(Action<AuditEntity> entry, Action<AuditCheckpoint> checkpoint)
    {
        if (Entry is not null)
        {
            entry(Entry);
        }
        else
        {
            checkpoint(Checkpoint!);
        }
    }
}

/// <summary>
/// The stored audit, oldest first, each checkpoint right after the entry that it signs. Read in pages and not in one transaction: as it is only
/// ever appended to, that is the same, and a slow reader keeps neither the database's log from being taken in nor anybody waiting.
/// </summary>
internal sealed class StoredChain(IDbContextFactory<HubDbContext> factory)
{
    private const int PageSize = 500;

    public async IAsyncEnumerable<ChainItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // In this order: what those checkpoints signed was there before.
        long lastCheckpoint;
        long head;
        await using (var db = await factory.CreateDbContextAsync(cancellationToken))
        {
            lastCheckpoint = await db.AuditCheckpoints.MaxAsync(c => (long?)c.Id, cancellationToken) ?? 0;
            head = await db.Audit.MaxAsync(a => (long?)a.Id, cancellationToken) ?? 0;
        }

        long after = 0;
        while (true)
        {
            await using var db = await factory.CreateDbContextAsync(cancellationToken);
            var entries = await db.Audit.AsNoTracking().Where(a => a.Id > after && a.Id <= head).OrderBy(a => a.Id).Take(PageSize).ToListAsync(cancellationToken);

            // After the last entry whatever is left: it signs entries that are not there any more.
            long until = entries.Count < PageSize ? long.MaxValue : entries[^1].Id;
            var checkpoints = await db.AuditCheckpoints.AsNoTracking().Where(c => c.EntryId > after && c.EntryId <= until && c.Id <= lastCheckpoint)
                .OrderBy(c => c.EntryId).ThenBy(c => c.Id).ToListAsync(cancellationToken);
            int next = 0;
            foreach (var entry in entries)
            {
                for (; next < checkpoints.Count && checkpoints[next].EntryId < entry.Id; next++)
                {
                    yield return new ChainItem(null, HistoryRecords.ToCheckpoint(checkpoints[next]));
                }

                yield return new ChainItem(entry, null);
                after = entry.Id;
            }

            for (; next < checkpoints.Count; next++)
            {
                yield return new ChainItem(null, HistoryRecords.ToCheckpoint(checkpoints[next]));
            }

            if (entries.Count < PageSize)
            {
                yield break;
            }
        }
    }
}
