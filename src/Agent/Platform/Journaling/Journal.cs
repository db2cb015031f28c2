using System.Collections.Immutable;
using FailoverHub.Agent.Node;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Platform.Journaling;

/// <summary>
/// The transitions of this node and of its earlier boots until the hub has acknowledged them. An entry is in the kernel's hands when
/// <see cref="Append"/> returns, so it outlives a kill of the process. Bounded: an outage of the hub cannot fill the disk. While the disk
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
    private readonly string _directory;
    private readonly JournalLimits _limits;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly List<JournalSegment> _segments;
    private readonly AcknowledgedMarks _acknowledged;
    private readonly int _bootNumber;
    private FileStream? _current;
    private ulong _dropped;
    private ulong _droppedSaid;
    private readonly HashSet<string> _unreadable = [];
    private readonly HashSet<string> _named = [];

    private Journal(string directory, JournalLimits limits, TimeProvider time, ILogger logger)
    {
        _directory = directory;
        _limits = limits;
        _time = time;
        _logger = logger;
        _writeAgain = time.CreateTimer(static journal => ((Journal)journal!).WriteAgain(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _acknowledged = new AcknowledgedMarks(Path.Combine(directory, "acknowledged.json"), logger);
        _segments = FindSegments();
        _bootNumber = _segments.Count == 0 ? 1 : _segments.Max(segment => segment.BootNumber) + 1;
        foreach (var bootId in _segments.Select(segment => segment.BootId).Distinct().ToList())
        {
            Prune(bootId);
        }
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
                return _segments.Sum(segment => (long)Waiting(segment)) + _waiting.Count;
            }
        }
    }

    /// <summary>After an append. Handlers return at once.</summary>
    public event Action? Appended;

    /// <summary>Opens the journal for a new boot. Never fails: what of it cannot be read is left alone, and said.</summary>
    public static Journal Open(string directory, JournalLimits limits, TimeProvider time, ILogger<Journal> logger) =>
        new(directory, limits, time, logger);

    /// <summary>Keeps an entry. Never fails the caller: what cannot be written waits in memory, in order and bounded, and is written as soon as something can be.</summary>
    public void Append(JournalEntry entry)
    {
        lock (_gate)
        {
            _waiting.Add(entry);
            WriteWaiting();
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

    /// <summary>Keeps the entry of the reserved place as <see cref="Append"/> does; null: there is nothing for it, and the next entry has it.</summary>
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
                var known = _segments.Where(segment => segment.BootId == placed.Place.BootId).Select(segment => segment.Last).DefaultIfEmpty().Max();
                if (placed.Place.Sequence > Math.Max(known, _acknowledged.Of(placed.Place.BootId)))
                {
                    Restore(placed);
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
            foreach (var segment in _segments)
            {
                var from = _acknowledged.Of(segment.BootId);
                if (segment.Last <= from || unreadable.Contains(segment.BootId))
                {
                    continue;
                }

                if (TryRead(segment) is not { } all)
                {
                    // What comes after it in the same boot must not be acknowledged before it: it may be readable again.
                    unreadable.Add(segment.BootId);
                    continue;
                }

                ImmutableArray<NumberedEntry> entries = [.. all.Where(entry => entry.Sequence > from).Take(most)];
                if (!entries.IsEmpty)
                {
                    return new JournalPage(segment.BootId, entries);
                }
            }

            // What no disk takes is no reason to keep it from the hub.
            ImmutableArray<NumberedEntry> waiting = unreadable.Contains(BootId) ? [] : [.. _waiting.All.Take(most)];
            return waiting.IsEmpty ? null : new JournalPage(BootId, waiting);
        }
    }

    /// <summary>The hub has everything of that boot up to and including the sequence for good: it is never given out again.</summary>
    public void Acknowledge(string bootId, ulong sequence)
    {
        lock (_gate)
        {
            // Not beyond what there is: what is still to come cannot have been stored.
            var last = _segments.Where(segment => segment.BootId == bootId).Select(segment => segment.Last).DefaultIfEmpty().Max();
            if (bootId == BootId && _waiting.Count > 0)
            {
                last = _waiting.LastSequence;
            }

            var upTo = Math.Min(sequence, last);
            if (upTo <= _acknowledged.Of(bootId))
            {
                return;
            }

            while (bootId == BootId && _waiting.TryPeek(out var told) && told.Sequence <= upTo)
            {
                _waiting.Dequeue();
            }

            // Boots without a file need no mark any more, but for the present one, whose sequence goes on, and those of which something is restored.
            _acknowledged.Set(bootId, upTo, other => other == BootId || _named.Contains(other) || _segments.Exists(segment => segment.BootId == other));
            Prune(bootId);
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

            _current?.Dispose();
            _current = null;
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

    // In a file of its own, in front of everything of this boot.
    private void Restore(PlacedEntry placed)
    {
        var (place, entry) = (placed.Place, placed.Entry);
        var before = _segments.FindLastIndex(segment => segment.BootId == place.BootId);
        var number = before >= 0 ? _segments[before].BootNumber : _bootNumber - 1;
        try
        {
            var segment = JournalSegment.WriteAlone(_directory, number, placed);
            _segments.RemoveAll(old => old.FilePath == segment.FilePath);
            before = _segments.FindLastIndex(other => other.BootId == place.BootId);
            _segments.Insert(before >= 0 ? before + 1 : _segments.Count, segment);
            Restored(_logger, entry.Text);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            CannotRestore(_logger, exception.Message, entry.Text);
        }
    }

    // Oldest first.
    private void WriteWaiting()
    {
        var waited = _waiting.Count > 1;
        while (_waiting.TryPeek(out var next))
        {
            if (TryWrite(next) is { } problem)
            {
                if (_waiting.Count == 1)
                {
                    CannotAppend(_logger, problem, next.Entry.Text);
                }

                if (_waiting.Count > _limits.Entries)
                {
                    _waiting.Dequeue();
                    _dropped++;
                }

                _writeAgain.Change(WriteAgainAfter, Timeout.InfiniteTimeSpan);
                return;
            }

            _waiting.Dequeue();
            DropOldestAboveLimit(next.Entry.Kind);
        }

        if (waited)
        {
            WrittenAgain(_logger);
        }
    }

    private List<NumberedEntry>? TryRead(JournalSegment segment)
    {
        try
        {
            return segment.Read();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (_unreadable.Add(segment.FilePath))
            {
                CannotRead(_logger, segment.FilePath, exception.Message);
            }

            return null;
        }
    }

    // Null: it is written. Else why not.
    private string? TryWrite(NumberedEntry entry)
    {
        try
        {
            var segment = _segments.Count > 0 ? _segments[^1] : null;
            if (_current is null || segment is null || segment.Last - segment.First + 1 >= (ulong)_limits.SegmentEntries)
            {
                _current?.Dispose();
                _current = null;
                segment = JournalSegment.Create(_directory, _bootNumber, BootId, entry.Sequence);
                _current = new FileStream(segment.FilePath, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
                _segments.Add(segment);
            }

            // A half-written line of a full disk would swallow the next one: go back to where the last whole one ended.
            var end = _current.Position;
            try
            {
                _current.Write(JournalSegment.Line(entry));
            }
            catch (IOException)
            {
                _current.SetLength(end);
                throw;
            }

            segment.Last = entry.Sequence;
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }

    private void DropOldestAboveLimit(string written)
    {
        while (_segments.Count > 1 && _segments.Sum(segment => (long)Waiting(segment)) > _limits.Entries)
        {
            _dropped += Waiting(_segments[0]);
            Remove(_segments[0]);
        }

        // Losses are themselves history. What says so may push out something as well, and is not told about again.
        if (_dropped != _droppedSaid && written != TransitionKind.JournalOverflow.Word())
        {
            var text = $"{_dropped} entries of the journal are lost since the start of the agent: the hub acknowledged nothing for too long, or the disk was full for too long";
            _waiting.Add(new JournalEntry(_time.GetUtcNow(), TransitionKind.JournalOverflow.Word(), "", "", text, ""));
            _droppedSaid = _dropped;
            Overflow(_logger, text);
        }
    }

    private ulong Waiting(JournalSegment segment)
    {
        var from = Math.Max(_acknowledged.Of(segment.BootId), segment.First - 1);
        return segment.Last > from ? segment.Last - from : 0;
    }

    private void Prune(string bootId)
    {
        var upTo = _acknowledged.Of(bootId);
        foreach (var segment in _segments.Where(segment => segment.BootId == bootId && segment.Last <= upTo).ToList())
        {
            if (segment == _segments[^1] && _current is not null)
            {
                _current.Dispose();
                _current = null;
            }

            Remove(segment);
        }
    }

    private void Remove(JournalSegment segment)
    {
        _segments.Remove(segment);
        try
        {
            File.Delete(segment.FilePath);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            CannotDelete(_logger, segment.FilePath, exception.Message);
        }
    }

    private List<JournalSegment> FindSegments()
    {
        try
        {
            return JournalSegment.Find(_directory);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            CannotOpen(_logger, _directory, exception.Message);
            return [];
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "The journal cannot be written ({Problem}); its entries wait in memory; what the hub does not get from there is lost if the agent ends before there is room: {Text}")]
    private static partial void CannotAppend(ILogger logger, string problem, string text);

    [LoggerMessage(EventId = 7, Level = LogLevel.Information, Message = "The journal is written again; the entries that had waited in memory are in it")]
    private static partial void WrittenAgain(ILogger logger);

    [LoggerMessage(EventId = 8, Level = LogLevel.Error, Message = "The journal cannot be written at the end either; {Count} entries are lost, the hub will not learn of them")]
    private static partial void LostAtTheEnd(ILogger logger, int count);

    [LoggerMessage(EventId = 9, Level = LogLevel.Warning, Message = "{Path} of the journal cannot be read, the hub does not get it nor what follows it in the same run of the agent; it is tried again: {Problem}")]
    private static partial void CannotRead(ILogger logger, string path, string problem);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "{Text}")]
    private static partial void Overflow(ILogger logger, string text);

    [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "{Path} of the journal cannot be deleted, it is acknowledged: {Problem}")]
    private static partial void CannotDelete(ILogger logger, string path, string problem);

    [LoggerMessage(EventId = 6, Level = LogLevel.Warning, Message = "The journal of earlier boots in {Directory} cannot be read, the hub will not learn what stands there; the node runs without it: {Problem}")]
    private static partial void CannotOpen(ILogger logger, string directory, string problem);

    [LoggerMessage(EventId = 10, Level = LogLevel.Warning, Message = "An entry that the last run of the agent had no time to write is written now, with its own time: {Text}")]
    private static partial void Restored(ILogger logger, string text);

    [LoggerMessage(EventId = 11, Level = LogLevel.Error, Message = "An entry that the last run of the agent had no time to write cannot be written now either ({Problem}), it is tried again at the next start: {Text}")]
    private static partial void CannotRestore(ILogger logger, string problem, string text);
}
