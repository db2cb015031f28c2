using System.Collections.Immutable;

namespace FailoverHub.Agent.Platform.Journaling;

/// <summary>A transition of the node.</summary>
/// <param name="At">Wall clock of the node, UTC.</param>
/// <param name="Kind">A stable word.</param>
/// <param name="Prefix">Empty: not about one prefix.</param>
/// <param name="Neighbor">Empty: not about one session.</param>
/// <param name="Text">One English sentence with the cause.</param>
/// <param name="OperationId">Of the hub, empty: none.</param>
internal sealed record JournalEntry(DateTimeOffset At, string Kind, string Prefix, string Neighbor, string Text, string OperationId)
{
    /// <summary>Who did it on the node itself, empty: nobody there.</summary>
    public string Actor { get; init; } = "";
}

/// <summary>An entry with its place: from 1, without a gap within its boot but for what an overflow dropped.</summary>
internal sealed record NumberedEntry(ulong Sequence, JournalEntry Entry);

/// <summary>Where an entry stands: by it the hub knows whether it has the entry already.</summary>
/// <param name="BootId">The run of the agent that wrote it.</param>
/// <param name="Sequence">Within that.</param>
internal readonly record struct JournalPlace(string BootId, ulong Sequence);

/// <summary>
/// An entry that is kept together with what it is about, in one file and by one write: the two are on the disk or neither is, and a process that ends right
/// after that write leaves nothing that no entry tells of.
/// </summary>
/// <param name="Place">Where it belongs.</param>
/// <param name="Entry">What is written there if the process had no time to write what came of it.</param>
internal sealed record PlacedEntry(JournalPlace Place, JournalEntry Entry);

/// <summary>Entries of one boot, oldest first, at least one.</summary>
internal sealed record JournalPage(string BootId, ImmutableArray<NumberedEntry> Entries);

/// <summary>How much the journal keeps. By octets, because that is what a disk is full of; all of them are soft by one line.</summary>
/// <param name="Octets">On disk, of what the hub has not acknowledged. Above, what only happened is given up from the oldest file on, and orders are kept.</param>
/// <param name="SegmentOctets">Of one file: what is given up or pruned at once, and read at once.</param>
internal sealed record JournalLimits(long Octets, long SegmentOctets)
{
    /// <summary>On disk, for orders alone, when everything else has been given up. When that is full as well, commands on the node are refused.</summary>
    public long OrderOctets { get; init; } = 16 << 20;

    /// <summary>In memory, while the disk takes nothing.</summary>
    public long WaitingOctets { get; init; } = 4 << 20;

    /// <summary>64 MiB: ten thousand prefixes announced or withdrawn 300 times, or a session lost and found again 200,000 times, without a hub.</summary>
    public static JournalLimits Default { get; } = new(64 << 20, 128 << 10);
}
