using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace FailoverHub.Web.Data;

/// <summary>How the database is opened, the same for the hub and for its subcommands.</summary>
internal static class HubDatabase
{
    /// <summary>What Entity Framework logs as.</summary>
    public const string LogCategory = "Microsoft.EntityFrameworkCore";

    private const int LooksAtAStartingHub = 20;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

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

    /// <summary>Brings the database to the newest schema.</summary>
    /// <exception cref="DataFolderException">It cannot be read or written, another process is busy with the same, or it is a newer program's.</exception>
    public static Task MigrateAsync(IDbContextFactory<HubDbContext> factory, CancellationToken cancellationToken) =>
        UsedAsync(factory, async db =>
        {
            await db.MigrateAsync(cancellationToken);
            return true;
        }, cancellationToken);

    /// <summary>The same, from a container that <see cref="AddHubDatabase"/> was called on.</summary>
    public static Task MigrateAsync(IServiceProvider services, CancellationToken cancellationToken) =>
        MigrateAsync(services.GetRequiredService<IDbContextFactory<HubDbContext>>(), cancellationToken);

    /// <summary>
    /// The same for a subcommand, which may run before the hub ever did, and may be of a newer version than the hub that runs: under that it changes no tables.
    /// From a container that <see cref="AddHubDatabase"/> was called on.
    /// </summary>
    /// <exception cref="DataFolderException">As above, or an older hub runs on it.</exception>
    public static async Task MigrateForCommandAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var factory = services.GetRequiredService<IDbContextFactory<HubDbContext>>();
        await using var alone = await UsedAsync(factory, db => db.IsOlderAsync(cancellationToken), cancellationToken) ? await WithoutHubAsync(services, factory, cancellationToken) : null;
        await MigrateAsync(factory, cancellationToken);
    }

    // A hub that is just starting has the lock as well, and brings the tables up itself.
    private static async Task<IAsyncDisposable?> WithoutHubAsync(IServiceProvider services, IDbContextFactory<HubDbContext> factory, CancellationToken cancellationToken)
    {
        try
        {
            return await services.GetRequiredService<HubLock>().TakeAsync(cancellationToken);
        }
        catch (DataFolderException taken)
        {
            for (var look = 0; look < LooksAtAStartingHub; look++)
            {
                if (!await UsedAsync(factory, db => db.IsOlderAsync(cancellationToken), cancellationToken))
                {
                    return null;
                }

                await Task.Delay(LookEvery, services.GetRequiredService<TimeProvider>(), cancellationToken);
            }

            throw new DataFolderException($"The database is of an older version than this program, and is not changed under the hub that runs on it: restart the hub with this version first, which brings it up. ({taken.Message})", taken);
        }
    }

    /// <summary>Which database it is, what came of using it, and what to look at; from a container that <see cref="AddHubDatabase"/> was called on.</summary>
    public static string Describe(IServiceProvider services, Exception fault)
    {
        using HubDbContext db = services.GetRequiredService<IDbContextFactory<HubDbContext>>().CreateDbContext();
        return Describe(db, fault);
    }

    private static string Describe(HubDbContext db, Exception fault) => $"{db.Place} cannot be used ({fault.GetBaseException().Message}). {db.WhyUnusable}";

    private static async Task<T> UsedAsync<T>(IDbContextFactory<HubDbContext> factory, Func<HubDbContext, Task<T>> use, CancellationToken cancellationToken)
    {
        var db = await factory.CreateDbContextAsync(cancellationToken);
        await using (db.ConfigureAwait(false))
        {
            try
            {
                return await use(db);
            }
            catch (DbException e)
            {
                throw new DataFolderException(Describe(db, e), e);
            }
        }
    }

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
