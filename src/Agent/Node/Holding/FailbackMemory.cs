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

    /// <summary>Of <see cref="IsLost"/>, for sentences: why it is not known, when nothing says that it ever was kept. Null: it was, and is damaged.</summary>
    public string? Doubt { get; init; }

    /// <summary>There is a file of it, or one is being written: that none was primary here is known only from a file that says so.</summary>
    public bool IsKept { get; init; }

    /// <summary>For sentences: what a prefix of which this node hears for the first time in this life returned from.</summary>
    public string Returned(string cause) => Doubt is null ? cause : $"{cause}; {Doubt}";

    public bool Knows(IPNetwork prefix) => IsLost || Prefixes.Contains(prefix);

    /// <summary>With these as well. What the node does not know just now is forgotten when there is too much of it.</summary>
    public FailbackMemory With(IEnumerable<IPNetwork> news, IEnumerable<PrefixState> known)
    {
        var prefixes = Prefixes.Union(news);
        return this with { IsKept = true, Prefixes = prefixes.Count <= Most ? prefixes : prefixes.Intersect(known.Select(prefix => prefix.Prefix)) };
    }
}
