using FailoverHub.Agent.Checks.Probes;

namespace FailoverHub.Agent.Checks.Commands;

/// <summary>
/// The processes of this one that are started and waited for here, and, when it is process 1 of a container, those that it inherits: whoever outlives its command loses its parent and is given to process 1,
/// which has to take it from the table of processes once it has ended. Elsewhere that is somebody else's business. From any thread.
/// </summary>
internal sealed class Children
{
    private const int First = 1;

    private readonly Lock _gate = new();
    private readonly HashSet<int> _own = [];

    /// <summary>What is done with each as soon as it runs.</summary>
    public Action<int> Started { get; init; } = MemoryPressure.EndSparing;

    /// <summary>Starts one; as <see cref="Spawning.Start"/>.</summary>
    public int Start(NativeTexts arguments, NativeTexts environment, int output, out int process)
    {
        int error;

        // Known as our own before anybody can look for others.
        lock (_gate)
        {
            error = Spawning.Start(arguments, environment, output, out process);
            if (error == 0)
            {
                _own.Add(process);
            }
        }

        if (error == 0)
        {
            Started(process);
        }

        return error;
    }

    /// <summary>The wait status of one that was started here, which is then gone for good; null: it runs.</summary>
    public int? Take(int process)
    {
        lock (_gate)
        {
            var status = SystemCalls.Reap(process);
            if (status is not null)
            {
                _own.Remove(process);
            }

            return status;
        }
    }

    /// <summary>Takes the ended ones that were inherited. After each command: only commands leave any.</summary>
    public void TakeInherited()
    {
        if (Environment.ProcessId != First)
        {
            return;
        }

        foreach (var process in ProcessEntry.All())
        {
            if (process is { IsDead: true, Parent: First })
            {
                lock (_gate)
                {
                    // Dead and not taken: nobody else has its number yet.
                    if (!_own.Contains(process.Id))
                    {
                        _ = SystemCalls.Reap(process.Id);
                    }
                }
            }
        }
    }
}
