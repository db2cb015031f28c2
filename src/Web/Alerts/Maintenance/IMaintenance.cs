using System.Collections.Immutable;

namespace FailoverHub.Web.Alerts.Maintenance;

/// <summary>Maintenance windows, to read.</summary>
public interface IMaintenance
{
    /// <summary>Windows that were not over when they were last changed, oldest first. Ask each how it stands now.</summary>
    ImmutableArray<MaintenanceWindow> Standing { get; }

    /// <summary>What stands, then what stands after each change. Ends when cancelled.</summary>
    IAsyncEnumerable<ImmutableArray<MaintenanceWindow>> WatchAsync(CancellationToken cancellationToken);
}
