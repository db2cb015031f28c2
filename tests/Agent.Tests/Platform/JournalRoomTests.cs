using FailoverHub.Agent.Platform.Journaling;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Platform;

/// <summary>What the journal does with its room: many prefixes in few lines, and orders kept when everything else has to go.</summary>
public sealed class JournalRoomTests : IDisposable
{
    private static readonly JournalLimits _twoInAFile = new(1 << 20, 100);

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void MoreThanTheLimit_DropsTheOldest_AndSaysSo()
    {
        using var journal = Open(new JournalLimits(4_000, 400));
        Append(journal, [.. Enumerable.Range(1, 200).Select(number => $"{number}")]);

        Assert.InRange(OctetsOnTheDisk(), 3_000, 4_800);
        var entries = Drain(journal).ToList();
        Assert.Contains(entries, entry => entry.Kind == "journal-overflow");
        Assert.Equal("200", entries.Last(entry => entry.Kind != "journal-overflow").Text);
    }

    [Fact]
    public void MoreThanTheLimit_WhatSomebodyOrderedIsKept_ThroughARestartToo_AndTheCountIsRight()
    {
        var limits = new JournalLimits(4_000, 400);
        string boot;
        using (var journal = Open(limits))
        {
            boot = journal.BootId;
            journal.Append(Order("drain", "local-command"));
            Append(journal, [.. Enumerable.Range(1, 200).Select(number => $"{number}")]);
            journal.Append(Order("intent", "intent-accepted"));
            Append(journal, [.. Enumerable.Range(201, 200).Select(number => $"{number}")]);
        }

        using var next = Open(limits);
        var waits = next.WaitingEntries;
        var page = next.Next(1000)!;
        Assert.Equal((boot, 1ul, "drain"), (page.BootId, page.Entries[0].Sequence, page.Entries[0].Entry.Text));
        var told = Drain(next).ToList();
        Assert.Equal(waits, told.Count);
        Assert.Equal(["drain", "intent"], told.Where(entry => entry.Kind is "local-command" or "intent-accepted").Select(entry => entry.Text));
        Assert.Empty(Directory.GetFiles(_directory.Root, "*.ndjson"));
    }

    [Fact]
    public void OrdersAlone_FillWhatIsThereForThem_ThereIsNoRoomUntilTheHubHasThem()
    {
        using var journal = Open(new JournalLimits(4_000, 400) { OrderOctets = 1_000 });
        var orders = 0;
        while (journal.HasRoomForOrders)
        {
            journal.Append(Order($"{++orders}", "local-command"));
        }

        Assert.InRange(orders, 60, 110);
        Assert.Equal(Enumerable.Range(1, orders).Select(number => $"{number}"), Drain(journal).Select(entry => entry.Text));
        Assert.True(journal.HasRoomForOrders);
    }

    [Fact]
    public void KilledWhileAFileWasMadeSmaller_TheWholeOneCounts()
    {
        using (var journal = Open(_twoInAFile))
        {
            journal.Append(Order("drain", "local-command"));
            Append(journal, "a", "b", "c");
        }

        var whole = Directory.GetFiles(_directory.Root, "*.ndjson").Order(StringComparer.Ordinal).First();
        File.WriteAllLines(whole.Replace(".ndjson", ".orders.ndjson", StringComparison.Ordinal), File.ReadLines(whole).Take(1));
        using var next = Open(_twoInAFile);
        Assert.Equal(["drain", "a", "b", "c"], Drain(next).Select(entry => entry.Text));
    }

