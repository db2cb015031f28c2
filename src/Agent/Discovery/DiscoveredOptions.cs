using System.Globalization;
using FailoverHub.Agent.Configuration;

namespace FailoverHub.Agent.Discovery;

/// <summary>What the metadata service adds to what the operator said. What he said always wins.</summary>
internal static class DiscoveredOptions
{
    /// <summary>
    /// The neighbors where none is given, and the source address of sessions to a data center's route servers where none is given: that is the address they
    /// know this machine by. The same options when the service has nothing to add.
    /// </summary>
    public static AgentOptions Complete(AgentOptions given, InstanceFacts facts)
    {
        var completed = given;
        if (given.Neighbors.IsEmpty && DataCenterOf(facts) is { } dataCenter
            && NeighborPattern.TryExpand(given.NeighborPattern, dataCenter.Id, given.NeighborPort, out var neighbors))
        {
            completed = completed with { DataCenter = dataCenter.Id, Neighbors = neighbors, NeighborsAreFound = true };
        }

        return completed.DataCenter is not null && given.LocalIpv6 is null && facts.Slaac is { } slaac
            ? completed with { LocalIpv6 = slaac, LocalIpv6IsFound = true }
            : completed;
    }

    /// <summary>Null: the service names no region, or one that this version does not know.</summary>
    public static DataCenter? DataCenterOf(InstanceFacts facts) => facts.Region is { } region ? DataCenters.FindRegion(region) : null;

    /// <summary>What is odd about the two together, in sentences.</summary>
    public static IEnumerable<string> Warnings(AgentOptions given, InstanceFacts facts)
    {
        var dataCenter = DataCenterOf(facts);
        if (facts.Region is null)
        {
            yield return $"the metadata service names no region{Without(given)}";
        }
        else if (dataCenter is null)
        {
            yield return $"region {facts.Region} is not known to this version{Without(given)}";
        }
        else if (given.DataCenter is { } id && id != dataCenter.Id)
        {
            yield return $"--dcid is {Number(id)}, but the metadata service says that this machine is in {facts.Region} ({dataCenter.Name}), which is {Number(dataCenter.Id)}: the route servers of {Number(id)} are dialled as you said";
        }
        else if (given.DataCenter is null && given.Neighbors.IsEmpty && dataCenter.Warning is { } warning)
        {
            yield return $"data center {dataCenter.Name}: {warning}";
        }

        if (facts.Slaac is null && (given.DataCenter is not null || given.Neighbors.IsEmpty))
        {
            yield return "the platform has given this machine no IPv6 address, and its route servers are reached over IPv6 only: ask the platform's support for one";
        }
    }

    /// <summary>One line of everything that it said.</summary>
    public static string Describe(InstanceFacts facts)
    {
        var dataCenter = DataCenterOf(facts);
        var where = dataCenter is null ? facts.Region ?? "of no region" : $"{facts.Region} is data center {Number(dataCenter.Id)}, {dataCenter.Name}";
        var shared = facts.Shared.IsEmpty ? "nothing of another machine is shared with this one" : $"shared with this machine: {string.Join(", ", facts.Shared)}";
        return $"{where}; IPv6 source {facts.Slaac?.ToString() ?? "none"}; {shared}; host {facts.HostId ?? "not named"}";
    }

    private static string Without(AgentOptions given) =>
        given.Neighbors.IsEmpty ? ", so the route servers are not known and nothing can be announced: give --dcid with the id of its data center" : "; what is dialled was given";

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
