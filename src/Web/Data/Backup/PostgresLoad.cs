using System.Globalization;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace FailoverHub.Web.Data.Backup;

/// <summary>
/// Puts what <see cref="PostgresDump"/> wrote into a database that has no table yet, in one transaction: its tables as they were at the time of the backup (the next start of the
/// hub brings them up), the rows, the numbering. Until it is committed there is nothing, and afterwards there is all of it. No right is needed but to make tables there.
/// </summary>
internal sealed class PostgresLoad : IAsyncDisposable
{
    private readonly DatabaseSetting _setting;
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly string _id;
    private readonly HashSet<string> _missing = new(StringComparer.Ordinal);
    private MemoryStream? _written;
    private PostgresContents? _contents;

    private PostgresLoad(DatabaseSetting setting, NpgsqlConnection connection, NpgsqlTransaction transaction, string id) =>
        (_setting, _connection, _transaction, _id) = (setting, connection, transaction, id);

    /// <param name="setting">Which database.</param>
    /// <param name="schema">The newest migration of what will come.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">It has tables, or a hub runs on it.</exception>
    public static async Task<PostgresLoad> BeginAsync(DatabaseSetting setting, string schema, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await PostgresDump.OpenAsync(setting.ConnectionString!, cancellationToken);
        try
        {
            // Also while this waits for nothing: a hub that starts now finds its lock taken, and would otherwise make its tables meanwhile.
            string take = string.Create(CultureInfo.InvariantCulture, $"SELECT pg_try_advisory_lock({PostgresHubLock.LockClass}, {PostgresHubLock.LockId})");
            if (!(await PostgresDump.RowsAsync(connection, take, r => r.GetBoolean(0), cancellationToken)).Single())
            {
                throw new BackupException($"A hub runs on the {setting}: a restore never overwrites. Name an empty database with --database.");
            }

            NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken);
            string id = (await PostgresDump.RowsAsync(connection, "SELECT pg_current_xact_id()::text", r => r.GetString(0), cancellationToken)).Single();
            var load = new PostgresLoad(setting, connection, transaction, id);
            await load.MakeTablesAsync(schema, cancellationToken);
            return load;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Where a file of the backup is to be written; disposed when it is whole.</summary>
    /// <param name="path">Below <see cref="PostgresDump.Folder"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">It does not belong here.</exception>
    public async Task<Stream> OpenAsync(string path, CancellationToken cancellationToken)
    {
        if (path == PostgresDump.Contents)
        {
            return _written = new MemoryStream();
        }

        return Read().Tables.FirstOrDefault(t => t.File == path && _missing.Remove(t.Name)) is { } table
            ? await _connection.BeginRawBinaryCopyAsync($"COPY {table.Sql} FROM STDIN (FORMAT BINARY)", cancellationToken)
            : throw new BackupException($"The backup has '{path}', which its list of tables does not name: it was changed. Use another one.");
    }

    /// <summary>Numbering goes on where it was, and all of it is there.</summary>
    /// <exception cref="BackupException">Something is missing.</exception>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        PostgresContents contents = Read();
        if (_missing.Count > 0)
        {
            throw new BackupException($"The backup has no table '{_missing.First()}', which its list of tables names: it was changed. Use another one.");
        }

        foreach (PostgresSequence sequence in contents.Sequences)
        {
            await using var command = new NpgsqlCommand("SELECT setval(pg_get_serial_sequence($1, $2), $3)", _connection)
            {
                Parameters = { new() { Value = PostgresTable.Quoted(sequence.Table) }, new() { Value = sequence.Column }, new() { Value = sequence.Last } },
            };
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        // Without it the first pages of a long history are looked for as in an empty one.
        await PostgresDump.ExecuteAsync(_connection, "ANALYZE", cancellationToken);
    }

    /// <summary>Names of the API tokens that are good in it.</summary>
    public async Task<IReadOnlyList<string>> GoodTokensAsync(DateTimeOffset now, CancellationToken cancellationToken) => await PostgresDump.RowsAsync(
        _connection,
        string.Create(CultureInfo.InvariantCulture, $"""SELECT "Name" FROM "ApiTokens" WHERE "RevokedAtMs" IS NULL AND ("ExpiresAtMs" IS NULL OR "ExpiresAtMs" > {now.ToUnixTimeMilliseconds()}) ORDER BY "Name" """),
        r => r.GetString(0),
        cancellationToken);

    /// <summary>Not to be stopped: half-way nobody would know.</summary>
    /// <exception cref="NpgsqlException">It is not committed.</exception>
    public async Task CommitAsync()
    {
        try
        {
            await _transaction.CommitAsync(CancellationToken.None);
        }
        catch (NpgsqlException fault) when (LostCommits.IsOne(fault))
        {
            if (!await LostCommits.HappenedAsync(_setting.ConnectionString!, _id))
            {
                throw;
            }
        }
    }

    /// <summary>What is not committed is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private PostgresContents Read()
    {
        if (_contents is null)
        {
            _contents = _written is null ? null : PostgresContents.Parse(_written.ToArray());
            _missing.UnionWith(_contents?.Tables.Select(t => t.Name) ?? throw new BackupException($"The backup does not say which tables it has ('{PostgresDump.Contents}' in it): it was changed. Use another one."));
        }

        return _contents;
    }

    private async Task MakeTablesAsync(string schema, CancellationToken cancellationToken)
    {
        const string There = "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1 LIMIT 1";
        if ((await PostgresDump.RowsAsync(_connection, There, r => r.GetString(0), cancellationToken)) is [{ } table])
        {
            throw new BackupException($"The {_setting} is in use or not empty (it has '{table}'): a restore never overwrites. Make an empty one, owned by the hub's role, and name it with --database.");
        }

        await using PostgresHubDbContext db = new DesignTimePostgres().CreateDbContext([]);
        string script = db.GetService<IMigrator>().GenerateScript(Migration.InitialDatabase, schema, MigrationsSqlGenerationOptions.NoTransactions);
        await PostgresDump.ExecuteAsync(_connection, script, cancellationToken);

        // A migration may have brought rows; those of the backup are all that there were.
        foreach (string made in await PostgresDump.RowsAsync(_connection, There.Replace("LIMIT 1", "", StringComparison.Ordinal), r => r.GetString(0), cancellationToken))
        {
            if (made != PostgresDump.Migrations)
            {
                await PostgresDump.ExecuteAsync(_connection, $"DELETE FROM {PostgresTable.Quoted(made)}", cancellationToken);
            }
        }
    }
}
