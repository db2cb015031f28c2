using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace FailoverHub.Web.Data;

/// <summary>How the database is opened, the same for the hub and for its subcommands.</summary>
internal static class HubDatabase
{
    /// <summary>Registers <see cref="DataFolder"/> and <see cref="IDbContextFactory{HubDbContext}"/>.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="dataFolder">The folder of keys and, unless it is on a server, of the database.</param>
    /// <param name="setting">Which database; null: the file in the folder.</param>
    /// <exception cref="DataFolderException">The folder cannot be written.</exception>
    public static IServiceCollection AddHubDatabase(this IServiceCollection services, string dataFolder, DatabaseSetting? setting = null)
    {
        var folder = DataFolder.Open(dataFolder);
        services.AddSingleton(folder);
        if (setting is { IsPostgres: true })
        {
            services.AddSingleton(setting).AddSingleton<HubLock, PostgresHubLock>();
            services.AddDbContextFactory<PostgresHubDbContext>(PostgresHubDbContext.Configure);
            return services.AddSingleton<IDbContextFactory<HubDbContext>, PostgresContexts>();
        }

        folder.PrepareDatabaseFile();
        services.AddSingleton<HubLock, FolderLock>();
        services.AddDbContextFactory<SqliteHubDbContext>(options => SqliteHubDbContext.Configure(options, folder.ConnectionString));
        return services.AddSingleton<IDbContextFactory<HubDbContext>, SqliteContexts>();
    }

    /// <summary>Brings the database to the newest schema. The subcommands call it as well: they may run before the hub ever did.</summary>
    /// <exception cref="DataFolderException">It cannot be read or written, or another process is busy with the same.</exception>
    public static async Task MigrateAsync(IDbContextFactory<HubDbContext> factory, CancellationToken cancellationToken)
    {
        var db = await factory.CreateDbContextAsync(cancellationToken);
        await using (db.ConfigureAwait(false))
        {
            try
            {
                await db.MigrateAsync(cancellationToken);
            }
            catch (DbException e)
            {
                throw new DataFolderException($"{db.Place} cannot be used ({e.Message}). {db.WhyUnusable}", e);
            }
        }
    }

    /// <summary>The same, from a container that <see cref="AddHubDatabase"/> was called on.</summary>
    public static Task MigrateAsync(IServiceProvider services, CancellationToken cancellationToken) =>
        MigrateAsync(services.GetRequiredService<IDbContextFactory<HubDbContext>>(), cancellationToken);

    /// <summary>Migrations of such a database that this program has, oldest first.</summary>
    public static IReadOnlyCollection<string> KnownMigrations(DatabaseSetting setting)
    {
        using HubDbContext db = setting.IsPostgres ? new DesignTimePostgres().CreateDbContext([]) : new DesignTimeSqlite().CreateDbContext([]);
        return [.. db.Database.GetMigrations()];
    }

    /// <summary>Reads something, to find out whether that works.</summary>
    /// <exception cref="DbException">It does not.</exception>
    public static async Task ReadAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var db = await services.GetRequiredService<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(cancellationToken);
        await using (db.ConfigureAwait(false))
        {
            await db.Settings.AsNoTracking().AnyAsync(cancellationToken);
        }
    }

    /// <summary>The stores ask for a context of the hub, whichever the database is.</summary>
    private class Contexts<TContext>(IDbContextFactory<TContext> contexts) : IDbContextFactory<HubDbContext>
        where TContext : HubDbContext
    {
        public HubDbContext CreateDbContext() => Prepare(contexts.CreateDbContext());

        public async Task<HubDbContext> CreateDbContextAsync(CancellationToken cancellationToken = default) => Prepare(await contexts.CreateDbContextAsync(cancellationToken));

        protected virtual TContext Prepare(TContext context) => context;
    }

    private sealed class SqliteContexts(IDbContextFactory<SqliteHubDbContext> contexts) : Contexts<SqliteHubDbContext>(contexts);

    private sealed class PostgresContexts(IDbContextFactory<PostgresHubDbContext> contexts, DatabaseSetting database) : Contexts<PostgresHubDbContext>(contexts), IDisposable
    {
        // Not among the options, which Entity Framework compares: the tests have many databases in one process.
        protected override PostgresHubDbContext Prepare(PostgresHubDbContext context)
        {
            context.Database.SetConnectionString(database.ConnectionString);
            return context;
        }

        /// <summary>Says goodbye to the server: the connections of the pool would outlive the hub by minutes in a process that has others.</summary>
        public void Dispose()
        {
            using var any = new NpgsqlConnection(database.ConnectionString);
            NpgsqlConnection.ClearPool(any);
        }
    }
}
