using System.Collections.Immutable;
using FailoverHub.Agent.Node;

namespace FailoverHub.Agent.Platform.Journaling;

/// <summary>
/// A line of the journal: one entry, or consecutive entries that differ in nothing but their prefix. Ten thousand prefixes that are withdrawn for one reason are
/// twenty lines of 9 kB instead of ten thousand of 250 octets; whoever reads the journal gets each entry of its own, with its own number.
/// </summary>
/// <param name="First">The number of its first entry; 0: it has none yet.</param>
/// <param name="Entry">With <paramref name="Prefixes"/>: without a prefix, and of its sentence what follows the prefix.</param>
/// <param name="Prefixes">Of each of its entries, in order; empty: it is one entry, as it stands.</param>
internal sealed record JournalLine(ulong First, JournalEntry Entry, ImmutableArray<string> Prefixes)
{
    /// <summary>Of one line, so that none is longer than what is read at once.</summary>
    public const int MostPrefixes = 500;

    // What stands around the texts.
    private const int Frame = 64;

    private static readonly ImmutableHashSet<string> _orders = ImmutableHashSet.Create(
        StringComparer.Ordinal,
        [.. new[]
        {
            TransitionKind.LocalCommand, TransitionKind.IntentAccepted, TransitionKind.IntentRejected, TransitionKind.Drained, TransitionKind.Undrained, TransitionKind.SessionReset,
            TransitionKind.ConfigurationLoaded, TransitionKind.ConfigurationRejected, TransitionKind.HubJoined,
        }.Select(kind => kind.Word())]);

    public int Count => Prefixes.IsEmpty ? 1 : Prefixes.Length;

    public ulong Last => First + (ulong)Count - 1;

    /// <summary>What somebody wanted of this node, and what became of that: kept when there is no room for what only happened.</summary>
    public bool IsOrder => _orders.Contains(Entry.Kind);

    /// <summary>About as many as it has on the disk.</summary>
    public int Octets => Frame + Entry.Kind.Length + Entry.Prefix.Length + Entry.Neighbor.Length + Entry.Text.Length + Entry.OperationId.Length + Entry.Actor.Length + Prefixes.Sum(prefix => prefix.Length + 3);

    /// <summary>Its entries, each with its number.</summary>
    public IEnumerable<NumberedEntry> Entries => Prefixes.IsEmpty
        ? [new NumberedEntry(First, Entry)]
        : Prefixes.Select((prefix, place) => new NumberedEntry(First + (ulong)place, Entry with { Prefix = prefix, Text = prefix + Entry.Text }));

    /// <summary>Entries without numbers as lines, in the same order: neighbors that can share a line do.</summary>
    public static IEnumerable<JournalLine> Of(IReadOnlyList<JournalEntry> entries)
    {
        for (var start = 0; start < entries.Count;)
        {
            var shared = WithoutPrefix(entries[start]);
            var end = start + 1;
            while (shared is not null && end < entries.Count && end - start < MostPrefixes && shared == WithoutPrefix(entries[end]))
            {
                end++;
            }

            yield return end - start == 1
                ? new JournalLine(0, entries[start], [])
                : new JournalLine(0, shared!, [.. entries.Skip(start).Take(end - start).Select(entry => entry.Prefix)]);
            start = end;
        }
    }

    // Null: its sentence does not begin with its prefix, so that it could not be put together again.
    private static JournalEntry? WithoutPrefix(JournalEntry entry) =>
        entry.Prefix.Length > 0 && entry.Text.StartsWith(entry.Prefix, StringComparison.Ordinal) ? entry with { Prefix = "", Text = entry.Text[entry.Prefix.Length..] } : null;
}
