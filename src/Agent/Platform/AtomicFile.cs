using System.Runtime.InteropServices;

namespace FailoverHub.Agent.Platform;

/// <summary>Writing a file so that after a crash at any moment there is the old one or the new one, whole.</summary>
internal static partial class AtomicFile
{
    private const int ReadOnlyDirectory = 0x10000 | 0x80000; // O_RDONLY | O_DIRECTORY | O_CLOEXEC

    /// <summary>Temp file, fsync, rename, fsync of the directory (without the last, a power cut may undo the rename).</summary>
    /// <param name="path">Where; its directory exists.</param>
    /// <param name="content">All of it.</param>
    /// <param name="durable">False: not through a power cut, only through the end of the process. Saves two waits for the disk.</param>
    /// <exception cref="IOException">The file could not be written; the old one is as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content, bool durable = true)
    {
        var temporary = path + ".new";
        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            stream.Write(content);
            if (durable)
            {
                stream.Flush(flushToDisk: true);
            }
        }

        File.Move(temporary, path, overwrite: true);
        if (durable)
        {
            FlushDirectory(Path.GetDirectoryName(path)!);
        }
    }

    // .NET opens no directories, so there is no managed way.
    private static void FlushDirectory(string directory)
    {
        var handle = Open(directory, ReadOnlyDirectory);
        if (handle < 0)
        {
            throw new IOException($"{directory} cannot be opened to flush it (error {Marshal.GetLastPInvokeError()}).");
        }

        try
        {
            if (Flush(handle) != 0)
            {
                throw new IOException($"{directory} cannot be flushed (error {Marshal.GetLastPInvokeError()}).");
            }
        }
        finally
        {
            _ = Close(handle);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Flush(int handle);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int handle);
}
