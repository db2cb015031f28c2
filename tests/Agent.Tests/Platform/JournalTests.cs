using System.Text;
using CsCheck;
using FailoverHub.Agent.Platform.Journaling;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Platform;

public sealed class JournalTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Appended_IsGivenOut_OldestFirst_UntilItIsAcknowledged()
    {
        using var journal = Open(JournalLimits.Default);
        Append(journal, "a", "b", "c");

        Assert.Equal(["a", "b"], Texts(journal.Next(2)));
        Assert.Equal(["a", "b", "c"], Texts(journal.Next(10)));
        journal.Acknowledge(journal.BootId, 2);
        Assert.Equal(["c"], Texts(journal.Next(10)));
        journal.Acknowledge(journal.BootId, 3);
        Assert.Null(journal.Next(10));
        Append(journal, "d");
        Assert.Equal(4ul, Assert.Single(journal.Next(10)!.Entries).Sequence);
    }

    [Fact]
    public void AllAcknowledged_NoSegmentIsLeft()
    {
        using var journal = Open(TwoInAFile);
        Append(journal, "a", "b", "c");
        journal.Acknowledge(journal.BootId, 3);

        Assert.Empty(Directory.GetFiles(_directory.Root, "*.ndjson"));
    }

    [Fact]
    public void Killed_TheNextBootGivesOutWhatTheLastOneLeft_BeforeItsOwn()
    {
        var killed = Open(JournalLimits.Default);
        Append(killed, "a", "b");
        killed.Dispose();
        Tear("{\"seq\":3,\"at\":1,\"ki");
        using var journal = Open(JournalLimits.Default);
        Append(journal, "c");

        var page = journal.Next(10)!;
        Assert.Equal(killed.BootId, page.BootId);
        Assert.Equal(["a", "b"], Texts(page));
        journal.Acknowledge(page.BootId, 2);
        Assert.Equal((journal.BootId, 1ul), (journal.Next(10)!.BootId, journal.Next(10)!.Entries[0].Sequence));
    }

    [Fact]
    public void AcknowledgedBeyondWhatThereIs_TheFutureIsNotAcknowledged()
    {
        using var journal = Open(JournalLimits.Default);
        Append(journal, "a");
        journal.Acknowledge(journal.BootId, 1000);
        Append(journal, "b");

        Assert.Equal(["b"], Texts(journal.Next(10)));
    }

    [Fact]
    public void DamagedAcknowledgements_NothingIsLost()
    {
        using (var journal = Open(JournalLimits.Default))
        {
            Append(journal, "a", "b");
            journal.Acknowledge(journal.BootId, 1);
        }

        File.WriteAllText(_directory.At("acknowledged.json"), "{");
        using var next = Open(JournalLimits.Default);
        Assert.Equal(["a", "b"], Texts(next.Next(10)));
    }

    [Theory]
    [InlineData("{\"seq\":9,\"at\":9223372036854775807,\"kind\":\"announced\"}")]
    [InlineData("{\"seq\":9,\"at\":1,\"kind\":null}")]
    [InlineData("null")]
    public void LineThatIsNone_IsPassedOver(string line)
    {
        using (var journal = Open(JournalLimits.Default))
        {
            Append(journal, "a");
        }

        Tear(line + "\n");
        using var next = Open(JournalLimits.Default);
        Assert.Equal(["a"], Texts(next.Next(10)));
    }

    [Fact]
    public void AcknowledgementsCannotBeRead_NothingIsLost()
    {
        using (var journal = Open(JournalLimits.Default))
        {
            Append(journal, "a");
        }

        Directory.CreateDirectory(_directory.At("acknowledged.json"));
        using var next = Open(JournalLimits.Default);
        Assert.Equal(["a"], Texts(next.Next(10)));
    }

    [Fact]
    public void CannotBeWritten_EntriesWait_AndAreWrittenWithTheNextOne()
    {
        using var journal = Open(JournalLimits.Default);
        Append(journal, "before");
        var file = Occupy(journal);
        Append(journal, "waits", "waits too");
        Directory.Delete(file);
        Append(journal, "after");

        Assert.Equal(["waits", "waits too", "after"], Texts(journal.Next(10)));
        Assert.Equal([2ul, 3ul, 4ul], journal.Next(10)!.Entries.Select(entry => entry.Sequence));
    }

    [Fact]
    public void CannotBeWritten_TheHubGetsTheEntriesAllTheSame_AndNothingIsRepeated()
    {
        using var journal = Open(JournalLimits.Default);
        Append(journal, "before");
        var file = Occupy(journal);
        Append(journal, "waits", "waits too", "waits as well");

        Assert.Equal(3, journal.WaitingEntries);
        Assert.Equal(["waits", "waits too"], Texts(journal.Next(2)));
        journal.Acknowledge(journal.BootId, 3);
        Assert.Equal(1, journal.WaitingEntries);
        Assert.Equal(["waits as well"], Texts(journal.Next(2)));
        Directory.Delete(file);
        Append(journal, "after");
        Assert.Equal([4ul, 5ul], journal.Next(10)!.Entries.Select(entry => entry.Sequence));
        journal.Acknowledge(journal.BootId, 5);
        Assert.Null(journal.Next(10));
    }

    [Fact]
    public void NoDirectoryAtAll_TheHubGetsEveryEntry()
    {
        using var journal = Open(_directory.At("nowhere"), JournalLimits.Default);
        Append(journal, "a", "b");

        Assert.Equal(["a", "b"], Drain(journal).Select(entry => entry.Text));
    }

    [Fact]
    public void CannotBeWritten_EntriesAreWrittenAfterAWhile_WithoutAnyNewOne()
    {
        using var journal = Open(JournalLimits.Default);
        var appended = 0;
        Append(journal, "before");
        var file = Occupy(journal);
        Append(journal, "waits");
        journal.Appended += () => appended++;

        _time.Advance(Journal.WriteAgainAfter);
        Assert.Equal(0, appended);
        Directory.Delete(file);
        _time.Advance(Journal.WriteAgainAfter);

        Assert.Equal(1, appended);
        Assert.Equal(["waits"], Texts(journal.Next(10)));
    }

    [Fact]
    public void CannotBeWritten_ForTooLong_DropsTheOldest_AndSaysSo()
    {
        using var journal = Open(JournalLimits.Default with { WaitingOctets = 270 });
        Directory.Move(_directory.Root, _directory.Root + ".away");
        Append(journal, "1", "2", "3", "4", "5");
        Directory.Move(_directory.Root + ".away", _directory.Root);
        _time.Advance(Journal.WriteAgainAfter);

        var entries = Drain(journal).ToList();
        Assert.Contains(entries, entry => entry.Kind == "journal-overflow");
        Assert.Equal("5", entries.Last(entry => entry.Kind != "journal-overflow").Text);
        Assert.DoesNotContain(entries, entry => entry.Text is "1" or "2");
    }

    [Fact]
    public void SegmentThatCannotBeRead_HoldsBackItsOwnBootOnly_AndIsGivenOutWhenItCanBe()
    {
        using (var first = Open(JournalLimits.Default with { SegmentOctets = 1 }))
        {
            Append(first, "a", "b");
        }

        using var next = Open(JournalLimits.Default);

        // A directory instead of a file is what no right of root can read.
        var unreadable = Directory.GetFiles(_directory.Root, "*.ndjson").Order(StringComparer.Ordinal).First();
        File.Move(unreadable, unreadable + ".away");
        Directory.CreateDirectory(unreadable);
        Append(next, "c");
        Assert.Equal(["c"], Texts(next.Next(10)));

        Directory.Delete(unreadable);
        File.Move(unreadable + ".away", unreadable);
        Assert.Equal(["a", "b", "c"], Drain(next).Select(entry => entry.Text));
    }

    /// <summary>Any order of appends, acknowledgements, reconnects, restarts and kills: the hub gets each entry, in order, and none again that it acknowledged.</summary>
    [Fact]
    public void AnyCourseOfThings_NothingIsLost_NothingAcknowledgedIsRepeated()
    {
        var step = Gen.Frequency(
            (5, Gen.Int[1, 4].Select(count => (Kind: Step.Append, Count: count))),
            (4, Gen.Int[1, 5].Select(count => (Kind: Step.Deliver, Count: count))),
            (2, Gen.Int[1, 5].Select(count => (Kind: Step.DeliverButLoseTheAnswer, Count: count))),
            (1, Gen.Const((Kind: Step.Restart, Count: 0))),
            (1, Gen.Const((Kind: Step.Kill, Count: 0))));

        step.Array[1, 60].Sample(
            steps =>
            {
                using var directory = new TemporaryDirectory();
                var course = new Course(directory.Root);
                foreach (var (kind, count) in steps)
                {
                    course.Take(kind, count);
                }

                course.End();
            },
            iter: 150);
    }

    private enum Step
    {
        Append,
        Deliver,
        DeliverButLoseTheAnswer,
        Restart,
        Kill,
    }

    private static JournalLimits TwoInAFile => new(1 << 20, 100);

    private Journal Open(JournalLimits limits) => Journal.Open(_directory.Root, limits, _time, NullLogger<Journal>.Instance);

    // Everything so far is acknowledged, and where the next file should be is something else: no right of root helps.
    private string Occupy(Journal journal)
    {
        var page = journal.Next(1000)!;
        var last = page.Entries[^1].Sequence;
        journal.Acknowledge(page.BootId, last);
        return Directory.CreateDirectory(_directory.At($"00000001-{journal.BootId}-{last + 1:D12}.ndjson")).FullName;
    }

    private static Journal Open(string directory, JournalLimits limits) =>
        Journal.Open(directory, limits, new FakeTimeProvider(), NullLogger<Journal>.Instance);

    private static void Append(Journal journal, params string[] texts)
    {
        foreach (var text in texts)
        {
            journal.Append(new JournalEntry(DateTimeOffset.UnixEpoch, "announced", "203.0.113.10/32", "", text, ""));
        }
    }

    private static IEnumerable<string> Texts(JournalPage? page) => page!.Entries.Select(entry => entry.Entry.Text);

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

    private void Tear(string half) => Tear(_directory.Root, half);

    // What a kill in the middle of a write leaves behind.
    private static void Tear(string directory, string half)
    {
        if (Directory.GetFiles(directory, "*.ndjson").Order(StringComparer.Ordinal).LastOrDefault() is { } last)
        {
            File.AppendAllText(last, half, new UTF8Encoding(false));
        }
    }

    private sealed class Course(string directory)
    {
        private readonly HashSet<(string, ulong)> _acknowledged = [];
        private readonly HashSet<(string, ulong)> _known = [];
        private readonly List<string> _received = [];
        private Journal _journal = Open(directory, new JournalLimits(1 << 20, 200));
        private int _appended;

        public void Take(Step kind, int count)
        {
            switch (kind)
            {
                case Step.Append:
                    Append(_journal, [.. Enumerable.Range(_appended + 1, count).Select(number => $"{number}")]);
                    _appended += count;
                    break;
                case Step.Deliver:
                    Deliver(count, answer: true);
                    break;
                case Step.DeliverButLoseTheAnswer:
                    Deliver(count, answer: false);
                    break;
                case Step.Restart or Step.Kill:
                    _journal.Dispose();
                    if (kind == Step.Kill)
                    {
                        Tear(directory, "{\"seq\":9");
                    }

                    _journal = Open(directory, new JournalLimits(1 << 20, 200));
                    break;
            }
        }

        public void End()
        {
            while (_journal.Next(4) is not null)
            {
                Deliver(4, answer: true);
            }

            _journal.Dispose();
            Assert.Equal(Enumerable.Range(1, _appended).Select(number => $"{number}"), _received);
        }

        // The hub keeps an entry once, by its boot and sequence, as the real one does.
        private void Deliver(int most, bool answer)
        {
            if (_journal.Next(most) is not { } page)
            {
                return;
            }

            Assert.DoesNotContain(page.Entries, entry => _acknowledged.Contains((page.BootId, entry.Sequence)));
            _received.AddRange(page.Entries.Where(entry => _known.Add((page.BootId, entry.Sequence))).Select(entry => entry.Entry.Text));
            if (answer)
            {
                _acknowledged.UnionWith(page.Entries.Select(entry => (page.BootId, entry.Sequence)));
                _journal.Acknowledge(page.BootId, page.Entries[^1].Sequence);
            }
        }
    }
}
