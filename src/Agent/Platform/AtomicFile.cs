using System.Runtime.InteropServices;
using FailoverHub.Agent.Control;

namespace FailoverHub.Agent.Platform;

/// <summary>Writing a file so that after a crash at any moment there is the old one or the new one, whole.</summary>
internal static partial class AtomicFile
{
    private const int Exists = 17; // EEXIST
    private const int InvalidArgument = 22; // EINVAL
    private const int NotSupported = 95; // ENOTSUP
    private const uint SameGroup = uint.MaxValue; // (gid_t)-1
    private const int ReadOnlyHere = 0x80000; // O_RDONLY | O_CLOEXEC; O_DIRECTORY is another bit on arm64 than on x64, and nothing is lost without it

    /// <summary>Temp file, fsync, rename, fsync of the directory (without the last, a power cut may undo the rename).</summary>
    /// <param name="path">Where; its directory exists.</param>
    /// <param name="content">All of it.</param>
    /// <param name="durable">False: not through a power cut, only through the end of the process. Saves two waits for the disk.</param>
    /// <returns>Null; or why a power cut may bring back the old file, though the new one stands there now.</returns>
    /// <exception cref="IOException">The file could not be written; the old one is as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public static string? Write(string path, ReadOnlySpan<byte> content, bool durable = true)
    {
        var temporary = path + ".new";
        using (var stream = Begin(temporary, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite))
        {
            stream.Write(content);
            if (durable)
            {
                stream.Flush(flushToDisk: true);
            }
        }

        File.Move(temporary, path, overwrite: true);
        // From here on the new file is the file: to report a failure would be to deny what the next start reads.
        return durable ? FlushDirectory(Path.GetDirectoryName(path)!) : null;
    }

    /// <summary>The same for a secret: nobody but the owner of the directory may read it, at no moment, whoever writes it.</summary>
    /// <param name="path">Where; its directory exists.</param>
    /// <param name="content">All of it.</param>
    /// <returns>As <see cref="Write"/>.</returns>
    /// <exception cref="IOException">The file could not be written; the old one is as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public static string? WritePrivate(string path, ReadOnlySpan<byte> content)
    {
        var (temporary, directory) = (path + ".new", Path.GetDirectoryName(path)!);
        try
        {
            using (var stream = Begin(temporary, UnixFileMode.UserRead | UnixFileMode.UserWrite))
            {
                GiveToTheOwnerOf(directory, stream);
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        return FlushDirectory(directory);
    }

    /// <summary>Gives a finished file a second name that nobody may have yet; the first one is the caller's to delete. <c>File.Move</c> looks first and renames then, which takes the place of what came in between.</summary>
    /// <param name="temporary">The file, in the same directory.</param>
    /// <param name="path">The name.</param>
    /// <returns>False: somebody has it, whatever it is, and it is as it was.</returns>
    /// <exception cref="IOException">It could not be named.</exception>
    public static bool TryName(string temporary, string path) => Link(temporary, path) == 0
        || (Marshal.GetLastPInvokeError() == Exists ? false : throw new IOException($"{Path.GetFileName(path)} cannot be made: {Marshal.GetLastPInvokeErrorMessage()}"));

    // What stands under the name is taken away and never written through, whatever it is: a file that others can read, or the link or pipe of somebody whose
    // directory this is and who waits for root to come by. Whoever puts one there in between gets nothing but a refusal.
    private static FileStream Begin(string temporary, UnixFileMode mode)
    {
        File.Delete(temporary);
        return new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0, UnixCreateMode = mode });
    }

    // Only root may, and only for root there is anything to give.
    private static void GiveToTheOwnerOf(string directory, FileStream stream)
    {
        if (Environment.IsPrivilegedProcess && SocketFile.Look(directory, throughLinks: true) is { Owner: not 0 and var owner }
            && ChangeOwner((int)stream.SafeFileHandle.DangerousGetHandle(), owner, SameGroup) != 0)
        {
            throw new IOException($"{directory} is another user's, and the file cannot be made his: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    // .NET opens no directories, so there is no managed way.
    internal static string? FlushDirectory(string directory)
    {
        var handle = Open(directory, ReadOnlyHere);
        if (handle < 0)
        {
            return $"{directory} cannot be opened to flush it: {Marshal.GetLastPInvokeErrorMessage()}";
        }

        try
        {
            // Some file systems know no fsync of directories: they have nothing to flush.
            return Flush(handle) == 0 || Marshal.GetLastPInvokeError() is InvalidArgument or NotSupported
                ? null
                : $"{directory} cannot be flushed: {Marshal.GetLastPInvokeErrorMessage()}";
        }
        finally
        {
            _ = Close(handle);
        }
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string name);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Flush(int handle);

    [LibraryImport("libc", EntryPoint = "fchown", SetLastError = true)]
    private static partial int ChangeOwner(int handle, uint owner, uint group);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int handle);
}
