using FailoverHub.Web.Api.Fleet;

namespace FailoverHub.Web.Api.Live;

/// <summary>One message of WatchFleet.</summary>
public sealed record FleetChangeDto
{
    /// <summary>snapshot: forget everything, this is all there is; changes: apply this to what you have.</summary>
    public required string Kind { get; init; }

    /// <summary>Grows with every change, within one run of the hub.</summary>
    public required long Version { get; init; }

    /// <summary>When this was so, by the hub's clock.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Every pair, or those that have changed, whole.</summary>
    public required IReadOnlyList<PairDto> Pairs { get; init; }

    /// <summary>Every node, or those that have changed, whole.</summary>
    public required IReadOnlyList<NodeDto> Nodes { get; init; }

    /// <summary>Ids of pairs that are gone.</summary>
    public required IReadOnlyList<string> RemovedPairs { get; init; }

    /// <summary>Names of nodes that are gone.</summary>
    public required IReadOnlyList<string> RemovedNodes { get; init; }

    /// <summary>When the last report of a node came that said the same as the one before: what you know of it is as old as this. At most once a second.</summary>
    public required IReadOnlyDictionary<string, DateTimeOffset> LastReportAt { get; init; }
}

/// <summary>One message of WatchEvents.</summary>
/// <param name="Events">Oldest first. Give the id of the last one back after a reconnect, and nothing is missed and nothing told twice.</param>
/// <param name="Gap">More happened meanwhile than is told here: read the rest with GET /api/v1/events.</param>
public sealed record EventsDto(IReadOnlyList<History.EventDto> Events, bool Gap);
