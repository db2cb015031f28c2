using FailoverHub.Web.Access;
using FailoverHub.Web.Data;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability.Targets;

namespace FailoverHub.Web.Components.Pages.Reachability;

/// <summary>What pages do to the list of targets: the right is asked for again before each change.</summary>
internal sealed class TargetDesk(TargetList list, PageGate gate)
{
    /// <summary>By its id; null: there is none.</summary>
    public NamedTarget? Find(string id) => id.StartsWith(NamedTarget.IdPrefix, StringComparison.OrdinalIgnoreCase) ? list.Find(id[NamedTarget.IdPrefix.Length..]) : null;

    /// <summary>Adds one, or changes what was seen (null: it is a new one). Null: it is done; else why it is not.</summary>
    public Task<string?> SaveAsync(NamedTarget target, NamedTargetDraft? seen, Actor actor, CancellationToken cancellationToken) => AskedAsync(
        actor,
        seen is null ? TargetList.Added : TargetList.Changed,
        who => seen is null ? list.AddAsync(target, who, cancellationToken) : list.ChangeAsync(target, NamedTarget.RevisionOf(seen), who, cancellationToken),
        cancellationToken);

    /// <summary>Removes one by its id. Null: it is done; else why it is not.</summary>
    public Task<string?> RemoveAsync(string id, Actor actor, CancellationToken cancellationToken) =>
        AskedAsync(actor, TargetList.Removed, who => list.RemoveAsync(Find(id)?.Name ?? id, null, who, cancellationToken), cancellationToken);

    private async Task<string?> AskedAsync(Actor actor, string action, Func<Actor, Task<TargetChange>> change, CancellationToken cancellationToken)
    {
        try
        {
            return await gate.AskAsync(actor, AccessPolicies.PageOperate, action, cancellationToken) is { } who ? (await change(who)).Problem : PageGate.Closed;
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            return $"It could not be written ({fault.GetBaseException().Message}), so nothing was done.";
        }
    }
}
