using System.Collections.Immutable;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Operations;

/// <summary>What a run needs of the hub.</summary>
internal sealed record OperationServices(OperationStore Store, FleetStore Fleet, OperationFeed Feed, IReachability? Reachability, TimeProvider Time);

/// <summary>
/// One accepted operation from its first step to its outcome. Its steps are taken one after the other: an intent is released, sent, and the
/// node's own report has to show it. When a step fails, what was done is taken back, newest first, and never so that two nodes could be
/// primary: if the last node does not confirm that it stepped back, the others stay as they are.
/// </summary>
internal sealed class OperationRun(AcceptedOperation operation, TimeSpan deadline, OperationServices services)
{
    private static readonly TimeSpan TakeBackWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryDiskAfter = TimeSpan.FromSeconds(1);

    private readonly OperationPlan _plan = operation.Plan;
    private readonly List<int> _sent = [];
    private OperationView _view = operation.View;
    private bool _tookBack;

    private volatile bool _ended;

    /// <summary>How it stands.</summary>
    public OperationView View => _view;

    /// <summary>Another operation of the pair has to wait.</summary>
    public bool InFlight => !_ended;

    /// <summary>Tells everyone that it has ended; from here on another operation of the pair may begin.</summary>
    public void Tell()
    {
        _ended = true;
        services.Feed.Publish(_view);
    }

