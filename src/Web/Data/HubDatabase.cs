using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace FailoverHub.Web.Data;

/// <summary>How the database is opened, the same for the hub, for its subcommands and for the migration tool.</summary>
internal static class HubDatabase
{
    /// <summary>Registers <see cref="DataFolder"/> and <see cref="IDbContextFactory{HubDbContext}"/>.</summary>
    /// <exception cref="DataFolderException">The folder cannot be written.</exception>
    public static IServiceCollection AddHubDatabase(this IServiceCollection services, string dataFolder)
    {
        var folder = DataFolder.Open(dataFolder);
        services.AddSingleton(folder);
        services.AddDbContextFactory<HubDbContext>(options => Configure(options, folder.ConnectionString));
        return services;
    }

    /// <summary>Brings the database to the newest schema. The subcommands call it as well: they may run before the hub ever did.</summary>
    /// <exception cref="DataFolderException">It cannot be read or written, or another process is busy with the same.</exception>
    public static async Task MigrateAsync(IDbContextFactory<HubDbContext> factory, CancellationToken cancellationToken)
    {
        var db = await factory.CreateDbContextAsync(cancellationToken);
        await using (db.ConfigureAwait(false))
        {
            var file = db.Database.GetDbConnection().DataSource;
            try
            {
                if (await HasPendingAsync(db, cancellationToken))
                {
                    await MigrateAloneAsync(db, file, cancellationToken);
                }
            }
            catch (SqliteException e)
            {
                throw new DataFolderException($"The database '{file}' cannot be used ({e.Message}). Is the disk full, or is it no database of this hub?", e);
            }
        }
    }

    /// <summary>The same, from a container that <see cref="AddHubDatabase"/> was called on.</summary>
    public static Task MigrateAsync(IServiceProvider services, CancellationToken cancellationToken) =>
        MigrateAsync(services.GetRequiredService<IDbContextFactory<HubDbContext>>(), cancellationToken);

    /// <summary>Reads something, to find out whether that works.</summary>
    /// <exception cref="Microsoft.Data.Sqlite.SqliteException">It does not.</exception>
    public static async Task ReadAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var db = await services.GetRequiredService<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(cancellationToken);
        await using (db.ConfigureAwait(false))
        {
            await db.Settings.AsNoTracking().AnyAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Entity Framework keeps others away with a row in the database, which stays for ever when its process is killed, and waits for it without
    /// end. The lock of a file goes with its process: whoever has that may take such a row away.
    /// </summary>
    private static async Task MigrateAloneAsync(HubDbContext db, string file, CancellationToken cancellationToken)
    {
        await using var alone = await DataFolder.LockForMigrationAsync(file, cancellationToken);
        if (await HasPendingAsync(db, cancellationToken))
        {
            await db.Database.ExecuteSqlRawAsync("DROP TABLE IF EXISTS \"__EFMigrationsLock\"", cancellationToken);
            await db.Database.MigrateAsync(cancellationToken);
        }
    }

    private static async Task<bool> HasPendingAsync(HubDbContext db, CancellationToken cancellationToken) =>
        (await db.Database.GetPendingMigrationsAsync(cancellationToken)).Any();

    internal static void Configure(DbContextOptionsBuilder options, string connectionString) =>
        options.UseSqlite(connectionString).AddInterceptors(new SqlitePragmas());
}

/// <summary>For <c>dotnet ef</c> only; it never opens this file.</summary>
internal sealed class DesignTimeHubDbContextFactory : IDesignTimeDbContextFactory<HubDbContext>
{
    public HubDbContext CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<HubDbContext>();
        HubDatabase.Configure(options, "Data Source=:memory:");
        return new HubDbContext(options.Options);
    }
}
