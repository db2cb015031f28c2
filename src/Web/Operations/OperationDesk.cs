using System.Collections.Concurrent;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Freezes;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Operations.Running;
using FailoverHub.Web.Telemetry.Traces;

namespace FailoverHub.Web.Operations;

/// <summary>
/// Where operations are asked for. Requests are admitted one at a time, so that no rule is checked against something that another request
/// is just changing; then one transaction writes audit entry, operation and intents; only then does its <see cref="OperationRun"/> begin.
/// At most one run per pair. Runs end when the hub stops; what they leave is settled by <see cref="OperationSettlement"/>.
/// </summary>
internal sealed partial class OperationDesk(OperationServices services, AuditLog audit, OperationSettlement settlement, FreezeDesk freezes, ILogger<OperationDesk> logger) : IOperations, IAsyncDisposable
{
    // A page, and one more to see whether there is another.
    private const int MaxLimit = 501;

    private readonly long _started = services.Time.GetTimestamp();
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<string, OperationRun> _runs = new();
    private readonly ConcurrentDictionary<Task, byte> _tasks = new();

    public OperationPreview? Preview(OperationRequest request, out SubmitResult? problem) => request.Type.IsOfFreeze()
        ? freezes.Preview(request, out problem)
        : OperationTarget.Resolve(services.Fleet.Current, request, out problem) is { } target ? PreviewOf(target) : null;

    public async Task<SubmitResult> SubmitAsync(OperationRequest request, Actor actor, CancellationToken cancellationToken)
    {
        request = request with { Reason = request.Reason?.Trim() };
        using var trace = HubTraces.BeginRequest(OperationRecords.TypeWord(request.Type));
        await services.Admission.WaitAsync(cancellationToken);
        try
        {
            if (_stopping.IsCancellationRequested)
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
                return await freezes.SubmitAsync(request, actor, cancellationToken);
            }

            if (OperationTarget.Resolve(services.Fleet.Current, request, out var problem) is not { } target)
            {
                await audit.WriteAsync(OperationRecords.ToAuditDraft(request, actor, problem!), cancellationToken);
                return problem!;
            }

            var preview = PreviewOf(target);
            return preview.Allowed
                ? await AcceptAsync(target, preview, actor, cancellationToken)
                : await RefuseAsync(target, preview, actor, cancellationToken);
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

    public async Task<SubmitResult> CancelAsync(string id, string reason, Actor actor, CancellationToken cancellationToken)
    {
        reason = reason.Trim();
        try
        {
            if (await FindAsync(id, cancellationToken) is not { } view)
            {
                return new SubmitResult.NotFound($"No operation has the id '{id}'.");
            }

            AuditDraft Draft(string outcome) => new() { Actor = actor, Action = "cancel", Target = AuditTarget.Pair(view.PairName), Reason = reason, Outcome = outcome, CorrelationId = id };
            if (!actor.Rights.HasFlag(Rights.Operate))
            {
                var forbidden = new SubmitResult.Forbidden("Cancelling an operation needs the role Operator, or a token of scope operate.");
                await audit.WriteAsync(Draft($"refused: {forbidden.Why}"), cancellationToken);
                return forbidden;
            }

            if (SafetyRules.ReasonRequired(new OperationRequest { Type = view.Type, Reason = reason }) is { Passed: false } wordless)
            {
                await audit.WriteAsync(Draft($"refused: {wordless.RuleId} {wordless.Name}: {wordless.Message}"), cancellationToken);
                return new SubmitResult.Invalid(System.Collections.Immutable.ImmutableDictionary<string, string>.Empty.Add("reason", wordless.Remedy!));
            }

            // The entry is on the disk before anything stops; when it comes too late after all a second one says so.
            var run = _runs.GetValueOrDefault(view.PairId) is { } found && found.View.Id == id ? found : null;
            if (run is { InFlight: true })
            {
                await audit.WriteAsync(Draft("accepted"), cancellationToken);
                if (run.TryCancel(actor.Name))
                {
                    services.Feed.Tell(EventKinds.OperationCancelled, view.PairName, id, $"{view.Title}: cancelled by {actor.Name}. Reason: {reason}");
                    return new SubmitResult.Accepted(id);
                }
            }

            var why = view.Status == OperationStatus.OutcomeUnknown
                ? "Its outcome is not known: it is settled by what the nodes report, and nothing of it is sent any more."
                : view.IsFinished ? $"It has ended already: {view.Status}." : "It is ending, or is being cancelled already.";
            await audit.WriteAsync(Draft($"refused: {why}"), cancellationToken);
            return new SubmitResult.TooLate(why);
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            return new SubmitResult.Unavailable($"The audit entry could not be written, so nothing was done ({e.GetBaseException().Message}).");
        }
    }

    public async Task<OperationView?> FindAsync(string id, CancellationToken cancellationToken) =>
        services.Feed.Find(id) ?? await services.Store.FindAsync(id, cancellationToken);

    public async Task<IReadOnlyList<OperationView>> RecentAsync(string? pairId, int limit, CancellationToken cancellationToken) =>
        (await services.Store.RecentAsync(pairId, long.MaxValue, Math.Clamp(limit, 1, MaxLimit), cancellationToken)).ConvertAll(o => services.Feed.Find(o.Id) ?? o);

    public async Task<IReadOnlyList<OperationView>?> BeforeAsync(string? pairId, string id, int limit, CancellationToken cancellationToken) =>
        await services.Store.NumberOfAsync(id, cancellationToken) is { } number
            ? (await services.Store.RecentAsync(pairId, number, Math.Clamp(limit, 1, MaxLimit), cancellationToken)).ConvertAll(o => services.Feed.Find(o.Id) ?? o)
            : null;

    public IAsyncEnumerable<OperationView> WatchAsync(CancellationToken cancellationToken) => services.Feed.WatchAsync(cancellationToken);

    /// <summary>Ends the runs; what they had not finished is settled by the next run of the hub.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        await _stopping.CancelAsync();

        // Whoever was just being admitted is done after this, and nobody is admitted any more: no task is added behind our back.
        await services.Admission.WaitAsync();
        services.Admission.Release();
        await Task.WhenAll(_tasks.Keys);
    }

