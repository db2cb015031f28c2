namespace FailoverHub.Agent.Node;

/// <summary>The hub wants one session to be reset.</summary>
/// <param name="Id">The answer carries it.</param>
/// <param name="Neighbor">As a report names it.</param>
/// <param name="OperationId">For the journal.</param>
/// <param name="Reason">The operator's words.</param>
internal sealed record SessionResetRequest(string Id, string Neighbor, string OperationId, string Reason);

/// <summary>What became of a request of the hub.</summary>
/// <param name="Id">Of the request.</param>
/// <param name="Done">Else <paramref name="Text"/> says why not.</param>
/// <param name="Text">One sentence.</param>
internal sealed record RequestAnswer(string Id, bool Done, string Text);

/// <summary>Resets one session because the hub asks for it. Pure. What it announces is on the other sessions meanwhile; whether that is enough the hub has asked before.</summary>
internal static class SessionResets
{
    public static void Reset(NodeStep step, SessionResetRequest request)
    {
        var session = step.State.Sessions.FirstOrDefault(session => session.Neighbor.ToString() == request.Neighbor);
        if (step.State.Stopping || session is not { IsEstablished: true })
        {
            var problem = step.State.Stopping ? "the agent is stopping"
                : session is null ? $"'{request.Neighbor}' is no neighbor of this node"
                : $"the session with {request.Neighbor} is not established, and comes up by itself as soon as it can";
            step.Do(new NodeEffect.AnswerRequest(new RequestAnswer(request.Id, Done: false, problem)));
            return;
        }

        step.Record(TransitionKind.SessionReset, $"session with {session.Neighbor} is reset for the hub: {request.Reason}", neighbor: session.Neighbor.ToString(), operationId: request.OperationId);
        step.Do(new NodeEffect.ResetSession(session.Neighbor, request.Reason));
        step.Do(new NodeEffect.AnswerRequest(new RequestAnswer(request.Id, Done: true, $"The session with {session.Neighbor} is ended with Cease/Administrative Reset.")));
    }
}
