using FailoverHub.Agent.Checks.Probes;

namespace FailoverHub.Agent.Checks.Commands;

/// <summary>The processes that a command started, also those that went into a session of their own; whoever lost its parent is found by its mark only.</summary>
internal static class Descendants
{
    public static List<ProcessEntry> Of(int process)
    {
        var children = ProcessEntry.All().ToLookup(entry => entry.Parent);
        var found = new List<ProcessEntry>();
        var next = new Queue<int>([process]);
        while (next.TryDequeue(out var parent))
        {
            foreach (var child in children[parent])
            {
                // A reading of /proc is no snapshot: what would be a circle was read at two times.
                if (child.Id != process && !found.Exists(known => known.Id == child.Id))
                {
                    found.Add(child);
                    next.Enqueue(child.Id);
                }
            }
        }

        return found;
    }

    /// <summary>To those of them that are still the same processes.</summary>
    public static void Signal(IEnumerable<ProcessEntry> processes, int signal)
    {
        foreach (var process in processes)
        {
            if (ProcessEntry.Read(process.Id) is { } now && now.StartedAt == process.StartedAt)
            {
                _ = SystemCalls.Kill(process.Id, signal);
            }
        }
    }
}
