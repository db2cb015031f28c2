using System.Collections.Immutable;

namespace FailoverHub.Agent.Vantage;

/// <summary>What this node asks for its hub at one moment, and what came of it since the agent started.</summary>
internal sealed record VantageReading
{
    /// <summary>Addresses that the plan in force names and this agent understands; 0: there is no plan.</summary>
    public required int Targets { get; init; }

    /// <summary>Of the hub's choice; 0: there is no plan.</summary>
    public required ulong Revision { get; init; }

    /// <summary>What of the plan cannot be asked just now, and why.</summary>
    public required ImmutableArray<VantageProblem> Problems { get; init; }

    /// <summary>Probes that were answered.</summary>
    public required long Answered { get; init; }

    /// <summary>Probes that left the machine and were not answered.</summary>
    public required long Lost { get; init; }

    /// <summary>Probes that could not be sent, which says nothing about their addresses.</summary>
    public required long NotSent { get; init; }

    /// <summary>Results that the hub was not told, because its stream took them too slowly.</summary>
    public required long Dropped { get; init; }

    /// <summary>How long after their times probes were begun, all added up.</summary>
    public required TimeSpan Lateness { get; init; }

    /// <summary>The latest of them.</summary>
    public required TimeSpan WorstLateness { get; init; }

    /// <summary>Probes that have been begun.</summary>
    public required long Begun { get; init; }

    /// <summary>Probes that left the machine, and of which it is known what came of them.</summary>
    public long Sent => Answered + Lost;

    /// <summary>How late a probe was begun on average.</summary>
    public TimeSpan MeanLateness => Begun == 0 ? TimeSpan.Zero : Lateness / Begun;
}
