using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Records;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Operations.Waiting;

/// <summary>Waiting operations on the disk. Every method is one transaction.</summary>
internal sealed class WaitingStore(IDbContextFactory<HubDbContext> factory, AuditLog audit)
{
    /// <summary>Audits a request that has to wait, and keeps it.</summary>
    public Task AddAsync(WaitingOperation waiting, AuditDraft draft, CancellationToken cancellationToken) =>
        audit.ChangeAsync(draft, (db, ct) => InsertAsync(db, waiting, ct), cancellationToken);

    /// <summary>Audits that it stands otherwise, and keeps it: approved, or ended without having begun.</summary>
    public Task ChangeAsync(OperationView view, AuditDraft draft, CancellationToken cancellationToken) => audit.ChangeAsync(draft, (db, ct) => UpdateAsync(db, view, ct), cancellationToken);

    /// <summary>That it stands otherwise, in a transaction that somebody else commits.</summary>
    public static async Task UpdateAsync(HubDbContext db, OperationView view, CancellationToken cancellationToken)
    {
        var row = await db.Operations.SingleAsync(o => o.Id == view.Id, cancellationToken);
        OperationRecords.Update(row, view);
        row.ApprovedBy = view.ApprovedBy;
        row.RequestJson = view.IsFinished ? null : row.RequestJson;
    }

    /// <summary>That one of its nodes has another name, in a transaction that somebody else commits.</summary>
    public static async Task RenameAsync(HubDbContext db, WaitingOperation renamed, CancellationToken cancellationToken)
    {
        await UpdateAsync(db, renamed.View, cancellationToken);
        var row = await db.Operations.SingleAsync(o => o.Id == renamed.View.Id, cancellationToken);
        row.Node = renamed.View.Node;
        row.Title = renamed.View.Title;
        row.RequestJson = WaitingRecords.ToJson(renamed.Request, renamed.Actor);
    }

    /// <summary>
    /// Ends, in a transaction that somebody else commits, what would have been told by what that node reports. Read in that very transaction: what its settlement has ended just
    /// before has ended, and what is ended here its settlement finds so.
    /// </summary>
    /// <returns>What has ended, as it stands now.</returns>
    public static async Task<IReadOnlyList<OperationView>> EndUnknownAsync(HubDbContext db, string node, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var ended = new List<OperationView>();
        foreach (var row in await db.Operations.Where(o => o.Status == OperationStatus.OutcomeUnknown && o.RequestJson == null).OrderBy(o => o.Number).ToListAsync(cancellationToken))
        {
            if (!NodeReferences.IsAbout(node, row.Node, OperationRecords.WantedOf(row)))
            {
                continue;
            }

            var was = OperationRecords.ToView(row);
            var view = was with
            {
                Status = OperationStatus.Failed,
                Outcome = $"{was.Outcome} Before that could be told, {node} was removed from the hub.",
                FinishedAt = now,
            };
            OperationRecords.Update(row, view);

            // What was to be told to others, had it succeeded, is not told any more.
            await db.Intents.Where(i => i.OperationId == view.Id && i.Stage == IntentStage.Planned).ExecuteUpdateAsync(set => set.SetProperty(i => i.Stage, IntentStage.Abandoned), cancellationToken);
            ended.Add(view);
        }

        return ended;
    }

    /// <summary>What waited when the hub ended, oldest first, with the events of theirs that are in the history.</summary>
    public async Task<List<(WaitingOperation Waiting, ToldEvents Told)>> LoadAsync(CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        var rows = await db.Operations.AsNoTracking()
            .Where(o => o.RequestJson != null && (o.Status == OperationStatus.PendingApproval || o.Status == OperationStatus.Queued))
            .OrderBy(o => o.Number).ToListAsync(cancellationToken);
        var told = await OperationStore.ToldAsync(db, rows, cancellationToken);
        return [.. rows.Select(WaitingRecords.ToWaiting).OfType<WaitingOperation>().Select(w => (w, new ToldEvents(told[w.View.Id])))];
    }

    /// <summary>Adds its row to a transaction that somebody else commits.</summary>
    public static async Task InsertAsync(HubDbContext db, WaitingOperation waiting, CancellationToken cancellationToken)
    {
        // What the same transaction has added is not in the database yet; what it has only loaded may have been stored long ago.
        var stored = await db.Operations.MaxAsync(o => (long?)o.Number, cancellationToken) ?? 0;
        var last = db.Operations.Local.Select(o => o.Number).Append(stored).Max();
        var entity = OperationRecords.ToEntity(waiting.View, last + 1, []);
        entity.RequestJson = WaitingRecords.ToJson(waiting.Request, waiting.Actor);
        db.Operations.Add(entity);
    }
}
