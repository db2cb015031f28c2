using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Operations.Rules;

namespace FailoverHub.Web.Operations.Running;

/// <summary>
/// One accepted operation from its first step to its outcome. Its steps are taken one after the other: the rules are checked again, an intent
/// is released, sent, and the node's own report has to show it. When a step fails, what was done is taken back, newest first, and never so
/// that two nodes could be primary: if the last node does not confirm that it stepped back, the others stay as they are.
/// </summary>
internal sealed class OperationRun(AcceptedOperation operation, OperationTarget target, OperationServices services) : IDisposable
{
    private static readonly TimeSpan TakeBackWithin = TimeSpan.FromSeconds(10);

    private readonly OperationPlan _plan = operation.Plan;
    private readonly List<int> _sent = [];
    private readonly RunCancellation _cancellation = new();
    private OperationView _view = operation.View;
    private bool _tookBack;

    private volatile bool _ended;

    /// <summary>How it stands.</summary>
    public OperationView View => _view;

    /// <summary>Another operation of the pair has to wait.</summary>
    public bool InFlight => !_ended;

    /// <summary>It tells that node something.</summary>
    public bool Tells(string node) => _plan.Steps.Any(s => s.Wanted.Node == node) || _plan.OnReturn.Any(r => r.Node == node);

    /// <summary>Stops it where it is: it takes back what it has sent, as after a step that failed.</summary>
    /// <param name="by">Who wants that.</param>
    /// <returns>False: too late, how it ends is decided already.</returns>
    public bool TryCancel(string by) => _cancellation.TryCancel(by);

