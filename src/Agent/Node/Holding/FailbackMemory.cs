using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Agent.Node.Holding;

/// <summary>
/// What of the failback outlives the process: which prefixes could once be primary on this node under a policy that holds. For them a
/// start is a return; for any other it is the first one.
/// </summary>
/// <param name="Prefixes">At most <see cref="Most"/>, but for those that are known just now.</param>
/// <param name="IsLost">It cannot be read. Then every prefix counts as one that was here: held back for once too often rather than too seldom.</param>
internal sealed record FailbackMemory(ImmutableHashSet<IPNetwork> Prefixes, bool IsLost = false)
{
    /// <summary>As many as an intent may have.</summary>
    public const int Most = 16_384;

    public static FailbackMemory None { get; } = new([]);

    public bool Knows(IPNetwork prefix) => IsLost || Prefixes.Contains(prefix);

    /// <summary>With these as well. What the node does not know just now is forgotten when there is too much of it.</summary>
    public FailbackMemory With(IEnumerable<IPNetwork> news, IEnumerable<PrefixState> known)
    {
        var prefixes = Prefixes.Union(news);
        return this with { Prefixes = prefixes.Count <= Most ? prefixes : prefixes.Intersect(known.Select(prefix => prefix.Prefix)) };
    }
}
