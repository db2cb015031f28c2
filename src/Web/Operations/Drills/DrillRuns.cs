using System.Collections.Concurrent;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Operations.Running;
using FailoverHub.Web.Operations.Waiting;

namespace FailoverHub.Web.Operations.Drills;

/// <summary>
/// Drills: the way there and the way back are switchovers, each an operation of its own with its own rules, its own undoing and its own audit entry; between
/// them it is measured what they cost. While a drill is under way the pair has no other operation. One that is cancelled goes back first.
/// When the hub ends in the middle the next one goes on with it. Here is which drills there are; how one goes is <see cref="DrillRun"/>.
/// </summary>
internal sealed partial class DrillRuns(OperationServices services, OperationRuns runs, AuditLog audit, ILogger<DrillRuns> logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<string, DrillRun> _running = new();
    private readonly ConcurrentDictionary<Task, byte> _tasks = new();

    /// <summary>Asks for one move, as anybody does; set by the desk.</summary>
    public Func<OperationRequest, Actor, CancellationToken, Task<SubmitResult>>? Submit { get; set; }

    /// <summary>The drill that is under way on a pair; null: none is.</summary>
    public string? Of(string pairId) => _running.Values.FirstOrDefault(r => r.UnderWay && r.PairId == pairId)?.Id;

    public OperationPreview? Preview(OperationRequest request, out SubmitResult? problem) =>
        DrillTarget.Resolve(services.Fleet.Current, request, out problem) is var (target, there) ? target.Preview(runs.Preview(there)) : null;

    /// <summary>What a drill would be about, when nothing stands in its way; a refusal is audited. Whoever calls it holds the lock of admission.</summary>
    /// <returns>The target and its preview, or why not.</returns>
    public async Task<(DrillTarget? Target, OperationPreview? Preview, SubmitResult? Problem)> CheckAsync(OperationRequest request, Actor actor, CancellationToken cancellationToken)
    {
        if (DrillTarget.Resolve(services.Fleet.Current, request, out var problem) is not var (target, there))
        {
            await audit.WriteAsync(OperationRecords.ToAuditDraft(request, actor, problem!), cancellationToken);
            return (null, null, problem);
        }

        var preview = target.Preview(runs.Preview(there));
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
        await services.Store.AddAsync(view, Draft(target, actor, outcome) with { CorrelationId = view.Id }, cancellationToken, new WaitingOperation(view, target.Request, actor));
        await SetGoingAsync(NewRun(target, view, actor), view, run => run.RunAsync(_stopping.Token));
        return view.Id;
    }

    /// <summary>Goes on with what an earlier run of the hub left, once each: what was moved goes back, as it was meant to. Called before anybody can ask for anything.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var (left, told, moves) in await services.Store.LeftDrillsAsync(cancellationToken))
        {
            services.Feed.TakeOver(left.View, told);
            if (services.Fleet.Current.FindPair(left.View.PairId) is { } pair && DrillTarget.Resume(pair, left.Request, left.View) is { } target)
            {
                LogResumed(logger, left.View.Title);

                // It was let in with the right to do so, and what it does now is to undo what it did.
                var actor = left.Actor with { Rights = Rights.View | Rights.Operate };
                await SetGoingAsync(NewRun(target, left.View, actor), left.View, run => run.ResumeAsync(moves, _stopping.Token));
            }
            else
            {
                var ended = left.View with
                {
                    Status = OperationStatus.Failed,
                    Outcome = "The hub ended while it was under way, and its pair is not there any more: nothing is moved.",
                    FinishedAt = services.Time.GetUtcNow(),
                };
                await services.Store.SaveAsync(ended, raiseRevision: false, cancellationToken);
                services.Feed.Publish(ended);
            }
        }
    }

    private DrillRun NewRun(DrillTarget target, OperationView view, Actor actor) => new(target, view, actor, new DrillMoves(Submit!, services, runs), services);

    private async Task SetGoingAsync(DrillRun run, OperationView view, Func<DrillRun, Task> go)
    {
        _running[view.Id] = run;
        await services.Fleet.PostAsync(new FleetMessage.DrillChanged(view.PairId, new RunningOperation(view.Id, view.Title, MovesTraffic: true), view.Id), CancellationToken.None);

        // Who asks for the pair next sees it under way.
        Task seen = services.Fleet.WaitUntilAsync(s => s.Facts.Pairs.GetValueOrDefault(view.PairId)?.Drill?.Id == view.Id, _stopping.Token);
        await seen.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        services.Feed.Publish(view);
        var task = Task.Run(() => RunAsync(run, go), CancellationToken.None);
        _tasks[task] = 0;
        _ = task.ContinueWith(ended => _tasks.TryRemove(ended, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Begins one that has waited for a second person, as the fleet is now. Whoever calls it holds the lock of admission.</summary>
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
    public (DrillTarget? Target, OperationPreview? Preview, SubmitResult? Problem) Look(WaitingOperation waiting)
    {
        if (DrillTarget.Resolve(services.Fleet.Current, waiting.Request, out var problem) is not var (target, there))
        {
            return (null, null, problem);
        }

        var preview = target.Preview(runs.Preview(there));
        return preview.Allowed ? (target, preview, null) : (null, preview, new SubmitResult.Refused(preview));
    }

    /// <summary>As the audit keeps it.</summary>
    public static AuditDraft Draft(DrillTarget target, Actor actor, string outcome) =>
        new() { Actor = actor, Action = "drill", Target = AuditTarget.Pair(target.Pair.Name), Reason = target.Request.Reason, After = target.Title, Outcome = outcome };

    /// <summary>What is under way is ended, and what was moved goes back; nothing else is done.</summary>
    /// <returns>False: no such drill runs, or it is ending.</returns>
    public bool TryCancel(string id, string by) => _running.TryGetValue(id, out var drill) && drill.TryCancel(by);

    public async ValueTask DisposeAsync()
    {
        if (!_stopping.IsCancellationRequested)
        {
            await _stopping.CancelAsync();
            await Task.WhenAll(_tasks.Keys);
        }
    }

    private async Task RunAsync(DrillRun run, Func<DrillRun, Task> go)
    {
        try
        {
            await go(run);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            LogLeft(logger, run.Title);
        }
        catch (Exception defect)
        {
            LogDefect(logger, run.Title, defect);
            await EndBrokenAsync(run, defect);
        }
        finally
        {
            _running.TryRemove(run.Id, out _);
            run.Dispose();
        }
    }

    private async Task EndBrokenAsync(DrillRun run, Exception defect)
    {
        try
        {
            await run.BreakOffAsync(defect, _stopping.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            LogLeft(logger, run.Title);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The hub stops while '{Title}' is under way; it goes on when the hub is there again")]
    private static partial void LogLeft(ILogger logger, string title);

    [LoggerMessage(Level = LogLevel.Warning, Message = "'{Title}' was under way when the hub ended; it goes on from there")]
    private static partial void LogResumed(ILogger logger, string title);

    [LoggerMessage(Level = LogLevel.Critical, Message = "'{Title}' was broken off by a defect of the hub; what it had moved is asked back once")]
    private static partial void LogDefect(ILogger logger, string title, Exception exception);
}
