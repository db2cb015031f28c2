using System.Globalization;
using System.Text;

namespace FailoverHub.Agent.Platform;

/// <summary>
/// The directory of what outlives the process, held by one agent at a time. The lock is the kernel's: it goes with the process, however that ends.
/// </summary>
internal sealed class StateDirectory : IDisposable
{
    private readonly FileStream? _lock;

    private StateDirectory(string path, FileStream? @lock, string? warning)
    {
        Root = path;
        _lock = @lock;
        Warning = warning;
    }

    /// <summary>Null: all is well. Else what does not work and what follows from it: the node runs all the same.</summary>
    public string? Warning { get; }

    public string Root { get; }

    public string RouterIdFile => Path.Combine(Root, "router-id.json");

    /// <summary>What the metadata service said last.</summary>
    public string InstanceFile => Path.Combine(Root, "instance.json");

    /// <summary>Of the commands that are under way; null: another agent may use the directory, and what stands there may be its own.</summary>
    public string? CommandRuns => _lock is null ? null : Path.Combine(Root, "commands");

    public string JournalDirectory => Path.Combine(Root, "journal");

    /// <summary>
    /// Either the directory, or why not in a sentence that says what to do. Only another agent on the same directory is a reason not to
    /// start: with a full or broken disk the node announces by its configuration, and rejects intents that it cannot keep.
    /// </summary>
    public static (StateDirectory? Directory, string? Problem) Open(string path)
    {
        try
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Directory.CreateDirectory(Path.Combine(path, "journal"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return (new StateDirectory(path, null, CannotWrite(path, exception)), null);
        }

        var pidFile = Path.Combine(path, "agent.pid");
        FileStream held;
        try
        {
            held = LockFile.Hold(Path.Combine(path, "agent.lock"));
        }
        catch (IOException exception) when (LockFile.IsHeldByAnother(exception))
        {
            // The number is for whoever reads the message; what decides is the lock.
            var who = OtherAgent(pidFile) is { Length: > 0 } pid ? $"another agent (process {pid})" : "another agent";
            return (null, $"{who} uses the state directory {path}; stop it, or give this one a directory of its own with --state DIR.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return (new StateDirectory(path, null, CannotWrite(path, exception)), null);
        }

        string? warning = null;

        try
        {
            AtomicFile.Write(pidFile, Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)), durable: false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            warning = CannotWrite(path, exception);
        }

        return (new StateDirectory(path, held, warning), null);
    }

    public void Dispose() => _lock?.Dispose();

    private static string CannotWrite(string path, Exception exception) =>
        $"the state directory {path} cannot be written ({exception.Message.TrimEnd('.')}); the node runs, but keeps nothing: intents of the hub are rejected and a second agent is not noticed. Run as a user who may write it, make room on its disk, or give another one with --state DIR.";

    private static string? OtherAgent(string pidFile)
    {
        try
        {
            return File.ReadAllText(pidFile);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
