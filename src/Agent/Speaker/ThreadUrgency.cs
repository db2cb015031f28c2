using System.Runtime.InteropServices;

namespace FailoverHub.Agent.Speaker;

/// <summary>
/// Asks the kernel to run the calling thread before others, so that busy processors do not delay it. Threads that it starts are
/// ordinary ones again: the pool may grow from here.
/// </summary>
internal static partial class ThreadUrgency
{
    private const int Normal = 0; // SCHED_OTHER
    private const int RoundRobin = 2; // SCHED_RR
    private const int ResetOnFork = 0x40000000; // SCHED_RESET_ON_FORK
    private const int OfOne = 0; // PRIO_PROCESS, on Linux: of one thread
    private const int CallingThread = 0;

    // The least of the real-time priorities: before every ordinary thread, behind whatever else on this host is real-time.
    private const int LeastRealTime = 1;
    private const int Nice = -15;

    /// <summary>Raises the calling thread as far as it is permitted.</summary>
    /// <returns>What it has become, for the log.</returns>
    public static string Raise()
    {
        var priority = LeastRealTime;
        if (SetScheduler(CallingThread, RoundRobin | ResetOnFork, in priority) == 0)
        {
            return "real-time priority";
        }

        priority = 0;
        if (SetScheduler(CallingThread, Normal | ResetOnFork, in priority) == 0 && SetPriority(OfOne, CallingThread, Nice) == 0)
        {
            return $"nice {Nice}";
        }

        return "ordinary priority (more needs CAP_SYS_NICE)";
    }

    /// <summary>Makes the calling thread an ordinary one again.</summary>
    public static void Lower()
    {
        var none = 0;
        _ = SetScheduler(CallingThread, Normal | ResetOnFork, in none);
        _ = SetPriority(OfOne, CallingThread, none);
    }

    [LibraryImport("libc", EntryPoint = "sched_setscheduler", SetLastError = true)]
    private static partial int SetScheduler(int thread, int policy, in int priority);

    [LibraryImport("libc", EntryPoint = "setpriority", SetLastError = true)]
    private static partial int SetPriority(int which, int who, int priority);
}
