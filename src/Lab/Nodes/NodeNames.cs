using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Lab.Nodes;

/// <summary>Names of the nodes' addresses, for people.</summary>
internal sealed class NodeNames(ImmutableArray<TrialNode> nodes)
{
    /// <summary><c>node-a (127.0.0.11)</c>, or the address alone of a stranger.</summary>
    public string Describe(IPAddress address) => Find(address) is { } name ? $"{name} ({address})" : address.ToString();

    /// <summary>The node's name, null for a stranger.</summary>
    public string? Find(IPAddress address) => nodes.FirstOrDefault(node => node.Address.Equals(address))?.Name;
}

/// <summary>A machine of the trial data center: its agent dials from <paramref name="Address"/>, its services answer there.</summary>
internal sealed record TrialNode(string Name, IPAddress Address)
{
    /// <summary>As on the command line.</summary>
    public override string ToString() => $"{Name}={Address}";
}
