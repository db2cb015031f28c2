using System.Security.Cryptography;
using FailoverHub.Agent.Platform;

namespace FailoverHub.Agent.Identity;

/// <summary>The identity on disk, in one file that nobody but the agent's user can read.</summary>
/// <param name="stateDirectory">Of the agent.</param>
internal sealed class IdentityStore(string stateDirectory)
{
    public const string FileName = "hub-identity.json";

    // Octets. A file of an identity has about two thousand, and some more for each authority of the operator's.
    private const int Largest = 256 * 1024;

    private const UnixFileMode OthersMay =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    public string Path { get; } = System.IO.Path.Combine(stateDirectory, FileName);

    /// <summary>The identity; neither it nor a problem: this node has joined no hub.</summary>
    /// <returns>The problem is a sentence that says what to do.</returns>
    public (HubIdentity? Identity, string? Problem) Load()
    {
        try
        {
            using var stream = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

            // Of what was opened, and not of what stands under the name by now.
            var mode = File.GetUnixFileMode(stream.SafeFileHandle);
            if ((mode & OthersMay) != 0)
            {
                return (null, $"the node's key for the hub is open to others than its owner ({Path}, mode {Convert.ToString((int)mode, 8)}); chmod 600 '{Path}', and join again if others may have read it.");
            }

            var buffer = new byte[Math.Min(stream.Length, Largest)];
            try
            {
                var length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
                return StoredIdentity.Read(buffer.AsSpan(0, length)) is { } identity
                    ? (identity, null)
                    : (null, $"what this node has of its hub is damaged ({Path}); join again: failoverhub-agent join --hub URL --token TOKEN");
            }
            finally
            {
                CryptographicOperations.ZeroMemory(buffer);
            }
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return (null, null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return (null, $"what this node has of its hub cannot be read ({exception.Message.TrimEnd('.')}); run as the agent's user or as root, or join again.");
        }
    }

    /// <summary>Null: it could be kept here. Else why not, in a sentence that says what to do; asked before a token is spent.</summary>
    public string? Refuse()
    {
        try
        {
            Directory.CreateDirectory(stateDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

            // A name that nobody can have taken, and only a new file: whoever owns the directory may have put a link there, and we may be root.
            var probe = $"{Path}.{System.IO.Path.GetRandomFileName()}.probe";
            using (new FileStream(probe, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.DeleteOnClose, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                return null;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return NotKept(exception);
        }
    }

    /// <summary>Null: it is on the disk. Else why not, in a sentence, and the file is as it was.</summary>
    public string? Save(HubIdentity identity)
    {
        var content = StoredIdentity.Write(identity);
        try
        {
            // Root writes for the service's user, whose the directory is.
            AtomicFile.WritePrivate(Path, content);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return NotKept(exception);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }

    private string NotKept(Exception exception) =>
        $"the state directory {stateDirectory} cannot be written ({exception.Message.TrimEnd('.')}); run as root or as the agent's user, make room on its disk, or give another one with --state DIR.";
}
