using System.Net;

namespace FailoverHub.Agent.Vantage;

/// <summary>
/// Looks names up on threads of their own, a few at one time: the system's resolver blocks whoever calls it for as long as its servers are silent, and the threads of the pool have the node's
/// own work to do. A thread lives as long as its look-up.
/// </summary>
/// <param name="resolve">The system's resolver; throws when it finds nothing.</param>
internal sealed class NameLookup(Func<string, IPAddress[]> resolve) : IDisposable
{
    /// <summary>At one time; whoever comes later waits for room as long as its probe may take.</summary>
    public const int Most = 4;

    private readonly SemaphoreSlim _room = new(Most);

    /// <summary>What the name leads to now; nothing is kept.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">Nothing.</exception>
    public async Task<IPAddress[]> FindAsync(string name, CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken);
        var finding = Task.Factory.StartNew(() => resolve(name), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        // The room is free when the resolver is, not when nobody waits for it any more.
        _ = finding.ContinueWith(_ => _room.Release(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return await finding.WaitAsync(cancellationToken);
    }

    public void Dispose() => _room.Dispose();
}
