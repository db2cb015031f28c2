using System.Collections.Concurrent;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Operations.Waiting;
using FailoverHub.Web.Telemetry.Traces;

namespace FailoverHub.Web.Operations.Running;

/// <summary>
/// The operations that are under way, at most one per pair. One transaction writes audit entry, operation and intents; only then does its
/// <see cref="OperationRun"/> begin. Runs end when the hub stops; what they leave is settled by <see cref="OperationSettlement"/>.
/// </summary>
internal sealed partial class OperationRuns(OperationServices services, OperationSettlement settlement, ILogger<OperationRuns> logger) : IAsyncDisposable
{
    private readonly long _started = services.Time.GetTimestamp();
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<string, OperationRun> _runs = new();
    private readonly ConcurrentDictionary<Task, byte> _tasks = new();

    /// <summary>How long the hub has been running.</summary>
    public TimeSpan Uptime => services.Time.GetElapsedTime(_started);

    /// <summary>The hub is stopping: nothing begins any more.</summary>
    public bool IsStopping => _stopping.IsCancellationRequested;

    /// <summary>Told of each operation that has ended, or whose outcome is not known, under the lock of admission.</summary>
    public Func<AcceptedOperation, OperationView, Task>? OnEnded { get; set; }

    /// <summary>The drill that is under way on a pair, by its id; null: none is. Between its moves the pair is still its own.</summary>
    public Func<string, string?>? DrillOf { get; set; }

    /// <summary>Told of what is to be done by itself afterwards, under the lock of admission.</summary>
    public Action<WaitingOperation>? OnThen { get; set; }

    /// <summary>The run of that operation while it is in flight; null: it is not.</summary>
    public OperationRun? InFlight(OperationView view) =>
        _runs.TryGetValue(view.PairId, out var run) && run.View.Id == view.Id && run.InFlight ? run : null;

    /// <summary>What would happen, and what the rules say to it now.</summary>
    public OperationPreview Preview(OperationTarget target)
    {
        using var trace = HubTraces.Part("rules");
        var plan = OperationPlanner.Plan(target);
        var known = new Circumstances
        {
            Now = services.Time.GetUtcNow(),
            HubUptime = Uptime,
            InFlight = _runs.TryGetValue(target.Pair.Id, out var run) && run.InFlight ? run.View.Id
                : OnNodesOf(plan) is { } elsewhere ? elsewhere
                : DrillOf?.Invoke(target.Pair.Id) is { } drill && drill != target.Request.PartOf ? drill : null,
            Moves = services.Feed.MovesOf(target.Pair.Id),
            Limits = services.Limits,
        };
        var path = target.Type.IsOfPair() || target.OfClaimant ? $"pairs/{Uri.EscapeDataString(target.Pair.Name)}" : $"nodes/{Uri.EscapeDataString(target.Member.Node.Name)}";
        return new OperationPreview
        {
            Rules = SafetyRules.Check(target, known),
            Steps = [.. plan.StepTitles],
            TrafficEffect = plan.TrafficEffect,
            OutagePossible = plan.OutagePossible,
            NeedsApproval = target.Request.ApprovedBy is null && ApprovalRules.IsNeeded(target, services.Limits.TwoPerson),
            ApiCall = $"POST /api/v1/{path}/operations\n{OperationRecords.ToRequestJson(target.OfClaimant ? target.Request with { Target = target.Member.Node.Name } : target.Request)}",
        };
    }

    // A node is told something by its pair's operation, and by that of a pair whose addresses it claims: by one of them at a time.
    private string? OnNodesOf(OperationPlan plan) =>
        _runs.Values.FirstOrDefault(r => r.InFlight && plan.Steps.Any(s => r.Tells(s.Wanted.Node)))?.View.Id;

