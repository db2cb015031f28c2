using System.Globalization;
using FailoverHub.Agent.Checks.Probes;

namespace FailoverHub.Agent.Checks.Commands;

/// <summary>
/// Who belongs to a run, by a variable that every process inherits from its parent, whatever becomes of that: also a daemon with a session of its own whose
/// parents are gone. Who cleans its environment on the way is found only as long as its parents live (<see cref="Descendants"/>).
/// </summary>
internal static class MarkedProcesses
{
    /// <summary>Of the environment of a command.</summary>
    public const string Variable = "FAILOVERHUB_CHECK_RUN";

    private const int LengthOfRun = 32;

    // A kernel gives no process more for its arguments and variables than 6 MB; nobody's are longer than this in earnest.
    private const int MostOctets = 1 << 20;

    private static readonly byte[] _mark = [0, .. "FAILOVERHUB_CHECK_RUN="u8];

    /// <summary>As it stands in an environment.</summary>
    public static string Entry(string run) => $"{Variable}={run}";

    /// <summary>All that live, of these runs. Of other users' processes only root sees the environment.</summary>
    public static List<ProcessEntry> Of(IReadOnlySet<string> runs)
    {
        var buffer = new byte[MostOctets];
        return [.. ProcessEntry.All().Where(process => !process.IsDead && process.Id != Environment.ProcessId && RunOf(process.Id, buffer) is { } run && runs.Contains(run))];
    }

    // Null: it has none, or may not be looked at.
    private static string? RunOf(int process, byte[] buffer)
    {
        try
        {
            using var file = File.OpenHandle($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/environ");

            // As if a variable had ended before the first one.
            var length = 1;
            while (length < buffer.Length && RandomAccess.Read(file, buffer.AsSpan(length), length - 1) is > 0 and var read)
            {
                length += read;
            }

            var environment = buffer.AsSpan(0, length);
            var at = environment.IndexOf(_mark);
            return at < 0 || environment.Length < at + _mark.Length + LengthOfRun ? null : System.Text.Encoding.ASCII.GetString(environment.Slice(at + _mark.Length, LengthOfRun));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
