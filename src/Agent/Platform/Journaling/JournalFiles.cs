using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Platform.Journaling;

/// <summary>The files of the journal, oldest first: written at their end, pruned at their beginning, and kept within their limits. Guarded by the journal.</summary>
internal sealed partial class JournalFiles : IDisposable
{
    private readonly string _directory;
    private readonly string _bootId;
    private readonly JournalLimits _limits;
    private readonly AcknowledgedMarks _acknowledged;
    private readonly ILogger _logger;
    private readonly List<JournalSegment> _segments;
    private readonly int _bootNumber;
    private readonly HashSet<string> _unreadable = [];
    private FileStream? _current;

    /// <summary>Opens what there is. Never fails: what of it cannot be read is left alone, and said.</summary>
    public JournalFiles(string directory, string bootId, JournalLimits limits, AcknowledgedMarks acknowledged, ILogger logger)
    {
        _directory = directory;
        _bootId = bootId;
        _limits = limits;
        _acknowledged = acknowledged;
        _logger = logger;
        _segments = Find();
        _bootNumber = _segments.Count == 0 ? 1 : _segments.Max(segment => segment.BootNumber) + 1;
        foreach (var boot in _segments.Select(segment => segment.BootId).Distinct().ToList())
        {
            Prune(boot);
        }
    }

    public IReadOnlyList<JournalSegment> All => _segments;

    /// <summary>Entries that are not acknowledged.</summary>
    public long Waiting => _segments.Sum(segment => (long)NotAcknowledged(segment));

    /// <summary>False: orders that the hub has not acknowledged have filled what is there for them.</summary>
    public bool HasRoomForOrders => _segments.Where(segment => segment.HoldsOrdersOnly).Sum(segment => segment.Octets) < _limits.OrderOctets;

    /// <summary>The last number of that boot that is on the disk; 0: none.</summary>
    public ulong LastOf(string bootId) => _segments.Where(segment => segment.BootId == bootId).Select(segment => segment.Last).DefaultIfEmpty().Max();

    /// <summary>The lines of a segment; null: it cannot be read now, which is said once.</summary>
    public List<JournalLine>? TryRead(JournalSegment segment)
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

    /// <summary>Null: it is written. Else why not.</summary>
    public string? TryWrite(JournalLine line)
    {
        try
        {
            var segment = _segments.Count > 0 ? _segments[^1] : null;
            if (_current is null || segment is null || segment.Octets >= _limits.SegmentOctets)
            {
                _current?.Dispose();
                _current = null;
                segment = JournalSegment.Create(_directory, _bootNumber, _bootId, line.First);
                _current = new FileStream(segment.FilePath, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
                _segments.Add(segment);
            }

            // A half-written line of a full disk would swallow the next one: go back to where the last whole one ended.
            var end = _current.Position;
            try
            {
                _current.Write(JournalSegment.Line(line));
            }
            catch (IOException)
            {
                _current.SetLength(end);
                throw;
            }

            segment.Last = line.Last;
            segment.Octets = _current.Position;
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }

    /// <summary>An entry of an earlier boot, in a file of its own behind what there is of that, and in front of everything of this one.</summary>
    public void Restore(PlacedEntry placed)
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

    /// <summary>Gives up what is too much: what only happened, from the oldest on, and orders only when they alone are too much.</summary>
    /// <returns>How many entries are lost.</returns>
    public ulong DropAboveLimit()
    {
        var lost = 0UL;
        while (Octets() > _limits.Octets && _segments.FindIndex(segment => !segment.HoldsOrdersOnly) is var oldest && oldest >= 0 && oldest < _segments.Count - 1
            && KeepOrdersOnly(oldest) is { } given)
        {
            lost += given;
        }

        while (_segments.Count > 1 && Octets() > _limits.Octets + _limits.OrderOctets)
        {
            lost += NotAcknowledged(_segments[0]);
            Remove(_segments[0]);
        }

        return lost;
    }

    /// <summary>Removes what the hub has of that boot.</summary>
    public void Prune(string bootId)
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

    public void Dispose()
    {
        _current?.Dispose();
        _current = null;
    }

    private long Octets() => _segments.Sum(segment => segment.Octets);

    private ulong NotAcknowledged(JournalSegment segment)
    {
        var from = Math.Max(_acknowledged.Of(segment.BootId), segment.First - 1);
        return segment.Last > from + segment.Missing ? segment.Last - from - segment.Missing : 0;
    }

    // How many entries are lost by that; null: it could not be done.
    private ulong? KeepOrdersOnly(int index)
    {
        var (segment, upTo) = (_segments[index], _acknowledged.Of(_segments[index].BootId));
        if (TryRead(segment) is not { } lines)
        {
            return null;
        }

        var orders = lines.Where(line => line.IsOrder && line.Last > upTo).ToList();
        var lost = lines.Where(line => !line.IsOrder && line.Last > upTo).Aggregate(0UL, (sum, line) => sum + Math.Min((ulong)line.Count, line.Last - upTo));
        if (orders.Count == 0)
        {
            Remove(segment);
            return lost;
        }

        try
        {
            _segments[index] = segment.WithOrdersOnly(orders);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            CannotRead(_logger, segment.FilePath, exception.Message);
            return null;
        }

        Delete(segment);
        return lost;
    }

    private void Remove(JournalSegment segment)
    {
        _segments.Remove(segment);
        Delete(segment);
    }

    private void Delete(JournalSegment segment)
    {
        try
        {
            File.Delete(segment.FilePath);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            CannotDelete(_logger, segment.FilePath, exception.Message);
        }
    }

    private List<JournalSegment> Find()
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

    [LoggerMessage(EventId = 9, Level = LogLevel.Warning, Message = "{Path} of the journal cannot be read, the hub does not get it nor what follows it in the same run of the agent; it is tried again: {Problem}")]
    private static partial void CannotRead(ILogger logger, string path, string problem);

    [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "{Path} of the journal cannot be deleted, it is acknowledged: {Problem}")]
    private static partial void CannotDelete(ILogger logger, string path, string problem);

    [LoggerMessage(EventId = 6, Level = LogLevel.Warning, Message = "The journal of earlier boots in {Directory} cannot be read, the hub will not learn what stands there; the node runs without it: {Problem}")]
    private static partial void CannotOpen(ILogger logger, string directory, string problem);

    [LoggerMessage(EventId = 10, Level = LogLevel.Warning, Message = "An entry that the last run of the agent had no time to write is written now, with its own time: {Text}")]
    private static partial void Restored(ILogger logger, string text);

    [LoggerMessage(EventId = 11, Level = LogLevel.Error, Message = "An entry that the last run of the agent had no time to write cannot be written now either ({Problem}), it is tried again at the next start: {Text}")]
    private static partial void CannotRestore(ILogger logger, string problem, string text);
}
