using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
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

    public override string Place => $"The PostgreSQL database '{Database.GetDbConnection().Database}' at {Database.GetDbConnection().DataSource}";

    public override string WhyUnusable =>
        "Is the server running and reachable, does the database exist, and may the role of --database (FAILOVERHUB_DATABASE) sign in and make tables in it?";

    public static void Configure(DbContextOptionsBuilder options, string connectionString) => options
        // The provider's own strategy hides faults that may pass in an InvalidOperationException; ours are known by their type.
        .UseNpgsql(connectionString, npgsql => npgsql.ExecutionStrategy(dependencies => new NonRetryingExecutionStrategy(dependencies)))
        .AddInterceptors(new PostgresWriters(), new LikeIgnoresCase());

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
            await Database.MigrateAsync(cancellationToken);
        }
        finally
        {
            // Back in the pool the connection is reset, and with that the lock is free; a broken one has freed it already.
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
        PostgresHubDbContext.Configure(options, "Host=localhost;Database=failoverhub");
        return new PostgresHubDbContext(options.Options);
    }
}
