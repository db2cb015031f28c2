namespace FailoverHub.Agent.Service;

/// <summary>A part of the agent that goes in circles.</summary>
/// <param name="Name">For the log.</param>
/// <param name="Turns">Circles so far, from any thread.</param>
/// <param name="Nudge">Makes it go round once more, without waiting for it.</param>
internal sealed record VitalPart(string Name, Func<long> Turns, Action Nudge);

/// <summary>Whether the parts without which the agent is nothing still turn: each is nudged, and has until the next question to have gone round.</summary>
/// <param name="parts">All of them.</param>
internal sealed class Vitals(IReadOnlyList<VitalPart> parts)
{
    private readonly long[] _asked = [.. parts.Select(_ => -1L)];

    /// <summary>The parts that did not answer the last question; asks again. Those that were never asked have not failed to answer.</summary>
    public IReadOnlyList<string> AskAgain()
    {
        var silent = new List<string>();
        for (var index = 0; index < parts.Count; index++)
        {
            var turns = parts[index].Turns();
            if (turns == _asked[index])
            {
                silent.Add(parts[index].Name);
            }

            _asked[index] = turns;
            parts[index].Nudge();
        }

        return silent;
    }
}
