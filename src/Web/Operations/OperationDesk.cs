using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Bulk;
using FailoverHub.Web.Operations.Drills;
using FailoverHub.Web.Operations.Freezes;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Operations.Running;
using FailoverHub.Web.Operations.Waiting;
using FailoverHub.Web.Telemetry.Traces;

namespace FailoverHub.Web.Operations;

/// <summary>What the desk hands on to: who does what is accepted, and who keeps what has to wait.</summary>
internal sealed record OperationRooms(OperationRuns Runs, OperationAgenda Agenda, OperationDecisions Decisions, FreezeDesk Freezes, BulkRuns Bulk, DrillRuns Drills);

/// <summary>
/// Where operations are asked for. Requests are admitted one at a time, so that no rule is checked against something that another request
/// is just changing; then they are refused, begun, or kept until a second person agrees or their time has come.
/// </summary>
internal sealed partial class OperationDesk(OperationServices services, OperationRooms rooms, AuditLog audit, ILogger<OperationDesk> logger) : IOperations, IAsyncDisposable
{
    // A page, and one more to see whether there is another.
    private const int MaxLimit = 501;

    public OperationPreview? Preview(OperationRequest request, out SubmitResult? problem)
    {
        if (request.Type.IsOfFreeze())
        {
            return rooms.Freezes.Preview(request, out problem);
        }

        if (request.Type == OperationType.BulkDrain)
        {
            return rooms.Bulk.Preview(request, out problem);
        }

        if (request.Type == OperationType.Drill)
        {
            return PreviewOfDrill(request, out problem);
        }

        problem = OperationTarget.ProblemOfTimes(request, services.Time.GetUtcNow());
        return problem is null && OperationTarget.Resolve(services.Fleet.Current, request, out problem) is { } target ? PreviewOf(target) : null;
    }

    public async Task<SubmitResult> SubmitAsync(OperationRequest request, Actor actor, CancellationToken cancellationToken)
    {
        request = request with { Reason = request.Reason?.Trim() };
        using var trace = HubTraces.BeginRequest(OperationRecords.TypeWord(request.Type));
        await services.Admission.WaitAsync(cancellationToken);
        try
        {
            if (rooms.Runs.IsStopping)
            {
                return new SubmitResult.Unavailable("The hub is stopping.");
            }

            // Asked here as well as at the door: whatever way a request took, it needs the right at the moment that it is let in.
            if (!actor.Rights.HasFlag(Rights.Operate))
            {
                var forbidden = new SubmitResult.Forbidden("Setting operations going needs the role Operator, or a token of scope operate.");
                await audit.WriteAsync(OperationRecords.ToAuditDraft(request, actor, forbidden), cancellationToken);
                return forbidden;
            }

            if (request.Type.IsOfFreeze())
            {
                return await rooms.Freezes.SubmitAsync(request, actor, cancellationToken);
            }

            if (request.Type == OperationType.BulkDrain)
            {
                return await SubmitBulkAsync(request, actor, cancellationToken);
            }

            if (request.Type == OperationType.Drill)
            {
                return await SubmitDrillAsync(request, actor, cancellationToken);
            }

            SubmitResult? problem = OperationTarget.ProblemOfTimes(request, services.Time.GetUtcNow());
            if (problem is not null || OperationTarget.Resolve(services.Fleet.Current, request, out problem) is not { } target)
            {
                await audit.WriteAsync(OperationRecords.ToAuditDraft(request, actor, problem!), cancellationToken);
                return problem!;
            }

            var preview = PreviewOf(target);
            return !preview.Allowed ? await RefuseAsync(target, preview, actor, cancellationToken)
                : preview.NeedsApproval || request.StartAt is not null ? await LetWaitAsync(target, preview, actor, cancellationToken)
                : new SubmitResult.Accepted((await rooms.Runs.AcceptAsync(target, preview, actor, "accepted", null, cancellationToken)).View.Id);
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            LogNotAudited(logger, request.Type, e);
            return new SubmitResult.Unavailable($"The audit entry could not be written, so nothing was done ({e.GetBaseException().Message}).");
        }
        finally
        {
            services.Admission.Release();
        }
    }

