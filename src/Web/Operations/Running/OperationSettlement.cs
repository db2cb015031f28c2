using System.Collections.Concurrent;
using System.Collections.Immutable;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Drills;
using FailoverHub.Web.Operations.Records;

namespace FailoverHub.Web.Operations.Running;

/// <summary>
/// Settles operations whose outcome is not known: a node was lost after it was asked, or the hub ended in the middle. What they wanted is
/// not sent again; when every node they are about is back, and obeys what is wanted of it now, what it reports decides, once. A switchover
/// that did not come to its end is then taken back where no rule stands against it, see <see cref="MoveBack"/>. A newer operation on the pair settles them too: what
/// they wanted is no longer wanted.
/// </summary>
internal sealed partial class OperationSettlement(OperationServices services, ILogger<OperationSettlement> logger) : IAsyncDisposable
{
    /// <summary>An operation that ended longer ago than that is not looked at again: its events may have been given up by now.</summary>
    private static readonly TimeSpan ToldAgainFor = TimeSpan.FromHours(1);

    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<string, Unsettled> _byPair = new();

    /// <summary>Takes up what an earlier run of the hub left behind.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var (ended, told) in await services.Store.EndedSinceAsync(services.Time.GetUtcNow() - ToldAgainFor, cancellationToken))
        {
            services.Feed.TakeOver(ended, told);
        }