    /// <summary>Runs it to its end, which is then to be told.</summary>
    /// <exception cref="OperationCanceledException">The hub is stopping; what was stored is settled when it starts again.</exception>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var late = new CancellationTokenSource(deadline, services.Time);
        using var until = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stopping);
        var answered = AnsweringNow();
        _view = _view with { Status = OperationStatus.Running };
        services.Feed.Publish(_view);

        for (var i = 0; i < _plan.Steps.Length; i++)
        {
            var observed = await TakeAsync(i, until.Token, stopping);
            if (observed is not StepObservation.Shown shown)
            {
                await EndBadlyAsync(i, observed, late.IsCancellationRequested, stopping);
                return;
            }

            EndStep(i, StepStatus.Succeeded, shown.Detail);
        }

        await ObserveAllAsync(answered, late, until.Token, stopping);
    }

    private async Task<StepObservation> TakeAsync(int i, CancellationToken until, CancellationToken stopping)
    {
        var wanted = operation.Wanted[i];
        BeginStep(i);
        try
        {
            var intent = await OnDiskAsync(ct => services.Store.ReleaseAsync(_view, wanted.Node, wanted.Revision, ct), until);
            _sent.Add(i);
            await services.Fleet.PostAsync(new FleetMessage.IntentReleased(wanted.Node, intent), stopping);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return new StepObservation.Failed("It could not be stored in time, so it was not sent.");
        }

        return await WatchAsync(wanted, until, stopping);
    }

    /// <returns>What was seen; <see cref="StepObservation.Waiting"/> when <paramref name="until"/> came first.</returns>
    private async Task<StepObservation> WatchAsync(WantedOfNode wanted, CancellationToken until, CancellationToken stopping)
    {
        await foreach (var state in services.Fleet.WatchStateAsync(until))
        {
            // The state before the intent was taken in says nothing about it.
            if (state.Facts.Nodes.GetValueOrDefault(wanted.Node)?.Intent?.Revision >= wanted.Revision
                && StepObservation.Of(state, wanted) is not StepObservation.Waiting and { } seen)
            {
                return seen;
            }
        }

        stopping.ThrowIfCancellationRequested();
        return services.Fleet.Current.FindNode(wanted.Node) is { IsFresh: false }
            ? new StepObservation.Lost($"{wanted.Node} fell silent and did not come back in time.")
            : new StepObservation.Waiting();
    }

    private async Task ObserveAllAsync(HashSet<System.Net.IPNetwork> answered, CancellationTokenSource late, CancellationToken until, CancellationToken stopping)
    {
        var i = _plan.Steps.Length;
        BeginStep(i);
        var since = services.Time.GetUtcNow();
        foreach (var wanted in operation.Wanted)
        {
            var observed = await WatchAsync(wanted, until, stopping);
            if (observed is not StepObservation.Shown)
            {
                await EndBadlyAsync(i, observed, late.IsCancellationRequested, stopping);
                return;
            }
        }

        var silent = await FirstWithoutAnswerAsync(answered, since, until, stopping);
        if (silent is { } prefix)
        {
            await EndBadlyAsync(i, new StepObservation.Failed($"{prefix} answered before and does not now."), late.IsCancellationRequested, stopping);
            return;
        }

        EndStep(i, StepStatus.Succeeded, answered.Count > 0 ? $"All nodes report it; {string.Join(", ", answered)} answers." : "All nodes report it.");
        await FinishAsync(OperationStatus.Succeeded, _plan.MovesTraffic ? "What was wanted was observed: the address has moved." : "What was wanted was observed.", stopping);
    }

    // Only an address that answered before can tell by its silence that something went wrong.
    private HashSet<System.Net.IPNetwork> AnsweringNow() =>
        _plan.MovesTraffic && !_plan.OutagePossible && services.Reachability is { } reachability
            ? [.. _plan.Prefixes.Where(p => reachability.Find(p)?.State == ReachabilityState.Reachable)]
            : [];

    private async Task<System.Net.IPNetwork?> FirstWithoutAnswerAsync(HashSet<System.Net.IPNetwork> answered, DateTimeOffset since, CancellationToken until, CancellationToken stopping)
    {
        if (answered.Count == 0 || services.Reachability is not { } reachability)
        {
            return null;
        }

        var waiting = answered.ToHashSet();
        using var late = new CancellationTokenSource(AnswerWithin, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, until);
        try
        {
            await foreach (var targets in reachability.WatchAsync(either.Token))
            {
                waiting.RemoveWhere(p => targets.Any(t => t.Prefix.Equals(p) && t.Recent.Any(s => s.Answered && s.At >= since)));
                if (waiting.Count == 0)
                {
                    return null;
                }
            }
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // Too late: the first that still waits is named below.
        }

        stopping.ThrowIfCancellationRequested();
        return waiting.First();
    }

    private async Task EndBadlyAsync(int step, StepObservation observed, bool late, CancellationToken stopping)
    {
        switch (observed)
        {
            case StepObservation.Lost lost:
                EndStep(step, StepStatus.Failed, lost.Why);
                var restored = await LeaveToObservationAsync(step, stopping);
                await FinishAsync(OperationStatus.OutcomeUnknown, $"{lost.Why} Whether it did what it was asked is not known; {restored}", stopping);
                break;
            default:
                var why = observed is StepObservation.Failed failed ? failed.Why : $"It was not observed within {deadline.TotalSeconds:0} s.";
                EndStep(step, StepStatus.Failed, why);
                var undone = await TakeBackAsync(stopping);
                await FinishAsync(late ? OperationStatus.TimedOut : OperationStatus.Failed, $"{why} {undone}", stopping);
                break;
        }
    }

    /// <summary>
    /// A node was lost after it was asked. If it is one that was to step down, nobody was promoted yet, and it is asked to be again what it
    /// was: that is waiting for it when it comes back. If it is the one that was to be promoted it may be primary now: then nothing is
    /// touched, for making the other one primary again could make two.
    /// </summary>
    private async Task<string> LeaveToObservationAsync(int step, CancellationToken stopping)
    {
        var lost = _sent.Count > 0 ? _sent[^1] : step;
        if (_plan.Type != OperationType.Switchover || lost == _plan.Steps.Length - 1)
        {
            return "what it reports when it comes back will tell, and it will then be asked again.";
        }

        foreach (var i in Enumerable.Reverse(_sent).ToList())
        {
            await SendBackAsync(i, stopping);
        }

        return "no other node was promoted, and the earlier roles are wanted again.";
    }

    private async Task<string> TakeBackAsync(CancellationToken stopping)
    {
        foreach (var i in Enumerable.Reverse(_sent).ToList())
        {
            var before = _plan.Steps[i].Before;
            _view = _view with { Steps = _view.Steps.Add(new OperationStep($"Take back: {before.Node} as it was", StepStatus.Running, services.Time.GetUtcNow(), null, null)) };
            services.Feed.Publish(_view);
            var row = _view.Steps.Length - 1;
            var intent = await SendBackAsync(i, stopping);
            using var late = new CancellationTokenSource(TakeBackWithin, services.Time);
            using var until = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stopping);
            var wanted = WantedOfNode.Of(before, intent.Revision, []);
            var seen = await WatchAsync(wanted, until.Token, stopping);
            if (seen is StepObservation.Failed refused && services.Fleet.Current.FindNode(before.Node) is { } node && StepObservation.Shows(node, wanted))
            {
                // It refuses everything, also what it was to give up: so it never changed.
                seen = new StepObservation.Shown($"{refused.Why} Its report shows that it never changed.");
            }

            if (seen is not StepObservation.Shown shown)
            {
                EndStep(row, StepStatus.Failed, "Not confirmed.");
                return $"{before.Node} did not confirm that it is as it was; to keep two nodes from being primary nothing more was changed. Look at the pair.";
            }

            EndStep(row, StepStatus.Succeeded, shown.Detail);
        }

        return _sent.Count == 0 ? "Nothing was sent." : "What had been done was taken back.";
    }

    private async Task<IntentFacts> SendBackAsync(int i, CancellationToken stopping)
    {
        var before = _plan.Steps[i].Before;
        var intent = await OnDiskAsync(ct => services.Store.TakeBackAsync(_view, before, services.Fleet.Current, ct), stopping);
        _tookBack = true;
        await services.Fleet.PostAsync(new FleetMessage.IntentReleased(before.Node, intent), stopping);
        return intent;
    }

    private async Task FinishAsync(OperationStatus status, string outcome, CancellationToken stopping)
    {
        var now = services.Time.GetUtcNow();
        _view = _view with
        {
            Status = status,
            Outcome = outcome,
            FinishedAt = status == OperationStatus.OutcomeUnknown ? null : now,
            Steps = [.. _view.Steps.Select(s => s.Status == StepStatus.Pending ? s with { Status = StepStatus.Skipped } : s)],
        };
        var revision = await OnDiskAsync(ct => services.Store.SaveAsync(_view, _tookBack, ct), stopping);
        var move = status == OperationStatus.Succeeded && _plan is { Type: OperationType.Switchover, Node: { } to } ? new PairMove(to, _view.Actor, _view.Id, now) : null;
        await services.Fleet.PostAsync(new FleetMessage.OperationChanged(_plan.PairId, null, _view.Id, revision, move), stopping);

        // Who hears that it has ended may look at the pair at once.
        await services.Fleet.WaitUntilAsync(s => s.Snapshot.FindPair(_plan.PairId)?.OperationId != _view.Id, stopping);
    }

    private void BeginStep(int i) => SetStep(i, _view.Steps[i] with { Status = StepStatus.Running, StartedAt = services.Time.GetUtcNow() });

    private void EndStep(int i, StepStatus status, string detail) => SetStep(i, _view.Steps[i] with { Status = status, FinishedAt = services.Time.GetUtcNow(), Detail = detail });

    private void SetStep(int i, OperationStep step)
    {
        _view = _view with { Steps = _view.Steps.SetItem(i, step) };
        services.Feed.Publish(_view);
    }

    // The disk may be full for a while: what has begun is tried again each second, until its time is over or the hub stops.
    private async Task<T> OnDiskAsync<T>(Func<CancellationToken, Task<T>> write, CancellationToken until)
    {
        while (true)
        {
            try
            {
                return await write(until);
            }
            catch (Exception e) when (OperationStore.IsStorageFault(e))
            {
                await Task.Delay(RetryDiskAfter, services.Time, until);
            }
        }
    }
}