    [Fact]
    public void ManyPrefixesForOneReason_AreFewLines_AndEachIsGivenOutAsAnEntryOfItsOwn()
    {
        using var journal = Open(JournalLimits.Default);
        var prefixes = Enumerable.Range(0, 10_000).Select(number => $"10.{number / 256}.{number % 256}.1/32").ToList();
        journal.Append([.. prefixes.Select(prefix => new JournalEntry(DateTimeOffset.UnixEpoch, "withdrawn", prefix, "", $"{prefix} withdrawn (drained): \"a test\"", "op"))]);

        Assert.InRange(OctetsOnTheDisk(), 1, 250_000);
        Assert.Equal(10_000, journal.WaitingEntries);
        var numbered = new List<NumberedEntry>();
        while (journal.Next(170) is { } page)
        {
            Assert.InRange(page.Entries.Length, 1, 170);
            numbered.AddRange(page.Entries);
            journal.Acknowledge(page.BootId, page.Entries[^1].Sequence);
        }

        Assert.Equal(Enumerable.Range(1, 10_000).Select(number => (ulong)number), numbered.Select(entry => entry.Sequence));
        Assert.Equal(prefixes, numbered.Select(entry => entry.Entry.Prefix));
        Assert.All(numbered, entry => Assert.Equal($"{entry.Entry.Prefix} withdrawn (drained): \"a test\"", entry.Entry.Text));
        Assert.Empty(Directory.GetFiles(_directory.Root, "*.ndjson"));
    }

    [Fact]
    public void ManyPrefixes_WhatTellsThemApartKeepsThemApart_InTheirOrder()
    {
        JournalEntry[] entries =
        [
            new(DateTimeOffset.UnixEpoch, "announced", "a/32", "", "a/32 announced", ""),
            new(DateTimeOffset.UnixEpoch, "announced", "b/32", "", "b/32 announced", ""),
            new(DateTimeOffset.UnixEpoch, "announced", "c/32", "", "c/32 announced", "op"),
            new(DateTimeOffset.UnixEpoch, "announced", "d/32", "", "now d/32 announced", ""),
            new(DateTimeOffset.UnixEpoch, "announced", "e/32", "", "now e/32 announced", ""),
            new(DateTimeOffset.UnixEpoch, "started", "", "", "started", ""),
            new(DateTimeOffset.UnixEpoch, "started", "", "", "started", ""),
        ];
        using (var journal = Open(JournalLimits.Default))
        {
            journal.Append(entries);
            Assert.Equal(6, Directory.GetFiles(_directory.Root, "*.ndjson").Sum(file => File.ReadLines(file).Count()));
        }

        using var next = Open(JournalLimits.Default);
        Assert.Equal(entries, Drain(next));
    }

    [Fact]
    public void ManyPrefixes_CannotBeWritten_TheHubGetsThemInParts_AndNoneTwice()
    {
        using var journal = Open(_directory.At("nowhere"), JournalLimits.Default);
        journal.Append([.. Enumerable.Range(1, 20).Select(number => new JournalEntry(DateTimeOffset.UnixEpoch, "announced", $"p{number}", "", $"p{number} announced", ""))]);

        Assert.Equal(Enumerable.Range(1, 20).Select(number => $"p{number}"), Drain(journal).Select(entry => entry.Prefix));
    }

    [Fact]
    public void LongJournal_IsOpenedWithoutReadingItAll()
    {
        using (var journal = Open(new JournalLimits(64 << 20, 4 << 20)))
        {
            for (var number = 0; number < 20; number++)
            {
                journal.Append(Order(new string('x', 50_000), "local-command"));
            }
        }

        using var next = Open(JournalLimits.Default);
        Assert.Equal(20, next.WaitingEntries);
    }

    private static JournalEntry Order(string text, string kind) => new(DateTimeOffset.UnixEpoch, kind, "", "", text, "");

    private static void Append(Journal journal, params string[] texts)
    {
        foreach (var text in texts)
        {
            journal.Append(new JournalEntry(DateTimeOffset.UnixEpoch, "announced", "203.0.113.10/32", "", text, ""));
        }
    }

    private static IEnumerable<JournalEntry> Drain(Journal journal)
    {
        while (journal.Next(3) is { } page)
        {
            foreach (var entry in page.Entries)
            {
                yield return entry.Entry;
            }

            journal.Acknowledge(page.BootId, page.Entries[^1].Sequence);
        }
    }

    private long OctetsOnTheDisk() => Directory.GetFiles(_directory.Root, "*.ndjson").Sum(file => new FileInfo(file).Length);

    private Journal Open(JournalLimits limits) => Open(_directory.Root, limits);

    private Journal Open(string directory, JournalLimits limits) => Journal.Open(directory, limits, _time, NullLogger<Journal>.Instance);
}
