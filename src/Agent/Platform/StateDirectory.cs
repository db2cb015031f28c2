using System.Globalization;

namespace FailoverHub.Agent.Platform;

/// <summary>
/// The directory of what outlives the process, held by one agent at a time. The lock is the kernel's: it goes with the process, however that ends.
/// </summary>
internal sealed class StateDirectory : IDisposable
{
    private readonly FileStream _lock;

    private StateDirectory(string path, FileStream @lock)
    {
        Root = path;
        _lock = @lock;
    }

    public string Root { get; }

    public string IntentFile => Path.Combine(Root, "intent.json");

    public string RouterIdFile => Path.Combine(Root, "router-id.json");

    public string JournalDirectory => Path.Combine(Root, "journal");

    /// <summary>Either the directory, or why not in a sentence that says what to do.</summary>
    public static (StateDirectory? Directory, string? Problem) Open(string path)
    {
        try
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Directory.CreateDirectory(Path.Combine(path, "journal"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return (null, CannotWrite(path, exception));
        }

        var pidFile = Path.Combine(path, "agent.pid");
        FileStream held;
        try
        {
            held = new FileStream(Path.Combine(path, "agent.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException exception)
        {
            return (null, CannotWrite(path, exception));
        }
        catch (IOException exception)
        {
            return (null, OtherAgent(pidFile) is { } pid
                ? $"another agent (process {pid}) uses the state directory {path}; stop it, or give this one a directory of its own with --state DIR."
                : CannotWrite(path, exception));
        }

        try
        {
            File.WriteAllText(pidFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            held.Dispose();
            return (null, CannotWrite(path, exception));
        }

        return (new StateDirectory(path, held), null);
    }

    public void Dispose() => _lock.Dispose();

    private static string CannotWrite(string path, Exception exception) =>
        $"the state directory {path} cannot be written ({exception.Message.TrimEnd('.')}); run as a user who may write it, make room on its disk, or give another one with --state DIR.";

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
