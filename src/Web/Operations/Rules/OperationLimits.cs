namespace FailoverHub.Web.Operations.Rules;

/// <summary>The figures of the rules that have some.</summary>
internal sealed record OperationLimits
{
    /// <summary>SR-06: a pair is moved at most so often within <see cref="MovesWithin"/>; 0: as often as anybody likes. So an operator can move it and back at once, and a script that has run wild cannot flap it.</summary>
    public int MovesInARow { get; init; } = 4;

    /// <summary>SR-06: how long a move counts.</summary>
    public TimeSpan MovesWithin { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>SR-08: how long after its start the hub waits for a node that it knows from before.</summary>
    public TimeSpan StartupGrace { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>SR-13: how many nodes one bulk drain may be about.</summary>
    public int BulkMost { get; init; } = 50;

    /// <summary>SR-11: whom a second person is asked about.</summary>
    public TwoPersonPolicy TwoPerson { get; init; }
}

/// <summary>What the rules know beside the fleet.</summary>
internal sealed record Circumstances
{
    /// <summary>The hub's wall clock.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>How long the hub has been running.</summary>
    public required TimeSpan HubUptime { get; init; }

    /// <summary>The operation that is under way on the pair; null: none.</summary>
    public string? InFlight { get; init; }

    /// <summary>When the pair was moved lately, in any order.</summary>
    public System.Collections.Immutable.ImmutableArray<DateTimeOffset> Moves { get; init; } = [];

    public OperationLimits Limits { get; init; } = new();
}
