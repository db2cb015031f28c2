namespace FailoverHub.Agent.Checks.Commands;

/// <summary>
/// The runs of commands that are under way: each has a name of its own, which its processes carry in their environment (<see cref="MarkedProcesses"/>) and
/// which stands as an empty file in a directory until the run is over. An agent that was killed leaves the names of what it was running, and the next one ends
/// that before it runs anything itself. What a command left running on purpose is of a run that is over, and is nobody's business.
/// </summary>
/// <param name="directory">Of the files; null: none are kept, and nothing is found at the next start.</param>
internal sealed class CommandRuns(string? directory)
{
    /// <summary>What the next start ends waits no longer than this for the kernel.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(10);

    /// <summary>The processes of all runs.</summary>
    public Children Children { get; } = new();

    /// <summary>Without a memory.</summary>
    public static CommandRuns Forgotten { get; } = new(null);

    /// <summary>The name of a run that begins now.</summary>
    public string Begin()
    {
        var run = Guid.NewGuid().ToString("N");
        if (directory is not null)
        {
            try
            {
                Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                File.Create(Path.Combine(directory, run)).Dispose();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // A disk that takes nothing is no reason not to check. Then a killed agent leaves no name, as it keeps nothing else either.
            }
        }

        return run;
    }

    /// <summary>It is over, with everything that was to be ended.</summary>
    public void End(string run)
    {
        if (directory is not null)
        {
            TryDelete(Path.Combine(directory, run));
        }
    }

    /// <summary>Ends what the last process was running when it was killed. To be called while no other agent has this directory, and before the first run.</summary>
    /// <returns>How many processes that were.</returns>
    public async Task<int> EndLeftoversAsync(TimeProvider time)
    {
        List<string> left;
        try
        {
            left = directory is null || !Directory.Exists(directory) ? [] : [.. Directory.EnumerateFiles(directory).Where(path => Guid.TryParseExact(Path.GetFileName(path), "N", out _))];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return 0;
        }

        if (left.Count == 0)
        {
            return 0;
        }

        var runs = left.Select(path => Path.GetFileName(path)).ToHashSet(StringComparer.Ordinal);
        var ended = new HashSet<int>();
        var began = time.GetTimestamp();
        while (MarkedProcesses.Of(runs) is { Count: > 0 } marked && time.GetElapsedTime(began) < _patience)
        {
            ended.UnionWith(marked.Select(process => process.Id));
            Descendants.Signal(marked, SystemCalls.KillSignal);
            await Task.Delay(_lookAgain, time);
        }

        left.ForEach(TryDelete);
        return ended.Count;
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It names a run of which nothing is left: found again at the next start, and nothing with it.
        }
    }
}
