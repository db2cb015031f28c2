using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;

namespace FailoverHub.Web.Data;

/// <summary>
/// The hub's database on a PostgreSQL server. It behaves as the file does, so that no store has to know which one it has: transactions come
/// one after the other (<see cref="PostgresWriters"/>), texts are ordered and compared by their octets, LIKE does not see the case.
/// </summary>
internal sealed class PostgresHubDbContext(DbContextOptions<PostgresHubDbContext> options) : HubDbContext(options)
{
    // Any numbers will do; they are the hub's own within its database.
    private const long MigrationLock = 0x4648_4D49_4752;

    // One set for all: Entity Framework keeps a compiler of queries for each.
    private static readonly IInterceptor[] Interceptors = [new PostgresWriters(), new LikeIgnoresCase()];

    public override string Place => $"The PostgreSQL database '{Database.GetDbConnection().Database}' at {Database.GetDbConnection().DataSource}";

    public override string WhyUnusable =>
        "Is the server running and reachable, does the database exist, and may the role of --database (FAILOVERHUB_DATABASE) sign in and make tables in it?";

    /// <summary>Everything but the connection string, which each context is given when it is made.</summary>
    public static void Configure(DbContextOptionsBuilder options) => options
        // The provider's own strategy hides faults that may pass in an InvalidOperationException; ours are known by their type.
        .UseNpgsql(npgsql => npgsql.ExecutionStrategy(dependencies => new NonRetryingExecutionStrategy(dependencies)))
        .AddInterceptors(Interceptors);

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);
        configurationBuilder.Properties<string>().UseCollation("C");
    }

    /// <summary>Waits for other processes that do the same by a lock of the session: it goes with the connection, and so with its process.</summary>
    protected override async Task MigrateAloneAsync(CancellationToken cancellationToken)
    {
        await Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await Database.ExecuteSqlAsync($"SET lock_timeout = '30s'", cancellationToken);
            await Database.ExecuteSqlAsync($"SELECT pg_advisory_lock({MigrationLock})", cancellationToken);

            // A step that walks over a long history takes as long as it takes.
            Database.SetCommandTimeout(TimeSpan.Zero);
            await Database.MigrateAsync(cancellationToken);

            // The connection goes back to the pool, where it would keep the lock until somebody uses it again.
            await Database.ExecuteSqlAsync($"SELECT pg_advisory_unlock_all()", cancellationToken);
        }
        finally
        {
            await Database.CloseConnectionAsync();
        }
    }
}

/// <summary>For <c>dotnet ef</c> only; it never dials.</summary>
internal sealed class DesignTimePostgres : IDesignTimeDbContextFactory<PostgresHubDbContext>
{
    public PostgresHubDbContext CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<PostgresHubDbContext>();
        PostgresHubDbContext.Configure(options);
        return new PostgresHubDbContext(options.Options);
    }
}
