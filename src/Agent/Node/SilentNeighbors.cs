using FailoverHub.Bgp.Session;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Node;

/// <summary>
/// A neighbor that takes the connection and never answers our OPEN. The session waits for it for four minutes (RFC 4271 8.2.2); whoever reads the log
/// shall not have to.
/// </summary>
internal static class SilentNeighbors
{
    /// <summary>A route server answers within milliseconds.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>A session with its new state: since when it waits, null while it does not.</summary>
    public static SessionStatus Follow(SessionStatus session, TimeSpan now) =>
        session with { AwaitsOpenSince = session.State == SessionState.OpenSent ? now : null };

    /// <summary>Monotonic; when the next one has been silent for too long, null: none is.</summary>
    public static TimeSpan? Deadline(NodeState state) => state.Sessions.Min(session => session.AwaitsOpenSince + Patience);

    /// <summary>Says it once for each connection; a reason that the log has heard lately is not said again.</summary>
    public static void SayWhenDue(NodeStep step)
    {
        foreach (var session in step.State.Sessions.Where(session => session.AwaitsOpenSince + Patience <= step.Now.Monotonic))
        {
            const string Text = "the neighbor takes the connection and does not answer our OPEN";
            var outage = NodeReducer.NextLine(session.Outage, Text, step.Now.Monotonic);
            step.State = step.State with
            {
                Sessions = [.. step.State.Sessions.Select(other => other.Neighbor == session.Neighbor ? other with { AwaitsOpenSince = null, Outage = outage ?? other.Outage } : other)],
            };
            if (outage is not null)
            {
                step.Do(new NodeEffect.Log(
                    LogLevel.Warning,
                    $"no session with {session.Neighbor} yet: {Text}, for {Patience.TotalSeconds:0} s now (something on the way may let the handshake through and nothing else); the session waits four minutes for it, {step.State.EstablishedSessions} of {step.State.Sessions.Length} sessions are established"));
            }
        }
    }
}
