using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Reload;

/// <summary>
/// Tells when a file may be another one. Its directory is watched and not the file: editors and tools replace a file by another of the same name, and what
/// a file's own watch would follow is the old one.
/// </summary>
internal sealed partial class FileWatch : IDisposable
{
    private readonly FileSystemWatcher? _watcher;

    /// <param name="file">Absolute. It need not be there.</param>
    /// <param name="changed">Called on a thread of the runtime; returns at once.</param>
    /// <param name="logger">Hears when nothing can be watched.</param>
    public FileWatch(string file, Action changed, ILogger logger)
    {
        var (directory, name) = (Path.GetDirectoryName(file)!, Path.GetFileName(file));
        if (!Directory.Exists(directory))
        {
            return;
        }

        void Look(string? named)
        {
            if (named == name || IsLink(file))
            {
                changed();
            }
        }

        try
        {
            _watcher = new FileSystemWatcher(directory) { NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite | NotifyFilters.CreationTime };
            _watcher.Changed += (_, change) => Look(change.Name);
            _watcher.Created += (_, change) => Look(change.Name);
            _watcher.Deleted += (_, change) => Look(change.Name);
            _watcher.Renamed += (_, change) => Look(change.Name == name ? change.Name : change.OldName);
            _watcher.Error += (_, _) => changed();
            _watcher.EnableRaisingEvents = true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Mostly the machine's limit of watches. SIGHUP works all the same.
            NotWatched(logger, file, exception.Message);
        }
    }

    public void Dispose() => _watcher?.Dispose();

    // Behind a link anything beside it may be what changes: mounted volumes turn a whole directory over. On the watcher's thread nothing may be thrown.
    private static bool IsLink(string file)
    {
        try
        {
            return new FileInfo(file).LinkTarget is not null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "Changes of {File} are not noticed, send SIGHUP after one: {Problem}")]
    private static partial void NotWatched(ILogger logger, string file, string problem);
}
