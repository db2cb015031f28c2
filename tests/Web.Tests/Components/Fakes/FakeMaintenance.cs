using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Maintenance;

namespace FailoverHub.Web.Tests.Components.Fakes;

/// <summary>Maintenance windows as a test published them.</summary>
internal sealed class FakeMaintenance : IMaintenance
{
    public Broadcast<ImmutableArray<MaintenanceWindow>> Changes { get; } = new();

    public ImmutableArray<MaintenanceWindow> Standing { get; private set; } = [];

    public static MaintenanceWindow Window(MaintenanceScope scope, string target, DateTimeOffset now, string by = "ann") => new()
    {
        Id = $"{scope}-{target}",
        Scope = scope,
        Target = target,
        From = now.AddHours(-1),
        To = now.AddHours(2),
        Reason = "new kernel",
        By = by,
        CreatedAt = now.AddHours(-2),
    };

    public void Publish(params ImmutableArray<MaintenanceWindow> windows)
    {
        Standing = windows;
        Changes.Send(windows);
    }

    public IAsyncEnumerable<ImmutableArray<MaintenanceWindow>> WatchAsync(CancellationToken cancellationToken) => Changes.ListenAsync([Standing], cancellationToken);
}
