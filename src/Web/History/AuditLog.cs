using FailoverHub.Web.Data;
using FailoverHub.Web.Operations;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.History;

/// <summary>An audit entry before it has its number and its place in the chain.</summary>
internal sealed record AuditDraft
{
    public required Actor Actor { get; init; }

    public required string Action { get; init; }

    public required string Target { get; init; }

    public string? Reason { get; init; }

    public string? Before { get; init; }

    public string? After { get; init; }

    /// <summary>"accepted", or "refused: SR-03 TargetReady: …".</summary>
    public required string Outcome { get; init; }

    public string? CorrelationId { get; init; }

    /// <summary>When it was done, by the clock of the node that tells it; null: now, through the hub.</summary>
    public DateTimeOffset? HappenedAt { get; init; }
}

/// <summary>
/// Writes the audit. The entry and the change it stands for are one transaction: either both are on the disk or neither. SQLite's
/// transactions begin IMMEDIATE here, so that reading the head of the chain and adding to it cannot be interleaved, not even by another process.
/// </summary>
internal sealed class AuditLog(IDbContextFactory<HubDbContext> factory, HistoryChanges changes, TimeProvider time)
{
    /// <summary>Audits something that changes nothing in the database: a refusal, a sign-in that failed.</summary>
    /// <exception cref="DbUpdateException">It could not be written.</exception>
    public Task WriteAsync(AuditDraft draft, CancellationToken cancellationToken) =>
        ChangeAsync(draft, (_, _) => Task.CompletedTask, cancellationToken);

    /// <summary>Audits a change and makes it, in one transaction.</summary>
    /// <param name="draft">What is done.</param>
    /// <param name="change">Does it, on the context that it is given; saving and committing is done here.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    /// <exception cref="DbUpdateException">It could not be written; nothing was done.</exception>
    public async Task ChangeAsync(AuditDraft draft, Func<HubDbContext, CancellationToken, Task> change, CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var entry = await AddAsync(db, draft, time.GetUtcNow(), cancellationToken);
        await change(db, cancellationToken);
        if (draft.Actor.Request is { } request)
        {
            await request.AddAsync(db, draft.CorrelationId, time.GetUtcNow(), cancellationToken);
        }

        await db.SaveChangesAsync(cancellationToken);

        // A commit that is stopped half-way would leave it open whether it happened.
        await transaction.CommitAsync(CancellationToken.None);
        draft.Actor.Request?.Committed();
        changes.Appended(auditId: entry.Id);
        changes.WasAudited(draft);
    }

    /// <summary>Adds an entry to the end of the chain; whoever calls it has begun a transaction, and commits it.</summary>
    public static async Task<AuditEntity> AddAsync(HubDbContext db, AuditDraft draft, DateTimeOffset at, CancellationToken cancellationToken)
    {
        // What the same transaction has added is not in the database yet.
        var head = db.Audit.Local.MaxBy(a => a.Id) ?? await db.Audit.AsNoTracking().OrderByDescending(a => a.Id).FirstOrDefaultAsync(cancellationToken);
        var entry = HistoryRecords.ToEntity(draft, (head?.Id ?? 0) + 1, at, head?.Hash ?? AuditChain.Root);
        db.Audit.Add(entry);
        return entry;
    }
}
