using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Alerts.Conditions;

/// <summary>Whom the facts come from.</summary>
internal sealed record WatchedRooms(IFleetView Fleet, IOperations Operations, HubWriter Writer, DataFolder Folder, IReachability? Reachability = null, IProbedTargets? Targets = null);

/// <summary>Gathers the facts of a moment. Of operations it remembers which did not succeed.</summary>
internal sealed class AlertSources(WatchedRooms rooms, AlertSettings settings, AlertDeliverer deliverer, TimeProvider time)
{
    /// <summary>So many operations of the past are looked at when the hub starts.</summary>
    private const int Remembered = 500;

    /// <summary>What the prober says of every address while the hub itself is cut off begins so.</summary>
    private const string CutOff = "The hub itself is cut off";

    private readonly Lock _gate = new();
    private EndedOperations _operations = EndedOperations.None;
    private readonly long _began = time.GetTimestamp();
    private volatile bool _storageFails;

    /// <summary>Whether alerts themselves cannot be written.</summary>
    public bool StorageFails
    {
        get => _storageFails;
        set => _storageFails = value;
    }

    /// <summary>Begins with what has ended before. Call it before anybody looks.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (OperationView operation in (await rooms.Operations.RecentAsync(OperationFilter.All, Remembered, cancellationToken)).Reverse())
        {
            Take(operation);
        }
    }

    /// <summary>Follows operations until cancelled.</summary>
    public async Task FollowAsync(CancellationToken cancellationToken)
    {
        await foreach (OperationView operation in rooms.Operations.WatchAsync(cancellationToken))
        {
            Take(operation);
        }
    }

    public AlertFacts Gather()
    {
        ImmutableArray<TargetReachability> targets = rooms.Reachability?.Current ?? [];
        ImmutableDictionary<string, string> failing = deliverer.Failing;
        return new AlertFacts
        {
            At = time.GetUtcNow(),
            HubUpFor = time.GetElapsedTime(_began),
            Fleet = rooms.Fleet.Current,
            Reachability = targets.DistinctBy(t => t.Prefix).ToDictionary(t => t.Prefix),
            Vantages = rooms.Targets?.Vantages ?? [],
            Operations = Operations(),
            Hub = new HubCondition
            {
                CutOff = targets.Select(t => t.Problem).FirstOrDefault(p => p?.StartsWith(CutOff, StringComparison.Ordinal) == true),
                CannotWrite = rooms.Writer.IsFailing || _storageFails,
                FreeDisk = FreeDisk(),
            },
            FailingChannels = [.. settings.Channels.Where(c => failing.ContainsKey(c.Id)).Select(c => (c.Id, c.Name, failing[c.Id]))],
        };
    }

    private ImmutableArray<FailedOperation> Operations()
    {
        lock (_gate)
        {
            _operations = _operations.Forget(time.GetUtcNow());
            return [.. _operations.Failed];
        }
    }

    private void Take(OperationView operation)
    {
        lock (_gate)
        {
            _operations = _operations.Take(operation);
        }
    }

    private double? FreeDisk()
    {
        try
        {
            var drive = new DriveInfo(rooms.Folder.Path);
            return drive.TotalSize > 0 ? (double)drive.AvailableFreeSpace / drive.TotalSize : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
