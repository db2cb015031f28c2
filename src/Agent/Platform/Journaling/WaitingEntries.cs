using System.Diagnostics.CodeAnalysis;

namespace FailoverHub.Agent.Platform.Journaling;

/// <summary>
/// Entries of this boot that are numbered and not written yet, in order. A place may be reserved for one that is still to come: what comes meanwhile gets its
/// number behind it. Guarded by the journal.
/// </summary>
internal sealed class WaitingEntries
{
    private readonly List<JournalLine> _behind = [];
    private readonly LinkedList<JournalLine> _numbered = new();
    private ulong? _reserved;

    /// <summary>The last number that was given; 0: none.</summary>
    public ulong LastSequence { get; private set; }

    /// <summary>Of entries.</summary>
    public int Count { get; private set; }

    /// <summary>About as many as they will have on the disk.</summary>
    public long Octets { get; private set; }

    public IEnumerable<NumberedEntry> All => _numbered.SelectMany(line => line.Entries);

    public void Add(JournalLine line)
    {
        if (_reserved is not null)
        {
            _behind.Add(line);
            return;
        }

        Enqueue(line with { First = LastSequence + 1 });
        LastSequence += (ulong)line.Count;
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
            Enqueue(new JournalLine(LastSequence, entry, []));
        }

        _reserved = null;
        _behind.ForEach(Add);
        _behind.Clear();
    }

    public bool TryPeek([NotNullWhen(true)] out JournalLine? next)
    {
        next = _numbered.First?.Value;
        return next is not null;
    }

    public void Dequeue() => Remove(_numbered.First!);

    /// <summary>Gives up the oldest line that is no order, and if there are only orders, the oldest of them.</summary>
    /// <returns>How many entries that were; 0: there is nothing.</returns>
    public int DropOldest()
    {
        var oldest = _numbered.First;
        while (oldest is { Value.IsOrder: true })
        {
            oldest = oldest.Next;
        }

        oldest ??= _numbered.First;
        if (oldest is null)
        {
            return 0;
        }

        Remove(oldest);
        return oldest.Value.Count;
    }

    public void Clear()
    {
        _numbered.Clear();
        (Count, Octets) = (0, 0);
    }

    private void Enqueue(JournalLine line)
    {
        _numbered.AddLast(line);
        Count += line.Count;
        Octets += line.Octets;
    }

    private void Remove(LinkedListNode<JournalLine> node)
    {
        _numbered.Remove(node);
        Count -= node.Value.Count;
        Octets -= node.Value.Octets;
    }
}
