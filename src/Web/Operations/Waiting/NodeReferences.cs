using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Freezes;
using FailoverHub.Web.Operations.Running;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Operations.Waiting;

/// <summary>
/// What is kept of a node by its name for something that is still to be done: what waits for it, and what it has to be told when a freeze is over. It follows the
/// node to another name, and is gone with it: another machine of that name must not be told what this one was to be told. Whoever changes the table of nodes holds
/// the lock of admission from the first call to the last.
/// </summary>
internal sealed class NodeReferences(OperationServices services, OperationAgenda agenda, FreezeKeeper freezes)
{
    /// <summary>While somebody holds it no operation is admitted, none begins, and nobody is told of a freeze.</summary>
    public SemaphoreSlim Admission => services.Admission;

    /// <summary>Why the node must not get another name now; null: it may. What the node reports under the old one is what tells how such an operation ended.</summary>
    public async Task<string?> AgainstRenamingAsync(string node, CancellationToken cancellationToken)
    {
        bool Is(string? name) => string.Equals(name, node, StringComparison.OrdinalIgnoreCase);
        var unsettled = (await services.Store.UnfinishedAsync(cancellationToken)).Find(o => Is(o.View.Node) || o.Wanted.Any(w => Is(w.Node))).View;
        return unsettled is null
            ? null
            : $"What became of '{unsettled.Title}' is not known yet, and what {node} reports will tell. Wait until it is settled, or set another operation going on {unsettled.PairName}, which settles it.";
    }

    /// <summary>Gives it the new name, in a transaction that somebody else commits.</summary>
    /// <returns>What waits, as it was stored; to be handed to <see cref="Renamed"/> after the commit.</returns>
    public async Task<IReadOnlyList<WaitingOperation>> RenameAsync(HubDbContext db, string old, string name, CancellationToken cancellationToken)
    {
        // An earlier version may have left something under the new name.
        await db.HeldFailbacks.Where(h => h.Node == name).ExecuteDeleteAsync(cancellationToken);
        await db.HeldFailbacks.Where(h => h.Node == old).ExecuteUpdateAsync(set => set.SetProperty(h => h.Node, name), cancellationToken);
        var waiting = agenda.About(old).Select(w => w.Renamed(old, name)).ToList();
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

    /// <summary>Ends what waits for the node, each with an audit entry, in a transaction that somebody else commits.</summary>
    /// <returns>What has ended, as it was stored; to be handed to <see cref="Removed"/> after the commit.</returns>
    public async Task<IReadOnlyList<WaitingOperation>> RemoveAsync(HubDbContext db, string node, Actor actor, CancellationToken cancellationToken)
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

        return waiting;
    }

    /// <summary>The removal is on the disk.</summary>
    public void Removed(string node, IEnumerable<WaitingOperation> waiting)
    {
        freezes.Removed(node);
        foreach (var ended in waiting)
        {
            agenda.Changed(ended);
        }
    }
}
