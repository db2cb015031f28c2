using System.Globalization;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Planning;

namespace FailoverHub.Web.Operations.Running;

/// <summary>
/// Asks a node to reset one of its sessions and watches it come back. What was asked once is never asked again: when the stream breaks before
/// the answer, whether it was done is not known, and the session itself shows it.
/// </summary>
internal sealed class SessionResetting(SessionReset reset, OperationView view, FleetStore fleet)
{
    private SessionView? _before;

    /// <summary>Sends the request and waits for the answer.</summary>
    /// <returns>Waiting when <paramref name="until"/> came first.</returns>
    public async Task<StepObservation> AskAsync(CancellationToken until, CancellationToken stopping)
    {
        var stream = fleet.State.Facts.Nodes.GetValueOrDefault(reset.Node)?.Stream?.Id;
        _before = Session(fleet.Current);
        await fleet.PostAsync(new FleetMessage.RequestReleased(reset.Node, new SessionResetOrder(view.Id, reset.Neighbor, view.Id, view.Reason)), stopping);
        await foreach (var state in fleet.WatchStateAsync(until))
        {
            var node = state.Facts.Nodes.GetValueOrDefault(reset.Node);
            if (node?.RequestAnswer is { } answer && answer.Id == view.Id)
            {
                return answer.Done ? new StepObservation.Shown(answer.Text) : new StepObservation.Failed($"{reset.Node} did not do it: {answer.Text}");
            }

            if (node?.Stream?.Id != stream)
            {
                return new StepObservation.Failed($"The stream of {reset.Node} broke before it answered. Whether it has reset the session is not known; the session's age and its flaps tell. It is not asked again.");
            }
        }

        stopping.ThrowIfCancellationRequested();
        return new StepObservation.Waiting();
    }

    /// <summary>Waits until the node reports a session with that neighbor that was established after the reset.</summary>
    /// <returns>Waiting when <paramref name="until"/> came first.</returns>
    public async Task<StepObservation> ComesBackAsync(CancellationToken until, CancellationToken stopping)
    {
        await foreach (var state in fleet.WatchStateAsync(until))
        {
            if (state.Snapshot.FindNode(reset.Node) is { IsFresh: true } && Session(state.Snapshot) is { State: BgpSessionState.Established } now && IsAnother(now))
            {
                return new StepObservation.Shown($"Established again; it has left Established {now.Flaps.ToString(CultureInfo.InvariantCulture)} times since the agent started.");
            }
        }

        stopping.ThrowIfCancellationRequested();
        return new StepObservation.Waiting();
    }

    private bool IsAnother(SessionView now) => _before is null || now.Flaps != _before.Flaps || now.StateSince != _before.StateSince || _before.State != BgpSessionState.Established;

    private SessionView? Session(FleetSnapshot snapshot) => snapshot.FindNode(reset.Node)?.Sessions.FirstOrDefault(s => s.Neighbor == reset.Neighbor);
}
