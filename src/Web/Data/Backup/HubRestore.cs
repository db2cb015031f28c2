using System.Data.Common;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace FailoverHub.Web.Data.Backup;

/// <summary>What is restored where.</summary>
/// <param name="File">The backup.</param>
/// <param name="DataFolder">Where to; it must not exist, or be empty.</param>
/// <param name="Database">The file in that folder, or a database without tables.</param>
/// <param name="By">Who does it, for the audit of the next start.</param>
/// <param name="At">When, for the same.</param>
/// <param name="RevokeTokens">Every API token is revoked at the next start.</param>
internal sealed record RestoreOrder(string File, string DataFolder, DatabaseSetting Database, string By, DateTimeOffset At, bool RevokeTokens);

/// <param name="Manifest">Of the backup.</param>
/// <param name="GoodTokens">Names of the API tokens that are good in it, whatever became of them afterwards.</param>
internal sealed record RestoredBackup(BackupManifest Manifest, IReadOnlyList<string> GoodTokens);

/// <summary>
/// Puts a backup into a data folder that is new or empty, and into a database without tables when it is on a server. The whole file is read and checked against its manifest before
/// anything is written, and what is in it appears when everything is there: the folder's files first, then the database, by its commit. Until then
/// <see cref="DataFolder.StagingName"/> stands in the folder, and no hub starts on it. Root restores into the folder of another user as that one, so that it is his, and no link of his
/// leads root anywhere.
/// </summary>
internal static class HubRestore
{
    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnlyFolder = OwnerOnlyFile | UnixFileMode.UserExecute;
    private const long LargestManifest = 16 * 1024 * 1024;

    /// <param name="order">What where.</param>
    /// <param name="cancellationToken">Stops it; folder and database are as they were then.</param>
    /// <exception cref="BackupException">It cannot be used; nothing was written.</exception>
    public static async Task<RestoredBackup> RestoreAsync(RestoreOrder order, CancellationToken cancellationToken)
    {
        string dataFolder = Path.GetFullPath(order.DataFolder);
        RefuseUsed(dataFolder);
        string staging = Path.Combine(dataFolder, DataFolder.StagingName);
        bool existed = Directory.Exists(dataFolder);
        var moved = new List<string>();
        try
        {
            await using var backup = new FileStream(order.File, FileMode.Open, FileAccess.Read, FileShare.Read, 64 * 1024);
            BackupManifest manifest = await ReadAsync(backup, (_, _) => Task.FromResult(Stream.Null), cancellationToken);
            RefuseOther(manifest, order.Database);
            OwnFile.WorkAsTheOwnerOf(dataFolder);

            // Inside of it: the folder may be the mount point of a volume, which can be neither moved nor made again, and has the owner that it shall have.
            if (!existed)
            {
                Directory.CreateDirectory(dataFolder, OwnerOnlyFolder);
            }

            Directory.CreateDirectory(staging, OwnerOnlyFolder);
            await using PostgresLoad? server = order.Database.IsPostgres ? await PostgresLoad.BeginAsync(order.Database, manifest.Schema, cancellationToken) : null;
            await ReadAsync(
                backup,
                (path, stop) => server is not null && path.StartsWith(PostgresDump.Folder, StringComparison.Ordinal) ? server.OpenAsync(path, stop) : Task.FromResult<Stream>(Create(Path.Combine(staging, path))),
                cancellationToken);
            await RestoreNote.WriteAsync(staging, new RestoreNote(manifest.Id, manifest.CreatedAt, order.At, order.By, order.RevokeTokens), cancellationToken);
            IReadOnlyList<string> tokens;
            if (server is not null)
            {
                await server.FinishAsync(cancellationToken);
                tokens = await server.GoodTokensAsync(order.At, cancellationToken);
            }
            else
            {
                tokens = await GoodTokensAsync(staging, order.At, cancellationToken);
            }

            MoveUp(staging, dataFolder, moved);
            if (server is not null)
            {
                await server.CommitAsync();
            }

            moved.Clear();
            existed = true;
            return new RestoredBackup(manifest, tokens);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or DbException)
        {
            throw new BackupException($"'{order.File}' could not be restored into '{dataFolder}'{(order.Database.IsPostgres ? $" and the {order.Database}" : "")} ({e.Message}). Nothing was changed there.", e);
        }
        finally
        {
            moved.ForEach(Delete);
            Delete(staging);
            if (!existed && Directory.Exists(dataFolder) && !Directory.EnumerateFileSystemEntries(dataFolder).Any())
            {
                Directory.Delete(dataFolder);
            }
        }
    }

