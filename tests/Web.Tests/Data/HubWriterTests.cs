using FailoverHub.Web.Data;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Data;

public sealed class HubWriterTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static SettingEntity Setting(string key) => new() { Key = key, Value = "v" };

    [Fact]
    public async Task Writes_ArriveInOrderAndKeyedOnesReplaceEachOther()
    {
        await using var database = await TestDatabase.CreateAsync();
        var order = new List<string>();
        await using var writer = new HubWriter(database.Factory, TimeProvider.System, NullLogger<HubWriter>.Instance);
        writer.Enqueue(new Note("a", order));
        writer.Enqueue(new Note("k1", order, key: "k"));
        writer.Enqueue(new Note("b", order));
        writer.Enqueue(new Note("k2", order, key: "k"));

        _ = writer.Start();
        await writer.FlushAsync(Cancellation);

        Assert.Equal(["a", "k2", "b"], order);
    }

    [Fact]
    public async Task FullQueue_RefusesCountsAndTellsOfTheLoss()
    {
        await using var database = await TestDatabase.CreateAsync();
        var order = new List<string>();
        await using var writer = new HubWriter(database.Factory, TimeProvider.System, NullLogger<HubWriter>.Instance) { LossNote = lost => new Note($"lost {lost}", order) };
        for (var i = 0; i < HubWriter.Capacity; i++)
        {
            Assert.True(writer.Enqueue(new Note("x", [])));
        }

        Assert.False(writer.Enqueue(new Note("y", order)));
        Assert.False(writer.Enqueue(new Note("z", order)));

        var loop = writer.Start();
        await writer.DisposeAsync();
        await loop;

        Assert.Equal(["lost 2"], order);
    }

    [Fact]
    public async Task WriteThatBreaksAConstraint_IsDroppedAndTheOthersArrive()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var writer = new HubWriter(database.Factory, TimeProvider.System, NullLogger<HubWriter>.Instance);
        var bad = new Add(new PairMemberEntity { Node = "n", PairId = "nowhere" });
        writer.Enqueue(new Add(Setting("one")));
        writer.Enqueue(bad);
        writer.Enqueue(new Add(Setting("two")));

        _ = writer.Start();
        await writer.FlushAsync(Cancellation);

        await using var db = database.Factory.CreateDbContext();
        Assert.Equal(["one", "two"], await db.Settings.OrderBy(s => s.Key).Select(s => s.Key).ToListAsync(Cancellation));
        Assert.NotNull(bad.Why);
    }

    [Fact]
    public async Task FullDisk_IsWaitedForAndNothingIsLost()
    {
        await using var database = await TestDatabase.CreateAsync();
        var time = new FakeTimeProvider();
        await using var writer = new HubWriter(database.Factory, time, NullLogger<HubWriter>.Instance);
        var flaky = new FailsTwice(Setting("kept"));
        writer.Enqueue(flaky);

        _ = writer.Start();
        await flaky.Tried.Task.WaitAsync(Cancellation);
        var flushed = writer.FlushAsync(Cancellation);
        while (!flushed.IsCompleted)
        {
            // The retry's timer may not be set yet when the clock moves; so it moves until it has rung.
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await flushed;
        await using var db = database.Factory.CreateDbContext();
        Assert.Equal("kept", (await db.Settings.SingleAsync(Cancellation)).Key);
        Assert.Equal(3, flaky.Attempts);
    }

    [Fact]
    public async Task StoppedWhileTheDiskIsFull_SaysThatEverythingThatWaitedIsLost()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var writer = new HubWriter(database.Factory, new FakeTimeProvider(), NullLogger<HubWriter>.Instance);
        var fails = Enumerable.Range(0, 1_500).Select(_ => new AlwaysFails()).ToList();
        fails.ForEach(f => writer.Enqueue(f));
        _ = writer.Start();
        await fails[0].Tried.Task.WaitAsync(Cancellation);

        await writer.DisposeAsync();

        Assert.All(fails, f => Assert.True(f.IsDropped));
        Assert.Equal((1_500L, 0), (writer.Lost, writer.Waiting));
    }

    private sealed class AlwaysFails : HubWrite
    {
        public TaskCompletionSource Tried { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsDropped { get; private set; }

        public override Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
        {
            Tried.TrySetResult();
            throw new IOException("No space left on device");
        }

        public override void Dropped(Exception why) => IsDropped = true;
    }

    private sealed class Note(string text, List<string> order, string? key = null) : HubWrite
    {
        public override string? Key => key;

        public override Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Committed() => order.Add(text);
    }

    private sealed class Add(object entity) : HubWrite
    {
        public Exception? Why { get; private set; }

        public override Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
        {
            db.Add(entity);
            return Task.CompletedTask;
        }

        public override void Dropped(Exception why) => Why = why;
    }

    private sealed class FailsTwice(object entity) : HubWrite
    {
        public int Attempts { get; private set; }

        public TaskCompletionSource Tried { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
        {
            Attempts++;
            Tried.TrySetResult();
            const int sqliteFull = 13;
            if (Attempts <= 2)
            {
                throw new SqliteException("database or disk is full", sqliteFull);
            }

            db.Add(entity);
            return Task.CompletedTask;
        }
    }
}