    /// <summary>Audits and stores it, and sets it going. Whoever calls it holds the lock of admission, and has found the preview to allow it.</summary>
    /// <param name="target">What is to be done.</param>
    /// <param name="preview">What the rules have said to it.</param>
    /// <param name="actor">Who asked for it.</param>
    /// <param name="outcome">In the audit: "accepted".</param>
    /// <param name="waited">It has waited, and is stored already; null: it is new.</param>
    /// <param name="cancellationToken">Stops it while nothing is stored.</param>
    public async Task<AcceptedOperation> AcceptAsync(OperationTarget target, OperationPreview preview, Actor actor, string outcome, OperationView? waited, CancellationToken cancellationToken)
    {
        var plan = OperationPlanner.Plan(target);
        var view = new OperationView
        {
            Id = waited?.Id ?? HubTraces.NewOperationId(),
            Type = plan.Type,
            PairId = plan.PairId,
            PairName = plan.PairName,
            Node = plan.Node,
            Title = plan.Title,
            Status = OperationStatus.Queued,
            Outcome = null,
            Reason = target.Request.Reason!,
            Actor = actor.Name,
            RequestedAt = waited?.RequestedAt ?? services.Time.GetUtcNow(),
            FinishedAt = null,
            Steps = [.. plan.StepTitles.Select(t => new OperationStep(t, StepStatus.Pending, null, null, null))],
            ScheduledFor = waited?.ScheduledFor,
            WindowEndsAt = waited?.WindowEndsAt,
            ApprovedBy = waited?.ApprovedBy ?? target.Request.ApprovedBy,
            Rules = preview.Rules,
        };
        var overridden = string.Join(", ", preview.Rules.Where(r => r.Overridden).Select(r => r.RuleId));
        var draft = Draft(target, actor, overridden.Length == 0 ? outcome : $"{outcome}, overriding {overridden}") with
        {
            Before = OperationRecords.ToAuditJson(plan.Steps.Select(s => s.Before)),
            After = OperationRecords.ToAuditJson(plan.Steps.Select(s => s.Wanted).Concat(plan.OnReturn)),
            CorrelationId = view.Id,
        };
        var state = services.Fleet.State;
        var transaction = HubTraces.Part("transaction");
        var operation = await services.Store.AcceptAsync(plan, draft, view, state.Facts.Pairs[plan.PairId], state.Snapshot, WaitingOperation.Undrain(target, view.Id, actor, services.Time.GetUtcNow()), cancellationToken);
        transaction?.Dispose();

        // From here on it happens, also when whoever asked for it has gone away.
        var run = new OperationRun(operation, target, services);
        _runs[plan.PairId] = run;
        services.Feed.Publish(view);
        if (operation.Then is { } then)
        {
            OnThen?.Invoke(then);
        }

        await services.Fleet.PostAsync(new FleetMessage.OperationChanged(plan.PairId, new RunningOperation(view.Id, plan.Title, plan.MovesTraffic), view.Id, operation.PairRevision, null), CancellationToken.None);
        Track(RunAsync(run, operation));

        // Who asks for the pair next sees it under way.
        Task seen = services.Fleet.WaitUntilAsync(s => s.Facts.Pairs[plan.PairId].Revision >= operation.PairRevision, _stopping.Token);
        await seen.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return operation;
    }

    /// <summary>As the audit keeps it.</summary>
    public static AuditDraft Draft(OperationTarget target, Actor actor, string outcome) => new()
    {
        Actor = actor,
        Action = OperationRecords.TypeWord(target.Type),
        Target = target.AuditTarget,
        Reason = target.Request.Reason,
        Outcome = outcome,
    };

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
            await (OnEnded?.Invoke(operation, run.View) ?? Task.CompletedTask);
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "The hub stops while '{Title}' is under way; what became of it is settled by what is observed after the next start")]
    private static partial void LogLeft(ILogger logger, string title);

    [LoggerMessage(Level = LogLevel.Critical, Message = "'{Title}' was broken off by a defect of the hub; what became of it is settled by what is observed, and the pair is free")]
    private static partial void LogBug(ILogger logger, string title, Exception exception);

    [LoggerMessage(Level = LogLevel.Critical, Message = "How '{Title}' ended cannot be stored; it is shown as unknown, and settled again after the next start")]
    private static partial void LogNotStored(ILogger logger, string title, Exception exception);
}
