using System.Collections.Immutable;
using System.Net;
using FailoverHub.Lab.Fabric;
using FailoverHub.Lab.Nodes;
using FailoverHub.Lab.RouteServers;

namespace FailoverHub.Lab;

/// <summary>What the trial data center is to be.</summary>
internal sealed record LabOptions
{
    public required ImmutableArray<IPEndPoint> RouteServers { get; init; }

    public required RouteServerSettings Bgp { get; init; }

    public required ImmutableArray<TrialNode> Nodes { get; init; }

    public required FabricPorts Ports { get; init; }

    /// <summary>Null: no state file.</summary>
    public string? StatePath { get; init; }
}