    public Task<SubmitResult> CancelAsync(string id, string reason, Actor actor, CancellationToken cancellationToken) =>
        rooms.Decisions.CancelAsync(id, reason, actor, cancellationToken);

    public Task<SubmitResult> ApproveAsync(string id, string reason, Actor actor, CancellationToken cancellationToken) =>
        rooms.Decisions.ApproveAsync(id, reason, actor, cancellationToken);

    public Task<SubmitResult> RejectAsync(string id, string reason, Actor actor, CancellationToken cancellationToken) =>
        rooms.Decisions.RejectAsync(id, reason, actor, cancellationToken);

    public async Task<OperationView?> FindAsync(string id, CancellationToken cancellationToken) =>
        services.Feed.Find(id) ?? await services.Store.FindAsync(id, cancellationToken);

    public async Task<IReadOnlyList<OperationView>> RecentAsync(OperationFilter filter, int limit, CancellationToken cancellationToken) =>
        (await services.Store.RecentAsync(filter, long.MaxValue, Math.Clamp(limit, 1, MaxLimit), cancellationToken)).ConvertAll(o => services.Feed.Find(o.Id) ?? o);

    public async Task<IReadOnlyList<OperationView>?> BeforeAsync(OperationFilter filter, string id, int limit, CancellationToken cancellationToken) =>
        await services.Store.NumberOfAsync(id, cancellationToken) is { } number
            ? (await services.Store.RecentAsync(filter, number, Math.Clamp(limit, 1, MaxLimit), cancellationToken)).ConvertAll(o => services.Feed.Find(o.Id) ?? o)
            : null;

    public IAsyncEnumerable<OperationView> WatchAsync(CancellationToken cancellationToken) => services.Feed.WatchAsync(cancellationToken);