    private static void Delete(string entry)
    {
        if (Directory.Exists(entry))
        {
            Directory.Delete(entry, recursive: true);
        }
        else if (File.Exists(entry))
        {
            File.Delete(entry);
        }
    }

    private static void RefuseOther(BackupManifest manifest, DatabaseSetting database)
    {
        if (manifest.Database == BackupManifest.Postgres != database.IsPostgres)
        {
            throw new BackupException(database.IsPostgres
                ? $"The backup is of a hub whose database is a SQLite file, and cannot go into the {database}: each kind keeps numbers, texts and search in its own way, and nobody could say that nothing was lost between them. Restore it without --database."
                : "The backup is of a hub whose database is on a PostgreSQL server, and cannot become a SQLite file: each kind keeps numbers, texts and search in its own way, and nobody could say that nothing was lost between them. Name an empty PostgreSQL database with --database.");
        }

        if (!HubDatabase.KnownMigrations(database).Contains(manifest.Schema))
        {
            throw new BackupException($"The backup was made by version {manifest.HubVersion}, whose database ({manifest.Schema}) this program does not know. Restore it with that version or a newer one.");
        }
    }

    private static async Task<IReadOnlyList<string>> GoodTokensAsync(string dataFolder, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // Beside migrations: the next start brings the schema up, and has nothing to tell here.
        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(dataFolder, DataFolder.DatabaseName), Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        await connection.OpenAsync(cancellationToken);
        await using SqliteCommand command = connection.CreateCommand();
        command.CommandText = """SELECT "Name" FROM "ApiTokens" WHERE "RevokedAtMs" IS NULL AND ("ExpiresAtMs" IS NULL OR "ExpiresAtMs" > $now) ORDER BY "Name" """;
        command.Parameters.AddWithValue("$now", now.ToUnixTimeMilliseconds());
        var names = new List<string>();
        await using SqliteDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            names.Add(reader.GetString(0));
        }