    public void Dispose() => _cancellation.Dispose();

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
        using var late = new CancellationTokenSource(target.Deadline, services.Time);
        using var until = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stopping, _cancellation.Token);
        var answers = AnswerCheck.Begin(_plan, services.Reachability, services.Time);
        _view = _view with { Status = OperationStatus.Running };
        services.Feed.Publish(_view);
        if (_plan.Reset is { } reset)
        {
            await ResetAsync(new SessionResetting(reset, _view, services.Fleet), until.Token, stopping);
            return;
        }

        for (var i = 0; i < _plan.Steps.Length; i++)
        {
            var observed = await TakeAsync(i, until.Token, stopping);
            if (observed is not StepObservation.Shown shown)
            {
                await EndBadlyAsync(i, observed, stopping);
                return;
            }

            EndStep(i, StepStatus.Succeeded, shown.Detail);
            if (_cancellation.By is not null)
            {
                await EndBadlyAsync(i + 1, new StepObservation.Waiting(), stopping);
                return;
            }
        }

        await ObserveAllAsync(answers, until.Token, stopping);
    }

    /// <summary>Ends it after a defect: what it had sent is left to observation, and the pair is free for the next operation.</summary>
    public async Task BreakOffAsync(Exception defect, CancellationToken stopping)
    {
        _cancellation.TryBeginEnding();
        _view = _view with
        {
            Steps = [.. _view.Steps.Select(s => s.Status == StepStatus.Running ? s with { Status = StepStatus.Failed, FinishedAt = services.Time.GetUtcNow(), Detail = "Broken off." } : s)],
        };
        await FinishAsync(OperationStatus.OutcomeUnknown, $"A defect of the hub broke it off ({defect.GetBaseException().Message}). What the nodes report will tell what became of it.", stopping);
    }

    private async Task ResetAsync(SessionResetting resetting, CancellationToken until, CancellationToken stopping)
    {
        for (var i = 0; i < 2; i++)
        {
            BeginStep(i);
            var forbidden = i == 0 ? Forbidden(i) : null;
            var observed = forbidden is { } rule ? new StepObservation.Forbidden("It was not asked, because the fleet has changed", rule)
                : i == 0 ? await resetting.AskAsync(until, stopping) : await resetting.ComesBackAsync(until, stopping);
            if (observed is not StepObservation.Shown shown)
            {
                await EndBadlyAsync(i, observed, stopping);
                return;
            }

            EndStep(i, StepStatus.Succeeded, shown.Detail);
        }

        await FinishAsync(OperationStatus.Succeeded, "The session was reset and is established again.", stopping);
    }

    private async Task<StepObservation> TakeAsync(int i, CancellationToken until, CancellationToken stopping)
    {
        var wanted = operation.Wanted[i];
        BeginStep(i);
        try
        {
            var intent = await services.OnDiskAsync(ct => services.Store.ReleaseAsync(_view, wanted.Node, wanted.Revision, ct), until);

            // After the disk, which may have taken its time: nothing lies between the check and the sending.
            if (Forbidden(i) is { } why)
            {
                return new StepObservation.Forbidden("It was not sent, because the fleet has changed since it was asked for", why);
            }

            _sent.Add(i);
            await services.Fleet.PostAsync(new FleetMessage.IntentReleased(wanted.Node, intent), stopping);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return new StepObservation.Failed("It could not be stored in time, so it was not sent.");
        }

        return await WatchAsync(wanted, () => Forbidden(i), until, stopping);
    }

    /// <summary>Why the step must not leave the hub as the fleet is now; null: nothing stands against it.</summary>
    private string? Forbidden(int i)
    {
        var now = services.Fleet.Current;
        if (target.In(now) is not { } present)
        {
            return "what it is about is not there any more.";
        }

        if (SafetyRules.AtDispatch(present).FirstOrDefault(r => r.Blocks) is { } rule)
        {
            return $"{rule.RuleId} {rule.Name}: {rule.Message}";
        }

        if (!_plan.Type.IsMove() || i < _plan.Steps.Length - 1)
        {
            return null;
        }

        // The promotion: whoever had to step down must be seen to have done so still.
        var demoted = operation.Wanted.Take(i).FirstOrDefault(w => now.FindNode(w.Node) is not { } node || !StepObservation.Shows(node, w))?.Node
            ?? OperationPlanner.ToDemote(present).FirstOrDefault()?.Node.Name;
        return demoted is null ? null : $"SR-02 {nameof(SafetyRules.NoDualPrimary)}: {demoted} does not surely show as secondary now, so it may be primary.";
    }

    /// <param name="wanted">What has to be seen.</param>
    /// <param name="forbidden">Why it must not be sent once more as the fleet is now; null: it may.</param>
    /// <param name="until">The end of its time.</param>
    /// <param name="stopping">The hub stops.</param>
    /// <returns>What was seen; <see cref="StepObservation.Waiting"/> when <paramref name="until"/> came first.</returns>
    private async Task<StepObservation> WatchAsync(WantedOfNode wanted, Func<string?> forbidden, CancellationToken until, CancellationToken stopping)
    {
        await foreach (var state in services.Fleet.WatchStateAsync(until))
        {
            // The state before the intent was taken in says nothing about it.
            if (state.Facts.Nodes.GetValueOrDefault(wanted.Node) is not { } node || !(node.Intent?.Revision >= wanted.Revision))
            {
                continue;
            }

            if (StepObservation.Of(state, wanted) is not StepObservation.Waiting and { } seen)
            {
                return seen;
            }

            // It dialled again: what it was sent may have been lost on the way, or its answer. A node answers a revision that it has.
            if (node.Stream is { } stream && node.OfferedOn != stream.Id && state.Snapshot.FindNode(wanted.Node) is { IsFresh: true } view)
            {
                if (view.ReportedRevision < wanted.Revision && forbidden() is { } why)
                {
                    return new StepObservation.Forbidden($"{wanted.Node} came back without it, and it was not sent again, because the fleet has changed", why);
                }

                await services.Fleet.PostAsync(new FleetMessage.OfferAgain(wanted.Node, wanted.Revision), stopping);
            }
        }

        stopping.ThrowIfCancellationRequested();
        return services.Fleet.Current.FindNode(wanted.Node) is { IsFresh: false }
            ? new StepObservation.Lost($"{wanted.Node} fell silent and did not come back in time.")
            : new StepObservation.Waiting();
    }

    private async Task ObserveAllAsync(AnswerCheck answers, CancellationToken until, CancellationToken stopping)
    {
        var i = _plan.Steps.Length;
        answers.Moved();
        BeginStep(i);
        for (var step = 0; step < i; step++)
        {
            var (wanted, number) = (operation.Wanted[step], step);
            var observed = await WatchAsync(wanted, () => Forbidden(number), until, stopping);
            if (observed is not StepObservation.Shown)
            {
                await EndBadlyAsync(i, observed, stopping);
                return;
            }
        }

        var afterwards = await answers.AfterwardsAsync(until, stopping);
        if (!_cancellation.TryBeginEnding())
        {
            await EndBadlyAsync(i, new StepObservation.Waiting(), stopping);
            return;
        }

        if (afterwards.Silent is not null)
        {
            await EndBadlyAsync(i, new StepObservation.Failed(afterwards.Detail), stopping);
            return;
        }

        var waiting = await ReleaseOnReturnAsync(stopping);
        EndStep(i, StepStatus.Succeeded, $"All nodes report it.{afterwards.Detail}{waiting}");
        await FinishAsync(OperationStatus.Succeeded, _plan.MovesTraffic ? "What was wanted was observed: the address has moved." : "What was wanted was observed.", stopping);
    }

    // Who could not be reached: from now on it is wanted as secondary, and told so when it comes back, whether or not the hub was restarted meanwhile.
    private async Task<string> ReleaseOnReturnAsync(CancellationToken stopping)
    {
        foreach (var (node, revision) in operation.OnReturn)
        {
            var intent = await services.OnDiskAsync(ct => services.Store.ReleaseAsync(_view, node, revision, ct), stopping);
            await services.Fleet.PostAsync(new FleetMessage.IntentReleased(node, intent), stopping);
        }

        return operation.OnReturn.IsEmpty ? "" : $" {string.Join(" and ", operation.OnReturn.Select(r => r.Node))} is told to be secondary when it comes back.";
    }

    private async Task EndBadlyAsync(int step, StepObservation observed, CancellationToken stopping)
    {
        // From here on nobody can cancel it; whoever has done so before decides how it is called.
        var cancelled = !_cancellation.TryBeginEnding();
        switch (observed)
        {
            case StepObservation.Lost lost when _plan.Reset is null:
                // Nothing is touched: if it is the one that was to be promoted it may be primary now. When it comes back its settlement decides.
                EndStep(step, StepStatus.Failed, lost.Why);
                await FinishAsync(OperationStatus.OutcomeUnknown, $"{lost.Why} Whether it did what it was asked is not known; what it reports when it comes back will tell, and it is not asked again.", stopping);
                break;
            default:
                if (observed is StepObservation.Forbidden forbidden)
                {
                    await AuditRefusalAsync(step, forbidden.Rule, stopping);
                    observed = new StepObservation.Failed($"{forbidden.What}: {forbidden.Rule}");
                }

                var why = cancelled ? $"Cancelled by {_cancellation.By}."
                    : observed is StepObservation.Failed failed ? failed.Why : $"It was not observed within {target.Deadline.TotalSeconds:0} s.";
                EndStep(step, StepStatus.Failed, why);
                var undone = _plan.Reset is null ? await TakeBackAsync(stopping) : step == 0 ? "" : "The session was ended; it comes up again by itself.";
                await FinishAsync(
                    cancelled ? OperationStatus.Cancelled : observed is StepObservation.Waiting ? OperationStatus.TimedOut : OperationStatus.Failed,
                    $"{why} {undone}".TrimEnd(),
                    stopping);
                break;
        }
    }

    // Whoever reads the audit sees what a rule stopped, also when it stopped it half-way.
    private Task<bool> AuditRefusalAsync(int step, string rule, CancellationToken stopping)
    {
        var draft = operation.Draft with { Before = null, After = null, Outcome = $"refused at step {step + 1}: {rule}" };
        var intent = step < operation.Wanted.Length ? operation.Wanted[step] : null;
        return services.OnDiskAsync(ct => services.Store.RefuseStepAsync(draft, intent, wasSent: _sent.Contains(step), ct), stopping);
    }

    private async Task<string> TakeBackAsync(CancellationToken stopping)
    {
        foreach (var i in Enumerable.Reverse(_sent).ToList())
        {
            var before = _plan.Steps[i].Before;
            _view = _view with { Steps = _view.Steps.Add(new OperationStep(TakingBack.Step(before.Node), StepStatus.Running, services.Time.GetUtcNow(), null, null)) };
            services.Feed.Publish(_view);
            var row = _view.Steps.Length - 1;
            string? Against() => TakingBack.Against(services.Fleet.State, _plan.PairId, before);

            // At each try: the disk may be full for long, and the fleet another one afterwards.
            string? against = null;
            var intent = await services.OnDiskAsync(
                async ct => (against = Against()) is null ? await services.Store.TakeBackAsync(_view, _plan.Steps[i].Wanted, before, services.Fleet.Current, ct) : null,
                stopping);
            if (intent is null)
            {
                EndStep(row, StepStatus.Failed, $"Not sent: {against}.");
                return $"{before.Node} was not made again what it was, because {against}. Look at the pair.";
            }

            _tookBack = true;
            await services.Fleet.PostAsync(new FleetMessage.IntentReleased(before.Node, intent), stopping);
            using var late = new CancellationTokenSource(TakeBackWithin, services.Time);
            using var until = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stopping);
            var wanted = WantedOfNode.Of(before, intent.Revision, []);
            var seen = await WatchAsync(wanted, Against, until.Token, stopping);
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
        try
        {
            var succeeded = status == OperationStatus.Succeeded;
            var move = succeeded && _plan.Type.IsMove() && _plan.Node is { } to ? new PairMove(to, _view.Actor, _view.Id, now) : null;
            var revision = await services.OnDiskAsync(ct => services.Store.SaveAsync(_view, _tookBack, ct, move), stopping);

            // It is on the disk: from here on it is told, also when the hub is just stopping.
            var ended = new FleetMessage.OperationChanged(_plan.PairId, null, _view.Id, revision, move) { Failback = succeeded ? target.Request.Failback : null };
            await services.Fleet.PostAsync(ended, CancellationToken.None);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // It never will be on the disk; the pair is free all the same, and the next start of the hub settles the row.
            await services.Fleet.PostAsync(new FleetMessage.OperationChanged(_plan.PairId, null, _view.Id, null, null), CancellationToken.None);
            throw;
        }

        // Who hears that it has ended may look at the pair at once.
        Task seen = services.Fleet.WaitUntilAsync(s => s.Facts.Pairs.GetValueOrDefault(_plan.PairId)?.Running?.Id != _view.Id, stopping);
        await seen.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void BeginStep(int i) => SetStep(i, _view.Steps[i] with { Status = StepStatus.Running, StartedAt = services.Time.GetUtcNow() });

    private void EndStep(int i, StepStatus status, string detail) => SetStep(i, _view.Steps[i] with { Status = status, FinishedAt = services.Time.GetUtcNow(), Detail = detail });

    private void SetStep(int i, OperationStep step)
    {
        _view = _view with { Steps = _view.Steps.SetItem(i, step) };
        services.Feed.Publish(_view);
    }
}
