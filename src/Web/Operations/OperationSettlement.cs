using System.Collections.Concurrent;
using System.Collections.Immutable;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Operations;

/// <summary>
/// Settles operations whose outcome is not known: a node was lost after it was asked, or the hub ended in the middle. Nothing is sent for
/// them again; when every node they are about is back, and obeys what is wanted of it now, what it reports decides, once. A newer operation on
/// the pair settles them too: what they wanted is no longer wanted.
/// </summary>
internal sealed partial class OperationSettlement(OperationServices services, ILogger<OperationSettlement> logger) : IAsyncDisposable
{
    private static readonly TimeSpan RetryDiskAfter = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<string, Unsettled> _byPair = new();

    /// <summary>Takes up what an earlier run of the hub left behind.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var (view, wanted) in await services.Store.UnfinishedAsync(cancellationToken))
        {
            var left = view;
            if (view.Status != OperationStatus.OutcomeUnknown)
            {
                left = view with
                {
                    Status = OperationStatus.OutcomeUnknown,
                    Outcome = "The hub ended while it was under way. What the nodes report will tell what became of it; nothing is sent again.",
                    Steps = [.. view.Steps.Select(s => s.Status is StepStatus.Pending ? s with { Status = StepStatus.Skipped } : s)],
                };
                await services.Store.SaveAsync(left, raiseRevision: false, cancellationToken);
                services.Feed.Publish(left);
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
            await FinishAsync(unsettled.View, OperationStatus.Failed, $"{unsettled.View.Outcome} Before that could be told, {newer} changed what is wanted.", _stopping.Token);
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
        try
        {
            await foreach (var state in services.Fleet.WatchStateAsync(given))
            {
                if (Judge(state, wanted) is { } succeeded)
                {
                    return await FinishAsync(
                        view,
                        succeeded ? OperationStatus.Succeeded : OperationStatus.Failed,
                        succeeded ? $"{view.Outcome} All nodes are back and report what was wanted." : $"{view.Outcome} All nodes are back, and they do not report what was wanted.",
                        given);
                }
            }
        }
        catch (OperationCanceledException) when (given.IsCancellationRequested)
        {
            // Superseded, or the hub is stopping.
        }

        return false;
    }

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

    private async Task<bool> FinishAsync(OperationView view, OperationStatus status, string outcome, CancellationToken cancellationToken)
    {
        var finished = view with { Status = status, Outcome = outcome, FinishedAt = services.Time.GetUtcNow() };
        while (true)
        {
            try
            {
                // Null: somebody settled it before; once is enough.
                if (await services.Store.SaveAsync(finished, raiseRevision: false, cancellationToken) is not null)
                {
                    services.Feed.Publish(finished);
                }

                return true;
            }
            catch (Exception e) when (OperationStore.IsStorageFault(e))
            {
                await Task.Delay(RetryDiskAfter, services.Time, cancellationToken);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "'{Title}' was under way when the hub ended; it is settled by what the nodes report, nothing is sent again")]
    private static partial void LogTakenUp(ILogger logger, string title);

    private sealed record Unsettled(OperationView View, CancellationTokenSource Stop, Task<bool> Watching);
}
