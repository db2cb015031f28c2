namespace FailoverHub.Web.Data;

/// <summary>
/// A file that the hub keeps in its data folder, under a name of its own. The folder is the service's user's, and root runs the hub's commands in it: whoever has that
/// user could lay a link there and have root read, make or change a file of somebody else's. So no link is followed; and where root works in the folder of another
/// user, what was opened has to lie in that folder, under that one name, and what is made there is his. The name of a file may have '/' in it.
/// </summary>
internal static class OwnFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const int IsThere = 17; // EEXIST

    /// <summary>Whether there is anything of that name, be it a link that leads nowhere.</summary>
    public static bool Exists(string folder, string name) => FileEntry.Look(Path.Combine(folder, name), throughLinks: false) is not null;

    /// <summary>A new file, 0600 and of the folder's owner; open for nobody else until it is disposed.</summary>
    /// <exception cref="IOException">There is something of that name, or it cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be made.</exception>
    public static FileStream CreateNew(string folder, string name) => CreateNew(folder, name, FileShare.None);

    /// <summary>One that there is.</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="name">Within it.</param>
    /// <param name="access">For what.</param>
    /// <param name="share">What others may do with it meanwhile; <see cref="FileShare.None"/>: the kernel's lock, which goes with the process.</param>
    /// <exception cref="DataFolderException">It is a link, or not the file of that name.</exception>
    /// <exception cref="IOException">It cannot be opened, or is no file.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be opened.</exception>
    public static FileStream Open(string folder, string name, FileAccess access, FileShare share)
    {
        var path = Path.Combine(folder, name);
        RefuseLink(path);
        if (FileEntry.Look(path, throughLinks: false) is { IsFile: false })
        {
            // To open a pipe would be to wait for whoever laid it.
            throw new IOException($"'{path}' is no file.");
        }

        return Checked(new FileStream(path, FileMode.Open, access, share), folder, name);
    }

    /// <summary>As <see cref="Open"/>, and as <see cref="CreateNew(string, string)"/> where there is none.</summary>
    public static FileStream OpenOrCreate(string folder, string name, FileShare share)
    {
        try
        {
            return CreateNew(folder, name, share);
        }
        catch (IOException e) when (e.HResult == IsThere)
        {
            return Open(folder, name, FileAccess.ReadWrite, share);
        }
    }

    /// <summary>What is in a file that its owner only may read, and that is made so where it is not.</summary>
    /// <inheritdoc cref="Open" path="/exception"/>
    public static string ReadPrivateText(string folder, string name)
    {
        using var stream = Open(folder, name, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        MakePrivate(stream);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>0600.</summary>
    public static void MakePrivate(FileStream file)
    {
        if ((File.GetUnixFileMode(file.SafeFileHandle) & ~OwnerOnly) != 0)
        {
            File.SetUnixFileMode(file.SafeFileHandle, OwnerOnly);
        }
    }

    /// <summary>Says no to a symbolic link, where the hub or its database is to make or change a file.</summary>
    /// <exception cref="DataFolderException">It is one.</exception>
    public static void RefuseLink(string path)
    {
        if (FileEntry.Look(path, throughLinks: false) is { IsLink: true })
        {
            throw new DataFolderException($"'{path}' is a symbolic link to '{new FileInfo(path).LinkTarget}', where the hub has a file of its own. Remove it; to keep the data elsewhere name that folder with --data or FAILOVERHUB_DATA.");
        }
    }

    /// <summary>Says no to a file that somebody else opened under this name, when it turns out to be another one.</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="name">What was to be opened.</param>
    /// <param name="opened">What was, as the kernel or whoever opened it names it; null: not known.</param>
    /// <exception cref="DataFolderException">It is another one.</exception>
    public static void RefuseElsewhere(string folder, string name, string? opened)
    {
        if (OwnerIfAnother(folder) is not { } there)
        {
            return;
        }

        var path = Path.Combine(folder, name);
        if (opened is null || !opened.EndsWith($"/{name}", StringComparison.Ordinal) || !there.IsTheSameAs(FileEntry.Look(opened[..^name.Length], throughLinks: true)))
        {
            throw new DataFolderException($"'{path}' leads to '{opened}', which is no file of the hub's own. Look who lays links into '{folder}'; nothing was done with it.");
        }

        if (FileEntry.Look(opened, throughLinks: false) is { Names: > 1 } entry)
        {
            throw new DataFolderException($"'{path}' has {entry.Names} names: it may be a file of somebody else's, and root does nothing with it in the folder of another user. Copy it, and put the copy in its place.");
        }
    }

    /// <summary>Root works in the folder of another user from here on as that one: there is then nothing that a link in it could lead to. What is open already stays so.</summary>
    /// <exception cref="IOException">It cannot.</exception>
    public static void WorkAsTheOwnerOf(string folder) => OwnerIfAnother(folder)?.WorkAsItsOwner();

    private static FileStream CreateNew(string folder, string name, FileShare share)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = share, UnixCreateMode = OwnerOnly };
        return Checked(new FileStream(Path.Combine(folder, name), options), folder, name, isNew: true);
    }

    // The name may have been laid anew between the look and the opening: what counts is what is open.
    private static FileStream Checked(FileStream stream, string folder, string name, bool isNew = false)
    {
        try
        {
            RefuseElsewhere(folder, name, new FileInfo($"/proc/self/fd/{stream.SafeFileHandle.DangerousGetHandle()}").LinkTarget);
            if (isNew)
            {
                OwnerIfAnother(folder)?.GiveToItsOwner(stream.SafeFileHandle);
            }

            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    // Null: it is our own, or we are not root and can do no more than its owner.
    private static FileEntry? OwnerIfAnother(string folder) =>
        Environment.IsPrivilegedProcess && FileEntry.Look(folder, throughLinks: true) is { Owner: not 0 } entry ? entry : null;
}
