using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.History.Retention;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverHub.Web.Tests.History.Search;

/// <summary>PostgreSQL's index knows which times each block of entries has: what has nothing of a span is passed by.</summary>
[Trait("Kind", "Process")]
public sealed class PostgresTimesTests(OwnServer own) : IClassFixture<OwnServer>
{
    private const long Block = 8_192;
    private const string OneBefore = "HistoryTimes";
    private static readonly DateTimeOffset Start = new(2026, 10, 30, 22, 0, 0, TimeSpan.Zero);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task BlocksWithNothingOfASpan_AreNotLookedAt()
    {
        using var folder = new TemporaryFolder();
        await using ServiceProvider services = Open(folder);
        var factory = services.GetRequiredService<IDbContextFactory<HubDbContext>>();
        await HubDatabase.MigrateAsync(factory, Stop);
        await AddAsync(factory, 1, Block + 1, 2 * Block + 1);
        var history = new SqliteHistory(factory, new HistoryChanges(), AuditMemory.OfThisProcess());
        var day = new HistoryFilter { From = Start.AddDays(1), To = Start.AddDays(2) };
        Assert.Equal([Block + 1], await FoundAsync(history, day));
        Assert.Equal([Block + 1], await FoundAsync(history, day with { Text = "lost" }));

        // What is not said to be in the block is not looked for there: neither rows nor terms are.
        await using (HubDbContext db = await factory.CreateDbContextAsync(Stop))
        {
            await db.Database.ExecuteSqlAsync($"""DELETE FROM "EventTimes" WHERE "Block" = 1""", Stop);
        }

        Assert.Empty(await FoundAsync(history, day));
        Assert.Empty(await FoundAsync(history, day with { Text = "lost" }));
        Assert.Equal([2 * Block + 1, Block + 1, 1], await FoundAsync(history, new HistoryFilter { Text = "lost" }));
    }

    [Fact]
    public async Task Retention_ForgetsTheTimesOfBlocksThatAreEmpty_AndOnlyOfThose()
    {
        using var folder = new TemporaryFolder();
        await using ServiceProvider services = Open(folder);
        var factory = services.GetRequiredService<IDbContextFactory<HubDbContext>>();
        await HubDatabase.MigrateAsync(factory, Stop);
        await AddAsync(factory, 1, 2, Block + 1, Block + Block / 2, 2 * Block + 1);
        Assert.Equal([0, 1, 2], await BlocksAsync(factory));

        // Half of the second block is newer.
        await using (var writer = new HubWriter(factory, TimeProvider.System, NullLogger<HubWriter>.Instance))
        {
            _ = writer.Start();
            writer.Enqueue(new RemoveEvents(writer, Start.AddDays(1.25).ToUnixTimeMilliseconds(), _ => { }));
            await writer.FlushAsync(Stop);
        }

        Assert.Equal([1, 2], await BlocksAsync(factory));
        Assert.Equal([Block + Block / 2], await FoundAsync(new SqliteHistory(factory, new HistoryChanges(), AuditMemory.OfThisProcess()), new HistoryFilter { To = Start.AddDays(2) }));
    }

    /// <summary>What an earlier version wrote is found by its time from the first start on.</summary>
    [Fact]
    public async Task Migration_FillsInTheTimesOfWhatIsThere()
    {
        using var folder = new TemporaryFolder();
        await using ServiceProvider services = Open(folder);
        var factory = services.GetRequiredService<IDbContextFactory<HubDbContext>>();
        await using (HubDbContext db = await factory.CreateDbContextAsync(Stop))
        {
            await HubDatabase.MigrateAsync(factory, Stop);
            await AddAsync(factory, 1, Block + 1, 2 * Block + 1);
            string[] all = [.. db.Database.GetMigrations()];
            await db.GetService<IMigrator>().MigrateAsync(all[Array.FindIndex(all, m => m.EndsWith(OneBefore, StringComparison.Ordinal)) - 1], Stop);
            await Assert.ThrowsAsync<Npgsql.PostgresException>(() => BlocksAsync(factory));
        }

        await HubDatabase.MigrateAsync(factory, Stop);

        Assert.Equal([0, 1, 2], await BlocksAsync(factory));
        Assert.Equal([Block + 1], await FoundAsync(new SqliteHistory(factory, new HistoryChanges(), AuditMemory.OfThisProcess()), new HistoryFilter { From = Start.AddDays(1), To = Start.AddDays(2) }));
    }

    private ServiceProvider Open(TemporaryFolder folder) =>
        new ServiceCollection().AddHubDatabase(folder.Path, DatabaseSetting.Postgres(TestDatabases.Put(folder.Path, own.Server))).BuildServiceProvider();

    // A block is a day here.
    private static async Task AddAsync(IDbContextFactory<HubDbContext> factory, params long[] numbers)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(Stop);
        db.Events.AddRange(numbers.Select(n => new EventEntity { Id = n, AtMs = Start.AddDays((double)n / Block).ToUnixTimeMilliseconds(), RecordedAtMs = 0, Kind = "k", Severity = EventSeverity.Info, Text = "lost" }));
        await db.SaveChangesAsync(Stop);
    }

    private static async Task<List<long>> BlocksAsync(IDbContextFactory<HubDbContext> factory)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(Stop);
        return await db.Database.SqlQuery<long>($"""SELECT DISTINCT "Block" AS "Value" FROM "EventTimes" ORDER BY 1""").ToListAsync(Stop);
    }

    private static async Task<IEnumerable<long>> FoundAsync(SqliteHistory history, HistoryFilter filter) =>
        (await history.EventsAsync(filter, null, 100, Stop)).Items.Select(e => e.Id);
}