        foreach (var (view, wanted, told) in await services.Store.UnfinishedAsync(cancellationToken))
        {
            var left = view;
            services.Feed.TakeOver(view, told);
            if (view.Type == OperationType.ResetSession)
            {
                // Nothing is wanted of the node any more, so there is nothing to be observed, and nothing to be asked again.
                await FinishAsync(view, OperationStatus.Failed, "The hub ended while it was under way. Whether the session was reset is not known; its age and its flaps tell. The node is not asked again.", raiseRevision: false, cancellationToken);
                continue;
            }

            if (view.Type == OperationType.BulkDrain)
            {
                var done = view.Steps.Count(s => s.Status == StepStatus.Succeeded);
                await FinishAsync(view, OperationStatus.Failed, $"The hub ended while it was under way. {done} of {view.Steps.Length} nodes had been drained; nothing more is drained.", raiseRevision: false, cancellationToken);
                continue;
            }

            if (view.Type == OperationType.Drill)
            {
                // Of a hub that did not keep what was asked for; one of this hub's goes on by itself, see DrillRuns.
                var moved = view.Steps.Length > DrillTarget.FailOver && view.Steps[DrillTarget.FailOver].Status is StepStatus.Succeeded or StepStatus.Running;
                await FinishAsync(view, OperationStatus.Failed, $"The hub ended while it was under way; nothing more is moved. {(moved ? "The addresses may be on the other node: look at the pair, and switch over." : "Nothing had been moved.")}", raiseRevision: false, cancellationToken);
                continue;
            }

            if (view.Status != OperationStatus.OutcomeUnknown)
            {
                left = view with
                {
                    Status = OperationStatus.OutcomeUnknown,
                    Outcome = "The hub ended while it was under way. What the nodes report will tell what became of it.",
                    Steps = [.. view.Steps.Select(s => s.Status is StepStatus.Pending ? s with { Status = StepStatus.Skipped } : s)],
                };
                await KeepAsync(left, cancellationToken);
                LogTakenUp(logger, left.Title);
            }

            await SupersedeAsync(left.PairId, null);
            Begin(left, wanted);
        }
    }

    /// <summary>Watches until the outcome can be told.</summary>
    public void Begin(OperationView view, ImmutableArray<WantedOfNode> wanted)
    {
        var given = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        _byPair[view.PairId] = new Unsettled(view, given, Task.Run(() => SettleAsync(view, wanted, given.Token)));
    }

    /// <summary>Ends the watching for the pair, because something else is wanted now.</summary>
    /// <param name="pairId">The pair.</param>
    /// <param name="by">The newer operation, null: a newer one that is itself unsettled.</param>
    public async Task SupersedeAsync(string pairId, string? by)
    {
        if (!_byPair.TryRemove(pairId, out var unsettled))
        {
            return;
        }

        await unsettled.Stop.CancelAsync();
        if (!await unsettled.Watching)
        {
            var newer = by is null ? "a newer operation" : $"operation {by}";
            try
            {
                await FinishAsync(services.Feed.Find(unsettled.View.Id) ?? unsettled.View, OperationStatus.Failed, $"{unsettled.View.Outcome} Before that could be told, {newer} changed what is wanted.", raiseRevision: false, _stopping.Token);
            }
            catch (Exception defect) when (defect is not OperationCanceledException)
            {
                // A row that cannot be written must not stand in the way of every newer operation.
                LogDefect(logger, unsettled.View.Title, defect);
            }
        }

        unsettled.Stop.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        await _stopping.CancelAsync();
        foreach (var unsettled in _byPair.Values)
        {
            await unsettled.Watching;
            unsettled.Stop.Dispose();
        }

        _stopping.Dispose();
    }

    /// <returns>It was settled.</returns>
    private async Task<bool> SettleAsync(OperationView view, ImmutableArray<WantedOfNode> wanted, CancellationToken given)
    {
        var back = new MoveBack(view, wanted, services, _stopping.Token);
        try
        {
            await foreach (var state in services.Fleet.WatchStateAsync(given))
            {
                if (Judge(state, wanted) is not { } succeeded || (!succeeded && MustRest(state, view)))
                {
                    continue;
                }

                if (succeeded)
                {
                    await ReleaseOnReturnAsync(view, given);
                    return await FinishAsync(back.View, OperationStatus.Succeeded, $"{view.Outcome} All nodes are back and report what was wanted.", back.WasBegun, given, FailbackOf(view, wanted));
                }

                if (await back.TakeAsync(given) is { } undone)
                {
                    return await FinishAsync(back.View, OperationStatus.Failed, $"{view.Outcome} All nodes are back, and they do not report what was wanted. {undone}".TrimEnd(), back.WasBegun, given);
                }

                await back.RestAsync(given);
            }
        }
        catch (OperationCanceledException) when (given.IsCancellationRequested)
        {
            // Superseded, or the hub is stopping.
        }
        catch (Exception defect) when (!StorageFaults.MayPass(defect))
        {
            LogDefect(logger, view.Title, defect);
        }

        return false;
    }

    // As the run would have done: whoever could not be reached when another node was forced to be primary is told to be secondary.
    private async Task ReleaseOnReturnAsync(OperationView view, CancellationToken given)
    {
        foreach (var (node, intent) in await services.OnDiskAsync(ct => services.Store.ReleaseOnReturnAsync(view.Id, ct), given))
        {
            await services.Fleet.PostAsync(new FleetMessage.IntentReleased(node, intent), CancellationToken.None);
        }
    }

    // Whoever froze the pair wants it left as it is: what is to be taken back waits until the freeze is over.
    private static bool MustRest(FleetState state, OperationView view) => view.Type.IsMove() && state.Snapshot.FindPair(view.PairId)?.Freeze is not null;

    /// <summary>Whether what was wanted is so; null: it cannot be told yet.</summary>
    internal static bool? Judge(FleetState state, ImmutableArray<WantedOfNode> wanted)
    {
        var last = wanted.GroupBy(w => w.Node).Select(g => g.Last()).ToList();
        foreach (var w in last)
        {
            if (state.Snapshot.FindNode(w.Node) is not { IsFresh: true } node)
            {
                return null;
            }

            var rejected = state.Facts.Nodes[node.Name].Answer is { Outcome: IntentOutcome.Rejected } answer && answer.Revision == node.IntentRevision;
            if (node.ReportedRevision < node.IntentRevision && !rejected)
            {
                return null;
            }
        }

        return last.TrueForAll(w => StepObservation.Shows(state.Snapshot.FindNode(w.Node)!, w));
    }

    /// <summary>The policy that the pair has from now on; null: the operation was about something else.</summary>
    private static Failback? FailbackOf(OperationView view, ImmutableArray<WantedOfNode> wanted) =>
        view.Type == OperationType.SetFailback ? wanted.SelectMany(w => w.Failback.Values).FirstOrDefault() : null;

    private async Task<bool> FinishAsync(OperationView view, OperationStatus status, string outcome, bool raiseRevision, CancellationToken cancellationToken, Failback? failback = null)
    {
        var now = services.Time.GetUtcNow();
        var finished = view with
        {
            Status = status,
            Outcome = outcome,
            FinishedAt = now,
            Steps = [.. view.Steps.Select(s => s.Status == StepStatus.Running ? LeftSteps.Ended(s, status, now) : s)],
        };

        // Null: somebody settled it before; once is enough.
        if (await services.OnDiskAsync(ct => services.Store.SaveAsync(finished, raiseRevision, ct), cancellationToken) is { } revision)
        {
            await services.Fleet.PostAsync(new FleetMessage.OperationChanged(view.PairId, null, view.Id, revision, null) { Failback = failback }, CancellationToken.None);

            // Who hears that it has ended may look at the pair at once.
            Task seen = services.Fleet.WaitUntilAsync(f => f.Facts.Pairs.GetValueOrDefault(view.PairId) is not { } pair || pair.Revision >= revision, cancellationToken);
            await seen.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            services.Feed.Publish(finished);
        }

        return true;
    }

    // The hub has to start, whatever one row says.
    private async Task KeepAsync(OperationView left, CancellationToken cancellationToken)
    {
        try
        {
            await services.Store.SaveAsync(left, raiseRevision: false, cancellationToken);
        }
        catch (Exception defect) when (StorageFaults.IsForEver(defect))
        {
            LogDefect(logger, left.Title, defect);
        }

        services.Feed.Publish(left);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "'{Title}' was under way when the hub ended; it is settled by what the nodes report")]
    private static partial void LogTakenUp(ILogger logger, string title);

    [LoggerMessage(Level = LogLevel.Critical, Message = "What became of '{Title}' cannot be settled by a defect of the hub; it stays unknown until the next operation on the pair, or the next start")]
    private static partial void LogDefect(ILogger logger, string title, Exception exception);

    private sealed record Unsettled(OperationView View, CancellationTokenSource Stop, Task<bool> Watching);
}
