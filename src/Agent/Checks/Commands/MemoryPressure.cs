using System.Globalization;

namespace FailoverHub.Agent.Checks.Commands;

/// <summary>Whom the kernel ends when memory is short (<c>oom_score_adj</c>, -1000 to 1000; children inherit it).</summary>
internal static class MemoryPressure
{
    /// <summary>
    /// Where the agent is spared, a child of it is not: the script of a check that takes all memory is to be ended itself, and not, because it is spared as
    /// well, whatever else runs on the machine. To be spared less needs no right.
    /// </summary>
    /// <param name="process">A child that has just been started. What it starts itself before this inherits ours: for that it has some microseconds.</param>
    public static void EndSparing(int process) =>
        EndSparing("/proc/self/oom_score_adj", string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/oom_score_adj"));

    /// <summary>As above.</summary>
    /// <param name="ours">The kernel's file of this process.</param>
    /// <param name="childs">That of the child.</param>
    public static void EndSparing(string ours, string childs)
    {
        try
        {
            if (int.TryParse(File.ReadAllText(ours), NumberStyles.Integer, CultureInfo.InvariantCulture, out var score) && score < 0)
            {
                File.WriteAllText(childs, "0");
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It has ended already, or there is no /proc: the check is what matters.
        }
    }
}
