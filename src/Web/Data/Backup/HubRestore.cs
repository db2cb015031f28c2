using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace FailoverHub.Web.Data.Backup;

/// <summary>
/// Puts a backup into a data folder that is new or empty. The whole file is read and checked against its manifest before anything is written, and
/// what is in it appears when everything is there. Root restores into the folder of another user as that one, so that it is his, and no link of his leads root anywhere.
/// </summary>
internal static class HubRestore
{
    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnlyFolder = OwnerOnlyFile | UnixFileMode.UserExecute;
    private const long LargestManifest = 16 * 1024 * 1024;

    /// <param name="file">The backup.</param>
    /// <param name="dataFolder">Where to; it must not exist, or be empty.</param>
    /// <param name="knownSchemas">Migrations that this program knows.</param>
    /// <param name="by">Who does it, for the audit of the next start.</param>
    /// <param name="now">When, for the same.</param>
    /// <param name="revokeTokens">Every API token is revoked at the next start.</param>
    /// <param name="cancellationToken">Stops it; the folder is as it was then.</param>
    /// <exception cref="BackupException">It cannot be used; nothing was written.</exception>
    public static async Task<BackupManifest> RestoreAsync(string file, string dataFolder, IReadOnlyCollection<string> knownSchemas, string by, DateTimeOffset now, bool revokeTokens, CancellationToken cancellationToken)
    {
        dataFolder = Path.GetFullPath(dataFolder);
        RefuseUsed(dataFolder);
        string staging = Path.Combine(dataFolder, ".restore.partial");
        bool existed = Directory.Exists(dataFolder);
        try
        {
            await using var backup = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 64 * 1024);
            BackupManifest manifest = await ReadAsync(backup, null, cancellationToken);
            if (!knownSchemas.Contains(manifest.Schema))
            {
                throw new BackupException($"The backup was made by version {manifest.HubVersion}, whose database ({manifest.Schema}) this program does not know. Restore it with that version or a newer one.");
            }

            OwnFile.WorkAsTheOwnerOf(dataFolder);

            // Inside of it: the folder may be the mount point of a volume, which can be neither moved nor made again, and has the owner that it shall have.
            if (!existed)
            {
                Directory.CreateDirectory(dataFolder, OwnerOnlyFolder);
            }

            Directory.CreateDirectory(staging, OwnerOnlyFolder);
            await ReadAsync(backup, staging, cancellationToken);
            await RestoreNote.WriteAsync(staging, new RestoreNote(manifest.Id, manifest.CreatedAt, now, by, revokeTokens), cancellationToken);
            MoveUp(staging, dataFolder);
            existed = true;
            return manifest;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new BackupException($"'{file}' could not be restored into '{dataFolder}' ({e.Message}). Nothing was changed there.", e);
        }
        finally
        {
            if (Directory.Exists(staging))
            {
                Directory.Delete(staging, recursive: true);
            }

            if (!existed && Directory.Exists(dataFolder) && !Directory.EnumerateFileSystemEntries(dataFolder).Any())
            {
                Directory.Delete(dataFolder);
            }
        }
    }

    /// <summary>Names of the API tokens that are good in a restored folder, whatever became of them after the backup.</summary>
    public static async Task<IReadOnlyList<string>> GoodTokensAsync(string dataFolder, DateTimeOffset now, CancellationToken cancellationToken)
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
    private static void MoveUp(string staging, string dataFolder)
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
    private static async Task<BackupManifest> ReadAsync(FileStream backup, string? into, CancellationToken cancellationToken)
    {
        backup.Position = 0;
        await using var unpacked = new GZipStream(backup, CompressionMode.Decompress, leaveOpen: true);
        await using var tar = new TarReader(unpacked);
        BackupManifest manifest = await ManifestAsync(tar, cancellationToken);
        var missing = manifest.Files.ToDictionary(f => f.Path, StringComparer.Ordinal);
        while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
        {
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile) || !missing.Remove(entry.Name, out BackupFile? expected) || !IsInside(entry.Name))
            {
                throw new BackupException($"The backup has '{entry.Name}', which its manifest does not name: it was changed. Use another one.");
            }

            if (await TakeAsync(entry, expected, into, cancellationToken) is { } wrong)
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

    private static async Task<string?> TakeAsync(TarEntry entry, BackupFile expected, string? into, CancellationToken cancellationToken)
    {
        await using Stream target = into is null ? Stream.Null : Create(Path.Combine(into, entry.Name));
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
