using System.Collections.Immutable;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Alerts.Conditions;

/// <summary>
/// Which operations did not succeed: those of the past, and each that ends from then on. What ends while the past is read is in one of the two. The loop "alert-operations" is
/// begun anew, with the past, when it breaks.
/// </summary>
internal sealed partial class OperationFollowing(IOperations operations, TimeProvider time, ILogger<OperationFollowing> logger) : IDisposable
{
    /// <summary>So many operations of the past are looked at.</summary>
    private const int Remembered = 500;

    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private EndedOperations _operations = EndedOperations.None;

    // As they were when the past was read, which the feed may tell once more; forgotten with the next word of each.
    private Dictionary<string, OperationStatus> _past = [];
    private IAsyncEnumerator<OperationView>? _changes;
    private Task<bool>? _next;

    /// <summary>Those that did not succeed and were not made up for.</summary>
    public ImmutableArray<FailedOperation> Failed
    {
        get
        {
            lock (_gate)
            {
                _operations = _operations.Forget(time.GetUtcNow());
                return [.. _operations.Failed];
            }
        }
    }

    /// <summary>Begins with what has ended before. Call it before anybody looks.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // The feed tells what changes from the first step on: with that taken first, nothing falls between it and the past.
        _changes = operations.WatchAsync(_stop.Token).GetAsyncEnumerator(CancellationToken.None);
        _next = _changes.MoveNextAsync().AsTask();
        EndedOperations ended = EndedOperations.None;
        var past = new Dictionary<string, OperationStatus>();

        // As they ended, not as they were asked for: so each failure is counted from the success before it.
        foreach (OperationView operation in (await operations.RecentAsync(OperationFilter.All, Remembered, cancellationToken)).Reverse().OrderBy(EndedOperations.EndOf))
        {
            ended = ended.Take(operation);
            past[operation.Id] = operation.Status;
        }

        lock (_gate)
        {
            (_operations, _past) = (ended, past);
        }
    }

    /// <summary>Follows operations until cancelled.</summary>
    public async Task FollowAsync(CancellationToken cancellationToken)
    {
        await using CancellationTokenRegistration ending = cancellationToken.Register(_stop.Cancel);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (_changes is null)
                {
                    await StartAsync(cancellationToken);
                }

                while (await _next!)
                {
                    Take(_changes!.Current);
                    _next = _changes.MoveNextAsync().AsTask();
                }

                _changes = null;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                // A defect somewhere: without the loop no operation would be an alert any more, and nobody would know.
                LogBroken(fault);
                _changes = null;
            }

            // Also behind a feed that has ended of itself, which none does while the hub runs.
            await Task.Delay(AgainAfter, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose() => _stop.Dispose();

    private void Take(OperationView operation)
    {
        lock (_gate)
        {
            if (!_past.Remove(operation.Id, out OperationStatus known) || known != operation.Status)
            {
                _operations = _operations.Take(operation);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "What becomes of operations could not be followed for alerts; it is begun anew in a second, with those of the past")]
    private partial void LogBroken(Exception fault);
}
