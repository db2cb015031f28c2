using System.Collections.Immutable;
using System.Threading.Channels;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Operations.Running;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Operations.Waiting;

/// <summary>
/// Keeps what waits for a second person or for its time, and does what is due: begins it if the rules still agree, or ends it and says why. What
/// was missed while the hub was not running is reported, and not done late. One task, from <see cref="StartAsync"/> to its disposal; it sleeps
/// until the next moment or until something is added.
/// </summary>
internal sealed partial class OperationAgenda(OperationRuns runs, ComposedRuns composed, WaitingStore store, OperationServices services, ILogger<OperationAgenda> logger) : IAsyncDisposable
{
    private static readonly Actor Hub = new("hub", null, null);
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    // Written under the lock of admission only; read by anybody.
    private ImmutableDictionary<string, WaitingOperation> _waiting = ImmutableDictionary<string, WaitingOperation>.Empty;
    private Task _loop = Task.CompletedTask;

    /// <summary>Takes up what an earlier run of the hub left behind.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var (waiting, told) in await store.LoadAsync(cancellationToken))
        {
            services.Feed.TakeOver(waiting.View, told);
            _waiting = _waiting.SetItem(waiting.View.Id, waiting);
        }

        runs.OnThen = Keep;
        runs.OnEnded = OnEndedAsync;
        _loop = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>One that waits; null: it does not, or not any more.</summary>
    public WaitingOperation? Find(string id) => Volatile.Read(ref _waiting).GetValueOrDefault(id);

    /// <summary>What waits and would tell that node something, or take the addresses to it.</summary>
    public IReadOnlyList<WaitingOperation> About(string node) => [.. Volatile.Read(ref _waiting).Values.Where(w => w.IsAbout(node)).OrderBy(w => w.View.Id, StringComparer.Ordinal)];

    /// <summary>Bulk drains that wait and name that node in their steps. Which nodes they drain is found when they begin; the steps are what somebody reads before he approves.</summary>
    public IReadOnlyList<WaitingOperation> BulkDrainsOf(string node) =>
        [.. Volatile.Read(ref _waiting).Values.Where(w => w.Request.Type == OperationType.BulkDrain && w.Names(node)).OrderBy(w => w.View.Id, StringComparer.Ordinal)];

    /// <summary>Audits it and lets it wait. Whoever calls it holds the lock of admission.</summary>
    public async Task AddAsync(WaitingOperation waiting, AuditDraft draft, CancellationToken cancellationToken)
    {
        await store.AddAsync(waiting, draft, cancellationToken);
        Keep(waiting);
    }

    /// <summary>It is stored already, with what it follows. Whoever calls it holds the lock of admission.</summary>
    public void Keep(WaitingOperation waiting)
    {
        Volatile.Write(ref _waiting, _waiting.SetItem(waiting.View.Id, waiting));
        services.Feed.Publish(waiting.View);
        _changed.Writer.TryWrite(true);
    }

    /// <summary>Audits that it stands otherwise. One that has ended waits no more. Whoever calls it holds the lock of admission.</summary>
    public async Task ChangeAsync(WaitingOperation waiting, AuditDraft draft, CancellationToken cancellationToken)
    {
        await store.ChangeAsync(waiting.View, draft, cancellationToken);
        Changed(waiting);
    }

    /// <summary>It is stored already that it stands otherwise. Whoever calls it holds the lock of admission.</summary>
    public void Changed(WaitingOperation waiting)
    {
        if (waiting.View.IsFinished)
        {
            Forget(waiting);
            services.Feed.Publish(waiting.View);
        }
        else
        {
            Keep(waiting);
        }
    }

