using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Running;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Operations.Drills;

/// <summary>
/// One drill from its first step to its outcome: look before, there, measure, back, measure. Cancelled while it measures it goes back at once. What a rule refuses
/// on the way back is asked for again for some minutes: nobody wants to be left where a rehearsal took him.
/// </summary>
internal sealed class DrillRun(DrillTarget target, OperationView begun, Actor actor, DrillMoves moves, OperationServices services) : IDisposable
{
    private const string Restarted = "The hub ended while it was under way, and was started again.";

    /// <summary>A hub that was away for longer moves nothing by itself.</summary>
    private static readonly TimeSpan GoesOnWithin = TimeSpan.FromHours(1);
    private static readonly TimeSpan ComeBackWithin = TimeSpan.FromMinutes(1);

    private readonly RunCancellation _cancellation = new();
    private OperationView _view = begun;
    private volatile bool _ended;

    public string PairId => _view.PairId;

    public string Title => _view.Title;

    public string Id => _view.Id;

    /// <summary>No other operation of the pair may begin.</summary>
    public bool UnderWay => !_ended;

    /// <summary>What it measures is ended, and what was moved goes back; nothing else is done.</summary>
    /// <returns>False: it is ending, or somebody has cancelled it.</returns>
    public bool TryCancel(string by) => _cancellation.TryCancel(by);

    public void Dispose() => _cancellation.Dispose();

    /// <summary>Runs it to its end, and tells that.</summary>
    /// <exception cref="OperationCanceledException">The hub is stopping; the next one goes on with it.</exception>
    public async Task RunAsync(CancellationToken stopping)
    {
        if (!await StepAsync(DrillTarget.Preflight, () => Task.FromResult(LookBefore()), stopping) || _cancellation.By is not null)
        {
            await EndAsync(OperationStatus.Failed, "Nothing was moved.", stopping);
            return;
        }

        if (!await StepAsync(DrillTarget.FailOver, () => GoThereAsync(stopping), stopping))
        {
            var isKnown = DrillTarget.OperationOf(_view.Steps[DrillTarget.FailOver]) is not { } there || services.Feed.Find(there) is not { IsFinished: false };
            await EndAsync(OperationStatus.Failed, isKnown ? $"The failover did not succeed, so there is nothing to fail back: {Said(DrillTarget.FailOver)}" : NotKnown(Said(DrillTarget.FailOver)), stopping);
            return;
        }

        await MeasureAsync(DrillTarget.MeasureThere, DrillTarget.FailOver, stopping);
        await ComeBackAsync(lookFirst: false, stopping);
    }

    /// <summary>Goes on with one that an earlier run of the hub left, from where it was: what was moved goes back, once. After an hour it is somebody else's business where the addresses are: that is reported.</summary>
    /// <param name="moved">The switchovers of the pair since it began, oldest first.</param>
    /// <param name="stopping">The hub is stopping.</param>
    /// <exception cref="OperationCanceledException">The hub is stopping; the next one goes on.</exception>
    public async Task ResumeAsync(ImmutableArray<OperationView> moved, CancellationToken stopping)
    {
        var away = services.Time.GetUtcNow() - LastSign(_view);
        var (there, back) = target.MovesOf(moved);
        if (there is null)
        {
            await EndAsync(OperationStatus.Failed, $"{Restarted} Nothing had been moved.", stopping);
            return;
        }

        if (!await IsDoneAsync(DrillTarget.FailOver, there, stopping))
        {
            await EndAsync(OperationStatus.Failed, _view.Steps[DrillTarget.FailOver].Status == StepStatus.Failed
                ? $"{Restarted} The failover did not succeed, so there is nothing to fail back: {Said(DrillTarget.FailOver)}"
                : $"{Restarted} {NotKnown(DrillTarget.OfOperation(there))}", stopping);
            return;
        }

        if (_view.Steps[DrillTarget.MeasureThere].Status is StepStatus.Pending or StepStatus.Running && _view.Steps[DrillTarget.FailBack].Status == StepStatus.Pending)
        {
            await MeasureAsync(DrillTarget.MeasureThere, DrillTarget.FailOver, stopping);
        }

        if (back is not null)
        {
            await IsDoneAsync(DrillTarget.FailBack, back, stopping);
        }

        if (away > GoesOnWithin)
        {
            await SeeWhereAsync(stopping);
            if (!IsBack())
            {
                await EndAsync(OperationStatus.Failed, string.Create(CultureInfo.InvariantCulture, $"{Restarted} It was away for {away.TotalHours:0.#} h, and after so long nothing is moved by itself. The addresses were NOT moved back: {WhereNow()}. Look at the pair, then switch {target.Pair.Name} over to {target.Home}."), stopping);
                return;
            }
        }

        await ComeBackAsync(lookFirst: true, stopping);
    }

