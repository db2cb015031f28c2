using System.Diagnostics.CodeAnalysis;

namespace FailoverHub.Agent.Platform.Journaling;

/// <summary>
/// Entries of this boot that are numbered and not written yet, in order. A place may be reserved for one that is still to come: what comes meanwhile gets its
/// number behind it. Guarded by the journal.
/// </summary>
internal sealed class WaitingEntries
{
    private readonly Queue<NumberedEntry> _numbered = new();
    private readonly List<JournalEntry> _behind = [];
    private ulong? _reserved;

    /// <summary>The last number that was given; 0: none.</summary>
    public ulong LastSequence { get; private set; }

    public int Count => _numbered.Count;

    public IEnumerable<NumberedEntry> All => _numbered;

    public void Add(JournalEntry entry)
    {
        if (_reserved is null)
        {
            _numbered.Enqueue(new NumberedEntry(++LastSequence, entry));
        }
        else
        {
            _behind.Add(entry);
        }
    }

    /// <exception cref="InvalidOperationException">One is reserved already.</exception>
    public ulong Reserve()
    {
        if (_reserved is not null)
        {
            throw new InvalidOperationException("A place of the journal is reserved already.");
        }

        _reserved = ++LastSequence;
        return LastSequence;
    }

    /// <summary>The entry of the reserved place; null: there is none, and the next entry has it.</summary>
    public void Fill(JournalEntry? entry)
    {
        if (entry is null)
        {
            LastSequence--;
        }
        else
        {
            _numbered.Enqueue(new NumberedEntry(LastSequence, entry));
        }

        _reserved = null;
        _behind.ForEach(Add);
        _behind.Clear();
    }

    public bool TryPeek([NotNullWhen(true)] out NumberedEntry? next) => _numbered.TryPeek(out next);

    public void Dequeue() => _numbered.Dequeue();

    public void Clear() => _numbered.Clear();
}
