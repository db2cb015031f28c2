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

    /// <summary>Agrees, as a second person, to an operation that waits for that (SR-11): it begins, or waits for its time. Audited, also when refused.</summary>
    /// <param name="id">The operation.</param>
    /// <param name="reason">Why: 3 to 500 characters.</param>
    /// <param name="actor">Who agrees; never who asked for it.</param>
    /// <param name="cancellationToken">Stops it while nothing is audited.</param>
    /// <returns>Accepted, Refused, NotFound, Invalid, TooLate or Unavailable.</returns>
    Task<SubmitResult> ApproveAsync(string id, string reason, Actor actor, CancellationToken cancellationToken);

    /// <summary>Ends an operation that waits for a second person; whoever asked for it may do so too. Audited, also when refused.</summary>
    /// <inheritdoc cref="ApproveAsync"/>
    Task<SubmitResult> RejectAsync(string id, string reason, Actor actor, CancellationToken cancellationToken);

    /// <summary>One operation, running or ended; null: no such id.</summary>
    Task<OperationView?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>The newest operations, newest first.</summary>
    /// <param name="filter">Which of them.</param>
    /// <param name="limit">1 to 501.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<IReadOnlyList<OperationView>> RecentAsync(OperationFilter filter, int limit, CancellationToken cancellationToken);

    /// <summary>The operations before one of them, newest first; null: there is no operation with that id.</summary>
    /// <param name="filter">Which of them.</param>
    /// <param name="id">The operation that the page before ended with.</param>
    /// <param name="limit">1 to 501.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<IReadOnlyList<OperationView>?> BeforeAsync(OperationFilter filter, string id, int limit, CancellationToken cancellationToken);

    /// <summary>Every change of any operation from now on, as the whole operation. A slow reader may miss states between, never the last one. Ends when cancelled.</summary>
    IAsyncEnumerable<OperationView> WatchAsync(CancellationToken cancellationToken);
}