    /// <summary>Looks at the fleet again and begins it, if the rules agree. Whoever calls it holds the lock of admission.</summary>
    /// <param name="waiting">What.</param>
    /// <param name="accepted">Outcome in the audit when it begins: "accepted, approved by bob".</param>
    /// <param name="cancellationToken">Stops it while nothing is stored.</param>
    /// <returns>Why it does not begin; null: it has begun.</returns>
    public async Task<(SubmitResult? Problem, OperationPreview? Preview)> BeginAsync(WaitingOperation waiting, string accepted, CancellationToken cancellationToken)
    {
        var requester = await RequesterAllowedAsync(waiting, cancellationToken);
        if (requester is { Rule.Blocks: true })
        {
            var refused = OperationPreview.Only(requester.Value.Rule);
            return (new SubmitResult.Refused(refused), refused);
        }

        // What it may do now, so that what it is made of may be asked for in its name.
        waiting = waiting with { Actor = waiting.Actor with { Rights = requester?.Rights ?? Rights.None } };
        if (IsComposed(waiting))
        {
            var why = await composed.BeginWaitingAsync(waiting, accepted, cancellationToken);
            if (why is null)
            {
                Forget(waiting);
            }

            return (why, (why as SubmitResult.Refused)?.Preview);
        }

        var (target, preview, problem) = Look(waiting);
        if (target is null || preview is null)
        {
            return (problem, preview);
        }

        preview = requester is { Rule: var rule } ? preview with { Rules = [.. preview.Rules.Append(rule).OrderBy(r => r.RuleId, StringComparer.Ordinal)] } : preview;

        await runs.AcceptAsync(target, preview, waiting.Actor, accepted, waiting.View, cancellationToken);
        Forget(waiting);
        return (null, preview);
    }

    /// <summary>Begins what has just been approved, and is stored so. What keeps it from beginning after all is left to the loop, which finds it due. Whoever calls it holds the lock of admission.</summary>
    public async Task BeginApprovedAsync(WaitingOperation approved)
    {
        try
        {
            await BeginAsync(approved, AcceptedAs(approved), CancellationToken.None);
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            LogNotStored(logger, e);
        }
    }

    /// <summary>Why it would not begin, as the fleet is now; null: nothing stands in its way. Whoever calls it holds the lock of admission.</summary>
    public SubmitResult? ProblemOf(WaitingOperation waiting) => IsComposed(waiting) ? composed.ProblemOf(waiting) : Look(waiting).Problem;

    private static bool IsComposed(WaitingOperation waiting) => waiting.Request.Type is OperationType.BulkDrain or OperationType.Drill;

    private static string AcceptedAs(WaitingOperation waiting) =>
        (waiting.View.ScheduledFor, waiting.View.ApprovedBy) switch
        {
            (null, { } approver) => $"accepted, approved by {approver}",
            (_, { } approver) => $"accepted, as scheduled and approved by {approver}",
            _ => "accepted, as scheduled",
        };

    private (OperationTarget? Target, OperationPreview? Preview, SubmitResult? Problem) Look(WaitingOperation waiting)
    {
        // A time was chosen for it, so what was seen then is no condition any more.
        var request = waiting.Request.StartAt is null ? waiting.Request : waiting.Request with { ExpectedRevision = null };
        if (OperationTarget.Resolve(services.Fleet.Current, request, out var problem) is not { } target)
        {
            return (null, null, problem);
        }

        var preview = runs.Preview(target);
        if (request.Automatic)
        {
            var answering = services.Reachability is { } probes && target.Prefixes.Any(p => probes.Find(p)?.State == ReachabilityState.Reachable);
            preview = preview with { Rules = [.. preview.Rules.Append(AgentRules.TwoSignals(target, answering)).OrderBy(r => r.RuleId, StringComparer.Ordinal)] };
        }

        if (preview.NeedsApproval && waiting.View.ApprovedBy is null)
        {
            preview = preview with { Rules = [.. preview.Rules.Append(ApprovalRules.NotAsked(request)).OrderBy(r => r.RuleId, StringComparer.Ordinal)] };
        }

        return preview.Allowed ? (target, preview, null) : (null, preview, new SubmitResult.Refused(preview));
    }

