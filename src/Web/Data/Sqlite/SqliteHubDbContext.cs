using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace FailoverHub.Web.Data;

/// <summary>The hub's database as a file. Transactions begin IMMEDIATE: whoever writes is alone from the beginning of its transaction.</summary>
internal sealed class SqliteHubDbContext(DbContextOptions<SqliteHubDbContext> options) : HubDbContext(options)
{
    private string File => Database.GetDbConnection().DataSource;

    public override string Place => $"The database '{File}'";

    public override string WhyUnusable => "Is the disk full, or is it no database of this hub?";

    public static void Configure(DbContextOptionsBuilder options, string connectionString) =>
        options.UseSqlite(connectionString).AddInterceptors(new SqlitePragmas());

    /// <summary>
    /// Entity Framework keeps others away with a row in the database, which stays for ever when its process is killed, and waits for it without
    /// end. The lock of a file goes with its process: whoever has that may take such a row away.
    /// </summary>
    protected override async Task MigrateAloneAsync(CancellationToken cancellationToken)
    {
        await using var alone = await DataFolder.LockForMigrationAsync(File, cancellationToken);
        if (await HasPendingMigrationsAsync(cancellationToken))
        {
            await Database.ExecuteSqlRawAsync("DROP TABLE IF EXISTS \"__EFMigrationsLock\"", cancellationToken);
            await Database.MigrateAsync(cancellationToken);
        }
    }
}

/// <summary>For <c>dotnet ef</c> only; it never opens this file.</summary>
internal sealed class DesignTimeSqlite : IDesignTimeDbContextFactory<SqliteHubDbContext>
{
    public SqliteHubDbContext CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<SqliteHubDbContext>();
        SqliteHubDbContext.Configure(options, "Data Source=:memory:");
        return new SqliteHubDbContext(options.Options);
    }
}