    private OperationPreview PreviewOf(OperationTarget target)
    {
        using var trace = HubTraces.Part("rules");
        var plan = OperationPlanner.Plan(target);
        var inFlight = _runs.TryGetValue(target.Pair.Id, out var run) && run.InFlight ? run.View.Id : null;
        var path = target.Type.IsOfPair() ? $"pairs/{Uri.EscapeDataString(target.Pair.Name)}" : $"nodes/{Uri.EscapeDataString(target.Member.Node.Name)}";
        return new OperationPreview
        {
            Rules = SafetyRules.Check(target, new Circumstances
            {
                Now = services.Time.GetUtcNow(),
                HubUptime = services.Time.GetElapsedTime(_started),
                InFlight = inFlight,
                Moves = services.Feed.MovesOf(target.Pair.Id),
                Limits = services.Limits,
            }),
            Steps = [.. plan.StepTitles],
            TrafficEffect = plan.TrafficEffect,
            OutagePossible = plan.OutagePossible,
            ApiCall = $"POST /api/v1/{path}/operations\n{OperationRecords.ToRequestJson(target.Request)}",
        };
    }

    private async Task<SubmitResult> RefuseAsync(OperationTarget target, OperationPreview preview, Actor actor, CancellationToken cancellationToken)
    {
        var why = string.Join("; ", preview.Rules.Where(r => r.Blocks).Select(r => $"{r.RuleId} {r.Name}: {r.Message}"));
        await audit.WriteAsync(Draft(target, actor, $"refused: {why}"), cancellationToken);
        return new SubmitResult.Refused(preview);
    }

