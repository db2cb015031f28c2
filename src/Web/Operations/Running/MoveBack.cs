using System.Collections.Immutable;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Records;

namespace FailoverHub.Web.Operations.Running;

/// <summary>
/// What a settlement does about a move that ended half-way: who stepped down gets back what it had, newest first, each only when no rule stands against it, and the next
/// one only when that was shown. A node that was told and shows nothing is waited for, however long that takes: it may do it still, and if the operation were called
/// ended meanwhile, nobody would tell it again when it comes back without what it was told. It is a step of the operation, so that whoever looks sees whom it waits for.
/// Not for more than one thread.
/// </summary>
/// <param name="left">The operation, whose outcome is not known.</param>
/// <param name="wanted">What it wanted.</param>
/// <param name="services">What it needs of the hub.</param>
/// <param name="stopping">The hub stops.</param>
internal sealed class MoveBack(OperationView left, ImmutableArray<WantedOfNode> wanted, OperationServices services, CancellationToken stopping)
{
    /// <summary>How often a node is told in one run of the hub: who comes back without it again and again breaks at it, perhaps.</summary>
    public const int MostTold = 5;

    /// <summary>It is told once more at once, and from then on not sooner than after this.</summary>
    public static readonly TimeSpan RestsFor = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, int> _told = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The operation as it stands.</summary>
    public OperationView View { get; private set; } = left;

    /// <summary>Something was sent, by this run of the hub or by an earlier one: what is wanted of the pair has changed once more.</summary>
    public bool WasBegun => View.Steps.Any(TakingBack.IsStep);

    /// <summary>Tells the nodes, one after the other, and waits until each of them has shown it.</summary>
    /// <param name="given">Something newer is wanted, or the hub stops.</param>
    /// <returns>What became of it, in words; null: a node has come back without what it was told, so what all of them report has to be judged anew.</returns>
    public async Task<string?> TakeAsync(CancellationToken given)
    {
        if (!View.Type.IsMove())
        {
            return "";
        }

        foreach (var step in wanted.Reverse())
        {
            if (step.Before is not { } before)
            {
                continue;
            }

            var (revision, against, mayBe) = await SendAsync(step.Told, before, given);
            if (!mayBe)
            {
                // Not under the lock: whoever asks for something else does not wait as long as the disk or a freeze does. By then the fleet may be another one.
                await services.RestForDiskAsync(given);
                return null;
            }

            if (against is not null)
            {
                await EndStepAsync(before, StepStatus.Failed, $"Not sent: {against}.", given);
                return $"{before.Node} was not made again what it was, because {against}. Look at the pair.";
            }

            switch (revision is { } number ? await SeenAsync(before, number, given) : new StepObservation.Shown($"{before.Node} reports it."))
            {
                case StepObservation.Shown shown:
                    await EndStepAsync(before, StepStatus.Succeeded, shown.Detail, given);
                    break;
                case StepObservation.Failed failed:
                    await EndStepAsync(before, StepStatus.Failed, failed.Why, given);
                    return $"{before.Node} did not confirm that it is as it was: {failed.Why} Look at the pair.";
                default:
                    return null;
            }
        }

        return WasBegun ? "What had been done was taken back." : "";
    }

    /// <summary>Before what the nodes report is judged anew: a node that comes and goes is not told at every turn.</summary>
    public Task RestAsync(CancellationToken given) => _told.Values.All(times => times < 2) ? Task.CompletedTask : Task.Delay(RestsFor, services.Time, given);

