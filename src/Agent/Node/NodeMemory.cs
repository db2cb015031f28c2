using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Platform.Journaling;

namespace FailoverHub.Agent.Node;

/// <summary>What a node knows of its life before this process.</summary>
internal sealed record NodeMemory
{
    public NodeIntent? Intent { get; init; }

    /// <summary>There was one, and it cannot be read.</summary>
    public bool IntentIsLost { get; init; }

    /// <summary>The one that cannot be read may have been a drain.</summary>
    public bool IntentDrainPresumed { get; init; }

    public LocalOrders Orders { get; init; } = LocalOrders.None;

    public FailbackMemory Failback { get; init; } = FailbackMemory.None;

    /// <summary>What the metadata service said to an earlier start to be shared with the machine.</summary>
    public ImmutableArray<IPNetwork> Shared { get; init; } = [];

    /// <summary>Entries of the journal that are kept with the intent and the orders: the last process may not have come to write them.</summary>
    public ImmutableArray<PlacedEntry> Entries { get; init; } = [];

    /// <summary>What cannot be read and what follows from it, in sentences.</summary>
    public ImmutableArray<string> Problems { get; init; } = [];
}
