using System.Data;
using System.Text.Json;
using Npgsql;

namespace FailoverHub.Web.Data.Backup;

/// <summary>
/// A PostgreSQL database as files: each table as the server's binary COPY writes it, all of one snapshot, and tables.json, which names them with their columns in the order in
/// which they can be put back. The hub goes on meanwhile: a snapshot waits for nobody, and nobody waits for it.
/// </summary>
internal static class PostgresDump
{
    /// <summary>What the names of all of them begin with.</summary>
    public const string Folder = "database/";

    /// <summary>The first of them.</summary>
    public const string Contents = Folder + "tables.json";

    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { RespectNullableAnnotations = true, WriteIndented = true };

    /// <summary>Which migrations there are; the tables of a backup are made by them again.</summary>
    internal const string Migrations = "__EFMigrationsHistory";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <param name="server">How the database is reached.</param>
    /// <param name="work">A folder for the files; only its owner reads them.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The newest migration, and the files, relative to the folder, in the order in which they are put back.</returns>
    public static async Task<(string Schema, IReadOnlyList<string> Files)> WriteAsync(string server, string work, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.Combine(work, Folder), OwnerOnly | UnixFileMode.UserExecute);
        await using NpgsqlConnection connection = await OpenAsync(server, cancellationToken);
        await using NpgsqlTransaction moment = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await ExecuteAsync(connection, "SET TRANSACTION READ ONLY", cancellationToken);
        string schema = (await RowsAsync(connection, $"SELECT max(\"MigrationId\") FROM \"{Migrations}\"", r => r.GetString(0), cancellationToken)).Single();
        List<PostgresTable> tables = InOrder(await TablesAsync(connection, cancellationToken), await ReferencesAsync(connection, cancellationToken));
        var files = new List<string> { Contents };
        foreach (PostgresTable table in tables)
        {
            files.Add(table.File);
            await using Stream from = await connection.BeginRawBinaryCopyAsync($"COPY {table.Sql} TO STDOUT (FORMAT BINARY)", cancellationToken);
            await using FileStream to = Create(Path.Combine(work, table.File));
            await from.CopyToAsync(to, cancellationToken);
        }

        // Numbers are given outside of any snapshot: read last, none of them is below a row that is in it.
        var contents = new PostgresContents { Tables = tables, Sequences = await SequencesAsync(connection, cancellationToken) };
        await using FileStream list = Create(Path.Combine(work, Contents));
        await JsonSerializer.SerializeAsync(list, contents, Json, cancellationToken);
        return (schema, files);
    }

    /// <summary>A session of its own, which may take as long as it takes.</summary>
    internal static async Task<NpgsqlConnection> OpenAsync(string server, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(server) { Pooling = false, CommandTimeout = 0, ApplicationName = "failoverhub-backup" }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    internal static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    internal static async Task<List<T>> RowsAsync<T>(NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    private static Task<List<PostgresTable>> TablesAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => RowsAsync(
        connection,
        $"""
        SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname <> '{Migrations}' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        GROUP BY c.relname ORDER BY c.relname
        """,
        r => new PostgresTable { Name = r.GetString(0), Columns = r.GetFieldValue<string[]>(1) },
        cancellationToken);

    private static Task<List<(string From, string To)>> ReferencesAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => RowsAsync(
        connection,
        """
        SELECT a.relname, b.relname FROM pg_constraint k JOIN pg_class a ON a.oid = k.conrelid JOIN pg_class b ON b.oid = k.confrelid JOIN pg_namespace n ON n.oid = a.relnamespace
        WHERE k.contype = 'f' AND n.nspname = current_schema() AND a.oid <> b.oid
        """,
        r => (r.GetString(0), r.GetString(1)),
        cancellationToken);

    private static Task<List<PostgresSequence>> SequencesAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => RowsAsync(
        connection,
        """
        SELECT c.relname, a.attname, s.last_value
        FROM pg_depend d JOIN pg_class q ON q.oid = d.objid AND q.relkind = 'S' JOIN pg_class c ON c.oid = d.refobjid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
          JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequences s ON s.schemaname = n.nspname AND s.sequencename = q.relname
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND n.nspname = current_schema() AND s.last_value IS NOT NULL
        ORDER BY 1, 2
        """,
        r => new PostgresSequence(r.GetString(0), r.GetString(1), r.GetInt64(2)),
        cancellationToken);

    // What a foreign key points to comes before what has the key.
    private static List<PostgresTable> InOrder(List<PostgresTable> tables, List<(string From, string To)> references)
    {
        var ordered = new List<PostgresTable>();
        while (tables.Count > 0)
        {
            List<PostgresTable> next = tables.FindAll(t => !references.Exists(r => r.From == t.Name && tables.Exists(other => other.Name == r.To)));
            if (next.Count == 0)
            {
                throw new BackupException($"Tables of the database refer to each other in a circle ({string.Join(", ", tables.Select(t => t.Name))}): the hub has none such. Keep what is not the hub's in a database of its own.");
            }

            ordered.AddRange(next);
            tables.RemoveAll(next.Contains);
        }

        return ordered;
    }

    private static FileStream Create(string path) => new(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
}

/// <summary>What is in tables.json.</summary>
internal sealed record PostgresContents
{
    /// <summary>In the order in which they are put back.</summary>
    public required IReadOnlyList<PostgresTable> Tables { get; init; }

    /// <summary>Where numbering goes on.</summary>
    public required IReadOnlyList<PostgresSequence> Sequences { get; init; }

    /// <summary>Null: it is none.</summary>
    public static PostgresContents? Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize<PostgresContents>(json, PostgresDump.Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>A table and its columns, in the order of its file.</summary>
internal sealed record PostgresTable
{
    public required string Name { get; init; }

    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>In the backup.</summary>
    internal string File => $"{PostgresDump.Folder}{Name}.copy";

    /// <summary>As COPY takes it.</summary>
    internal string Sql => $"{Quoted(Name)} ({string.Join(", ", Columns.Select(Quoted))})";

    internal static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}

/// <summary>The number that a column was last given.</summary>
internal sealed record PostgresSequence(string Table, string Column, long Last);
