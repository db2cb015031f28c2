using FailoverHub.Agent.Control;

namespace FailoverHub.Agent.Service;

/// <summary>
/// Whether what we write goes to systemd's journal, which wants a priority in front of each line and has times of its own. It says so in <c>JOURNAL_STREAM</c>,
/// with device and number of the stream (sd-daemon(3)): everything that a service starts inherits the variable, so it means nothing where the output has
/// been turned elsewhere, into a file or a pipe.
/// </summary>
internal static class JournalStream
{
    private const string Variable = "JOURNAL_STREAM";
    private const string StandardOutput = "/proc/self/fd/1";

    /// <summary>Our standard output is the journal.</summary>
    public static bool IsStandardOutput() => Is(Environment.GetEnvironmentVariable(Variable), StandardOutput);

    /// <param name="variable">As systemd has set it; null: it has not.</param>
    /// <param name="stream">Path of the stream.</param>
    internal static bool Is(string? variable, string stream)
    {
        if (string.IsNullOrEmpty(variable))
        {
            return false;
        }

        try
        {
            return SocketFile.Look(stream, throughLinks: true)?.Place == variable;
        }
        catch (IOException)
        {
            // No /proc, or a closed output: nobody reads a priority there.
            return false;
        }
    }
}