    private async Task ComeBackAsync(bool lookFirst, CancellationToken stopping)
    {
        var already = _view.Steps[DrillTarget.FailBack].Status == StepStatus.Succeeded;
        if (already)
        {
            // While the hub was away they may have gone elsewhere again: that it was done once is not enough.
            await SeeWhereAsync(stopping);
            already = IsBack();
            _view = already ? _view : With(DrillTarget.MeasureBack, s => new OperationStep(s.Title, StepStatus.Pending, null, null, null));
        }

        var restarted = lookFirst ? $" {Restarted}" : "";
        if (!already && !await StepAsync(DrillTarget.FailBack, () => GoBackAsync(lookFirst, stopping), stopping))
        {
            await EndAsync(OperationStatus.Failed, $"The addresses were NOT moved back: {WhereNow()}. {Said(DrillTarget.FailBack)} Mend that, then switch {target.Pair.Name} over to {target.Home}.{restarted}", stopping);
            return;
        }

        await MeasureAsync(DrillTarget.MeasureBack, DrillTarget.FailBack, stopping);
        await EndAsync(OperationStatus.Succeeded, $"Over to {target.Away} and back to {target.Home}. There: {Said(DrillTarget.MeasureThere)} Back: {Said(DrillTarget.MeasureBack)}{restarted}", stopping);
    }

    /// <summary>The step is what its operation was, once that has ended or is settled by what the nodes report.</summary>
    /// <returns>It succeeded.</returns>
    private async Task<bool> IsDoneAsync(int step, OperationView move, CancellationToken stopping)
    {
        if (_view.Steps[step].Status == StepStatus.Succeeded)
        {
            return true;
        }

        if (await moves.SettledAsync(move, stopping) is not { } ended)
        {
            return false;
        }

        var moved = ended.Status == OperationStatus.Succeeded;
        if (moved || step == DrillTarget.FailOver)
        {
            await KeepAsync(With(step, s => s with
            {
                Status = moved ? StepStatus.Succeeded : StepStatus.Failed,
                StartedAt = s.StartedAt ?? ended.RequestedAt,
                FinishedAt = ended.FinishedAt,
                Detail = DrillTarget.OfOperation(ended),
            }), stopping);
        }

        return moved;
    }

