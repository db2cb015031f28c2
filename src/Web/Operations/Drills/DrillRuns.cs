using System.Collections.Concurrent;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Operations.Running;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;

namespace FailoverHub.Web.Operations.Drills;

/// <summary>
/// Drills: the way there and the way back are switchovers, each an operation of its own with its own rules, its own undoing and its own audit entry; between
/// them it is measured what they cost. While a drill is under way the pair has no other operation. One that is cancelled goes back first.
/// When the hub ends in the middle it is reported, and nothing more is moved.
/// </summary>
internal sealed partial class DrillRuns(OperationServices services, OperationRuns runs, AuditLog audit, ILogger<DrillRuns> logger) : IAsyncDisposable
{
    private static readonly TimeSpan RetryDiskAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(5);

    /// <summary>After each move, until the address has settled and the last answers have come in.</summary>
    private static readonly TimeSpan Settles = TimeSpan.FromSeconds(15);
    private const int MostProbes = 10_000;

    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<string, (string PairId, RunCancellation Cancellation)> _running = new();
    private readonly ConcurrentDictionary<Task, byte> _tasks = new();

    /// <summary>Asks for one move, as anybody does; set by the desk.</summary>
    public Func<OperationRequest, Actor, CancellationToken, Task<SubmitResult>>? Submit { get; set; }

    /// <summary>The drill that is under way on a pair; null: none is.</summary>
    public string? Of(string pairId) => _running.Where(r => r.Value.PairId == pairId).Select(r => r.Key).FirstOrDefault();

    public OperationPreview? Preview(OperationRequest request, out SubmitResult? problem) =>
        DrillTarget.Resolve(services.Fleet.Current, request, out problem) is { } target ? target.Preview(runs.Preview(target.There)) : null;

    /// <summary>What a drill would be about, when nothing stands in its way; a refusal is audited. Whoever calls it holds the lock of admission.</summary>
    /// <returns>The target and its preview, or why not.</returns>
    public async Task<(DrillTarget? Target, OperationPreview? Preview, SubmitResult? Problem)> CheckAsync(OperationRequest request, Actor actor, CancellationToken cancellationToken)
    {
        if (DrillTarget.Resolve(services.Fleet.Current, request, out var problem) is not { } target)
        {
            await audit.WriteAsync(OperationRecords.ToAuditDraft(request, actor, problem!), cancellationToken);
            return (null, null, problem);
        }

        var preview = target.Preview(runs.Preview(target.There));
        if (!preview.Allowed)
        {
            var why = string.Join("; ", preview.Rules.Where(r => r.Blocks).Select(r => $"{r.RuleId} {r.Name}: {r.Message}"));
            await audit.WriteAsync(Draft(target, actor, $"refused: {why}"), cancellationToken);
            return (null, null, new SubmitResult.Refused(preview));
        }

        return (target, preview, null);
    }

