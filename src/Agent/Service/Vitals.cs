namespace FailoverHub.Agent.Service;

/// <summary>A part of the agent that goes in circles.</summary>
/// <param name="Name">For the log.</param>
/// <param name="Turns">Circles so far, from any thread.</param>
/// <param name="Nudge">Makes it go round once more, without waiting for it.</param>
/// <param name="StandsStill">What its silence means, for the log, where the sessions go on without it; null: they do not, and the agent is to be started again.</param>
internal sealed record VitalPart(string Name, Func<long> Turns, Action Nudge, string? StandsStill = null);

/// <summary>Whether the parts without which the agent is nothing still turn: each is nudged, and has until the next question to have gone round.</summary>
/// <param name="parts">All of them.</param>
internal sealed class Vitals(IReadOnlyList<VitalPart> parts)
{
    private readonly long[] _asked = [.. parts.Select(_ => -1L)];

    /// <summary>The parts that did not answer the last question; asks again. Those that were never asked have not failed to answer.</summary>
    public IReadOnlyList<VitalPart> AskAgain()
    {
        var silent = new List<VitalPart>();
        for (var index = 0; index < parts.Count; index++)
        {
            var (part, turns) = (parts[index], parts[index].Turns());
            var answered = turns != _asked[index];
            if (!answered)
            {
                silent.Add(part);
            }

            _asked[index] = turns;

            // What may stand still for days has its nudge before it; more would only fill its queue.
            if (answered || part.StandsStill is null)
            {
                part.Nudge();
            }
        }

        return silent;
    }
}
