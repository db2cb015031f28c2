using System.Formats.Tar;
using System.IO.Compression;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.Operations;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Data.Backup;

/// <summary>
/// Everything that a hub keeps as one file, made while it runs: the database as it was at one moment, copied by SQLite itself beside readers and
/// writer or read in one snapshot of PostgreSQL, and all keys and certificates of the data folder. A compressed tar, with a manifest of hashes in front.
/// </summary>
internal sealed class HubBackup(IDbContextFactory<HubDbContext> factory, DataFolder folder, AuditLog audit, TimeProvider time, DatabaseSetting? setting = null)
{
    /// <summary>Action of the audit entry.</summary>
    public const string Action = "backup";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // A folder of keys has a handful of files; what has more is no data folder of ours.
    private const int MostFiles = 10_000;

    /// <summary>Makes one. It is audited first, so that the entry is in it.</summary>
    /// <param name="file">A file that does not exist yet; it appears when it is whole, for its owner only.</param>
    /// <param name="actor">Who asks for it.</param>
    /// <param name="cancellationToken">Stops it; nothing is left of it then.</param>
    /// <exception cref="BackupException">It could not be made.</exception>
    public async Task<BackupManifest> WriteAsync(string file, Actor actor, CancellationToken cancellationToken)
    {
        file = Path.GetFullPath(file);
        if (File.Exists(file) || !Directory.Exists(Path.GetDirectoryName(file)))
        {
            throw new BackupException($"'{file}' exists already, or its folder does not. Name a new file in a folder that there is.");
        }

        if (file.StartsWith(folder.Path.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            throw new BackupException($"'{file}' lies in the data folder: it would be lost with it. Name a file elsewhere, best on another machine.");
        }

        string work = $"{file}.{Guid.CreateVersion7():N}.partial";
        try
        {
            Directory.CreateDirectory(work, OwnerOnly | UnixFileMode.UserExecute);
            return await WriteAsync(file, work, actor, cancellationToken);
        }
        catch (Exception e) when (e is UnauthorizedAccessException || StorageFaults.IsStorageFault(e))
        {
            throw new BackupException($"The backup could not be made ({e.GetBaseException().Message}). Can the hub's database be written, is there enough room for twice the database in '{Path.GetDirectoryName(file)}', and may it be written?", e);
        }
        finally
        {
            if (Directory.Exists(work))
            {
                Directory.Delete(work, recursive: true);
            }
        }
    }

    private async Task<BackupManifest> WriteAsync(string file, string work, Actor actor, CancellationToken cancellationToken)
    {
        string id = Guid.CreateVersion7().ToString("N");
        await audit.WriteAsync(
            new AuditDraft { Actor = actor, Action = Action, Target = "hub", After = $$"""{"file":{{System.Text.Json.JsonSerializer.Serialize(file)}}}""", Outcome = "accepted", CorrelationId = id },
            cancellationToken);

        // Before the database: what it names as signed is then in the copy, also when a checkpoint is made meanwhile.
        string[] signed = CopySigned(work);
        (string schema, IReadOnlyList<string> database) = setting is { IsPostgres: true, ConnectionString: { } server }
            ? await PostgresDump.WriteAsync(server, work, cancellationToken)
            : (await SchemaAsync(cancellationToken), CopyDatabase(work));
        List<Source> sources = [.. database.Concat(signed).Select(path => new Source(path, () => new FileStream(Path.Combine(work, path), FileMode.Open, FileAccess.Read, FileShare.Read))), .. Others().Take(MostFiles)];
        var files = new List<BackupFile>();
        foreach (Source source in sources)
        {
            await using FileStream content = source.Open();
            files.Add(await BackupFile.OfAsync(source.Path, content, cancellationToken));
        }

        var manifest = new BackupManifest
        {
            Format = BackupManifest.ThisFormat,
            Version = BackupManifest.ThisVersion,
            Id = id,
            HubVersion = HubVersion.Text,
            Database = setting is { IsPostgres: true } ? BackupManifest.Postgres : BackupManifest.Sqlite,
            Schema = schema,
            CreatedAt = time.GetUtcNow(),
            Files = files,
        };
        string archive = Path.Combine(work, "archive");
        await PackAsync(archive, manifest, sources, cancellationToken);
        File.Move(archive, file, overwrite: false);
        return manifest;
    }

    private async Task<string> SchemaAsync(CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        return (await db.Database.GetAppliedMigrationsAsync(cancellationToken)).Last();
    }

    private string[] CopyDatabase(string work)
    {
        string target = Path.Combine(work, DataFolder.DatabaseName);
        using (new FileStream(target, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
        }

        using var source = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = folder.DatabaseFile, Mode = SqliteOpenMode.ReadWrite, Pooling = false }.ToString());
        using var copy = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = target, Pooling = false }.ToString());
        source.Open();
        SqlitePragmas.RefuseElsewhere(source);
        copy.Open();
        source.BackupDatabase(copy);

        // One file without a log beside it, and known to be readable.
        using SqliteCommand command = copy.CreateCommand();
        command.CommandText = "PRAGMA journal_mode=DELETE; PRAGMA quick_check;";
        using SqliteDataReader reader = command.ExecuteReader();
        reader.NextResult();
        reader.Read();
        if (reader.GetString(0) != "ok")
        {
            throw new BackupException($"The database '{folder.DatabaseFile}' is damaged ({reader.GetString(0)}), so it was not backed up. Restore an older backup into another folder and compare.");
        }

        return [DataFolder.DatabaseName];
    }

    private string[] CopySigned(string work)
    {
        if (!OwnFile.Exists(folder.Path, AuditMemory.FileName))
        {
            return [];
        }

        using FileStream from = OwnFile.Open(folder.Path, AuditMemory.FileName, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var to = new FileStream(Path.Combine(work, AuditMemory.FileName), new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        from.CopyTo(to);
        return [AuditMemory.FileName];
    }

    // Keys, certificates, whatever else a room of the hub keeps in a file; locks and half-written files are none of it, and no link is followed, neither to a file nor to a folder.
    private IEnumerable<Source> Others()
    {
        var everything = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false };
        foreach (string file in Directory.EnumerateFiles(folder.Path, "*", everything).Order(StringComparer.Ordinal))
        {
            string path = Path.GetRelativePath(folder.Path, file).Replace(Path.DirectorySeparatorChar, '/');
            string name = Path.GetFileName(file);
            if (!name.StartsWith('.') && !path.StartsWith(PostgresDump.Folder, StringComparison.Ordinal) && path is not (RestoreNote.FileName or AuditMemory.FileName) && !path.StartsWith(DataFolder.DatabaseName, StringComparison.Ordinal) && Path.GetExtension(name) is not (".lock" or ".new" or ".partial" or ".tmp") && !path.Contains(".partial/", StringComparison.Ordinal))
            {
                yield return new Source(path, () => OwnFile.Open(folder.Path, path, FileAccess.Read, FileShare.Read));
            }
        }
    }

    private static async Task PackAsync(string archive, BackupManifest manifest, List<Source> sources, CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(archive, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        await using (var packed = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true))
        await using (var tar = new TarWriter(packed, TarEntryFormat.Pax, leaveOpen: true))
        {
            await tar.WriteEntryAsync(Entry(BackupManifest.FileName, new MemoryStream(manifest.ToJson()), manifest.CreatedAt), cancellationToken);
            foreach (Source source in sources)
            {
                await using FileStream content = source.Open();
                await tar.WriteEntryAsync(Entry(source.Path, content, manifest.CreatedAt), cancellationToken);
            }
        }

        stream.Flush(flushToDisk: true);
    }

    private static PaxTarEntry Entry(string path, Stream content, DateTimeOffset at) =>
        new(TarEntryType.RegularFile, path) { DataStream = content, Mode = OwnerOnly, ModificationTime = at };

    private sealed record Source(string Path, Func<FileStream> Open);
}
