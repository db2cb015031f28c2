using System.Data.Common;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Data;

/// <summary>A migrated database in a folder of its own.</summary>
internal sealed class TestDatabase : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ServiceProvider _services;

    private TestDatabase() => _services = new ServiceCollection().AddHubDatabase(_folder.Path, TestDatabases.For(_folder.Path)).BuildServiceProvider();

    public string Path => _folder.Path;

    public IDbContextFactory<HubDbContext> Factory => _services.GetRequiredService<IDbContextFactory<HubDbContext>>();

    public static async Task<TestDatabase> CreateAsync()
    {
        var database = new TestDatabase();
        await HubDatabase.MigrateAsync(database.Factory, TestContext.Current.CancellationToken);
        return database;
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        _folder.Dispose();
    }
}

public sealed class DatabaseTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task IntentsOfANameThatWasWrittenTwoWays_AreOfOneNode()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using (HubDbContext db = database.Factory.CreateDbContext())
        {
            db.Nodes.Add(new NodeEntity { Name = "web-1", AgentVersion = "1", DataCenter = "" });
            db.Intents.AddRange(Intent("Web-1", 7), Intent("web-1", 5));
            await db.SaveChangesAsync(Cancellation);
        }

        FleetFacts facts = await FleetRecords.LoadAsync(database.Factory, Cancellation);

        Assert.Equal((7L, 7L), (facts.Nodes["WEB-1"].Intent!.Revision, facts.Nodes["WEB-1"].Confirmed!.Revision));

        static IntentEntity Intent(string node, long revision) => new() { Node = node, Revision = revision, Drained = false, Roles = "", Stage = IntentStage.Confirmed, Reason = "r", WrittenAtMs = 1 };
    }

    [Theory]
    [InlineData("SQLite")]
    [InlineData("PostgreSQL")]
    public async Task Model_HasNoChangeWithoutAMigration(string provider)
    {
        await using HubDbContext db = provider == "SQLite" ? new DesignTimeSqlite().CreateDbContext([]) : new DesignTimePostgres().CreateDbContext([]);

        Assert.False(db.Database.HasPendingModelChanges(), $"The model has changed and {provider} has no migration for it: run scripts/add-migration.sh NAME, which makes one for each database.");
    }

    [Fact]
    public async Task Migrations_HaveTheSameNamesOnBothDatabases()
    {
        // The first one of PostgreSQL has all that SQLite had by then.
        string[] before = ["Sessions", "FailbackAndLocalCommands"];
        await using HubDbContext sqlite = new DesignTimeSqlite().CreateDbContext([]);
        await using HubDbContext postgres = new DesignTimePostgres().CreateDbContext([]);

        static IEnumerable<string> Names(HubDbContext db) => db.Database.GetMigrations().Select(m => m[(m.IndexOf('_', StringComparison.Ordinal) + 1)..]);
        Assert.Equal(Names(sqlite).Except(before), Names(postgres));
    }

    [Fact]
    public async Task Migration_OfAnUpToDateDatabase_ChangesNothing()
    {
        await using var database = await TestDatabase.CreateAsync();

        await HubDatabase.MigrateAsync(database.Factory, Cancellation);

        await using var db = database.Factory.CreateDbContext();
        Assert.Empty(await db.Database.GetPendingMigrationsAsync(Cancellation));
    }

    [Fact]
    public async Task DatabaseOfANewerProgram_IsNotUsed()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var db = database.Factory.CreateDbContext();
        await db.Database.ExecuteSqlAsync($"""INSERT INTO "__EFMigrationsHistory" VALUES ('99990101000000_OfTheFuture', '99.0.0')""", Cancellation);

        var fault = await Assert.ThrowsAsync<DataFolderException>(() => HubDatabase.MigrateAsync(database.Factory, Cancellation));

        Assert.Contains("newer version of this program (99990101000000_OfTheFuture)", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Migration_ByManyAtOnce_IsDoneOnce()
    {
        using var folder = new TemporaryFolder();
        await using var services = new ServiceCollection().AddHubDatabase(folder.Path, TestDatabases.EmptyFor(folder.Path)).BuildServiceProvider();
        var factory = services.GetRequiredService<IDbContextFactory<HubDbContext>>();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => HubDatabase.MigrateAsync(factory, Cancellation), Cancellation)));

        await using var db = factory.CreateDbContext();
        Assert.Equal(db.Database.GetMigrations(), await db.Database.GetAppliedMigrationsAsync(Cancellation));
    }

    [Fact]
    public void FolderThatCannotBeWritten_SaysWhichAndWhatToDo()
    {
        using var parent = new TemporaryFolder();
        var file = Path.Combine(parent.Path, "file");
        File.WriteAllText(file, "");

        var fault = Assert.Throws<DataFolderException>(() => DataFolder.Open(Path.Combine(file, "state")));

        Assert.Contains("cannot be written", fault.Message, StringComparison.Ordinal);
        Assert.Contains("--data", fault.Message, StringComparison.Ordinal);
    }

    /// <summary>It is tried whether files can be made there under a name that nobody can know before, and nothing is left of it.</summary>
    [Fact]
    public void Opened_NothingIsLeftInTheFolder()
    {
        using var parent = new TemporaryFolder();

        DataFolder.Open(parent.Path);

        Assert.Empty(Directory.GetFileSystemEntries(parent.Path));
    }

    [Fact]
    public void SecondHubOnTheSameFolder_IsRefused()
    {
        using var parent = new TemporaryFolder();
        var folder = DataFolder.Open(parent.Path);

        using (folder.LockForHub())
        {
            Assert.Contains("Another hub is running", Assert.Throws<DataFolderException>(folder.LockForHub).Message, StringComparison.Ordinal);
        }

        folder.LockForHub().Dispose();
    }

    [Fact]
    public async Task Audit_CannotBeChangedOrDeletedBySql()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var db = database.Factory.CreateDbContext();
        await db.Database.ExecuteSqlRawAsync(
            """
            INSERT INTO "Audit" ("Id", "AtMs", "Actor", "Action", "Target", "Outcome", "PreviousHash", "Hash") VALUES (1, 1, 'a', 'b', 'c', 'accepted', '0', '1')
            """,
            Cancellation);

        var update = await Assert.ThrowsAnyAsync<DbException>(() => db.Database.ExecuteSqlRawAsync("UPDATE \"Audit\" SET \"Actor\" = 'mallory'", Cancellation));
        var delete = await Assert.ThrowsAnyAsync<DbException>(() => db.Database.ExecuteSqlRawAsync("DELETE FROM \"Audit\"", Cancellation));

        Assert.All([update, delete], e => Assert.Contains("append-only", e.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task SignInCode_UsedTwiceAtOnce_IsUsedOnce()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using (var db = database.Factory.CreateDbContext())
        {
            db.SignInCodes.Add(new SignInCodeEntity { Hash = "h", CreatedAtMs = 1, ExpiresAtMs = 2 });
            await db.SaveChangesAsync(Cancellation);
        }

        await using var one = database.Factory.CreateDbContext();
        await using var two = database.Factory.CreateDbContext();
        (await one.SignInCodes.SingleAsync(Cancellation)).UsedAtMs = 3;
        (await two.SignInCodes.SingleAsync(Cancellation)).UsedAtMs = 4;
        await one.SaveChangesAsync(Cancellation);

        await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => two.SaveChangesAsync(Cancellation));
    }
}
