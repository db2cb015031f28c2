using System.Text;
using FailoverHub.Agent.Platform;

namespace FailoverHub.Agent.Addresses.Permanent;

/// <summary>What became of writing a <see cref="PermanentAddress"/>.</summary>
internal abstract record PermanentOutcome
{
    private PermanentOutcome()
    {
    }

    /// <summary>It is there now, and was not before.</summary>
    internal sealed record Written(string Path) : PermanentOutcome;

    /// <summary>The very same was there already.</summary>
    internal sealed record AlreadyThere(string Path) : PermanentOutcome;

    /// <summary>Nothing was changed, in a sentence that says what to do.</summary>
    internal sealed record Refused(string Problem) : PermanentOutcome;
}

/// <summary>Puts a <see cref="PermanentAddress"/> where it belongs. Only ever makes a file that was not there: nobody's lines are changed, and nobody's are put out of force.</summary>
internal static class PermanentFile
{
    /// <param name="root">Where the file system of the host begins: <c>/</c>.</param>
    /// <param name="permanent">What to write.</param>
    public static PermanentOutcome Write(string root, PermanentAddress permanent)
    {
        if (permanent.Harm(root) is { } harm)
        {
            return new PermanentOutcome.Refused(harm);
        }

        var path = Path.Combine(root, permanent.Path.TrimStart('/'));
        var folder = Path.GetDirectoryName(path)!;
        try
        {
            Directory.CreateDirectory(folder);
            return WriteNew(folder, path, permanent);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new PermanentOutcome.Refused($"{permanent.Path} cannot be written ({exception.Message.TrimEnd('.')}); run it as root, or write the file by hand.");
        }
    }

    // A name with a dot in front: none of the readers of these folders looks at it.
    private static PermanentOutcome WriteNew(string folder, string path, PermanentAddress permanent)
    {
        if (Path.Exists(path))
        {
            return Compare(path, permanent);
        }

        var temporary = Path.Combine(folder, $".failoverhub-{Environment.ProcessId}");
        try
        {
            // Of one with this number that was killed long ago.
            File.Delete(temporary);
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = permanent.IsPrivate
                    ? UnixFileMode.UserRead | UnixFileMode.UserWrite
                    : UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
            };
            using (var stream = new FileStream(temporary, options))
            {
                stream.Write(Encoding.UTF8.GetBytes(permanent.Text));
                stream.Flush(flushToDisk: true);
            }

            if (!AtomicFile.TryName(temporary, path))
            {
                return Compare(path, permanent);
            }
        }
        finally
        {
            File.Delete(temporary);
        }

        return AtomicFile.FlushDirectory(folder) is { } problem
            ? new PermanentOutcome.Refused($"{permanent.Path} is written, but may be gone after a power cut: {problem}")
            : new PermanentOutcome.Written(permanent.Path);
    }

    private static PermanentOutcome Compare(string path, PermanentAddress permanent)
    {
        try
        {
            return File.ReadAllText(path) == permanent.Text
                ? new PermanentOutcome.AlreadyThere(permanent.Path)
                : new PermanentOutcome.Refused($"{permanent.Path} is there with other lines and is left as it is; look at it, and move it away or put the addresses in by hand.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A folder, or a link that leads nowhere.
            return new PermanentOutcome.Refused($"{permanent.Path} is there already, cannot be read as a file, and is left as it is; look at it, and move it away or put the addresses in by hand.");
        }
    }
}
