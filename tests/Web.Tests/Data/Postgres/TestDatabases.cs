using System.Collections.Concurrent;
using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace FailoverHub.Web.Tests.Data.Postgres;

/// <summary>
/// Which database a test hub has: with FAILOVERHUB_TEST_DATABASE=postgres one of its own on a server that the first of them starts, else the file
/// in its data folder; either is a copy of one that has all tables. A data folder stands for its database: another hub on the same folder has the same one.
/// </summary>
internal static class TestDatabases
{
    private const string Template = "template_hub";
    private const string NoTables = "template1";

    private static readonly Lazy<PostgresServer> Server = new(StartServer);
    private static readonly Lazy<string> TemplateFile = new(MakeTemplateFile);
    private static readonly ConcurrentDictionary<string, Lazy<Placed>> ByFolder = new(StringComparer.Ordinal);
    private static int _count;

    public static bool OnPostgres { get; } = Environment.GetEnvironmentVariable("FAILOVERHUB_TEST_DATABASE") switch
    {
        null or "" or "sqlite" => false,
        "postgres" => true,
        { } other => throw new InvalidOperationException($"FAILOVERHUB_TEST_DATABASE is '{other}'; it is sqlite or postgres."),
    };

    public static DatabaseSetting For(string dataFolder) => For(dataFolder, Template);

    /// <summary>The same, without any table yet.</summary>
    public static DatabaseSetting EmptyFor(string dataFolder) => For(dataFolder, NoTables);

    /// <summary>What a command of `failoverhub` is given so that it finds the folder's database.</summary>
    public static string[] Arguments(string dataFolder) =>
        ByFolder.TryGetValue(Path.GetFullPath(dataFolder), out Lazy<Placed>? placed) ? ["--data", dataFolder, "--database", placed.Value.Database.ConnectionString] : ["--data", dataFolder];

    /// <summary>Whatever the others have, the folder's database is an empty one on this server, or the one that another folder has.</summary>
    public static NpgsqlConnectionStringBuilder Put(string dataFolder, PostgresServer server, string? asFolder = null)
    {
        Placed placed = asFolder is null ? Create(server, NoTables) : ByFolder[Path.GetFullPath(asFolder)].Value with { IsShared = true };
        ByFolder[Path.GetFullPath(dataFolder)] = new(() => placed);
        return placed.Database;
    }

    /// <summary>For another folder a copy of what the database has at this moment, also while a hub is writing.</summary>
    public static void Copy(string fromFolder, string toFolder)
    {
        Placed copy = Create(Server.Value, Template);
        ByFolder[Path.GetFullPath(toFolder)] = new(() => copy);
        using NpgsqlConnection source = Open(ByFolder[Path.GetFullPath(fromFolder)].Value.Database);
        using NpgsqlConnection target = Open(copy.Database);
        using NpgsqlTransaction moment = source.BeginTransaction(System.Data.IsolationLevel.RepeatableRead);

        // Neither foreign keys nor the triggers of the audit: what comes was right where it comes from.
        Execute(target, "SET session_replication_role = replica");
        foreach (string table in Read(source, "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> '__EFMigrationsHistory'"))
        {
            // A migration may have brought rows.
            Execute(target, $"DELETE FROM {table}");
            using var from = source.BeginRawBinaryCopy($"COPY {table} TO STDOUT (FORMAT BINARY)");
            using var to = target.BeginRawBinaryCopy($"COPY {table} FROM STDIN (FORMAT BINARY)");
            from.CopyTo(to);
        }

        foreach (string next in Read(source, "SELECT format('SELECT setval(%L, %s)', quote_ident(sequencename), last_value) FROM pg_sequences WHERE last_value IS NOT NULL"))
        {
            Execute(target, next);
        }
    }

    /// <summary>Nobody needs the folder's database any more.</summary>
    public static void Release(string dataFolder)
    {
        if (ByFolder.TryRemove(Path.GetFullPath(dataFolder), out Lazy<Placed>? gone) && !gone.Value.IsShared)
        {
            gone.Value.Server.Execute($"DROP DATABASE {gone.Value.Database.Database} WITH (FORCE)");
        }
    }

    private static DatabaseSetting For(string dataFolder, string template)
    {
        string folder = Path.GetFullPath(dataFolder);
        if (!OnPostgres && !ByFolder.ContainsKey(folder))
        {
            if (template == Template)
            {
                CopyTemplateFile(folder);
            }

            return DatabaseSetting.InDataFolder;
        }

        return DatabaseSetting.Postgres(ByFolder.GetOrAdd(folder, _ => new(() => Create(Server.Value, template))).Value.Database);
    }

    // As on the server: a hub that starts on a new folder finds its tables there. To make them takes longer than most tests.
    private static void CopyTemplateFile(string folder)
    {
        var file = Path.Combine(folder, DataFolder.DatabaseName);
        if (File.Exists(file))
        {
            return;
        }

        try
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            File.Copy(TemplateFile.Value, file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is wrong with the folder is for the hub to say.
        }
    }

    private static string MakeTemplateFile()
    {
        string folder = Directory.CreateTempSubdirectory("failoverhub-template-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        };
        using ServiceProvider services = new ServiceCollection().AddHubDatabase(folder).BuildServiceProvider();
        HubDatabase.MigrateAsync(services.GetRequiredService<IDbContextFactory<HubDbContext>>(), CancellationToken.None).GetAwaiter().GetResult();

        // With its last connection its log goes, so the file is whole.
        using var any = new Microsoft.Data.Sqlite.SqliteConnection(services.GetRequiredService<DataFolder>().ConnectionString);
        Microsoft.Data.Sqlite.SqliteConnection.ClearPool(any);
        Assert.Empty(Directory.GetFiles(folder, "*-wal"));
        return Path.Combine(folder, DataFolder.DatabaseName);
    }

    private static Placed Create(PostgresServer server, string template)
    {
        string name = $"hub_{Interlocked.Increment(ref _count)}";
        server.Execute($"CREATE DATABASE {name} TEMPLATE {template}");
        return new Placed(server, server.Database(name));
    }

    private static PostgresServer StartServer()
    {
        PostgresServer server = PostgresServer.Start();
        server.Execute($"CREATE DATABASE {Template}");
        string folder = Directory.CreateTempSubdirectory("failoverhub-").FullName;
        using ServiceProvider services = new ServiceCollection().AddHubDatabase(folder, DatabaseSetting.Postgres(server.Database(Template))).BuildServiceProvider();
        HubDatabase.MigrateAsync(services.GetRequiredService<IDbContextFactory<HubDbContext>>(), CancellationToken.None).GetAwaiter().GetResult();
        Directory.Delete(folder, recursive: true);
        return server;
    }

    private static NpgsqlConnection Open(NpgsqlConnectionStringBuilder database)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }.ConnectionString);
        connection.Open();
        return connection;
    }

    private static void Execute(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }

    private static List<string> Read(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        using NpgsqlDataReader reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add(reader.GetString(0));
        }

        return rows;
    }

    private sealed record Placed(PostgresServer Server, NpgsqlConnectionStringBuilder Database)
    {
        public bool IsShared { get; init; }
    }
}
