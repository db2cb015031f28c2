using System.Runtime.CompilerServices;

namespace FailoverHub.Web.Fleet;

/// <summary>
/// A value with one writer and any number of readers who want the newest one. Nothing is queued per reader, so a slow reader costs
/// nothing and one that has left leaves nothing behind.
/// </summary>
internal sealed class LatestValue<T>(T initial)
{
    private volatile Node _newest = new(initial);

    public T Current => _newest.Value;

    /// <summary>Only the owner of the value calls this, never two callers at once.</summary>
    public void Publish(T value)
    {
        var before = _newest;
        _newest = new Node(value);
        before.Superseded.SetResult();
    }

    /// <summary>The newest value, then each newer one; skips to the newest when the reader is slow. Ends quietly when cancelled.</summary>
    public async IAsyncEnumerable<T> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var node = _newest;
            yield return node.Value;
            var superseded = node.Superseded.Task.WaitAsync(cancellationToken);
            await superseded.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Continuations run elsewhere: the writer must not run its readers' code.
    private sealed class Node(T value)
    {
        public T Value { get; } = value;

        public TaskCompletionSource Superseded { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
