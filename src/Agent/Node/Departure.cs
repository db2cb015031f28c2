namespace FailoverHub.Agent.Node;

/// <summary>
/// How a node takes its announcements back on purpose: at once, or after a while of graceful shutdown (RFC 8326), in which the neighbors
/// already prefer every other route and the traffic moves before anything is withdrawn.
/// </summary>
internal static class Departure
{
    /// <summary>The end of the agent. A graceful shutdown comes first when it is switched on and somebody would notice.</summary>
    public static void Stop(NodeStep step, NodeEvent.StopRequested stop)
    {
        if (step.State.Stopping || (!stop.AtOnce && step.State.Leaving is { Stops: true }))
        {
            return;
        }

        if (stop.AtOnce || !Begin(step, stops: true, stop.Cause))
        {
            StopNow(step, stop.Cause);
            return;
        }

        step.Replan(new Cause(stop.Cause), () => RecordBegin(step));
    }

    /// <summary>For an intent or a command that was just taken into the state. True: it ended a graceful shutdown, and nothing had been withdrawn yet.</summary>
    public static bool BeginOrCancelDrain(NodeStep step, NodeState before, string cause, string operationId = "")
    {
        if (!step.State.Drained)
        {
            step.State = step.State with { Leaving = null };
            return before.Leaving is not null;
        }

        if (!before.Drained)
        {
            Begin(step, stops: false, cause, operationId);
        }

        return false;
    }

    /// <summary>When the node is drained and was not, or is no longer; and when that begins with a graceful shutdown.</summary>
    public static void RecordDrainedOrNot(NodeStep step, NodeState before, bool cancelled, string cause, string operationId = "")
    {
        if (step.State.Drained != before.Drained)
        {
            step.Record(
                step.State.Drained ? TransitionKind.Drained : TransitionKind.Undrained,
                (step.State.Drained, step.State.Leaving is not null, cancelled) switch
                {
                    (true, true, _) => $"drained, the sessions stay up and nothing is announced after the graceful shutdown: {cause}",
                    (true, false, _) => $"drained, nothing is announced and the sessions stay up: {cause}",
                    (false, _, true) => $"no longer drained, its graceful shutdown is cancelled and nothing was withdrawn: {cause}",
                    (false, _, false) => $"no longer drained: {cause}",
                },
                operationId: operationId);
        }

        if (before.Leaving is null && step.State.Leaving is not null)
        {
            RecordBegin(step);
        }
    }

    public static void EndWhenDue(NodeStep step)
    {
        if (step.State.Leaving is not { } leaving || step.Now.Monotonic < leaving.Until.Monotonic)
        {
            return;
        }

        if (leaving.Stops)
        {
            StopNow(step, leaving.Cause);
            return;
        }

        step.State = step.State with { Leaving = null };
        step.Replan(new Cause($"{Words.Lasted(step.Now.Monotonic - leaving.Since.Monotonic)} of graceful shutdown are over: {leaving.Cause}", leaving.OperationId));
    }

    private static bool Begin(NodeStep step, bool stops, string cause, string operationId = "")
    {
        var state = step.State;
        var time = state.Settings.GracefulShutdown;
        if (stops && time > NodeSettings.LongestGoodbye)
        {
            time = NodeSettings.LongestGoodbye;
        }

        if (time <= TimeSpan.Zero || state.EstablishedSessions == 0 || state.Advertisements.IsEmpty)
        {
            return false;
        }

        var until = new Moment(step.Now.Monotonic + time, step.Now.At + time);
        if (state.Leaving is { } drain && drain.Until.Monotonic < until.Monotonic)
        {
            // The traffic has been moving since then.
            until = drain.Until;
        }

        step.State = state with { Leaving = new GracefulShutdown(stops, cause, step.Now, until, operationId) };
        return true;
    }

    private static void RecordBegin(NodeStep step)
    {
        var leaving = step.State.Leaving!;
        var routes = step.State.Advertisements.Length;
        step.Record(
            TransitionKind.GracefulShutdown,
            $"graceful shutdown of {routes} {(routes == 1 ? "prefix" : "prefixes")} {step.OnSessions()}: announced with 65535:0 for {Words.Lasted(leaving.Until.Monotonic - leaving.Since.Monotonic)}, then {(leaving.Stops ? "the agent stops" : "withdrawn")}: {leaving.Cause}",
            operationId: leaving.OperationId);
    }

    private static void StopNow(NodeStep step, string cause)
    {
        var text = $"failoverhub-agent stopping: {cause} on {step.State.Settings.Node}";
        var established = step.State.EstablishedSessions;

        // First of all effects: the neighbors must not wait for our disk.
        step.Do(new NodeEffect.StopSessions(text));
        step.State = step.State with { Stopping = true, Leaving = null };
        step.Replan(new Cause(cause), () => step.Record(TransitionKind.Stopping, $"stopping: {cause}; withdrawing and saying goodbye on {established} established sessions"));
    }
}
