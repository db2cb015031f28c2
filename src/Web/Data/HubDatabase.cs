using System.Data.Common;
using Microsoft.EntityFrameworkCore;

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
        if (setting?.ConnectionString is { } server)
        {
            return services.AddContexts<PostgresHubDbContext>(options => PostgresHubDbContext.Configure(options, server));
        }

        folder.PrepareDatabaseFile();
        return services.AddContexts<SqliteHubDbContext>(options => SqliteHubDbContext.Configure(options, folder.ConnectionString));
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

    /// <summary>Migrations of the database file that this program has, oldest first.</summary>
    public static IReadOnlyCollection<string> KnownMigrations()
    {
        using HubDbContext db = new DesignTimeSqlite().CreateDbContext([]);
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

    private static IServiceCollection AddContexts<TContext>(this IServiceCollection services, Action<DbContextOptionsBuilder> configure)
        where TContext : HubDbContext =>
        services.AddDbContextFactory<TContext>(configure).AddSingleton<IDbContextFactory<HubDbContext>, HubContexts<TContext>>();

    /// <summary>The stores ask for a context of the hub, whichever the database is.</summary>
    private sealed class HubContexts<TContext>(IDbContextFactory<TContext> contexts) : IDbContextFactory<HubDbContext>
        where TContext : HubDbContext
    {
        public HubDbContext CreateDbContext() => contexts.CreateDbContext();

        public async Task<HubDbContext> CreateDbContextAsync(CancellationToken cancellationToken = default) => await contexts.CreateDbContextAsync(cancellationToken);
    }
}
