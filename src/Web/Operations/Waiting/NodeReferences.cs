using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Bulk;
using FailoverHub.Web.Operations.Freezes;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Operations.Running;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Operations.Waiting;

/// <summary>What has ended because its node was removed, as it was stored.</summary>
/// <param name="Waiting">What waited for it.</param>
/// <param name="Unsettled">What was not known of, and would have been told by what the node reports.</param>
internal sealed record EndedByRemoval(IReadOnlyList<WaitingOperation> Waiting, IReadOnlyList<OperationView> Unsettled);

/// <summary>
/// What is kept of a node by its name for something that is still to be done: what waits for it, what is still to be told by it, and what it has to be told when a
/// freeze is over. It follows the node to another name, and is gone with it: another machine of that name must not be told what this one was to be told. Whoever
/// changes the table of nodes holds the lock of admission from the first call to the last.
/// </summary>
internal sealed class NodeReferences(OperationServices services, OperationAgenda agenda, BulkRuns bulk, OperationSettlement settlement, FreezeKeeper freezes)
{
    /// <summary>Action of the audit: what became of an operation was not known, and it was ended so.</summary>
    public const string Settled = "settle";

    /// <summary>While somebody holds it no operation is admitted, none begins, and nobody is told of a freeze.</summary>
    public SemaphoreSlim Admission => services.Admission;

    /// <summary>Why the node must not get another name now; null: it may. What the node reports under the old one is what tells how such an operation ended.</summary>
    public async Task<string?> AgainstRenamingAsync(string node, CancellationToken cancellationToken)
    {
        var unsettled = (await UnfinishedAsync(node, cancellationToken)).FirstOrDefault();
        return unsettled is null
            ? StillToDrain(node)
            : $"What became of '{unsettled.Title}' is not known yet, and what {node} reports will tell. Wait until it is settled, or set another operation going on {unsettled.PairName}, which settles it.";
    }

    /// <summary>
    /// Why the node must not be removed now; null: it may. What is under way would end without it, and nobody would know how. What is not known of already does not stand in
    /// the way: nothing more is sent of it, and of a node that never comes back it would stand there for ever.
    /// </summary>
    public async Task<string?> AgainstRemovingAsync(string node, CancellationToken cancellationToken) =>
        (await UnfinishedAsync(node, cancellationToken)).FirstOrDefault(o => !IsLeftUnknown(o)) is { } running
            ? $"'{running.Title}' is under way and tells {node} something. Wait for its end, or cancel it."
            : StillToDrain(node);

    /// <summary>Gives it the new name, in a transaction that somebody else commits.</summary>
    /// <returns>What waits, as it was stored; to be handed to <see cref="Renamed"/> after the commit.</returns>
    public async Task<IReadOnlyList<WaitingOperation>> RenameAsync(HubDbContext db, string old, string name, CancellationToken cancellationToken)
    {
        // An earlier version may have left something under the new name.
        await db.HeldFailbacks.Where(h => h.Node == name).ExecuteDeleteAsync(cancellationToken);
        await db.HeldFailbacks.Where(h => h.Node == old).ExecuteUpdateAsync(set => set.SetProperty(h => h.Node, name), cancellationToken);
        var waiting = agenda.About(old).Concat(agenda.BulkDrainsOf(old)).Select(w => w.Renamed(old, name)).ToList();
        foreach (var renamed in waiting)
        {
            await WaitingStore.RenameAsync(db, renamed, cancellationToken);
        }

        return waiting;
    }

    /// <summary>The rename is on the disk.</summary>
    public void Renamed(string old, string name, IEnumerable<WaitingOperation> waiting)
    {
        freezes.Renamed(old, name);
        foreach (var renamed in waiting)
        {
            agenda.Changed(renamed);
        }
    }

    /// <summary>Ends what waits for the node and what only it could have told, each with an audit entry, in a transaction that somebody else commits.</summary>
    /// <returns>What has ended, as it was stored; to be handed to <see cref="RemovedAsync"/> after the commit.</returns>
    public async Task<EndedByRemoval> RemoveAsync(HubDbContext db, string node, Actor actor, CancellationToken cancellationToken)
    {
        await db.HeldFailbacks.Where(h => h.Node == node).ExecuteDeleteAsync(cancellationToken);
        var now = services.Time.GetUtcNow();
        var why = $"{node} was removed from the hub. Nothing was sent.";
        var waiting = agenda.About(node).Select(w => w.Ended(OperationStatus.Cancelled, why, now)).ToList();
        foreach (var ended in waiting)
        {
            await AuditLog.AddAsync(db, OperationAgenda.Draft(ended.View, actor, "cancel", "accepted", why), now, cancellationToken);
            await WaitingStore.UpdateAsync(db, ended.View, cancellationToken);
        }

        var unsettled = await WaitingStore.EndUnknownAsync(db, node, now, cancellationToken);
        foreach (var ended in unsettled)
        {
            await AuditLog.AddAsync(db, OperationAgenda.Draft(ended, actor, Settled, "accepted", $"{node} was removed from the hub."), now, cancellationToken);
        }

        return new EndedByRemoval(waiting, unsettled);
    }

    /// <summary>The removal is on the disk.</summary>
    public async Task RemovedAsync(string node, EndedByRemoval ended)
    {
        freezes.Removed(node);
        foreach (var waiting in ended.Waiting)
        {
            agenda.Changed(waiting);
        }

        foreach (var view in ended.Unsettled)
        {
            services.Feed.Publish(view);
            try
            {
                // It finds that it has ended already, and only stops to look.
                await settlement.SupersedeAsync(view.PairId, null);
            }
            catch (OperationCanceledException)
            {
                // The hub is stopping, and nobody looks any more.
            }
        }
    }

    // By the tables: what is under way on another pair may tell it something too.
    private async Task<IEnumerable<OperationView>> UnfinishedAsync(string node, CancellationToken cancellationToken) =>
        (await services.Store.UnfinishedAsync(cancellationToken)).Where(o => IsAbout(node, o.View.Node, o.Wanted)).Select(o => o.View);

    internal static bool IsAbout(string node, string? told, IEnumerable<WantedOfNode> wanted) => wanted.Select(w => w.Node).Append(told).Contains(node, StringComparer.OrdinalIgnoreCase);

    // Stored, and told: until then its run is still ending, and hands it to its settlement only afterwards.
    private bool IsLeftUnknown(OperationView stored) => stored.Status == OperationStatus.OutcomeUnknown && services.Feed.Find(stored.Id) is null or { Status: OperationStatus.OutcomeUnknown };

    private string? StillToDrain(string node) => bulk.StillToDrain(node) is { } title
        ? $"'{title}' is under way, and {node} is one of the nodes that it still has to drain. Wait for its end, or cancel it."
        : null;
}