    /// <summary>Audits it, keeps it and sets it going. Whoever calls it holds the lock of admission.</summary>
    /// <param name="target">What it is about.</param>
    /// <param name="preview">What the rules have said to it.</param>
    /// <param name="actor">Who asked for it.</param>
    /// <param name="outcome">In the audit: "accepted".</param>
    /// <param name="waited">It has waited for a second person, and is stored already; null: it is new.</param>
    /// <param name="cancellationToken">Stops it while nothing is stored.</param>
    public async Task<string> BeginAsync(DrillTarget target, OperationPreview preview, Actor actor, string outcome, OperationView? waited, CancellationToken cancellationToken)
    {
        var view = target.ToView(preview, actor, services.Time.GetUtcNow()) with { Status = OperationStatus.Running };
        view = waited is null ? view : view with { Id = waited.Id, RequestedAt = waited.RequestedAt, ApprovedBy = waited.ApprovedBy };
        await services.Store.AddAsync(view, Draft(target, actor, outcome) with { CorrelationId = view.Id }, cancellationToken);
        services.Feed.Publish(view);
        var cancellation = new RunCancellation();
        _running[view.Id] = (view.PairId, cancellation);
        var task = Task.Run(() => RunAsync(target, view, actor, cancellation), CancellationToken.None);
        _tasks[task] = 0;
        _ = task.ContinueWith(ended => _tasks.TryRemove(ended, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return view.Id;
    }

    /// <summary>Begins one that has waited for a second person, as the fleet is now. Whoever calls it holds the lock of admission.</summary>
    /// <returns>Why it does not begin; null: it has begun.</returns>
    public async Task<SubmitResult?> BeginWaitingAsync(Waiting.WaitingOperation waiting, string outcome, CancellationToken cancellationToken)
    {
        if (DrillTarget.Resolve(services.Fleet.Current, waiting.Request, out var problem) is not { } target)
        {
            return problem;
        }

        var preview = target.Preview(runs.Preview(target.There));
        if (!preview.Allowed)
        {
            return new SubmitResult.Refused(preview);
        }

        await BeginAsync(target, preview, waiting.Actor, outcome, waiting.View, cancellationToken);
        return null;
    }

    /// <summary>As the audit keeps it.</summary>
    public static AuditDraft Draft(DrillTarget target, Actor actor, string outcome) =>
        new() { Actor = actor, Action = "drill", Target = AuditTarget.Pair(target.Pair.Name), Reason = target.Request.Reason, After = target.Title, Outcome = outcome };

    /// <summary>What is under way is ended, and what was moved goes back; nothing else is done.</summary>
    /// <returns>False: no such drill runs, or it is ending.</returns>
    public bool TryCancel(string id, string by) => _running.TryGetValue(id, out var drill) && drill.Cancellation.TryCancel(by);

    public async ValueTask DisposeAsync()
    {
        if (!_stopping.IsCancellationRequested)
        {
            await _stopping.CancelAsync();
            await Task.WhenAll(_tasks.Keys);
        }
    }

    private async Task RunAsync(DrillTarget target, OperationView view, Actor actor, RunCancellation cancellation)
    {
        try
        {
            view = await StepsAsync(target, view, actor, cancellation);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            LogLeft(logger, view.Title);
        }
        catch (Exception defect)
        {
            LogDefect(logger, view.Title, defect);
            services.Feed.Publish(Ended(view, OperationStatus.Failed, $"A defect of the hub broke it off ({defect.GetBaseException().Message}). Nothing more is moved: look where the addresses are."));
        }
        finally
        {
            _running.TryRemove(view.Id, out _);
            cancellation.Dispose();
        }
    }

    private async Task<OperationView> StepsAsync(DrillTarget target, OperationView view, Actor actor, RunCancellation cancellation)
    {
        (view, bool ready) = await StepAsync(view, DrillTarget.Preflight, () => Task.FromResult(LookBefore(target)));
        if (!ready || cancellation.By is not null)
        {
            return await EndAsync(view, cancellation, OperationStatus.Failed, "Nothing was moved.");
        }

        (view, bool there) = await StepAsync(view, DrillTarget.FailOver, () => MoveAsync(target, target.Away, view, actor));
        if (!there)
        {
            return await EndAsync(view, cancellation, OperationStatus.Failed, $"The failover did not succeed, so there is nothing to fail back: {view.Steps[DrillTarget.FailOver].Detail}");
        }

        if (cancellation.By is null)
        {
            (view, _) = await StepAsync(view, DrillTarget.MeasureThere, () => MeasureAsync(target, view, DrillTarget.FailOver));
        }

        (view, bool back) = await StepAsync(view, DrillTarget.FailBack, () => MoveAsync(target, target.Home, view, actor));
        if (!back)
        {
            return await EndAsync(view, cancellation, OperationStatus.Failed, $"The addresses are not back on {target.Home}: look at the pair, and switch over. {view.Steps[DrillTarget.FailBack].Detail}");
        }

        if (cancellation.By is null)
        {
            (view, _) = await StepAsync(view, DrillTarget.MeasureBack, () => MeasureAsync(target, view, DrillTarget.FailBack));
        }

        return await EndAsync(view, cancellation, OperationStatus.Succeeded, $"Over to {target.Away} and back to {target.Home}. There: {Said(view, DrillTarget.MeasureThere)} Back: {Said(view, DrillTarget.MeasureBack)}");
    }

    private static string Said(OperationView view, int step) => view.Steps[step].Detail ?? "not measured.";

    /// <summary>The rules have looked at the nodes; here is asked whether traffic flows now, so that what is measured is the drill's own.</summary>
    private (bool Ok, string Detail) LookBefore(DrillTarget target)
    {
        if (services.Reachability is not { } probes)
        {
            return (true, "The rules allow it. No address is probed, so nothing will be measured.");
        }

        var silent = target.Pair.Prefixes.Where(p => probes.Find(p) is { State: ReachabilityState.Unreachable }).ToList();
        var unknown = target.Pair.Prefixes.Where(p => probes.Find(p) is null or { State: ReachabilityState.Unknown }).ToList();
        return silent.Count > 0 ? (false, $"{string.Join(", ", silent)} does not answer already: mend that first.")
            : (true, unknown.Count > 0 ? $"The rules allow it. Whether {string.Join(", ", unknown)} answers is not known." : "The rules allow it, and every address answers.");
    }

    private async Task<(bool Ok, string Detail)> MoveAsync(DrillTarget target, string to, OperationView drill, Actor actor)
    {
        switch (await Submit!(target.Move(to, drill), actor, _stopping.Token))
        {
            case SubmitResult.Accepted accepted:
                var ended = await services.Feed.EndedAsync(accepted.OperationId, _stopping.Token);
                return (ended.Status == OperationStatus.Succeeded, DrillTarget.OfOperation(ended));
            case SubmitResult.Refused refused when refused.Preview.Rules.First(r => r.Blocks) is var rule:
                return (false, $"{rule.RuleId} {rule.Name}: {rule.Message}");
            case SubmitResult.Invalid invalid:
                return (false, string.Join(" ", invalid.Problem.Values));
            case var other:
                return (false, $"It was not accepted ({other.GetType().Name}).");
        }
    }

    private async Task<(bool Ok, string Detail)> MeasureAsync(DrillTarget target, OperationView drill, int step)
    {
        var (from, to) = (drill.Steps[step].StartedAt!.Value - Before, drill.Steps[step].FinishedAt!.Value + Settles);
        await Task.Delay(Settles, services.Time, _stopping.Token);
        if (services.Reachability is not { } probes)
        {
            return (true, "not measured.");
        }

        var words = new List<string>();
        foreach (var prefix in target.Pair.Prefixes)
        {
            words.Add($"{prefix}: {OutageSentences.Of(OutageFigures.Of(await probes.SamplesAsync(prefix, from, to, MostProbes, _stopping.Token)), "hub")}");
        }

        return (true, string.Join(" ", words));
    }

    private async Task<(OperationView View, bool Ok)> StepAsync(OperationView view, int i, Func<Task<(bool Ok, string Detail)>> take)
    {
        view = await KeepAsync(With(view, i, s => s with { Status = StepStatus.Running, StartedAt = services.Time.GetUtcNow() }));
        var (ok, detail) = await take();
        view = await KeepAsync(With(view, i, s => s with { Status = ok ? StepStatus.Succeeded : StepStatus.Failed, FinishedAt = services.Time.GetUtcNow(), Detail = detail }));
        return (view, ok);
    }

    // The disk may be full for a while: tried again each second, until the hub stops.
    private async Task<OperationView> KeepAsync(OperationView view)
    {
        while (true)
        {
            try
            {
                await services.Store.SaveAsync(view, raiseRevision: false, _stopping.Token);
                services.Feed.Publish(view);
                return view;
            }
            catch (Exception e) when (StorageFaults.MayPass(e))
            {
                await Task.Delay(RetryDiskAfter, services.Time, _stopping.Token);
            }
        }
    }

    private async Task<OperationView> EndAsync(OperationView view, RunCancellation cancellation, OperationStatus status, string outcome)
    {
        cancellation.TryBeginEnding();
        return await KeepAsync(cancellation.By is { } by && status == OperationStatus.Succeeded
            ? Ended(view, OperationStatus.Cancelled, $"Cancelled by {by}; the addresses are back.")
            : Ended(view, cancellation.By is not null && !view.Steps.Any(s => s.Status == StepStatus.Failed) ? OperationStatus.Cancelled : status, outcome));
    }

    private OperationView Ended(OperationView view, OperationStatus status, string outcome) => view with
    {
        Status = status,
        Outcome = outcome,
        FinishedAt = services.Time.GetUtcNow(),
        Steps = [.. view.Steps.Select(s => s.Status == StepStatus.Pending ? s with { Status = StepStatus.Skipped } : s)],
    };

    private static OperationView With(OperationView view, int i, Func<OperationStep, OperationStep> change) => view with { Steps = view.Steps.SetItem(i, change(view.Steps[i])) };

    [LoggerMessage(Level = LogLevel.Warning, Message = "The hub stops while '{Title}' is under way; nothing more is moved")]
    private static partial void LogLeft(ILogger logger, string title);

    [LoggerMessage(Level = LogLevel.Critical, Message = "'{Title}' was broken off by a defect of the hub; it is reported at the next start")]
    private static partial void LogDefect(ILogger logger, string title, Exception exception);
}