    private async Task<SubmitResult> AcceptAsync(OperationTarget target, OperationPreview preview, Actor actor, CancellationToken cancellationToken)
    {
        var plan = OperationPlanner.Plan(target);
        var view = new OperationView
        {
            Id = HubTraces.NewOperationId(),
            Type = plan.Type,
            PairId = plan.PairId,
            PairName = plan.PairName,
            Node = plan.Node,
            Title = plan.Title,
            Status = OperationStatus.Queued,
            Outcome = null,
            Reason = target.Request.Reason!,
            Actor = actor.Name,
            RequestedAt = services.Time.GetUtcNow(),
            FinishedAt = null,
            Steps = [.. plan.StepTitles.Select(t => new OperationStep(t, StepStatus.Pending, null, null, null))],
        };
        var overridden = string.Join(", ", preview.Rules.Where(r => r.Overridden).Select(r => r.RuleId));
        var draft = Draft(target, actor, overridden.Length == 0 ? "accepted" : $"accepted, overriding {overridden}") with
        {
            Before = OperationRecords.ToAuditJson(plan.Steps.Select(s => s.Before)),
            After = OperationRecords.ToAuditJson(plan.Steps.Select(s => s.Wanted).Concat(plan.OnReturn)),
            CorrelationId = view.Id,
        };
        var state = services.Fleet.State;
        var transaction = HubTraces.Part("transaction");
        var operation = await services.Store.AcceptAsync(plan, draft, view, state.Facts.Pairs[plan.PairId], state.Snapshot, cancellationToken);
        transaction?.Dispose();

        // From here on it happens, also when whoever asked for it has gone away.
        var run = new OperationRun(operation, target, services);
        _runs[plan.PairId] = run;
        services.Feed.Publish(view);
        await services.Fleet.PostAsync(new FleetMessage.OperationChanged(plan.PairId, new RunningOperation(view.Id, plan.Title, plan.MovesTraffic), view.Id, operation.PairRevision, null), CancellationToken.None);
        Track(RunAsync(run, operation));

        // Who asks for the pair next sees it under way.
        Task seen = services.Fleet.WaitUntilAsync(s => s.Facts.Pairs[plan.PairId].Revision >= operation.PairRevision, _stopping.Token);
        await seen.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return new SubmitResult.Accepted(view.Id);
    }

    private async Task RunAsync(OperationRun run, AcceptedOperation operation)
    {
        await Task.Yield();
        try
        {
            await settlement.SupersedeAsync(operation.Plan.PairId, operation.View.Id);
            await run.RunAsync(_stopping.Token);
            await EndAsync(run, operation);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            LogLeft(logger, run.View.Title);
        }
        catch (Exception defect)
        {
            LogBug(logger, run.View.Title, defect);
            await BreakOffAsync(run, operation, defect);
        }
        finally
        {
            _runs.TryRemove(KeyValuePair.Create(operation.Plan.PairId, run));
            run.Dispose();
        }
    }

    // Nobody is admitted between the end of a run and the beginning of its settlement: a newer operation has to find what it settles.
    private async Task EndAsync(OperationRun run, AcceptedOperation operation)
    {
        await services.Admission.WaitAsync(CancellationToken.None);
        try
        {
            run.Tell();
            if (run.View.Status == OperationStatus.OutcomeUnknown)
            {
                settlement.Begin(run.View, operation.Wanted);
            }
        }
        finally
        {
            services.Admission.Release();
        }
    }

    // A defect of ours must neither hide what became of the operation nor keep the pair for ever.
    private async Task BreakOffAsync(OperationRun run, AcceptedOperation operation, Exception defect)
    {
        try
        {
            await run.BreakOffAsync(defect, _stopping.Token);
        }
        catch (Exception again) when (again is not OperationCanceledException || !_stopping.IsCancellationRequested)
        {
            LogNotStored(logger, run.View.Title, again);
        }
        catch (OperationCanceledException)
        {
            LogLeft(logger, run.View.Title);
            return;
        }

        await EndAsync(run, operation);
    }

    private void Track(Task task)
    {
        _tasks[task] = 0;
        _ = task.ContinueWith(
            ended => _tasks.TryRemove(ended, out _),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private static AuditDraft Draft(OperationTarget target, Actor actor, string outcome) => new()
    {
        Actor = actor,
        Action = OperationRecords.TypeWord(target.Type),
        Target = target.AuditTarget,
        Reason = target.Request.Reason,
        Outcome = outcome,
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "A {Type} was asked for, but the audit entry could not be written; nothing was done")]
    private static partial void LogNotAudited(ILogger logger, OperationType type, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The hub stops while '{Title}' is under way; what became of it is settled by what is observed after the next start")]
    private static partial void LogLeft(ILogger logger, string title);

    [LoggerMessage(Level = LogLevel.Critical, Message = "'{Title}' was broken off by a defect of the hub; what became of it is settled by what is observed, and the pair is free")]
    private static partial void LogBug(ILogger logger, string title, Exception exception);

    [LoggerMessage(Level = LogLevel.Critical, Message = "How '{Title}' ended cannot be stored; it is shown as unknown, and settled again after the next start")]
    private static partial void LogNotStored(ILogger logger, string title, Exception exception);
}
