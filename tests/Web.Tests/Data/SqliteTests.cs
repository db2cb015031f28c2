using FailoverHub.Web.Data;
using FailoverHub.Web.Tests.Agents;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Data;

/// <summary>What only the database in the data folder has.</summary>
public sealed class SqliteTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Migration_AfterOneThatWasKilled_IsNotLockedOut(bool migrated)
    {
        using var folder = new TemporaryFolder();
        await using var services = new ServiceCollection().AddHubDatabase(folder.Path).BuildServiceProvider();
        var factory = services.GetRequiredService<IDbContextFactory<HubDbContext>>();
        if (migrated)
        {
            await HubDatabase.MigrateAsync(factory, Cancellation);
        }

        await using var db = factory.CreateDbContext();
        await db.Database.ExecuteSqlRawAsync(
            """
            CREATE TABLE IF NOT EXISTS "__EFMigrationsLock" ("Id" INTEGER NOT NULL CONSTRAINT "PK___EFMigrationsLock" PRIMARY KEY, "Timestamp" TEXT NOT NULL);
            INSERT INTO "__EFMigrationsLock" VALUES (1, '2026-05-04 12:00:00');
            """,
            Cancellation);

        await HubDatabase.MigrateAsync(factory, Cancellation).WaitAsync(TimeSpan.FromMinutes(1), Cancellation);

        Assert.Empty(await db.Database.GetPendingMigrationsAsync(Cancellation));
    }

    [Fact]
    public async Task FileThatIsNoDatabase_SaysSo()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "hub.db"), new string('x', 5_000), Cancellation);
        await using var services = new ServiceCollection().AddHubDatabase(folder.Path).BuildServiceProvider();

        var fault = await Assert.ThrowsAsync<DataFolderException>(() => HubDatabase.MigrateAsync(services, Cancellation));

        Assert.Contains("cannot be used", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connection_HasTheFourPragmas()
    {
        using var folder = new TemporaryFolder();
        await using var services = new ServiceCollection().AddHubDatabase(folder.Path).BuildServiceProvider();
        await using var db = services.GetRequiredService<IDbContextFactory<HubDbContext>>().CreateDbContext();
        await db.Database.OpenConnectionAsync(Cancellation);

        async Task<string> Pragma(string name)
        {
            await using var command = db.Database.GetDbConnection().CreateCommand();
            command.CommandText = $"PRAGMA {name}";
            return (await command.ExecuteScalarAsync(Cancellation))!.ToString()!;
        }

        const string full = "2";
        Assert.Equal(("wal", full, "1", "5000"), (await Pragma("journal_mode"), await Pragma("synchronous"), await Pragma("foreign_keys"), await Pragma("busy_timeout")));
    }

    [Fact]
    public async Task Files_CanBeReadByTheirOwnerOnly()
    {
        using var parent = new TemporaryFolder();
        var folder = Path.Combine(parent.Path, "state");
        await using (var services = new ServiceCollection().AddHubDatabase(folder).BuildServiceProvider())
        {
            await HubDatabase.MigrateAsync(services.GetRequiredService<IDbContextFactory<HubDbContext>>(), Cancellation);
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        Assert.All(Directory.GetFiles(folder), f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
        Assert.Contains(Path.Combine(folder, "hub.db"), Directory.GetFiles(folder));
    }
}
