using System.Collections.Immutable;

namespace FailoverHub.Web.History;

/// <summary>The past, to read.</summary>
public interface IHistory
{
    /// <summary>Events, newest first.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="cursor">Of an earlier page; null: from the newest.</param>
    /// <param name="limit">1 to 500.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="FormatException">The cursor is not one of ours.</exception>
    Task<HistoryPage<EventRecord>> EventsAsync(HistoryFilter filter, string? cursor, int limit, CancellationToken cancellationToken);

    /// <summary>Audit entries, newest first.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="cursor">Of an earlier page; null: from the newest.</param>
    /// <param name="limit">1 to 500.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="FormatException">The cursor is not one of ours.</exception>
    Task<HistoryPage<AuditEntry>> AuditAsync(HistoryFilter filter, string? cursor, int limit, CancellationToken cancellationToken);

    /// <summary>Checkpoints of the audit, newest first.</summary>
    /// <param name="cursor">Of an earlier page; null: from the newest.</param>
    /// <param name="limit">1 to 500.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="FormatException">The cursor is not one of ours.</exception>
    Task<HistoryPage<AuditCheckpoint>> CheckpointsAsync(string? cursor, int limit, CancellationToken cancellationToken);

    /// <summary>Checks the whole hash chain of the audit, and its checkpoints.</summary>
    Task<AuditVerification> VerifyAuditAsync(CancellationToken cancellationToken);

    /// <summary>Intents that an operation wrote, in the order of writing.</summary>
    Task<ImmutableArray<IntentRecord>> IntentsAsync(string operationId, CancellationToken cancellationToken);

    /// <summary>Says that something was appended, so that an open page reads again. Coalesced; ends when cancelled.</summary>
    IAsyncEnumerable<HistoryAppended> WatchAsync(CancellationToken cancellationToken);
}

/// <summary>Newest ids after an append.</summary>
/// <param name="LastEventId">0: no events yet.</param>
/// <param name="LastAuditId">0: no audit entries yet.</param>
public sealed record HistoryAppended(long LastEventId, long LastAuditId);
