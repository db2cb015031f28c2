using System.Text.RegularExpressions;

namespace FailoverHub.Web.History;

/// <summary>How the target of an audit entry is written, so that it can be found again.</summary>
internal static partial class AuditTarget
{
    public static string Pair(string name) => $"pair {name}";

    public static string Node(string name) => $"node {name}";

    public static string NodeOfPair(string node, string pair) => $"{Node(node)} of {Pair(pair)}";

    /// <summary>The node and the pair that a target names; null: it names none.</summary>
    public static (string? Node, string? Pair) Parse(string target)
    {
        Match match = Target().Match(target);
        return (match.Groups["node"] is { Success: true } node ? node.Value : null, match.Groups["pair"] is { Success: true } pair ? pair.Value : null);
    }

    [GeneratedRegex(@"\A(?:node (?<node>\S+)(?: of pair (?<pair>.+))?|pair (?<pair>.+))\z", RegexOptions.CultureInvariant)]
    private static partial Regex Target();
}
