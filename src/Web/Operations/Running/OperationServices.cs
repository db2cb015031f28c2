using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;

namespace FailoverHub.Web.Operations.Running;

/// <summary>What a run needs of the hub.</summary>
internal sealed record OperationServices(OperationStore Store, FleetStore Fleet, OperationFeed Feed, IReachability? Reachability, TimeProvider Time)
{
    private static readonly TimeSpan RetryDiskAfter = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Held by whoever decides what the nodes are to be: one request at a time, the end of a run, and what a settlement takes back. So no rule
    /// is checked against something that somebody else is just changing. Never held while a node is waited for.
    /// </summary>
    public SemaphoreSlim Admission { get; } = new(1);

    /// <summary>What a move cost; null: nothing is probed.</summary>
    public IMoveMeter? Meter { get; init; }

    /// <summary>What whoever asked for something that has waited may do now.</summary>
    public required IStandingRights Standing { get; init; }

    /// <summary>The figures of the rules.</summary>
    public OperationLimits Limits { get; init; } = new();

    /// <summary>
    /// Writes, and writes again each second while the disk is full or the database away. What breaks a constraint of the database never will be written; that is a
    /// defect, and thrown.
    /// </summary>
    /// <param name="write">One transaction.</param>
    /// <param name="until">When it is given up.</param>
    public async Task<T> OnDiskAsync<T>(Func<CancellationToken, Task<T>> write, CancellationToken until)
    {
        while (true)
        {
            try
            {
                return await write(until);
            }
            catch (Exception e) when (StorageFaults.MayPass(e))
            {
                await RestForDiskAsync(until);
            }
        }
    }

    /// <summary>Until what could not be written is tried again. Never while <see cref="Admission"/> is held: nobody who asks for something else waits as long as the disk does.</summary>
    public Task RestForDiskAsync(CancellationToken until) => Task.Delay(RetryDiskAfter, Time, until);
}