    /// <summary>Takes up what waited when the hub ended, and goes on with its drills.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        rooms.Bulk.Submit = SubmitAsync;
        rooms.Drills.Submit = SubmitAsync;
        rooms.Runs.DrillOf = rooms.Drills.Of;
        await rooms.Drills.StartAsync(cancellationToken);
        await rooms.Agenda.StartAsync(cancellationToken);
    }

    /// <summary>Nothing begins any more, and the runs end; what they had not finished is settled by the next run of the hub.</summary>
    public async ValueTask DisposeAsync()
    {
        await rooms.Drills.DisposeAsync();
        await rooms.Bulk.DisposeAsync();
        await rooms.Agenda.DisposeAsync();
        await rooms.Runs.DisposeAsync();
    }

    // What is to be done later is judged by what the fleet is then; now only what the request itself says counts. A rule that it sets aside is part of that:
    // it will be set aside then, and whoever schedules it has to see so.
    private OperationPreview PreviewOf(OperationTarget target)
    {
        var preview = rooms.Runs.Preview(target);
        var rules = target.Request.StartAt is null ? preview.Rules : [.. preview.Rules.Where(r => r.Passed || r.Overridden || r.RuleId is "SR-04" or "SR-14")];
        return preview with { Rules = preview.NeedsApproval ? [.. rules.Append(ApprovalRules.Announced(target.Request)).OrderBy(r => r.RuleId, StringComparer.Ordinal)] : rules };
    }

    private async Task<SubmitResult> RefuseAsync(OperationTarget target, OperationPreview preview, Actor actor, CancellationToken cancellationToken)
    {
        var why = string.Join("; ", preview.Rules.Where(r => r.Blocks).Select(r => $"{r.RuleId} {r.Name}: {r.Message}"));
        await audit.WriteAsync(OperationRuns.Draft(target, actor, $"refused: {why}"), cancellationToken);
        return new SubmitResult.Refused(preview);
    }

    // What would wait for an approval that nobody can give is refused while whoever asks can still do something about it. Null: somebody can.
    private async Task<SubmitResult?> AgainstWaitingAsync(OperationRequest request, OperationPreview preview, Actor actor, AuditDraft draft, CancellationToken cancellationToken)
    {
        if (!preview.NeedsApproval || ApprovalRules.NobodyCanApprove(request, actor) is not { } rule)
        {
            return null;
        }

        await audit.WriteAsync(draft with { Outcome = $"refused: {rule.RuleId} {rule.Name}: {rule.Message}" }, cancellationToken);
        return new SubmitResult.Refused(preview with { Rules = [.. preview.Rules.Where(r => r.RuleId != rule.RuleId).Append(rule).OrderBy(r => r.RuleId, StringComparer.Ordinal)] });
    }

    private async Task<SubmitResult> LetWaitAsync(OperationTarget target, OperationPreview preview, Actor actor, CancellationToken cancellationToken)
    {
        if (await AgainstWaitingAsync(target.Request, preview, actor, OperationRuns.Draft(target, actor, ""), cancellationToken) is { } refused)
        {
            return refused;
        }

        var waiting = WaitingOperation.Of(target, OperationPlanner.Plan(target), preview, actor, services.Time.GetUtcNow());
        await rooms.Agenda.AddAsync(waiting, OperationRuns.Draft(target, actor, waiting.AcceptedAs) with { CorrelationId = waiting.View.Id }, cancellationToken);
        return new SubmitResult.Accepted(waiting.View.Id);
    }

    private async Task<SubmitResult> SubmitBulkAsync(OperationRequest request, Actor actor, CancellationToken cancellationToken)
    {
        var (target, preview, problem) = await rooms.Bulk.CheckAsync(request, actor, cancellationToken);
        if (target is null || preview is null)
        {
            return problem!;
        }

        if (!preview.NeedsApproval && request.StartAt is null)
        {
            return new SubmitResult.Accepted(await rooms.Bulk.BeginAsync(target, preview, actor, "accepted", null, cancellationToken));
        }

        if (await AgainstWaitingAsync(request, preview, actor, BulkRuns.Draft(target, actor, ""), cancellationToken) is { } refused)
        {
            return refused;
        }

        var waiting = WaitingOperation.Of(target, preview, actor, services.Time.GetUtcNow());
        await rooms.Agenda.AddAsync(waiting, BulkRuns.Draft(target, actor, waiting.AcceptedAs) with { CorrelationId = waiting.View.Id }, cancellationToken);
        return new SubmitResult.Accepted(waiting.View.Id);
    }

    private OperationPreview? PreviewOfDrill(OperationRequest request, out SubmitResult? problem) =>
        rooms.Drills.Preview(request, out problem) is { } preview ? Announced(request, preview) : null;

    private static OperationPreview Announced(OperationRequest request, OperationPreview preview) =>
        preview with { Rules = preview.NeedsApproval ? [.. preview.Rules.Append(ApprovalRules.Announced(request)).OrderBy(r => r.RuleId, StringComparer.Ordinal)] : preview.Rules };

    private async Task<SubmitResult> SubmitDrillAsync(OperationRequest request, Actor actor, CancellationToken cancellationToken)
    {
        var (target, preview, problem) = await rooms.Drills.CheckAsync(request, actor, cancellationToken);
        if (target is null || preview is null)
        {
            return problem!;
        }

        if (!preview.NeedsApproval)
        {
            return new SubmitResult.Accepted(await rooms.Drills.BeginAsync(target, preview, actor, "accepted", null, cancellationToken));
        }

        if (await AgainstWaitingAsync(request, preview, actor, DrillRuns.Draft(target, actor, ""), cancellationToken) is { } refused)
        {
            return refused;
        }

        var waiting = WaitingOperation.Of(target, Announced(request, preview), actor, services.Time.GetUtcNow());
        await rooms.Agenda.AddAsync(waiting, DrillRuns.Draft(target, actor, "accepted, waits for a second person") with { CorrelationId = waiting.View.Id }, cancellationToken);
        return new SubmitResult.Accepted(waiting.View.Id);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A {Type} was asked for, but the audit entry could not be written; nothing was done")]
    private static partial void LogNotAudited(ILogger logger, OperationType type, Exception exception);
}
