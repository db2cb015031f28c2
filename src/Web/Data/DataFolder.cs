using Microsoft.Data.Sqlite;

namespace FailoverHub.Web.Data;

/// <summary>The data folder or the database cannot be used; the message says why and what to do, in words for whoever started the hub.</summary>
internal sealed class DataFolderException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// The folder that holds the keys, and the database unless that is on a server. Only its owner may read what is in it: tokens are stored hashed, but who did what from where is
/// nobody else's business either.
/// </summary>
internal sealed class DataFolder
{
    /// <summary>Name of the database's file.</summary>
    public const string DatabaseName = "hub.db";

    /// <summary>Name of the folder in which a restore gathers what it will put here; it is there for as long as the restore is not whole.</summary>
    public const string StagingName = ".restore.partial";

    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnlyFolder = OwnerOnlyFile | UnixFileMode.UserExecute;

    private DataFolder(string path) => Path = path;

    public string Path { get; }

    public string DatabaseFile => System.IO.Path.Combine(Path, DatabaseName);

    /// <summary>Pooling keeps a handful of open connections; every opened one is given the pragmas of <see cref="SqlitePragmas"/>.</summary>
    public string ConnectionString => new SqliteConnectionStringBuilder
    {
        DataSource = DatabaseFile,
        Mode = SqliteOpenMode.ReadWriteCreate,
        ForeignKeys = true,
        Pooling = true,
        DefaultTimeout = 10,
    }.ToString();

    /// <summary>Makes the folder (0700) where it is missing and makes sure that it can be written.</summary>
    /// <exception cref="DataFolderException">They cannot.</exception>
    public static DataFolder Open(string path)
    {
        var folder = new DataFolder(System.IO.Path.GetFullPath(path));
        if (Directory.Exists(System.IO.Path.Combine(folder.Path, StagingName)))
        {
            throw new DataFolderException($"A restore into the data folder '{folder.Path}' is going on, or was cut short: what is in it is not whole. Wait for its end; if there is none, remove the folder's content (and the tables of its database, if that is on a server) and restore again.");
        }

        try
        {
            if (!Directory.Exists(folder.Path))
            {
                Directory.CreateDirectory(folder.Path, OwnerOnlyFolder);
            }

            // SQLite makes more files beside the database: a folder that takes no new file is as bad as a read-only one.
            // A name that nobody can have taken, and only a new one: a command of root's must not be led through a link of the user whose folder it is.
            var trial = System.IO.Path.Combine(folder.Path, $".writable-{System.IO.Path.GetRandomFileName()}");
            using (new FileStream(trial, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnlyFile, Options = FileOptions.DeleteOnClose }))
            {
            }

            return folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw folder.NotWritable(e);
        }
    }

    /// <summary>Makes the database file (0600) where it is missing and makes sure that it can be written.</summary>
    /// <exception cref="DataFolderException">It cannot.</exception>
    public void PrepareDatabaseFile()
    {
        try
        {
            // SQLite makes these beside it, by the mode of the database's file and of its owner; it follows no link to them either, but does not say so.
            foreach (var beside in (string[])["-wal", "-shm", "-journal"])
            {
                OwnFile.RefuseLink(DatabaseFile + beside);
            }

            // SQLite would create the file by the umask.
            using var file = OwnFile.OpenOrCreate(Path, DatabaseName, FileShare.ReadWrite | FileShare.Delete);
            OwnFile.MakePrivate(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(e);
        }
    }

    private DataFolderException NotWritable(Exception e) => new(
        $"The data folder '{Path}' cannot be written ({e.Message}). Without it nothing can be audited, so the hub does not start. "
        + "Give its user write access to that folder, or name another one with --data or FAILOVERHUB_DATA.",
        e);

    /// <summary>Keeps a second hub away from the folder: two owners of one present would send intents against each other. Subcommands do not need it.</summary>
    /// <exception cref="DataFolderException">Another hub runs on it.</exception>
    public FileStream LockForHub()
    {
        try
        {
            return OwnFile.OpenOrCreate(Path, "hub.lock", FileShare.None);
        }
        catch (IOException e)
        {
            throw new DataFolderException($"Another hub is running on the data folder '{Path}'. Stop it first, or name another folder with --data.", e);
        }
    }

    /// <summary>Waits until no other process changes the schema of the database, and keeps them away until it is disposed. It ends with the process.</summary>
    /// <exception cref="DataFolderException">Another one has been at it for half a minute.</exception>
    public static async Task<FileStream> LockForMigrationAsync(string databaseFile, CancellationToken cancellationToken)
    {
        const int tries = 300;
        for (var i = 1; ; i++)
        {
            try
            {
                return OwnFile.OpenOrCreate(System.IO.Path.GetDirectoryName(databaseFile)!, $"{System.IO.Path.GetFileName(databaseFile)}-migration.lock", FileShare.None);
            }
            catch (IOException e) when (i == tries)
            {
                throw new DataFolderException($"Another process has been changing the schema of the database '{databaseFile}' for half a minute. Try again when it is done, or stop it.", e);
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
            }
        }
    }
}
