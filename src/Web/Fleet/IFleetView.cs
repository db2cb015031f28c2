namespace FailoverHub.Web.Fleet;

/// <summary>The present, to read: what pages, the API and the operation rules see of the fleet.</summary>
public interface IFleetView
{
    /// <summary>The newest snapshot. Never null; <see cref="FleetSnapshot.Empty"/> before the first report.</summary>
    FleetSnapshot Current { get; }

    /// <summary>
    /// Every newer snapshot from now on, the current one first. A slow reader skips to the newest; links and ages are
    /// computed anew at least once a second, also when nobody reports. Ends when cancelled.
    /// </summary>
    IAsyncEnumerable<FleetSnapshot> WatchAsync(CancellationToken cancellationToken);
}
