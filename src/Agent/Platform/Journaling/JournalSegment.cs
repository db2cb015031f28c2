using System.Globalization;
using System.Text.Json;

namespace FailoverHub.Agent.Platform.Journaling;

/// <summary>One file of the journal: consecutive entries of one boot, a JSON object a line, only ever appended to.</summary>
/// <remarks>Named <c>BOOTNUMBER-BOOTID-FIRSTSEQUENCE.ndjson</c>, so that the order of names is the order of entries.</remarks>
internal sealed class JournalSegment
{
    private const string Extension = ".ndjson";

    private JournalSegment(string path, int bootNumber, string bootId, ulong first, ulong last)
    {
        FilePath = path;
        BootNumber = bootNumber;
        BootId = bootId;
        First = first;
        Last = last;
    }

    public string FilePath { get; }

    /// <summary>Counts the boots in this state directory; the wall clock may go back between them.</summary>
    public int BootNumber { get; }

    public string BootId { get; }

    public ulong First { get; }

    /// <summary>Below <see cref="First"/>: it is empty.</summary>
    public ulong Last { get; set; }

    public static JournalSegment Create(string directory, int bootNumber, string bootId, ulong first)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{bootNumber:D8}-{bootId}-{first:D12}{Extension}");
        return new JournalSegment(Path.Combine(directory, name), bootNumber, bootId, first, first - 1);
    }

    /// <summary>One entry of an earlier boot in a file of its own.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public static JournalSegment WriteAlone(string directory, int bootNumber, PlacedEntry placed)
    {
        // A kill in the middle of the very same write may have left a file of this name with nothing whole in it.
        var segment = Create(directory, bootNumber, placed.Place.BootId, placed.Place.Sequence);
        File.Delete(segment.FilePath);
        using (var file = new FileStream(segment.FilePath, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0))
        {
            file.Write(Line(new NumberedEntry(placed.Place.Sequence, placed.Entry)));
        }

        segment.Last = placed.Place.Sequence;
        return segment;
    }

    /// <summary>The segments of earlier boots, oldest first. Files that are none are left alone.</summary>
    public static List<JournalSegment> Find(string directory)
    {
        var segments = new List<JournalSegment>();
        foreach (var path in Directory.EnumerateFiles(directory, "*" + Extension).Order(StringComparer.Ordinal))
        {
            if (Path.GetFileNameWithoutExtension(path).Split('-') is [var number, var bootId, var sequence]
                && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var bootNumber)
                && ulong.TryParse(sequence, NumberStyles.None, CultureInfo.InvariantCulture, out var first))
            {
                segments.Add(new JournalSegment(path, bootNumber, bootId, first, LastOf(path, first)));
            }
        }

        return segments;
    }

    private static ulong LastOf(string path, ulong first)
    {
        try
        {
            return Read(path).LastOrDefault()?.Sequence ?? first - 1;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Something is in it. Whoever reads it later says what is wrong.
            return first;
        }
    }

    /// <summary>All entries. A torn last line, left by a kill in the middle of a write, is passed over.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public List<NumberedEntry> Read() => Read(FilePath);

    private static List<NumberedEntry> Read(string path)
    {
        var entries = new List<NumberedEntry>();
        foreach (var line in File.ReadLines(path))
        {
            if (Parse(line) is { } entry)
            {
                entries.Add(entry);
            }
        }

        return entries;
    }

    /// <summary>The bytes of one line, with its end.</summary>
    public static byte[] Line(NumberedEntry numbered)
    {
        var entry = numbered.Entry;
        var stored = new StoredJournalEntry(
            numbered.Sequence,
            entry.At.ToUnixTimeMilliseconds(),
            entry.Kind,
            NullIfEmpty(entry.Prefix),
            NullIfEmpty(entry.Neighbor),
            NullIfEmpty(entry.Text),
            NullIfEmpty(entry.OperationId),
            NullIfEmpty(entry.Actor));
        return [.. JsonSerializer.SerializeToUtf8Bytes(stored, StoredJson.Default.StoredJournalEntry), (byte)'\n'];
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;

    // Null: damaged, in whatever way. A line of somebody else's making must not keep a node out of service.
    private static NumberedEntry? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, StoredJson.Default.StoredJournalEntry) is { Kind: not null } stored
                ? new NumberedEntry(stored.Seq, new JournalEntry(
                    DateTimeOffset.FromUnixTimeMilliseconds(stored.At),
                    stored.Kind,
                    stored.Prefix ?? "",
                    stored.Neighbor ?? "",
                    stored.Text ?? "",
                    stored.Operation ?? "") { Actor = stored.Actor ?? "" })
                : null;
        }
        catch (Exception exception) when (exception is JsonException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }
}
