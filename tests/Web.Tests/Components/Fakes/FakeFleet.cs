using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Tests.Components.Fakes;

/// <summary>A fleet that is whatever a test publishes.</summary>
internal sealed class FakeFleet : IFleetView
{
    public Broadcast<FleetSnapshot> Changes { get; } = new();

    public FleetSnapshot Current { get; private set; } = FleetSnapshot.Empty;

    public void Publish(FleetSnapshot snapshot)
    {
        Current = snapshot;
        Changes.Send(snapshot);
    }

    public IAsyncEnumerable<FleetSnapshot> WatchAsync(CancellationToken cancellationToken) => Changes.ListenAsync([Current], cancellationToken);
}
