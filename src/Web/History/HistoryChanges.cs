using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.History;

/// <summary>Tells open pages that history has grown.</summary>
internal sealed class HistoryChanges
{
    private readonly Lock _gate = new();

    /// <summary>Raised with each audit entry that is on the disk, by whoever wrote it: a handler only counts.</summary>
    public event Action<AuditDraft>? Audited;

    /// <summary>Raised for each batch of a node's journal that is on the disk, with the time that its newest entry took from the node to here.</summary>
    public event Action<TimeSpan>? JournalStored;
    private readonly LatestValue<HistoryAppended> _newest = new(new HistoryAppended(0, 0));

    public IAsyncEnumerable<HistoryAppended> WatchAsync(CancellationToken cancellationToken) => _newest.WatchAsync(cancellationToken);

    public void WasAudited(AuditDraft draft) => Audited?.Invoke(draft);

    public void WasJournalled(TimeSpan lag) => JournalStored?.Invoke(lag);

    /// <summary>Something with this number is on the disk.</summary>
    public void Appended(long? eventId = null, long? auditId = null)
    {
        lock (_gate)
        {
            var before = _newest.Current;
            var after = new HistoryAppended(Math.Max(before.LastEventId, eventId ?? 0), Math.Max(before.LastAuditId, auditId ?? 0));
            if (after != before)
            {
                _newest.Publish(after);
            }
        }
    }
}
