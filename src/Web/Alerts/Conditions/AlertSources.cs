using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Alerts.Conditions;

/// <summary>Whom the facts come from.</summary>
internal sealed record WatchedRooms(IFleetView Fleet, HubWriter Writer, DataFolder Folder, IReachability? Reachability = null, IProbedTargets? Probed = null);

/// <summary>Gathers the facts of a moment.</summary>
internal sealed class AlertSources(WatchedRooms rooms, OperationFollowing operations, AlertSettings settings, AlertDeliverer deliverer, TimeProvider time)
{
    private readonly long _began = time.GetTimestamp();
    private volatile bool _storageFails;

    /// <summary>Whether alerts themselves cannot be written.</summary>
    public bool StorageFails
    {
        get => _storageFails;
        set => _storageFails = value;
    }

    public AlertFacts Gather()
    {
        ImmutableArray<TargetReachability> targets = rooms.Reachability?.Current ?? [];
        ImmutableDictionary<string, string>? failing = deliverer.Failing;
        return new AlertFacts
        {
            At = time.GetUtcNow(),
            HubUpFor = time.GetElapsedTime(_began),
            Fleet = rooms.Fleet.Current,
            Reachability = targets.DistinctBy(t => t.Prefix).ToDictionary(t => t.Prefix),
            Vantages = rooms.Probed?.Vantages ?? [],
            Targets = [.. (rooms.Probed?.Current ?? []).Where(t => t.Kind != ProbedKind.Shared)],
            Operations = operations.Failed,
            Hub = new HubCondition
            {
                CutOff = rooms.Probed?.CutOff,
                KnowsItsWayOut = rooms.Probed?.KnowsItsWayOut ?? true,
                CannotWrite = rooms.Writer.IsFailing || _storageFails,
                FreeDisk = FreeDisk(),
            },
            FailingChannels = [.. settings.Channels.Where(c => c.Enabled && failing?.ContainsKey(c.Id) != false).Select(c => (c.Id, c.Name, failing?[c.Id]))],
        };
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
