using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace FailoverHub.Agent.Platform.Journaling;

/// <summary>One file of the journal: lines of one boot with growing numbers, a JSON object each, only ever appended to.</summary>
/// <remarks>
/// Named <c>BOOTNUMBER-BOOTID-FIRSTSEQUENCE.ndjson</c>, so that the order of names is the order of entries; <c>.orders.ndjson</c> when there was no room for
/// anything of it but the orders.
/// </remarks>
internal sealed class JournalSegment
{
    private const string Extension = ".ndjson";
    private const string OfOrders = ".orders";

    // Longer than any line: the last one is found in it.
    private const int Tail = 64 * 1024;

    private JournalSegment(string path, int bootNumber, string bootId, ulong first)
    {
        FilePath = path;
        BootNumber = bootNumber;
        BootId = bootId;
        First = first;
        Last = first - 1;
    }

    public string FilePath { get; }

    /// <summary>Counts the boots in this state directory; the wall clock may go back between them.</summary>
    public int BootNumber { get; }

    public string BootId { get; }

    public ulong First { get; }

    /// <summary>Below <see cref="First"/>: it is empty.</summary>
    public ulong Last { get; set; }

    /// <summary>On the disk.</summary>
    public long Octets { get; set; }

    /// <summary>What only happened is not in it any more.</summary>
    public bool HoldsOrdersOnly { get; private init; }

    /// <summary>Numbers from <see cref="First"/> to <see cref="Last"/> that have no entry.</summary>
    public ulong Missing { get; private set; }

    public static JournalSegment Create(string directory, int bootNumber, string bootId, ulong first) =>
        new(Path.Combine(directory, Name(bootNumber, bootId, first)), bootNumber, bootId, first);

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
            file.Write(Line(new JournalLine(placed.Place.Sequence, placed.Entry, [])));
            segment.Octets = file.Length;
        }

        segment.Last = placed.Place.Sequence;
        return segment;
    }

    /// <summary>The segments of earlier boots, oldest first. Files that are none are left alone.</summary>
    /// <remarks>Of a file only its end is read: sixty of these megabytes would keep a node from its first announcement for a second.</remarks>
    public static List<JournalSegment> Find(string directory)
    {
        var segments = new List<JournalSegment>();
        foreach (var path in Directory.EnumerateFiles(directory, "*" + Extension).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileNameWithoutExtension(path);
            var holdsOrdersOnly = name.EndsWith(OfOrders, StringComparison.Ordinal);
            if ((holdsOrdersOnly ? name[..^OfOrders.Length] : name).Split('-') is [var number, var bootId, var sequence]
                && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var bootNumber)
                && ulong.TryParse(sequence, NumberStyles.None, CultureInfo.InvariantCulture, out var first) && first > 0)
            {
                var segment = new JournalSegment(path, bootNumber, bootId, first) { HoldsOrdersOnly = holdsOrdersOnly };
                segment.LookInto();
                segments.Add(segment);
            }
        }

        // A kill while one was made smaller leaves both: what is not in the smaller one is still in the other.
        segments.RemoveAll(segment => segment.HoldsOrdersOnly && segments.Exists(whole => !whole.HoldsOrdersOnly && whole.BootId == segment.BootId && whole.First == segment.First));
        return segments;
    }

    /// <summary>This segment with its orders alone, in a file that takes the place of this one.</summary>
    /// <param name="orders">At least one.</param>
    /// <exception cref="IOException">It cannot be written; this one stands as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public JournalSegment WithOrdersOnly(IReadOnlyList<JournalLine> orders)
    {
        var path = Path.Combine(Path.GetDirectoryName(FilePath)!, Path.GetFileNameWithoutExtension(FilePath) + OfOrders + Extension);
        byte[] content = [.. orders.SelectMany(Line)];
        AtomicFile.Write(path, content, durable: false);
        return new JournalSegment(path, BootNumber, BootId, First)
        {
            Last = Last,
            Octets = content.Length,
            HoldsOrdersOnly = true,
            Missing = Last - First + 1 - (ulong)orders.Sum(line => line.Count),
        };
    }

    /// <summary>All lines. A torn last one, left by a kill in the middle of a write, is passed over.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public List<JournalLine> Read() => [.. File.ReadLines(FilePath).Select(Parse).OfType<JournalLine>()];

    /// <summary>The bytes of one line, with its end.</summary>
    public static byte[] Line(JournalLine line)
    {
        var entry = line.Entry;
        var stored = new StoredJournalEntry(
            line.First,
            entry.At.ToUnixTimeMilliseconds(),
            entry.Kind,
            NullIfEmpty(entry.Prefix),
            NullIfEmpty(entry.Neighbor),
            NullIfEmpty(entry.Text),
            NullIfEmpty(entry.OperationId),
            NullIfEmpty(entry.Actor))
        {
            Prefixes = line.Prefixes.IsEmpty ? null : line.Prefixes,
        };
        return [.. JsonSerializer.SerializeToUtf8Bytes(stored, StoredJson.Default.StoredJournalEntry), (byte)'\n'];
    }

    private void LookInto()
    {
        try
        {
            Octets = new FileInfo(FilePath).Length;
            if (!HoldsOrdersOnly && LastOfTail() is { } last)
            {
                Last = last;
                return;
            }

            var lines = Read();
            Last = lines.LastOrDefault()?.Last ?? First - 1;
            Missing = HoldsOrdersOnly && lines.Count > 0 ? Last - First + 1 - (ulong)lines.Sum(line => line.Count) : 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Something is in it. Whoever reads it later says what is wrong.
            Last = First;
        }
    }

    // Null: no whole line stands there.
    private ulong? LastOfTail()
    {
        using var file = new FileStream(FilePath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        file.Seek(-Math.Min(Tail, file.Length), SeekOrigin.End);
        var content = new byte[Tail];
        var length = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
        return Encoding.UTF8.GetString(content, 0, length).Split('\n').Reverse().Select(Parse).OfType<JournalLine>().FirstOrDefault()?.Last;
    }

    private static string Name(int bootNumber, string bootId, ulong first) => string.Create(CultureInfo.InvariantCulture, $"{bootNumber:D8}-{bootId}-{first:D12}{Extension}");

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;

    // Null: damaged, in whatever way. A line of somebody else's making must not keep a node out of service.
    private static JournalLine? Parse(string line)
    {
        try
        {
            if (JsonSerializer.Deserialize(line, StoredJson.Default.StoredJournalEntry) is not { Kind: not null } stored
                || stored.Prefixes is { Count: > JournalLine.MostPrefixes } || stored.Prefixes?.Contains(null) == true || stored.Seq is 0 or > long.MaxValue)
            {
                return null;
            }

            var entry = new JournalEntry(
                DateTimeOffset.FromUnixTimeMilliseconds(stored.At),
                stored.Kind,
                stored.Prefix ?? "",
                stored.Neighbor ?? "",
                stored.Text ?? "",
                stored.Operation ?? "") { Actor = stored.Actor ?? "" };
            return new JournalLine(stored.Seq, entry, stored.Prefixes is null ? [] : [.. stored.Prefixes.OfType<string>()]);
        }
        catch (Exception exception) when (exception is JsonException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }
}
