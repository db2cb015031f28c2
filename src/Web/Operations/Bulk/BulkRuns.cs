using System.Collections.Concurrent;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Operations.Running;
using FailoverHub.Web.Operations.Waiting;

namespace FailoverHub.Web.Operations.Bulk;

/// <summary>
/// Bulk drains: each node's drain is an operation of its own, with its own rules and audit entry, and the next one is asked for when the one before
/// has succeeded. At the first that is refused or fails it stops. When the hub ends in the middle it is reported, and nothing more is drained.
/// </summary>
internal sealed partial class BulkRuns(OperationServices services, OperationRuns runs, AuditLog audit, ILogger<BulkRuns> logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<string, BulkRun> _running = new();
    private readonly ConcurrentDictionary<Task, byte> _tasks = new();

    /// <summary>Asks for one drain, as anybody does; set by the desk.</summary>
    public Func<OperationRequest, Actor, CancellationToken, Task<SubmitResult>>? Submit { get; set; }

    public OperationPreview? Preview(OperationRequest request, out SubmitResult? problem)
    {
        problem = OperationTarget.ProblemOfTimes(request, services.Time.GetUtcNow());
        return problem is null ? BulkTarget.Resolve(services.Fleet.Current, request, out problem)?.Preview(services.Limits, runs.Uptime) : null;
    }

    /// <summary>What a bulk drain would be about, when nothing stands in its way; a refusal is audited. Whoever calls it holds the lock of admission.</summary>
    /// <returns>The target and its preview, or why not.</returns>
    public async Task<(BulkTarget? Target, OperationPreview? Preview, SubmitResult? Problem)> CheckAsync(OperationRequest request, Actor actor, CancellationToken cancellationToken)
    {
        SubmitResult? problem = OperationTarget.ProblemOfTimes(request, services.Time.GetUtcNow());
        if (problem is not null || BulkTarget.Resolve(services.Fleet.Current, request, out problem) is not { } target)
        {
            await audit.WriteAsync(OperationRecords.ToAuditDraft(request, actor, problem!), cancellationToken);
            return (null, null, problem);
        }

        var preview = target.Preview(services.Limits, runs.Uptime);
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
    /// <param name="waited">It has waited for a second person or for its time, and is stored already; null: it is new.</param>
    /// <param name="cancellationToken">Stops it while nothing is stored.</param>
    public async Task<string> BeginAsync(BulkTarget target, OperationPreview preview, Actor actor, string outcome, OperationView? waited, CancellationToken cancellationToken)
    {
        var view = target.ToView(preview, actor, services.Time.GetUtcNow()) with { Status = OperationStatus.Running };
        view = waited is null ? view : view with { Id = waited.Id, RequestedAt = waited.RequestedAt, ApprovedBy = waited.ApprovedBy, ScheduledFor = waited.ScheduledFor, WindowEndsAt = waited.WindowEndsAt };
        var after = System.Text.Json.JsonSerializer.Serialize(target.Nodes.Select(n => n.Node));
        await services.Store.AddAsync(view, Draft(target, actor, outcome) with { After = after, CorrelationId = view.Id }, cancellationToken);
        services.Feed.Publish(view);
        var cancellation = new RunCancellation();
        _running[view.Id] = new BulkRun(target, cancellation);
        var task = Task.Run(() => RunAsync(target, view, actor, cancellation), CancellationToken.None);
        _tasks[task] = 0;
        _ = task.ContinueWith(ended => _tasks.TryRemove(ended, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return view.Id;
    }

    /// <summary>Begins one that has waited for a second person or for its time, as the fleet is now. Whoever calls it holds the lock of admission.</summary>
    /// <returns>Why it does not begin; null: it has begun.</returns>
    public async Task<SubmitResult?> BeginWaitingAsync(WaitingOperation waiting, string outcome, CancellationToken cancellationToken)
    {
        var (target, preview, problem) = Look(waiting);
        if (target is not null && preview is not null)
        {
            await BeginAsync(target, preview, waiting.Actor, outcome, waiting.View, cancellationToken);
        }

        return problem;
    }

    /// <summary>What one that waits would be about now, or why it would not begin.</summary>
    public (BulkTarget? Target, OperationPreview? Preview, SubmitResult? Problem) Look(WaitingOperation waiting)
    {
        // Its time has come, so every rule counts. First whether the data center has been heard: else there seem to be no such nodes.
        var (fleet, request) = (services.Fleet.Current, waiting.Request with { StartAt = null, WindowEndsAt = null });
        if (BulkTarget.HubStartupGrace(fleet, request, services.Limits, runs.Uptime) is { Blocks: true } unheard)
        {
            var grace = OperationPreview.Only(unheard);
            return (null, grace, new SubmitResult.Refused(grace));
        }

        if (BulkTarget.Resolve(fleet, request, out var problem) is not { } target)
        {
            return (null, null, problem);
        }

        var preview = target.Preview(services.Limits, runs.Uptime);
        return preview.Allowed ? (target, preview, null) : (null, preview, new SubmitResult.Refused(preview));
    }

    /// <summary>As the audit keeps it.</summary>
    public static AuditDraft Draft(BulkTarget target, Actor actor, string outcome) => new() { Actor = actor, Action = "bulk-drain", Target = target.Name, Reason = target.Request.Reason, Outcome = outcome };

    /// <summary>After the drain that is under way nothing more is drained.</summary>
    /// <returns>False: no such bulk drain runs, or it is ending.</returns>
    public bool TryCancel(string id, string by) => _running.TryGetValue(id, out var run) && run.Cancellation.TryCancel(by);

    /// <summary>The title of one that is under way and has not drained that node yet; null: there is none. Until then it must be called as it was when this began.</summary>
    public string? StillToDrain(string node) =>
        _running.Values.FirstOrDefault(r => r.Target.Nodes.Skip(r.Done).Any(n => string.Equals(n.Node, node, StringComparison.OrdinalIgnoreCase)))?.Target.Title;

    public async ValueTask DisposeAsync()
    {
        if (!_stopping.IsCancellationRequested)
        {
            await _stopping.CancelAsync();
            await Task.WhenAll(_tasks.Keys);
        }
    }

    private async Task RunAsync(BulkTarget target, OperationView view, Actor actor, RunCancellation cancellation)
    {
        try
        {
            for (var i = 0; i < target.Nodes.Length; i++)
            {
                if (cancellation.By is { } by)
                {
                    await EndAsync(view, OperationStatus.Cancelled, $"Cancelled by {by}. {Drained(i, target)}");
                    return;
                }

                view = await KeepAsync(Step(view, i, s => s with { Status = StepStatus.Running, StartedAt = services.Time.GetUtcNow() }));
                var (ok, detail) = await DrainAsync(target.Nodes[i].Node, view, actor);
                _running[view.Id].Done = i + 1;
                view = await KeepAsync(Step(view, i, s => s with { Status = ok ? StepStatus.Succeeded : StepStatus.Failed, FinishedAt = services.Time.GetUtcNow(), Detail = detail }));
                if (!ok)
                {
                    cancellation.TryBeginEnding();
                    await EndAsync(view, OperationStatus.Failed, $"Stopped at {target.Nodes[i].Node}: {detail} {Drained(i, target)}");
                    return;
                }
            }

            cancellation.TryBeginEnding();
            await EndAsync(view, OperationStatus.Succeeded, Drained(target.Nodes.Length, target));
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            LogLeft(logger, view.Title);
        }
        catch (Exception defect)
        {
            LogDefect(logger, view.Title, defect);
            cancellation.TryBeginEnding();
            services.Feed.Publish(Ended(view, OperationStatus.Failed, $"A defect of the hub broke it off ({defect.GetBaseException().Message}). Nothing more is drained."));
        }
        finally
        {
            _running.TryRemove(view.Id, out _);
            cancellation.Dispose();
        }
    }

    private async Task<(bool Ok, string Detail)> DrainAsync(string node, OperationView bulk, Actor actor)
    {
        var request = new OperationRequest { Type = OperationType.Drain, Node = node, Reason = bulk.Reason, ApprovedBy = bulk.ApprovedBy };
        switch (await Submit!(request, actor, _stopping.Token))
        {
            case SubmitResult.Accepted accepted:
                var ended = await services.Feed.EndedAsync(accepted.OperationId, _stopping.Token);
                return (ended.Status == OperationStatus.Succeeded, $"Operation {accepted.OperationId}: {ended.Outcome}");
            case SubmitResult.Refused refused when refused.Preview.Rules.First(r => r.Blocks) is var rule:
                return (false, $"{rule.RuleId} {rule.Name}: {rule.Message}");
            case SubmitResult.Invalid invalid:
                return (false, string.Join(" ", invalid.Problem.Values));
            case var other:
                return (false, $"It was not accepted ({other.GetType().Name}).");
        }
    }

    private async Task<OperationView> KeepAsync(OperationView view)
    {
        await services.OnDiskAsync(ct => services.Store.SaveAsync(view, raiseRevision: false, ct), _stopping.Token);
        services.Feed.Publish(view);
        return view;
    }

    private Task<OperationView> EndAsync(OperationView view, OperationStatus status, string outcome) => KeepAsync(Ended(view, status, outcome));

    private OperationView Ended(OperationView view, OperationStatus status, string outcome) => view with
    {
        Status = status,
        Outcome = outcome,
        FinishedAt = services.Time.GetUtcNow(),
        Steps = [.. view.Steps.Select(s => s.Status == StepStatus.Pending ? s with { Status = StepStatus.Skipped } : s)],
    };

    private static OperationView Step(OperationView view, int i, Func<OperationStep, OperationStep> change) => view with { Steps = view.Steps.SetItem(i, change(view.Steps[i])) };

    private static string Drained(int count, BulkTarget target) => $"{count} of {target.Nodes.Length} nodes were drained.";

    // Written by its own task only.
    private sealed class BulkRun(BulkTarget target, RunCancellation cancellation)
    {
        private volatile int _done;

        public BulkTarget Target => target;

        public RunCancellation Cancellation => cancellation;

        public int Done
        {
            get => _done;
            set => _done = value;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The hub stops while '{Title}' is under way; nothing more is drained")]
    private static partial void LogLeft(ILogger logger, string title);

    [LoggerMessage(Level = LogLevel.Critical, Message = "'{Title}' was broken off by a defect of the hub; nothing more is drained, and it is reported at the next start")]
    private static partial void LogDefect(ILogger logger, string title, Exception exception);
}
