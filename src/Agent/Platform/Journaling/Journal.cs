using System.Collections.Immutable;
using FailoverHub.Agent.Node;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Platform.Journaling;

/// <summary>
/// The transitions of this node and of its earlier boots until the hub has acknowledged them. An entry is in the kernel's hands when
/// <see cref="Append(JournalEntry)"/> returns, so it outlives a kill of the process. Bounded: an outage of the hub cannot fill the disk. While the disk
/// takes nothing, entries wait in memory: the hub gets them from there, and they are written as soon as it does.
/// </summary>
/// <remarks>Written by the node loop, read and acknowledged by the hub link; a lock keeps the two apart.</remarks>
internal sealed partial class Journal : IDisposable
{
    /// <summary>While the disk takes nothing it is tried again so often, and at each new entry.</summary>
    public static readonly TimeSpan WriteAgainAfter = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly WaitingEntries _waiting = new();
    private readonly ITimer _writeAgain;
    private readonly JournalLimits _limits;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly AcknowledgedMarks _acknowledged;
    private readonly JournalFiles _files;
    private ulong _dropped;
    private ulong _droppedSaid;
    private bool _cannotWrite;
    private readonly HashSet<string> _named = [];

    private Journal(string directory, JournalLimits limits, TimeProvider time, ILogger logger)
    {
        _limits = limits;
        _time = time;
        _logger = logger;
        _writeAgain = time.CreateTimer(static journal => ((Journal)journal!).WriteAgain(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _acknowledged = new AcknowledgedMarks(Path.Combine(directory, "acknowledged.json"), logger);
        _files = new JournalFiles(directory, BootId, limits, _acknowledged, logger);
    }

    /// <summary>Of this start of the process.</summary>
    public string BootId { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Entries that the hub has not acknowledged, of all boots, also those that no disk takes at present.</summary>
    public long WaitingEntries
    {
        get
        {
            lock (_gate)
            {
                return _files.Waiting + _waiting.Count;
            }
        }
    }

    /// <summary>After an append. Handlers return at once.</summary>
    public event Action? Appended;

    /// <summary>Opens the journal for a new boot. Never fails: what of it cannot be read is left alone, and said.</summary>
    public static Journal Open(string directory, JournalLimits limits, TimeProvider time, ILogger<Journal> logger) =>
        new(directory, limits, time, logger);

    /// <summary>Keeps an entry. Never fails the caller: what cannot be written waits in memory, in order and bounded, and is written as soon as something can be.</summary>
    public void Append(JournalEntry entry) => Append([entry]);

    /// <summary>The same for entries that belong together, in this order.</summary>
    public void Append(IReadOnlyList<JournalEntry> entries)
    {
        lock (_gate)
        {
            foreach (var line in JournalLine.Of(entries))
            {
                _waiting.Add(line);
                WriteWaiting();
            }
        }

        Appended?.Invoke();
    }

    /// <summary>
    /// The place of the next entry, for one that has to be on the disk with what it is about before it can be written here. Until
    /// <see cref="Fill"/>, what is appended stands behind it. One at a time.
    /// </summary>
    public JournalPlace Reserve()
    {
        lock (_gate)
        {
            return new JournalPlace(BootId, _waiting.Reserve());
        }
    }

    /// <summary>Keeps the entry of the reserved place as <see cref="Append(JournalEntry)"/> does; null: there is nothing for it, and the next entry has it.</summary>
    public void Fill(JournalEntry? entry)
    {
        lock (_gate)
        {
            _waiting.Fill(entry);
            WriteWaiting();
        }

        Appended?.Invoke();
    }

    /// <summary>Whether that entry of this boot waits for a disk that takes nothing.</summary>
    public bool IsWaiting(JournalPlace place)
    {
        lock (_gate)
        {
            return place.BootId == BootId && _waiting.All.Any(waiting => waiting.Sequence == place.Sequence);
        }
    }

    /// <summary>False: what the hub has not acknowledged of orders has filled what is there for them, and one more would push out another.</summary>
    public bool HasRoomForOrders
    {
        get
        {
            lock (_gate)
            {
                return _files.HasRoomForOrders;
            }
        }
    }

    /// <summary>
    /// Entries of earlier boots that are kept with what they are about. Those that did not get as far as the journal before their process ended are written at
    /// their own place: whoever has them already knows them by it. Before the first entry of this boot.
    /// </summary>
    public void Restore(IEnumerable<PlacedEntry> entries)
    {
        lock (_gate)
        {
            foreach (var placed in entries.OrderBy(placed => placed.Place.Sequence))
            {
                _named.Add(placed.Place.BootId);
                if (placed.Place.Sequence > Math.Max(_files.LastOf(placed.Place.BootId), _acknowledged.Of(placed.Place.BootId)))
                {
                    _files.Restore(placed);
                }
            }
        }
    }

    /// <summary>The oldest entries that are not acknowledged, all of one boot; null: none.</summary>
    /// <param name="most">At least 1.</param>
    public JournalPage? Next(int most)
    {
        lock (_gate)
        {
            HashSet<string> unreadable = [];
            foreach (var segment in _files.All)
            {
                var from = _acknowledged.Of(segment.BootId);
                if (segment.Last <= from || unreadable.Contains(segment.BootId))
                {
                    continue;
                }

                if (_files.TryRead(segment) is not { } all)
                {
                    // What comes after it in the same boot must not be acknowledged before it: it may be readable again.
                    unreadable.Add(segment.BootId);
                    continue;
                }

                ImmutableArray<NumberedEntry> entries = [.. all.SelectMany(line => line.Entries).Where(entry => entry.Sequence > from).Take(most)];
                if (!entries.IsEmpty)
                {
                    return new JournalPage(segment.BootId, entries);
                }
            }

            // What no disk takes is no reason to keep it from the hub.
            ImmutableArray<NumberedEntry> waiting = unreadable.Contains(BootId) ? [] : [.. _waiting.All.Where(entry => entry.Sequence > _acknowledged.Of(BootId)).Take(most)];
            return waiting.IsEmpty ? null : new JournalPage(BootId, waiting);
        }
    }

    /// <summary>The hub has everything of that boot up to and including the sequence for good: it is never given out again.</summary>
    public void Acknowledge(string bootId, ulong sequence)
    {
        lock (_gate)
        {
            // Not beyond what there is: what is still to come cannot have been stored.
            var last = _files.LastOf(bootId);
            if (bootId == BootId && _waiting.Count > 0)
            {
                last = _waiting.LastSequence;
            }

            var upTo = Math.Min(sequence, last);
            if (upTo <= _acknowledged.Of(bootId))
            {
                return;
            }

            while (bootId == BootId && _waiting.TryPeek(out var told) && told.Last <= upTo)
            {
                _waiting.Dequeue();
            }

            // Boots without a file need no mark any more, but for the present one, whose sequence goes on, and those of which something is restored.
            _acknowledged.Set(bootId, upTo, other => other == BootId || _named.Contains(other) || _files.All.Any(segment => segment.BootId == other));
            _files.Prune(bootId);
        }
    }

    public void Dispose()
    {
        _writeAgain.Dispose();
        lock (_gate)
        {
            WriteWaiting();
            if (_waiting.Count > 0)
            {
                LostAtTheEnd(_logger, _waiting.Count);
                _waiting.Clear();
            }

            _files.Dispose();
        }
    }

    private void WriteAgain()
    {
        bool written;
        lock (_gate)
        {
            WriteWaiting();
            written = _waiting.Count == 0;
        }

        if (written)
        {
            Appended?.Invoke();
        }
    }

    // Oldest first.
    private void WriteWaiting()
    {
        var waited = _waiting.TryPeek(out var first) && _waiting.Count > first.Count;
        while (_waiting.TryPeek(out var next))
        {
            if (_files.TryWrite(next) is { } problem)
            {
                if (!_cannotWrite)
                {
                    _cannotWrite = true;
                    CannotAppend(_logger, problem, next.Entry.Text);
                }

                while (_waiting.Octets > _limits.WaitingOctets)
                {
                    _dropped += (ulong)_waiting.DropOldest();
                }

                _writeAgain.Change(WriteAgainAfter, Timeout.InfiniteTimeSpan);
                return;
            }

            _waiting.Dequeue();
            DropAboveLimit(next.Entry.Kind);
        }

        _cannotWrite = false;
        if (waited)
        {
            WrittenAgain(_logger);
        }
    }

    private void DropAboveLimit(string written)
    {
        _dropped += _files.DropAboveLimit();

        // Losses are themselves history. What says so may push out something as well, and is not told about again.
        if (_dropped != _droppedSaid && written != TransitionKind.JournalOverflow.Word())
        {
            var text = $"{_dropped} entries of the journal are lost since the start of the agent: the hub acknowledged nothing for too long, or the disk was full for too long; what somebody ordered is kept";
            _waiting.Add(new JournalLine(0, new JournalEntry(_time.GetUtcNow(), TransitionKind.JournalOverflow.Word(), "", "", text, ""), []));
            _droppedSaid = _dropped;
            Overflow(_logger, text);
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "The journal cannot be written ({Problem}); its entries wait in memory; what the hub does not get from there is lost if the agent ends before there is room: {Text}")]
    private static partial void CannotAppend(ILogger logger, string problem, string text);

    [LoggerMessage(EventId = 7, Level = LogLevel.Information, Message = "The journal is written again; the entries that had waited in memory are in it")]
    private static partial void WrittenAgain(ILogger logger);

    [LoggerMessage(EventId = 8, Level = LogLevel.Error, Message = "The journal cannot be written at the end either; {Count} entries are lost, the hub will not learn of them")]
    private static partial void LostAtTheEnd(ILogger logger, int count);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "{Text}")]
    private static partial void Overflow(ILogger logger, string text);
}
