namespace FailoverHub.Agent.Platform;

/// <summary>A file that is there to be locked. The lock is the kernel's: it goes with the process, however that ends.</summary>
internal static class LockFile
{
    private const int HeldByAnother = 11; // EWOULDBLOCK
    private const int IsThere = 17; // EEXIST

    /// <summary>What flock says when another process holds it.</summary>
    public static bool IsHeldByAnother(IOException exception) => exception.HResult == HeldByAnother;

    /// <summary>Makes the file (0600) where it is missing, and holds it until it is disposed.</summary>
    /// <param name="path">Absolute. A symbolic link is refused: root comes by in directories of others, and would make or lock for them whatever it leads to.</param>
    /// <exception cref="IOException">It is held by another (<see cref="IsHeldByAnother"/>), or cannot be had.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be had.</exception>
    public static FileStream Hold(string path)
    {
        try
        {
            return Open(path, FileMode.CreateNew);
        }
        catch (IOException exception) when (exception.HResult == IsThere)
        {
            // A link that takes its place after this look leads to a file that is opened and not written.
            return new FileInfo(path).LinkTarget is { } target
                ? throw new IOException($"{path} is a symbolic link to {target}, where the agent makes a file of its own; remove it")
                : Open(path, FileMode.Open);
        }
    }

    private static FileStream Open(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (mode == FileMode.CreateNew)
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }
}
