using System.Collections.Immutable;
using FailoverHub.Web.Components.Shared.Status;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Components.Pages.Nodes;

/// <summary>Search and counts of the list of nodes. Pure.</summary>
internal static class NodeList
{
    /// <summary>Nodes that match, in the order in which they came.</summary>
    /// <param name="nodes">All.</param>
    /// <param name="pairs">Names of a node's pairs, by its name.</param>
    /// <param name="search">Words; each must occur in the name, a prefix, a pair, the data center, the agent's version, or in what is said of link, health and drain. Empty: all match.</param>
    /// <param name="link">Only these; null: all.</param>
    public static ImmutableArray<NodeView> Select(ImmutableArray<NodeView> nodes, ILookup<string, string> pairs, string? search, NodeLink? link)
    {
        string[] words = (search ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return [.. nodes.Where(node => (link is null || node.Link == link) && words.All(word => Matches(node, pairs[node.Name], word)))];
    }

    /// <summary>How many nodes are in each state of the link that occurs: those that are not heard first.</summary>
    public static ImmutableArray<(NodeLink Link, int Count)> Counts(ImmutableArray<NodeView> nodes) =>
        [.. nodes.GroupBy(node => node.Link).Select(link => (link.Key, link.Count())).OrderBy(link => link.Key == NodeLink.Connected).ThenBy(link => link.Key)];

    /// <summary>Names of the pairs of each node.</summary>
    public static ILookup<string, string> PairsByNode(ImmutableArray<PairView> pairs) =>
        pairs.SelectMany(pair => pair.Members.Select(member => (member.Node.Name, Pair: pair.Name))).ToLookup(member => member.Name, member => member.Pair, StringComparer.Ordinal);

    private static bool Matches(NodeView node, IEnumerable<string> pairs, string word) =>
        Contains(node.Name, word)
        || Contains(node.DataCenter, word)
        || Contains(node.AgentVersion, word)
        || Contains(StatusWords.Of(node.Link).Word, word)
        || Contains(NodeWords.Health(node).Word, word)
        || (node.Drained && Contains("drained", word))
        || node.Prefixes.Any(prefix => Contains(prefix.Prefix.ToString(), word))
        || pairs.Any(pair => Contains(pair, word));

    private static bool Contains(string text, string word) => text.Contains(word, StringComparison.OrdinalIgnoreCase);
}
