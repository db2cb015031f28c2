using System.Runtime.CompilerServices;
using FailoverHub.Web.Api.Operations;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Api.Live;

/// <summary>The newest operations, and then each that changes, whole.</summary>
internal static class OperationStream
{
    /// <summary>So many are told first, oldest first.</summary>
    public const int First = 100;

    /// <summary>Ends when it is stopped; whoever reads may leave it at any place.</summary>
    public static async IAsyncEnumerable<OperationDto> ReadAsync(IOperations operations, [EnumeratorCancellation] CancellationToken stop)
    {
        // Watching begins before reading: what changes in between is told twice rather than never.
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await using IAsyncEnumerator<OperationView> changes = operations.WatchAsync(over.Token).GetAsyncEnumerator(over.Token);
        Task<bool> next = changes.MoveNextAsync().AsTask();
        try
        {
            foreach (OperationView known in (await operations.RecentAsync(OperationFilter.All, First, stop)).Reverse())
            {
                yield return known.ToDto();
            }

            while (await next)
            {
                yield return changes.Current.ToDto();
                next = changes.MoveNextAsync().AsTask();
            }
        }
        finally
        {
            // Reading may fail, and whoever reads may go, while the next change is awaited: an iterator that is not at rest cannot be disposed.
            await over.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
