using System.Collections.Immutable;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Operations.Running;

namespace FailoverHub.Web.Operations.Waiting;

/// <summary>What people decide about operations that there are already: cancel, approve, reject. Each is audited before it happens, also when it is refused.</summary>
internal sealed class OperationDecisions(OperationServices services, OperationRuns runs, OperationAgenda agenda, ComposedRuns composed, AuditLog audit)
{
    private static readonly Actor Hub = new("hub", null, null);

    public Task<SubmitResult> CancelAsync(string id, string reason, Actor actor, CancellationToken cancellationToken) => DecideAsync(id, reason, actor, "cancel", Rights.Operate, async (view, words) =>
    {
        if (agenda.Find(id) is { } waiting)
        {
            var cancelled = waiting with { View = Ended(waiting.View, OperationStatus.Cancelled, $"Cancelled by {actor.Name}. Nothing was sent.") };
            await agenda.ChangeAsync(cancelled, OperationAgenda.Draft(cancelled.View, actor, "cancel", "accepted", words), cancellationToken);
            return new SubmitResult.Accepted(id);
        }

        if (view is { Type: OperationType.BulkDrain or OperationType.Drill, IsFinished: false })
        {
            await audit.WriteAsync(OperationAgenda.Draft(view, actor, "cancel", "accepted", words), cancellationToken);
            return composed.TryCancel(id, actor.Name) ? new SubmitResult.Accepted(id) : new SubmitResult.TooLate("It is ending, or is being cancelled already.");
        }

        // The entry is on the disk before anything stops; when it comes too late after all a second one says so.
        if (runs.InFlight(view) is { } run)
        {
            await audit.WriteAsync(OperationAgenda.Draft(view, actor, "cancel", "accepted", words), cancellationToken);
            if (run.TryCancel(actor.Name))
            {
                services.Feed.Tell(EventKinds.OperationCancelled, view.PairName, id, $"{view.Title}: cancelled by {actor.Name}. Reason: {words}");
                return new SubmitResult.Accepted(id);
            }
        }

        return new SubmitResult.TooLate(
            view.Status == OperationStatus.OutcomeUnknown ? "Its outcome is not known: it is settled by what the nodes report, and nothing of it is sent any more."
            : view.IsFinished ? $"It has ended already: {view.Status}."
            : "It is ending, or is being cancelled already.");
    }, cancellationToken);

    public Task<SubmitResult> ApproveAsync(string id, string reason, Actor actor, CancellationToken cancellationToken) => DecideAsync(id, reason, actor, "approve", Rights.Approve, async (view, words) =>
    {
        if (agenda.Find(id) is not { View.Status: OperationStatus.PendingApproval } waiting)
        {
            return new SubmitResult.TooLate($"It does not wait for approval: {view.Status}.");
        }

        if (waiting.TwoPerson(actor) is { Passed: false } same)
        {
            return new SubmitResult.Refused(OperationPreview.Only(same));
        }

        // Nobody's approval gives whoever asked a right back, so it waits for nothing any more.
        if (await agenda.RequesterAllowedAsync(waiting, cancellationToken) is { Rule: { Blocks: true } lost })
        {
            var ended = waiting with { View = Ended(waiting.View, OperationStatus.Refused, $"{WaitingFate.WordsOf([lost])} Nothing was sent.") };
            await agenda.ChangeAsync(ended, OperationAgenda.Draft(ended.View, Hub, "approval-refused", $"refused: {ended.View.Outcome}", waiting.Request.Reason), cancellationToken);
            return new SubmitResult.Refused(OperationPreview.Only(lost));
        }

        var approved = waiting with { View = waiting.View with { ApprovedBy = actor.Name, ApprovalEndsAt = null, Status = OperationStatus.Queued } };
        var draft = OperationAgenda.Draft(approved.View, actor, "approve", "accepted", words);
        if (waiting.Request.StartAt is not null)
        {
            await agenda.ChangeAsync(approved, draft, cancellationToken);
            return new SubmitResult.Accepted(id);
        }

        // It begins at once, or it goes on waiting: the rules are asked as the fleet is now, and a refusal is audited as well.
        if (agenda.ProblemOf(approved) is { } problem)
        {
            return problem;
        }

        // Approval and audit entry are one transaction: a hub that is killed behind it finds it approved, and begins it.
        await agenda.ChangeAsync(approved, draft, cancellationToken);
        await agenda.BeginApprovedAsync(approved);
        return new SubmitResult.Accepted(id);
    }, cancellationToken);

    public Task<SubmitResult> RejectAsync(string id, string reason, Actor actor, CancellationToken cancellationToken) => DecideAsync(id, reason, actor, "reject", Rights.Approve, async (view, words) =>
    {
        if (agenda.Find(id) is not { View.Status: OperationStatus.PendingApproval } waiting)
        {
            return new SubmitResult.TooLate($"It does not wait for approval: {view.Status}.");
        }

        var rejected = waiting with { View = Ended(waiting.View, OperationStatus.Refused, $"Rejected by {actor.Name}; nothing was sent. Reason: {words}") };
        await agenda.ChangeAsync(rejected, OperationAgenda.Draft(rejected.View, actor, "reject", "accepted", words), cancellationToken);
        return new SubmitResult.Accepted(id);
    }, cancellationToken);

    // One decision at a time, and never while a request is admitted or a run ends.
    private async Task<SubmitResult> DecideAsync(string id, string reason, Actor actor, string action, Rights needed, Func<OperationView, string, Task<SubmitResult>> decide, CancellationToken cancellationToken)
    {
        reason = reason.Trim();
        await services.Admission.WaitAsync(cancellationToken);
        try
        {
            if ((services.Feed.Find(id) ?? await services.Store.FindAsync(id, cancellationToken)) is not { } view)
            {
                return new SubmitResult.NotFound($"No operation has the id '{id}'.");
            }

            var wordless = SafetyRules.ReasonRequired(new OperationRequest { Type = view.Type, Reason = reason });
            var result = !actor.Rights.HasFlag(needed)
                ? new SubmitResult.Forbidden($"To {action} an operation needs the role {(needed == Rights.Approve ? "Approver, or a token of scope approve" : "Operator, or a token of scope operate")}.")
                : wordless.Passed
                ? await decide(view, reason)
                : new SubmitResult.Invalid(ImmutableDictionary<string, string>.Empty.Add("reason", wordless.Remedy!));
            if (Refusal(result) is { } refusal)
            {
                await audit.WriteAsync(OperationAgenda.Draft(view, actor, action, $"refused: {refusal}", reason), cancellationToken);
            }

            return result;
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            return new SubmitResult.Unavailable($"The audit entry could not be written, so nothing was done ({e.GetBaseException().Message}).");
        }
        finally
        {
            services.Admission.Release();
        }
    }

    private OperationView Ended(OperationView view, OperationStatus status, string outcome) => view with
    {
        Status = status,
        Outcome = outcome,
        FinishedAt = services.Time.GetUtcNow(),
        Steps = [.. view.Steps.Select(s => s with { Status = StepStatus.Skipped })],
    };

    private static string? Refusal(SubmitResult result) => result switch
    {
        SubmitResult.Refused refused => string.Join("; ", refused.Preview.Rules.Where(r => r.Blocks).Select(r => $"{r.RuleId} {r.Name}: {r.Message}")),
        SubmitResult.Invalid invalid => string.Join("; ", invalid.Problem.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}: {p.Value}")),
        SubmitResult.NotFound gone => gone.What,
        SubmitResult.Forbidden forbidden => forbidden.Why,
        SubmitResult.TooLate late => late.Why,
        _ => null,
    };
}
