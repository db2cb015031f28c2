using System.Globalization;
using System.Text;
using FailoverHub.Agent.Vantage;

namespace FailoverHub.Agent.Control;

/// <summary>What the node asks for its hub, in a status. Counts are since the agent started.</summary>
internal sealed record ProbingDocument
{
    private const int MostShown = 3;

    /// <summary>Addresses that are asked; 0: the hub wants none asked from here.</summary>
    public required int Targets { get; init; }

    /// <summary>Of the hub's plan; 0: there is none.</summary>
    public required ulong Revision { get; init; }

    /// <summary>Probes that left the machine, and of which it is known what came of them.</summary>
    public required long Sent { get; init; }

    /// <summary>Of these, those that were not answered.</summary>
    public required long Lost { get; init; }

    /// <summary>Probes that could not be sent, which says nothing about their addresses.</summary>
    public required long NotSent { get; init; }

    /// <summary>Results that the hub was not told, because its stream took them too slowly.</summary>
    public required long Dropped { get; init; }

    /// <summary>How long after its time a probe was begun, on average.</summary>
    public required double MeanLatenessMilliseconds { get; init; }

    public required double WorstLatenessMilliseconds { get; init; }

    /// <summary>What of the plan cannot be asked just now, in sentences.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    public static ProbingDocument Of(VantageReading reading) => new()
    {
        Targets = reading.Targets,
        Revision = reading.Revision,
        Sent = reading.Sent,
        Lost = reading.Lost,
        NotSent = reading.NotSent,
        Dropped = reading.Dropped,
        MeanLatenessMilliseconds = Math.Round(reading.MeanLateness.TotalMilliseconds, 3),
        WorstLatenessMilliseconds = Math.Round(reading.WorstLateness.TotalMilliseconds, 3),
        Problems = [.. reading.Problems.Select(problem => problem.Text)],
    };

    /// <summary>The rows of a status for people: none where nothing was ever asked.</summary>
    public void Write(StringBuilder text)
    {
        if (Targets == 0 && Sent + NotSent == 0 && Problems.Count == 0)
        {
            return;
        }

        var notSent = NotSent == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {NotSent} NOT SENT");
        var dropped = Dropped == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {Dropped} results NOT TOLD in time");
        var late = Sent + NotSent == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"; {MeanLatenessMilliseconds:0.#} ms late on average, {WorstLatenessMilliseconds:0.#} ms at most");
        StatusText.Row(text, "asks for the hub", string.Create(CultureInfo.InvariantCulture, $"{Targets} {(Targets == 1 ? "address" : "addresses")}: {Sent} probes sent, {Lost} lost{notSent}{dropped}{late}"));
        foreach (var problem in Problems.Take(MostShown))
        {
            StatusText.Row(text, "NOT ASKED", problem);
        }

        if (Problems.Count > MostShown)
        {
            StatusText.Row(text, "NOT ASKED", string.Create(CultureInfo.InvariantCulture, $"{Problems.Count - MostShown} more, see status --json"));
        }
    }
}