    /// <summary>SR-15, as it is now, and what whoever asked may do now; null: the hub itself asked, which loses no right.</summary>
    public async Task<(RuleResult Rule, Rights Rights)?> RequesterAllowedAsync(WaitingOperation waiting, CancellationToken cancellationToken)
    {
        if (waiting.Request.Automatic)
        {
            return null;
        }

        var standing = await services.Standing.OfAsync(waiting.Actor.Behind, cancellationToken);
        return (ApprovalRules.RequesterAllowed(waiting.Request, waiting.Actor.Name, standing), standing.Rights);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_stopping.IsCancellationRequested)
        {
            await _stopping.CancelAsync();
            await _loop;
        }
    }

    // What was to follow something that did not happen is not done, nor what was to end a drain that is over.
    private async Task OnEndedAsync(AcceptedOperation operation, OperationView ended)
    {
        if (operation.Then is { } then && Find(then.View.Id) is { } waiting && ended.Status is OperationStatus.Failed or OperationStatus.TimedOut or OperationStatus.Cancelled)
        {
            await CancelAsync(waiting, $"'{ended.Title}' did not succeed, so there is nothing to end. Nothing was sent.");
        }

        // Not before it has: a node that could not be undrained stays drained until the end that somebody gave it. Of a drain whose outcome is not known it may be in force.
        if (ended is { Type: OperationType.Undrain, Status: OperationStatus.Succeeded } or { Type: OperationType.Drain, Status: OperationStatus.Succeeded or OperationStatus.OutcomeUnknown })
        {
            foreach (var over in _waiting.Values.Where(w => w.Request is { Type: OperationType.Undrain, Automatic: true } && w.View.Node == ended.Node && w.Request.Ends != ended.Id).ToList())
            {
                await CancelAsync(over, $"{DrainHasChanged(over)} '{ended.Title}' was asked for by {ended.Actor}. Nothing was sent.");
            }
        }
    }

    private async Task CancelAsync(WaitingOperation waiting, string why)
    {
        var ended = waiting.Ended(OperationStatus.Cancelled, why, services.Time.GetUtcNow());
        try
        {
            await ChangeAsync(ended, Draft(ended.View, Hub, "cancel", "accepted", why), CancellationToken.None);
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            // When its time has come it finds that the drain is over, and ends so.
            LogNotStored(logger, e);
        }
    }

    private static string DrainHasChanged(WaitingOperation undrain) => $"Whether {undrain.View.Node} is drained was changed since, so the drain that this was to end is over.";

    private void Forget(WaitingOperation waiting) => Volatile.Write(ref _waiting, _waiting.Remove(waiting.View.Id));

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await ActAsync();
                await SleepAsync();
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The hub is stopping.
        }
        catch (Exception defect)
        {
            LogDefect(logger, defect);
        }
    }

    private async Task SleepAsync()
    {
        var now = services.Time.GetUtcNow();
        var next = _waiting.Values.Select(w => w.NextAt).DefaultIfEmpty(DateTimeOffset.MaxValue).Min();
        var sleep = next - now < LongestSleep ? next - now : LongestSleep;
        if (sleep <= TimeSpan.Zero)
        {
            return;
        }

        using var due = new CancellationTokenSource(sleep, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(due.Token, _stopping.Token);
        try
        {
            await _changed.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!_stopping.IsCancellationRequested)
        {
            // The next moment has come.
        }
    }

    private async Task ActAsync()
    {
        if (!_waiting.Values.Any(w => w.NextAt <= services.Time.GetUtcNow()))
        {
            return;
        }

        var decided = true;
        await services.Admission.WaitAsync(_stopping.Token);
        try
        {
            foreach (var due in _waiting.Values.Where(w => w.NextAt <= services.Time.GetUtcNow()).OrderBy(w => w.NextAt).ToList())
            {
                decided &= await TryDecideAsync(due);
            }
        }
        finally
        {
            services.Admission.Release();
        }

        // Nobody who asks for something waits as long as the disk does.
        if (!decided)
        {
            await services.RestForDiskAsync(_stopping.Token);
        }
    }

    /// <returns>False: what became of it could not be stored, and it is due still. The others that are due do not wait for it.</returns>
    private async Task<bool> TryDecideAsync(WaitingOperation due)
    {
        if (due.RefusedFor is { } why)
        {
            return await TryEndAsync(due, why);
        }

        try
        {
            await DecideAsync(due);
            return true;
        }
        catch (Exception e) when (StorageFaults.MayPass(e))
        {
            LogNotStored(logger, e);
            return false;
        }
        catch (Exception e) when (StorageFaults.IsForEver(e))
        {
            return await TryEndAsync(due, $"The database does not take it ({e.GetBaseException().Message}), and never will. Nothing was sent.");
        }
    }

    private async Task<bool> TryEndAsync(WaitingOperation due, string why)
    {
        try
        {
            await EndAsync(due, new WaitingFate.Ends(OperationStatus.Refused, "schedule-refused", why));
            return true;
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            LogNotStored(logger, e);
            Volatile.Write(ref _waiting, _waiting.SetItem(due.View.Id, due with { RefusedFor = why }));
            return false;
        }
    }

    private async Task DecideAsync(WaitingOperation due)
    {
        var now = services.Time.GetUtcNow();
        var fate = WaitingFate.OfTime(due, now) ?? OfItsBeginning(due, now) ?? await OfItsDrainAsync(due);
        if (fate is null)
        {
            // Before the rules look: a node that reports for the first time while they do is not held against what they saw without it.
            var unheard = services.Fleet.Current.FindPair(due.View.PairId)?.Members.Any(m => !m.Node.HasReported) == true;
            var (problem, preview) = await BeginAsync(due, AcceptedAs(due), _stopping.Token);
            fate = problem switch
            {
                null => new WaitingFate.Begins(),
                SubmitResult.Refused => WaitingFate.OfRules(due, preview!, unheard, now),
                SubmitResult.Invalid invalid => new WaitingFate.Ends(OperationStatus.Cancelled, "schedule-refused", $"{string.Join(" ", invalid.Problem.Values)} Nothing was sent."),

                // A pair is stored a moment after it was first seen: a hub that was killed before that knows it when its nodes have dialled again.
                SubmitResult.NotFound unknown when runs.Uptime < services.Limits.StartupGrace => new WaitingFate.WaitsOn(now + WaitingFate.RetryAfter, unknown.What),
                SubmitResult.NotFound gone => new WaitingFate.Ends(OperationStatus.Refused, "schedule-refused", $"{gone.What} Nothing was sent."),
                _ => throw new InvalidOperationException($"A waiting operation cannot be answered with {problem.GetType().Name}."),
            };
        }

        switch (fate)
        {
            case WaitingFate.WaitsOn waits:
                Volatile.Write(ref _waiting, _waiting.SetItem(due.View.Id, due with { RetryAt = waits.Until, Hindrance = waits.Hindrance }));
                break;
            case WaitingFate.Ends ends:
                await EndAsync(due, ends);
                break;
            default:
                break;
        }
    }

    // What it is to end is just being done, later than it was meant to be: to find nothing to end yet would leave the node drained without end.
    private WaitingFate.WaitsOn? OfItsBeginning(WaitingOperation due, DateTimeOffset now) =>
        due.Request.Ends is { } drain && services.Feed.Find(drain) is { Status: OperationStatus.Queued or OperationStatus.Running } begun
            ? new WaitingFate.WaitsOn(now + WaitingFate.RetryAfter, $"'{begun.Title}' is under way")
            : null;

    // Asked of the disk: a hub that was killed, or whose disk was full, may not have cancelled it.
    private async Task<WaitingFate?> OfItsDrainAsync(WaitingOperation due) =>
        due.Request is { Ends: { } drain, Node: { } node } && await services.Store.DrainHasChangedAsync(node, drain, due.View.RequestedAt, _stopping.Token)
            ? new WaitingFate.Ends(OperationStatus.Cancelled, "schedule-refused", $"{DrainHasChanged(due)} Nothing was sent.")
            : null;

    private async Task EndAsync(WaitingOperation due, WaitingFate.Ends ends)
    {
        var ended = due.Ended(ends.Status, ends.Why, services.Time.GetUtcNow());
        await ChangeAsync(ended, Draft(ended.View, Hub, ends.Action, $"refused: {ends.Why}", due.Request.Reason), _stopping.Token);
        LogEnded(logger, due.View.Title, ends.Why);
    }

    internal static AuditDraft Draft(OperationView view, Actor actor, string action, string outcome, string? reason) => new()
    {
        Actor = actor,
        Action = action,
        Target = view.Type == OperationType.BulkDrain ? view.PairName : view.Node is { } node && !view.Type.IsOfPair() ? AuditTarget.NodeOfPair(node, view.PairName) : AuditTarget.Pair(view.PairName),
        Reason = reason,
        Outcome = outcome,
        CorrelationId = view.Id,
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "'{Title}' was not begun: {Why}")]
    private static partial void LogEnded(ILogger logger, string title, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "What became of an operation that waited could not be stored; it is tried again")]
    private static partial void LogNotStored(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Critical, Message = "A defect of the hub: until the next start no scheduled operation begins, and no approval expires")]
    private static partial void LogDefect(ILogger logger, Exception exception);
}
