using FailoverHub.Web.Operations.Bulk;
using FailoverHub.Web.Operations.Drills;

namespace FailoverHub.Web.Operations.Waiting;

/// <summary>Operations that are made of others: what is decided about them is decided in one way.</summary>
internal sealed record ComposedRuns(BulkRuns Bulk, DrillRuns Drills)
{
    /// <summary>Begins one that has waited for a second person, as the fleet is now. Whoever calls it holds the lock of admission.</summary>
    /// <returns>Why it does not begin; null: it has begun.</returns>
    public Task<SubmitResult?> BeginWaitingAsync(WaitingOperation waiting, string outcome, CancellationToken cancellationToken) => waiting.Request.Type == OperationType.Drill
        ? Drills.BeginWaitingAsync(waiting, outcome, cancellationToken)
        : Bulk.BeginWaitingAsync(waiting, outcome, cancellationToken);

    /// <summary>Why it would not begin, as the fleet is now; null: nothing stands in its way.</summary>
    public SubmitResult? ProblemOf(WaitingOperation waiting) => waiting.Request.Type == OperationType.Drill ? Drills.Look(waiting).Problem : Bulk.Look(waiting).Problem;

    /// <summary>Ends one that is under way.</summary>
    /// <returns>False: no such operation runs, or it is ending.</returns>
    public bool TryCancel(string id, string by) => Bulk.TryCancel(id, by) || Drills.TryCancel(id, by);
}