    // Under the lock of admission: no operation is admitted between the look at the fleet and the moment it shows what is wanted now.
    /// <returns>What it was told with, or why not; neither: it is as it was already. MayBe: false: not now, the disk is full or the pair was frozen a moment ago.</returns>
    private async Task<(long? Revision, string? Against, bool MayBe)> SendAsync(NodeWanted told, NodeWanted before, CancellationToken given)
    {
        await services.Admission.WaitAsync(given);
        try
        {
            var state = services.Fleet.State;
            if (state.Facts.Pairs.GetValueOrDefault(View.PairId)?.Running is { } newer)
            {
                // It was admitted a moment ago and planned by what the fleet is now.
                return (null, $"operation {newer.Id} is under way on the pair", true);
            }

            if (state.Snapshot.FindNode(before.Node) is { } shown && StepObservation.Shows(shown, WantedOfNode.Of(before, shown.IntentRevision, [])))
            {
                return (null, null, true);
            }

            if (state.Snapshot.FindPair(View.PairId)?.Freeze is not null)
            {
                // Whoever froze it wants it left as it is, and not for ever: it is judged anew when the freeze is over.
                return (null, null, false);
            }

            var times = _told.GetValueOrDefault(before.Node);
            var against = TakingBack.Against(state, View.PairId, before) ?? (times >= MostTold ? $"it was told {times} times and came back without it each time" : null);
            if (against is not null)
            {
                return (null, against, true);
            }

            var begun = WithStep(before, s => s with { Status = StepStatus.Running, StartedAt = services.Time.GetUtcNow(), FinishedAt = null, Detail = null });
            var intent = await services.Store.TakeBackAsync(begun, told, before, state.Snapshot, given);
            _told[before.Node] = times + 1;
            View = begun;
            services.Feed.Publish(begun);
            await services.Fleet.PostAsync(new FleetMessage.IntentReleased(before.Node, intent), CancellationToken.None);
            await services.Fleet.WaitUntilAsync(s => s.Facts.Nodes.GetValueOrDefault(before.Node) is not { } node || node.HasTakenIn(intent.Revision), stopping);
            return (intent.Revision, null, true);
        }
        catch (Exception e) when (StorageFaults.MayPass(e))
        {
            return (null, null, false);
        }
        finally
        {
            services.Admission.Release();
        }
    }

    /// <returns>Shown, failed, or waiting: it will not come any more of what was sent, because the node has dialled without it or is told something newer.</returns>
    private async Task<StepObservation> SeenAsync(NodeWanted before, long revision, CancellationToken given)
    {
        var back = WantedOfNode.Of(before, revision, []);
        await foreach (var state in services.Fleet.WatchStateAsync(given))
        {
            if (state.Facts.Nodes.GetValueOrDefault(before.Node) is not { } facts || state.Snapshot.FindNode(before.Node) is not { } node)
            {
                return new StepObservation.Failed($"{before.Node} is not known any more.");
            }

            switch (StepObservation.Of(state, back))
            {
                case StepObservation.Shown shown:
                    return shown;
                case StepObservation.Failed failed:
                    // Who obeys something newer may be as it was by that; and who refuses everything may never have changed.
                    return StepObservation.Shows(node, back) ? new StepObservation.Shown($"{failed.Why} Its report shows that it is as it was.") : failed;
            }

            if (facts.GivenUp >= revision || facts.Intent?.Revision > revision)
            {
                return new StepObservation.Waiting();
            }
        }

        throw new OperationCanceledException(given);
    }

    private async Task EndStepAsync(NodeWanted before, StepStatus status, string detail, CancellationToken given)
    {
        if (!View.Steps.Any(s => s.Title == TakingBack.Step(before.Node) && s.Status == StepStatus.Running))
        {
            return;
        }

        var ended = WithStep(before, s => s with { Status = status, FinishedAt = services.Time.GetUtcNow(), Detail = detail });
        await services.OnDiskAsync(ct => services.Store.SaveAsync(ended, raiseRevision: false, ct), given);
        View = ended;
        services.Feed.Publish(ended);
    }

    // One per node, whichever run of the hub began it.
    private OperationView WithStep(NodeWanted before, Func<OperationStep, OperationStep> change)
    {
        var title = TakingBack.Step(before.Node);
        return View.Steps.FirstOrDefault(s => s.Title == title) is { } known
            ? View with { Steps = View.Steps.Replace(known, change(known)) }
            : View with { Steps = View.Steps.Add(change(new OperationStep(title, StepStatus.Pending, null, null, null))) };
    }
}