    /// <summary>The nodes come back within a minute, or it is said that it is not known.</summary>
    private async Task SeeWhereAsync(CancellationToken stopping)
    {
        using var late = new CancellationTokenSource(ComeBackWithin, services.Time);
        using var until = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stopping);
        Task seen = services.Fleet.WaitUntilAsync(f => f.Snapshot.FindPair(target.Pair.Id) is { ActiveNode: not null } pair && pair.Members.All(m => m.Node.IsFresh), until.Token);
        await seen.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stopping.ThrowIfCancellationRequested();
    }

    private static DateTimeOffset LastSign(OperationView drill) =>
        drill.Steps.SelectMany(s => new[] { s.StartedAt, s.FinishedAt }).OfType<DateTimeOffset>().Append(drill.RequestedAt).Max();

    /// <summary>A defect of the hub has broken it off: what was moved is asked back once, it is kept and told, and the pair is free.</summary>
    /// <exception cref="OperationCanceledException">The hub is stopping; the next one goes on with it.</exception>
    public async Task BreakOffAsync(Exception defect, CancellationToken stopping)
    {
        var broken = defect.GetBaseException().Message;
        _view = _view with { Steps = [.. _view.Steps.Select(s => s.Status == StepStatus.Running ? s with { Status = StepStatus.Failed, FinishedAt = services.Time.GetUtcNow(), Detail = broken } : s)] };
        var where = await ComeBackOnceAsync(stopping);
        await FreeThePairAsync(stopping);
        var ended = Ended(OperationStatus.Failed, $"A defect of the hub broke it off ({broken}). {where}");
        try
        {
            await SaveAsync(ended, stopping);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            // The disk takes it no more than before, which may be the defect itself: it is told, and the next start reports it.
        }

        services.Feed.Publish(ended);
    }

    /// <summary>Whatever the defect is: a rehearsal leaves nobody where it took him, if one request can help it.</summary>
    private async Task<string> ComeBackOnceAsync(CancellationToken stopping)
    {
        if (_view.Steps[DrillTarget.FailOver].Status == StepStatus.Pending)
        {
            return "Nothing was moved.";
        }

        if (IsBack())
        {
            return $"{target.Home} is active.";
        }

        // Told from memory: the disk may be what is wrong.
        _view = With(DrillTarget.FailBack, s => s with { Status = StepStatus.Running, StartedAt = s.StartedAt ?? services.Time.GetUtcNow(), FinishedAt = null });
        services.Feed.Publish(_view);
        (bool Moved, string Detail) move;
        try
        {
            var asked = await moves.TryAsync(target.Move(target.Home, _view), actor, _ => Task.CompletedTask, stopping);
            move = (asked.Moved, asked.Detail);
        }
        catch (Exception another) when (another is not OperationCanceledException)
        {
            move = (false, another.GetBaseException().Message);
        }

        _view = With(DrillTarget.FailBack, s => s with { Status = move.Moved ? StepStatus.Succeeded : StepStatus.Failed, FinishedAt = services.Time.GetUtcNow(), Detail = move.Detail });
        return move.Moved ? $"The addresses were moved back to {target.Home}."
            : $"The addresses were NOT moved back: {WhereNow()}. {move.Detail} Look at the pair, then switch {target.Pair.Name} over to {target.Home}.";
    }

    private string Said(int step) => _view.Steps[step].Detail ?? "not measured.";

    private string NotKnown(string said) => $"What became of the failover is not known ({said}), so nothing more is moved: {WhereNow()}. Look at the pair, and switch {target.Pair.Name} over to {target.Home} if they are not there.";

    private string WhereNow() => services.Fleet.Current.FindPair(target.Pair.Id)?.ActiveNode is { } active ? $"they are on {active}" : "where they are now is not known";

    /// <summary>The rules have looked at the nodes; here is asked whether traffic flows now, so that what is measured is the drill's own.</summary>
    private (StepStatus Status, string Detail) LookBefore()
    {
        if (services.Reachability is not { } probes)
        {
            return (StepStatus.Succeeded, "The rules allow it. No address is probed, so nothing will be measured.");
        }

        var silent = target.Pair.Prefixes.Where(p => probes.Find(p) is { State: ReachabilityState.Unreachable }).ToList();
        var unknown = target.Pair.Prefixes.Where(p => probes.Find(p) is null or { State: ReachabilityState.Unknown }).ToList();
        return silent.Count > 0 ? (StepStatus.Failed, $"{string.Join(", ", silent)} does not answer already: mend that first.")
            : (StepStatus.Succeeded, unknown.Count > 0 ? $"The rules allow it. Whether {string.Join(", ", unknown)} answers is not known." : "The rules allow it, and every address answers.");
    }

    private async Task<(StepStatus Status, string Detail)> GoThereAsync(CancellationToken stopping)
    {
        var move = await moves.TryAsync(target.Move(target.Away, _view), actor, said => SayAsync(DrillTarget.FailOver, said, stopping), stopping);
        return (move.Moved ? StepStatus.Succeeded : StepStatus.Failed, move.Detail);
    }

    /// <summary>Tries again while what stands in the way may pass, and says so in the step; a rule is looked at each second, and asked only when it would say yes.</summary>
    private async Task<(StepStatus Status, string Detail)> GoBackAsync(bool lookFirst, CancellationToken stopping)
    {
        var patience = new DrillPatience(services.Time);
        if (lookFirst && moves.WhyNot(target.Move(target.Home, _view)) is { } not && !IsBack())
        {
            // Nodes come back to a hub that was started anew, one after the other: that is no attempt.
            await WaitAsync(target.Move(target.Home, _view), patience, not, stopping);
        }

        while (true)
        {
            if (lookFirst && IsBack())
            {
                return (StepStatus.Succeeded, $"{target.Home} is active again already, without an operation of this drill.");
            }

            if (patience.Attempts > 0)
            {
                await SayAsync(DrillTarget.FailBack, "It is asked for again.", stopping);
            }

            var request = target.Move(target.Home, _view);
            var move = await moves.TryAsync(request, actor, said => SayAsync(DrillTarget.FailBack, said, stopping), stopping);
            if (move.Moved)
            {
                return (StepStatus.Succeeded, patience.First is { } first ? $"{move.Detail} It was tried {patience.Attempts + 1} times; at first: {first}" : move.Detail);
            }

            if (IsBack())
            {
                return (StepStatus.Succeeded, $"{target.Home} is active again already, without an operation of this drill. {move.Detail}");
            }

            if (!patience.GoesOn(move))
            {
                return (StepStatus.Failed, patience.Attempts > 1 ? $"{move.Detail} It was tried {patience.Attempts} times." : move.Detail);
            }

            await WaitAsync(request, patience, move.Detail, stopping);
        }
    }

    private bool IsBack() => services.Fleet.Current.FindPair(target.Pair.Id) is { MoveId: null } pair && target.IsHome(pair);

    private async Task WaitAsync(OperationRequest request, DrillPatience patience, string why, CancellationToken stopping)
    {
        do
        {
            await SayAsync(DrillTarget.FailBack, $"Not yet: {why} {patience.Words}", stopping);
            await Task.Delay(DrillPatience.LooksEach, services.Time, stopping);
            why = moves.WhyNot(request) ?? why;
        }
        while (!patience.IsOver && (patience.Rests || moves.WhyNot(request) is not null) && !IsBack());
    }

    private async Task MeasureAsync(int step, int move, CancellationToken stopping)
    {
        if (_cancellation.By is null)
        {
            await StepAsync(step, () => new DrillMeasuring(_view.Steps[move], target.Pair.Prefixes, _cancellation, services).RunAsync(stopping), stopping);
        }
    }

    /// <returns>It succeeded.</returns>
    private async Task<bool> StepAsync(int i, Func<Task<(StepStatus Status, string Detail)>> take, CancellationToken stopping)
    {
        await KeepAsync(With(i, s => s with { Status = StepStatus.Running, StartedAt = services.Time.GetUtcNow() }), stopping);
        var (status, detail) = await take();
        await KeepAsync(With(i, s => s with { Status = status, FinishedAt = services.Time.GetUtcNow(), Detail = detail }), stopping);
        return status == StepStatus.Succeeded;
    }

    /// <summary>How a step goes on, for whoever looks; on the disk is that it runs.</summary>
    private async Task SayAsync(int i, string detail, CancellationToken stopping)
    {
        if (_view.Steps[i].Detail != detail)
        {
            await KeepAsync(With(i, s => s with { Detail = detail }), stopping);
        }
    }

    private async Task KeepAsync(OperationView view, CancellationToken stopping)
    {
        await SaveAsync(view, stopping);
        _view = view;
        services.Feed.Publish(view);
    }

    private Task<long?> SaveAsync(OperationView view, CancellationToken stopping) => services.OnDiskAsync(ct => services.Store.SaveAsync(view, raiseRevision: false, ct), stopping);

    private async Task EndAsync(OperationStatus status, string outcome, CancellationToken stopping)
    {
        _cancellation.TryBeginEnding();
        var ended = _cancellation.By is not { } by ? Ended(status, outcome)
            : status == OperationStatus.Succeeded ? Ended(OperationStatus.Cancelled, $"Cancelled by {by}; the addresses are back.")
            : Ended(_view.Steps.Any(s => s.Status == StepStatus.Failed) ? status : OperationStatus.Cancelled, outcome);
        await SaveAsync(ended, stopping);

        // Who hears that it has ended may ask for the pair at once.
        await FreeThePairAsync(stopping);
        _view = ended;
        services.Feed.Publish(ended);
    }

    private async Task FreeThePairAsync(CancellationToken stopping)
    {
        _ended = true;
        await services.Fleet.PostAsync(new FleetMessage.DrillChanged(PairId, null, Id), CancellationToken.None);
        Task seen = services.Fleet.WaitUntilAsync(f => f.Facts.Pairs.GetValueOrDefault(PairId)?.Drill?.Id != Id, stopping);
        await seen.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private OperationView Ended(OperationStatus status, string outcome) => _view with
    {
        Status = status,
        Outcome = outcome,
        FinishedAt = services.Time.GetUtcNow(),
        Steps = [.. _view.Steps.Select(s => s.Status == StepStatus.Pending ? s with { Status = StepStatus.Skipped } : s)],
    };

    private OperationView With(int i, Func<OperationStep, OperationStep> change) => _view with { Steps = _view.Steps.SetItem(i, change(_view.Steps[i])) };
}
