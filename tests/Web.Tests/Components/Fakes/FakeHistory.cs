using System.Collections.Immutable;
using System.Globalization;
using System.Threading.Channels;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Tests.Components.Fakes;

/// <summary>A history in memory, with the same filters and paging as the real one.</summary>
internal class FakeHistory : IHistory
{
    private readonly Broadcast<HistoryAppended> _appended = new();

    public List<EventRecord> Events { get; } = [];

    public List<AuditEntry> Audit { get; } = [];

    public AuditVerification Verification { get; set; } = new(true, 0, null, new string('0', 64));

    /// <summary>The dispatcher that the audit was last verified on; null: none, as it should be.</summary>
    public SynchronizationContext? VerifiedOn { get; private set; } = new();

    /// <summary>One item for each time that events were read.</summary>
    public Channel<bool> EventReadings { get; } = Channel.CreateUnbounded<bool>();

    /// <summary>Why events and audit cannot be read now; null: they can.</summary>
    public Exception? Fault { get; set; }

    public void Append(EventRecord record)
    {
        Events.Add(record);
        Announce();
    }

    public void Append(AuditEntry entry)
    {
        Audit.Add(entry);
        Announce();
    }

    public Task<HistoryPage<EventRecord>> EventsAsync(HistoryFilter filter, string? cursor, int limit, CancellationToken cancellationToken)
    {
        EventReadings.Writer.TryWrite(true);
        if (Fault is { } fault)
        {
            return Task.FromException<HistoryPage<EventRecord>>(fault);
        }

        return Task.FromResult(Page(Events.Where(record =>
            (filter.From is null || record.At >= filter.From)
            && (filter.To is null || record.At < filter.To)
            && (filter.Pair is null || record.Pair == filter.Pair)
            && (filter.Node is null || record.Node == filter.Node)
            && (filter.Kind is null || record.Kind == filter.Kind)
            && (filter.MinimumSeverity is null || record.Severity >= filter.MinimumSeverity)
            && (filter.OperationId is null || record.OperationId == filter.OperationId)
            && Contains(record.Text, filter.Text)), record => record.Id, cursor, limit));
    }

    public Task<HistoryPage<AuditEntry>> AuditAsync(HistoryFilter filter, string? cursor, int limit, CancellationToken cancellationToken) =>
        Fault is { } fault ? Task.FromException<HistoryPage<AuditEntry>>(fault) : Task.FromResult(Page(Audit.Where(entry =>
            (filter.From is null || entry.At >= filter.From)
            && (filter.To is null || entry.At < filter.To)
            && (filter.Pair is null || entry.Target == "pair " + filter.Pair)
            && (filter.Node is null || entry.Target == "node " + filter.Node)
            && (filter.Kind is null || entry.Action == filter.Kind)
            && (filter.Actor is null || entry.Actor == filter.Actor)
            && (filter.OperationId is null || entry.CorrelationId == filter.OperationId)
            && Contains($"{entry.Reason} {entry.Outcome} {entry.Target}", filter.Text)), entry => entry.Id, cursor, limit));

    public List<IntentRecord> Intents { get; } = [];

    public Task<ImmutableArray<IntentRecord>> IntentsAsync(string operationId, CancellationToken cancellationToken) => Task.FromResult(Intents.ToImmutableArray());

    public Task<HistoryPage<AuditCheckpoint>> CheckpointsAsync(string? cursor, int limit, CancellationToken cancellationToken) =>
        Task.FromResult(new HistoryPage<AuditCheckpoint>([], null));

    public Task<AuditVerification> VerifyAuditAsync(CancellationToken cancellationToken) => Verified();

    public IAsyncEnumerable<HistoryAppended> WatchAsync(CancellationToken cancellationToken) => _appended.ListenAsync([], cancellationToken);

    private Task<AuditVerification> Verified()
    {
        VerifiedOn = SynchronizationContext.Current;
        return Task.FromResult(Verification with { Entries = Audit.Count });
    }

    private static bool Contains(string text, string? wanted) => wanted is null || text.Contains(wanted, StringComparison.OrdinalIgnoreCase);

    private static HistoryPage<T> Page<T>(IEnumerable<T> all, Func<T, long> id, string? cursor, int limit)
    {
        long before = cursor is null ? long.MaxValue : long.Parse(cursor, CultureInfo.InvariantCulture);
        T[] page = [.. all.Where(item => id(item) < before).OrderByDescending(id).Take(limit + 1)];
        return page.Length > limit
            ? new([.. page[..limit]], id(page[limit - 1]).ToString(CultureInfo.InvariantCulture))
            : new([.. page], null);
    }

    private void Announce() => _appended.Send(new(Events.Count == 0 ? 0 : Events[^1].Id, Audit.Count == 0 ? 0 : Audit[^1].Id));
}
