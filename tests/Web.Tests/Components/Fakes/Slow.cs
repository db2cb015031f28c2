using System.Collections.Immutable;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Tests.Components.Fakes;

/// <summary>A history that answers when a test says so: whoever reads it meanwhile knows nothing yet.</summary>
internal sealed class SlowHistory : FakeHistory, IHistory
{
    public TaskCompletionSource Ready { get; } = new();

    async Task<HistoryPage<EventRecord>> IHistory.EventsAsync(HistoryFilter filter, string? cursor, int limit, CancellationToken cancellationToken)
    {
        await Ready.Task;
        return await EventsAsync(filter, cursor, limit, cancellationToken);
    }

    async Task<HistoryPage<AuditEntry>> IHistory.AuditAsync(HistoryFilter filter, string? cursor, int limit, CancellationToken cancellationToken)
    {
        await Ready.Task;
        return await AuditAsync(filter, cursor, limit, cancellationToken);
    }
}

/// <summary>Operations whose list comes when a test says so.</summary>
internal sealed class SlowOperations : FakeOperations, IOperations
{
    public TaskCompletionSource Ready { get; } = new();

    async Task<IReadOnlyList<OperationView>> IOperations.RecentAsync(OperationFilter filter, int limit, CancellationToken cancellationToken)
    {
        await Ready.Task;
        return await RecentAsync(filter, limit, cancellationToken);
    }
}

/// <summary>Alerts whose past comes when a test says so; until it is made slow it comes at once.</summary>
internal sealed class SlowAlerts : FakeAlerts, IAlerts
{
    public TaskCompletionSource? Ready { get; set; }

    async Task<ImmutableArray<Alert>> IAlerts.ListAsync(AlertFilter filter, string? before, int limit, CancellationToken cancellationToken)
    {
        await (Ready?.Task ?? Task.CompletedTask);
        return await ListAsync(filter, before, limit, cancellationToken);
    }
}
