using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Running;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;

namespace FailoverHub.Web.Operations.Drills;

/// <summary>
/// One drill from its first step to its outcome: look before, there, measure, back, measure. Cancelled while it measures it goes back at once. What a rule refuses
/// on the way back is asked for again for some minutes: nobody wants to be left where a rehearsal took him.
/// </summary>
internal sealed class DrillRun(DrillTarget target, OperationView begun, Actor actor, DrillMoves moves, OperationServices services) : IDisposable
{
    private static readonly TimeSpan RetryDiskAfter = TimeSpan.FromSeconds(1);
    private const string Restarted = "The hub ended while it was under way, and was started again.";

    /// <summary>What a move cost is kept that soon after the time that counts, or it goes on.</summary>
    private static readonly TimeSpan KeptWithin = TimeSpan.FromSeconds(10);

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
            await EndAsync(OperationStatus.Failed, $"The failover did not succeed, so there is nothing to fail back: {Said(DrillTarget.FailOver)}", stopping);
            return;
        }

        await MeasureAsync(DrillTarget.MeasureThere, DrillTarget.FailOver, stopping);
        await ComeBackAsync(lookFirst: false, stopping);
    }

    /// <summary>Goes on with one that an earlier run of the hub left, from where it was: what was moved goes back, once. After an hour it is somebody else's business where the addresses are: that is reported.</summary>
    /// <param name="moves">The switchovers of the pair since it was accepted, oldest first.</param>
    /// <param name="stopping">The hub is stopping.</param>
    /// <exception cref="OperationCanceledException">The hub is stopping; the next one goes on.</exception>
    public async Task ResumeAsync(ImmutableArray<OperationView> moves, CancellationToken stopping)
    {
        var away = services.Time.GetUtcNow() - LastSign(_view);
        var (there, back) = target.MovesOf(moves);
        if (there is null)
        {
            await EndAsync(OperationStatus.Failed, $"{Restarted} Nothing had been moved.", stopping);
            return;
        }

        if (!await IsDoneAsync(DrillTarget.FailOver, there, stopping))
        {
            await EndAsync(OperationStatus.Failed, _view.Steps[DrillTarget.FailOver].Status == StepStatus.Failed
                ? $"{Restarted} The failover did not succeed, so there is nothing to fail back: {Said(DrillTarget.FailOver)}"
                : $"{Restarted} What became of the failover is not known ({DrillTarget.OfOperation(there)}), so nothing more is moved: {WhereNow()}. Look at the pair, and switch {target.Pair.Name} over to {target.Home} if they are not there.", stopping);
            return;
        }

        if (_view.Steps[DrillTarget.MeasureThere].Status is StepStatus.Pending or StepStatus.Running && _view.Steps[DrillTarget.FailBack].Status == StepStatus.Pending)
        {
            await MeasureAsync(DrillTarget.MeasureThere, DrillTarget.FailOver, stopping);
        }

        var isBack = back is not null && await IsDoneAsync(DrillTarget.FailBack, back, stopping);
        if (isBack || away <= GoesOnWithin)
        {
            await ComeBackAsync(lookFirst: true, stopping);
            return;
        }

        await SeeWhereAsync(stopping);
        if (IsBack())
        {
            await ComeBackAsync(lookFirst: true, stopping);
            return;
        }

        await EndAsync(OperationStatus.Failed, string.Create(CultureInfo.InvariantCulture, $"{Restarted} It was away for {away.TotalHours:0.#} h, and after so long nothing is moved by itself. The addresses were NOT moved back: {WhereNow()}. Look at the pair, then switch {target.Pair.Name} over to {target.Home}."), stopping);
    }

    private async Task ComeBackAsync(bool lookFirst, CancellationToken stopping)
    {
        var already = _view.Steps[DrillTarget.FailBack].Status == StepStatus.Succeeded;
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

        if (await SettledAsync(move, stopping) is not { } ended)
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

    private async Task<OperationView?> SettledAsync(OperationView move, CancellationToken stopping)
    {
        if (move.IsFinished)
        {
            return move;
        }

        using var late = new CancellationTokenSource(DrillPatience.Longest, services.Time);
        using var until = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stopping);
        try
        {
            return await services.Feed.SettledAsync(move.Id, until.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // A node does not come back; whoever is asked to look at it will see it.
            return null;
        }
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

    /// <summary>A defect of the hub has broken it off: it is kept and told, and the pair is free.</summary>
    public async Task BreakOffAsync(Exception defect, CancellationToken stopping)
    {
        await FreeThePairAsync(stopping);
        var ended = Ended(OperationStatus.Failed, $"A defect of the hub broke it off ({defect.GetBaseException().Message}). Nothing more is moved: look where the addresses are.");
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

    private string Said(int step) => _view.Steps[step].Detail ?? "not measured.";

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
        var move = await moves.TryAsync(target.Move(target.Away, _view), actor, stopping);
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
            var move = await moves.TryAsync(request, actor, stopping);
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
            await StepAsync(step, () => MeasureAsync(move, stopping), stopping);
        }
    }

    private async Task<(StepStatus Status, string Detail)> MeasureAsync(int move, CancellationToken stopping)
    {
        using var until = CancellationTokenSource.CreateLinkedTokenSource(stopping, _cancellation.Token);
        var id = DrillTarget.OperationOf(_view.Steps[move]);
        var moved = id is null ? null : services.Feed.Find(id) ?? await services.Store.FindAsync(id, stopping);
        await WaitUntilAsync((moved?.FinishedAt ?? _view.Steps[move].FinishedAt!.Value) + OutageWatch.After, until.Token);
        if (services.Meter is { } meter && moved is not null)
        {
            // What is kept of it is kept some seconds later; what goes on then is measured as far as it has come.
            var patience = services.Time.GetTimestamp();
            while (!until.IsCancellationRequested && services.Time.GetElapsedTime(patience) < KeptWithin && !await meter.IsKeptAsync(moved.Id, stopping))
            {
                await Task.Delay(DrillPatience.LooksEach, services.Time, until.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        stopping.ThrowIfCancellationRequested();
        if (_cancellation.By is { } by)
        {
            return (StepStatus.Skipped, $"Cancelled by {by}.");
        }

        if (services.Meter is null || moved is null)
        {
            return (StepStatus.Succeeded, "not measured.");
        }

        var measured = await services.Meter.OfOperationAsync(moved, target.Pair.Prefixes, stopping);
        return (StepStatus.Succeeded, string.Join(" ", measured.GroupBy(o => o.Prefix).Select(g => $"{g.Key}: {string.Join(" ", g.Select(o => OutageSentences.Of(o.Figures, o.VantageName)))}")));
    }

    private async Task WaitUntilAsync(DateTimeOffset then, CancellationToken until)
    {
        var left = then - services.Time.GetUtcNow();
        if (left > TimeSpan.Zero)
        {
            await Task.Delay(left < OutageWatch.After ? left : OutageWatch.After, services.Time, until).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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

    // The disk may be full for a while: tried again each second, until the hub stops.
    private async Task SaveAsync(OperationView view, CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                await services.Store.SaveAsync(view, raiseRevision: false, stopping);
                return;
            }
            catch (Exception e) when (StorageFaults.MayPass(e))
            {
                await Task.Delay(RetryDiskAfter, services.Time, stopping);
            }
        }
    }

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