        return names;
    }

    /// <summary>The database comes last: it never stands there without the keys that belong to it.</summary>
    private static void MoveUp(string staging, string dataFolder, List<string> moved)
    {
        foreach (string entry in Directory.EnumerateFileSystemEntries(staging).OrderBy(e => Path.GetFileName(e) == DataFolder.DatabaseName).ToArray())
        {
            string target = Path.Combine(dataFolder, Path.GetFileName(entry));
            if (Directory.Exists(entry))
            {
                Directory.Move(entry, target);
            }
            else
            {
                File.Move(entry, target);
            }

            moved.Add(target);
        }
    }

    private static void RefuseUsed(string dataFolder)
    {
        if (Directory.Exists(dataFolder) && Directory.EnumerateFileSystemEntries(dataFolder).Any())
        {
            throw new BackupException($"The folder '{dataFolder}' is in use or not empty: a restore never overwrites. Name a new folder with --data; when you mean to replace this one, stop its hub and move the folder away first.");
        }
    }

    // The same walk twice: first only looking, then writing; each time every byte goes through the hash.
    private static async Task<BackupManifest> ReadAsync(FileStream backup, Func<string, CancellationToken, Task<Stream>> open, CancellationToken cancellationToken)
    {
        backup.Position = 0;
        await using var unpacked = new GZipStream(backup, CompressionMode.Decompress, leaveOpen: true);
        await using var tar = new TarReader(unpacked);
        BackupManifest manifest = await ManifestAsync(tar, cancellationToken);
        var missing = manifest.Files.ToDictionary(f => f.Path, StringComparer.Ordinal);
        while (await NextAsync(tar, cancellationToken) is { } entry)
        {
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile) || !missing.Remove(entry.Name, out BackupFile? expected) || !IsInside(entry.Name))
            {
                throw new BackupException($"The backup has '{entry.Name}', which its manifest does not name: it was changed. Use another one.");
            }

            await using Stream target = await open(entry.Name, cancellationToken);
            if (await TakeAsync(entry, expected, target, cancellationToken) is { } wrong)
            {
                throw new BackupException($"'{entry.Name}' in the backup {wrong}: it is damaged or was changed. Use another one.");
            }
        }

        if (missing.Count > 0)
        {
            throw new BackupException($"The backup has no '{missing.Keys.First()}', which its manifest names: it was cut short or changed. Use another one.");
        }

        return manifest;
    }

    // Where a file that was cut off ends, inside an entry or between two, is chance; what there is to do is the same.
    private static async Task<TarEntry?> NextAsync(TarReader tar, CancellationToken cancellationToken)
    {
        try
        {
            return await tar.GetNextEntryAsync(copyData: false, cancellationToken);
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException)
        {
            throw new BackupException($"The backup was cut short or is damaged ({e.Message.TrimEnd('.')}). Use another one.", e);
        }
    }

    private static async Task<BackupManifest> ManifestAsync(TarReader tar, CancellationToken cancellationToken)
    {
        if (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { Name: BackupManifest.FileName, DataStream: { } content, Length: <= LargestManifest })
        {
            using var json = new MemoryStream();
            await content.CopyToAsync(json, cancellationToken);
            if (BackupManifest.Parse(json.ToArray()) is { } manifest && manifest.Files.Select(f => f.Path).Distinct(StringComparer.Ordinal).Count() == manifest.Files.Count)
            {
                return manifest;
            }
        }

        throw new BackupException("The file is no backup of a hub, or of a version that this program does not know: it does not begin with a manifest.");
    }

    private static async Task<string?> TakeAsync(TarEntry entry, BackupFile expected, Stream target, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[64 * 1024];
        long size = 0;
        for (int read; entry.DataStream is { } content && (read = await content.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            size += read;
            if (size > expected.Size)
            {
                return "is longer than its manifest says";
            }

            hash.AppendData(buffer, 0, read);
            await target.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }

        if (target is FileStream written)
        {
            written.Flush(flushToDisk: true);
        }

        return size != expected.Size ? "is shorter than its manifest says"
            : Convert.ToHexStringLower(hash.GetHashAndReset()) != expected.Sha256 ? "has another hash than its manifest says"
            : null;
    }

    private static FileStream Create(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, OwnerOnlyFolder);
        return new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnlyFile });
    }

    // A name must not lead out of the folder.
    private static bool IsInside(string name) =>
        name.Length > 0 && !Path.IsPathRooted(name) && !name.Contains('\\', StringComparison.Ordinal) && name.Split('/').All(part => part is not ("" or "." or ".."));
}

/// <summary>Left in a restored folder, so that the hub that starts on it audits where its past comes from.</summary>
/// <param name="BackupId">Of the backup.</param>
/// <param name="BackupAt">When the backup was made, UTC: what happened after it is not in this history.</param>
/// <param name="RestoredAt">When it was restored, UTC.</param>
/// <param name="By">Who did that.</param>
/// <param name="RevokeTokens">He wants every API token revoked.</param>
internal sealed record RestoreNote(string BackupId, DateTimeOffset BackupAt, DateTimeOffset RestoredAt, string By, bool RevokeTokens = false)
{
    public const string FileName = "restored.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static async Task WriteAsync(string folder, RestoreNote note, CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(Path.Combine(folder, FileName), new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        await JsonSerializer.SerializeAsync(stream, note, Json, cancellationToken);
    }

    /// <summary>Null: the folder was not restored, or that is audited already.</summary>
    /// <exception cref="DataFolderException">The note cannot be read.</exception>
    public static RestoreNote? Read(string folder)
    {
        string file = Path.Combine(folder, FileName);
        try
        {
            return OwnFile.Exists(folder, FileName) ? JsonSerializer.Deserialize<RestoreNote>(OwnFile.ReadPrivateText(folder, FileName), Json) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new DataFolderException($"'{file}', which says where this hub's data comes from, cannot be read ({e.Message}). Restore the backup again.", e);
        }
    }

    public static void Remove(string folder) => File.Delete(Path.Combine(folder, FileName));
}
