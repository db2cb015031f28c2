using FailoverHub.Web.Identity;

namespace FailoverHub.Web.Reachability.Vantages;

/// <summary>What vantage points are called now: probes are kept by the id of the node, which stays when it is renamed.</summary>
internal sealed class VantageNames(NodeRegister nodes)
{
    /// <summary>Its present name; of a node that is no more, the last one. What is not known is called by its id.</summary>
    public VantageName Of(string id) =>
        new(id, id != VantagePoint.HubId && nodes.FindById(id) is { } node ? node.RemovedAt is null ? node.Name : $"{node.Name} (removed)" : id);

    /// <summary>The id of what somebody calls by its name, or by its id already.</summary>
    public string IdOf(string nameOrId) =>
        string.Equals(nameOrId, VantagePoint.HubId, StringComparison.OrdinalIgnoreCase) ? VantagePoint.HubId
        : nodes.FindById(nameOrId) is null && nodes.FindByName(nameOrId) is { } node ? node.NodeId
        : nameOrId;
}
