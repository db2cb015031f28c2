namespace FailoverHub.Web.Operations;

/// <summary>The wanted: everything that pages and the API need to set operations going and to follow them.</summary>
public interface IOperations
{
    /// <summary>What would happen, without doing or storing anything. Null: no such pair or node, see <paramref name="problem"/>.</summary>
    OperationPreview? Preview(OperationRequest request, out SubmitResult? problem);

    /// <summary>Checks the rules, writes audit entry, operation and intents in one transaction, then sets it going. Returns before it has ended.</summary>
    Task<SubmitResult> SubmitAsync(OperationRequest request, Actor actor, CancellationToken cancellationToken);

    /// <summary>
    /// Stops an operation that is under way: what was sent is taken back as after a failed step, which goes on after this returns. What has
    /// ended, is just being taken back, or is not known any more cannot be cancelled. Audited, also when refused.
    /// </summary>
    /// <param name="id">The operation.</param>
    /// <param name="reason">Why: 3 to 500 characters.</param>
    /// <param name="actor">Who asks.</param>
    /// <param name="cancellationToken">Stops it while nothing is audited.</param>
    /// <returns>Accepted, NotFound, Invalid, TooLate or Unavailable.</returns>
    Task<SubmitResult> CancelAsync(string id, string reason, Actor actor, CancellationToken cancellationToken);

    /// <summary>One operation, running or ended; null: no such id.</summary>
    Task<OperationView?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>The newest operations, newest first.</summary>
    /// <param name="pairId">Of one pair; null: of all.</param>
    /// <param name="limit">1 to 501.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<IReadOnlyList<OperationView>> RecentAsync(string? pairId, int limit, CancellationToken cancellationToken);

    /// <summary>The operations before one of them, newest first; null: there is no operation with that id.</summary>
    /// <param name="pairId">Of one pair; null: of all.</param>
    /// <param name="id">The operation that the page before ended with.</param>
    /// <param name="limit">1 to 501.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<IReadOnlyList<OperationView>?> BeforeAsync(string? pairId, string id, int limit, CancellationToken cancellationToken);

    /// <summary>Every change of any operation from now on, as the whole operation. A slow reader may miss states between, never the last one. Ends when cancelled.</summary>
    IAsyncEnumerable<OperationView> WatchAsync(CancellationToken cancellationToken);
}
