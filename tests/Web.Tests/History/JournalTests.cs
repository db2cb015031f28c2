using CsCheck;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Data;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverHub.Web.Tests.History;

[Trait("Kind", "Long")]
public sealed class JournalTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>An agent that repeats, overlaps and interleaves its batches at random, as after lost acknowledgements: each entry is there once, in order.</summary>
    [Fact]
    public async Task Journal_SentInAnyOverlappingBatches_IsStoredExactlyOnce()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var writer = new HubWriter(database.Factory, TimeProvider.System, NullLogger<HubWriter>.Instance);
        _ = writer.Start();
        var batch = Gen.Select(Gen.Int[0, 2], Gen.Int[1, 6], Gen.Bool);
        var run = 0;
        await Gen.Select(batch, Gen.Int[1, 8]).Array[1, 25].SampleAsync(
            async batches =>
            {
                var prefix = $"run{Interlocked.Increment(ref run)}";
                var stored = new Dictionary<string, long>();
                foreach (var ((boot, count, flush), back) in batches)
                {
                    var bootId = $"{prefix}-{boot}";
                    var last = stored.GetValueOrDefault(bootId);
                    var first = Math.Max(1, last + 1 - (back - 1));
                    var items = Enumerable.Range(0, count).Select(i => Item(first + i)).ToList();
                    writer.Enqueue(new JournalWrite(new JournalSource("web-1", bootId, new JournalLane()), [.. items], new HistoryChanges(), TimeProvider.System, ok => Assert.True(ok)));
                    stored[bootId] = Math.Max(last, first + count - 1);
                    if (flush)
                    {
                        await writer.FlushAsync(Cancellation);
                    }
                }

                await writer.FlushAsync(Cancellation);
                await using var db = database.Factory.CreateDbContext();
                foreach (var (bootId, last) in stored)
                {
                    var sequences = await db.Events.Where(e => e.BootId == bootId).OrderBy(e => e.Id).Select(e => e.JournalSequence!.Value).ToListAsync(Cancellation);
                    Assert.Equal(Enumerable.Range(1, (int)last).Select(i => (long)i), sequences);
                    Assert.Equal(last, await db.JournalPositions.Where(p => p.BootId == bootId).Select(p => p.Sequence).SingleAsync(Cancellation));
                }
            },
            iter: 30,
            threads: 1);
    }

    /// <summary>What can never be stored ends the stream; a later batch of the same stream must not take its place.</summary>
    [Fact]
    public async Task BatchBehindOneThatCannotBeStored_IsNotStored_AndBothComeAgainByTheNextStream()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var writer = new HubWriter(database.Factory, TimeProvider.System, NullLogger<HubWriter>.Instance);
        await using (var db = database.Factory.CreateDbContext())
        {
            await RawSql.ForbidAsync(db, "refuse", "INSERT", "Events", "no", "NEW.JournalSequence = 2");
        }

        List<bool> stored = [];
        JournalWrite Write(JournalLane lane, params long[] sequences) =>
            new(new JournalSource("web-1", "boot", lane), [.. sequences.Select(Item)], new HistoryChanges(), TimeProvider.System, stored.Add);
        var first = new JournalLane();
        writer.Enqueue(Write(first, 1));
        writer.Enqueue(Write(first, 2, 3));
        writer.Enqueue(Write(first, 4, 5));
        _ = writer.Start();
        await writer.FlushAsync(Cancellation);
        Assert.Equal([true, false, false], stored);

        await using (var db = database.Factory.CreateDbContext())
        {
            Assert.Equal([1L], await db.Events.Select(e => e.JournalSequence!.Value).ToListAsync(Cancellation));
            await RawSql.AllowAsync(db, "refuse");
        }

        writer.Enqueue(Write(new JournalLane(), 2, 3, 4, 5));
        await writer.FlushAsync(Cancellation);
        await using (var db = database.Factory.CreateDbContext())
        {
            Assert.Equal([1L, 2, 3, 4, 5], await db.Events.OrderBy(e => e.Id).Select(e => e.JournalSequence!.Value).ToListAsync(Cancellation));
        }
    }

    /// <summary>What a node says of an operation stands in that operation's story; of another pair's it has nothing to say.</summary>
    [Fact]
    public async Task OperationOfAnotherPair_OrOfNone_IsNotTakenFromAJournal()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using (var db = database.Factory.CreateDbContext())
        {
            db.Operations.AddRange(Operation("ours", 1, "p1"), Operation("theirs", 2, "p2"));
            await db.SaveChangesAsync(Cancellation);
        }

        await using var writer = new HubWriter(database.Factory, TimeProvider.System, NullLogger<HubWriter>.Instance);
        _ = writer.Start();
        JournalItem[] items = [.. new[] { "ours", "theirs", "nobody's", null }.Select((id, i) => Item(i + 1) with { Event = Item(i + 1).Event with { OperationId = id } })];
        foreach (var pair in new[] { "p1", null })
        {
            writer.Enqueue(new JournalWrite(new JournalSource("web-1", $"boot {pair}", new JournalLane()) { PairId = pair }, [.. items], new HistoryChanges(), TimeProvider.System, ok => Assert.True(ok)));
        }

        await writer.FlushAsync(Cancellation);
        await using var after = database.Factory.CreateDbContext();
        Assert.Equal(["ours", null, null, null, null, null, null, null], await after.Events.OrderBy(e => e.Id).Select(e => e.OperationId).ToListAsync(Cancellation));
    }

    private static OperationEntity Operation(string id, long number, string pair) => new()
    {
        Id = id, Number = number, Type = FailoverHub.Web.Operations.OperationType.Drain, PairId = pair, PairName = pair, Title = "t", Status = FailoverHub.Web.Operations.OperationStatus.Succeeded,
        Reason = "r", Actor = "a", RequestedAtMs = 1, StepsJson = "[]", WantedJson = "[]",
    };

    private static JournalItem Item(long sequence) =>
        new(sequence, new EventDraft { At = DateTimeOffset.UnixEpoch, Kind = "announced", Node = "web-1", Text = $"entry {sequence}" });
}
