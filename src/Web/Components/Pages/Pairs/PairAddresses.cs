using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Components.Shared.Status;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Components.Pages.Pairs;

/// <summary>Whether the addresses of one pair answer, the one that needs somebody first: where only one can be drawn it is the worst. Pure.</summary>
internal static class PairAddresses
{
    /// <summary>By prefix, for whoever looks up many pairs.</summary>
    public static Dictionary<IPNetwork, TargetReachability> ByPrefix(ImmutableArray<TargetReachability> targets)
    {
        var found = new Dictionary<IPNetwork, TargetReachability>(targets.Length);
        foreach (TargetReachability target in targets)
        {
            found[target.Prefix] = target;
        }

        return found;
    }

    /// <summary>What is probed of the pair: first what does not answer, then what is not known, then what answers; else in the order of the pair's prefixes.</summary>
    public static ImmutableArray<TargetReachability> WorstFirst(PairView pair, IReadOnlyDictionary<IPNetwork, TargetReachability> targets) =>
    [
        .. pair.Prefixes
            .Select(prefix => targets.GetValueOrDefault(prefix))
            .OfType<TargetReachability>()
            .OrderBy(target => target.State switch { ReachabilityState.Unreachable => 0, ReachabilityState.Unknown => 1, _ => 2 }),
    ];

    /// <summary>"all 2 answer", "1 of 2: no answer"; null: there are not several.</summary>
    /// <param name="targets">The worst first.</param>
    public static string? Count(ImmutableArray<TargetReachability> targets) => targets switch
    {
        [] or [_] => null,
        [{ State: ReachabilityState.Reachable }, ..] => $"all {targets.Length} answer",
        [var worst, ..] => $"{targets.Count(target => target.State == worst.State)} of {targets.Length}: {StatusWords.Of(worst.State).Word.ToLowerInvariant()}",
    };

    /// <summary>Which addresses do not answer and of which that is not known, in a sentence each; null: there are not several.</summary>
    /// <param name="targets">The worst first.</param>
    public static string? Sentence(ImmutableArray<TargetReachability> targets)
    {
        if (targets.Length < 2)
        {
            return null;
        }

        string silent = Names(targets, ReachabilityState.Unreachable);
        string unknown = Names(targets, ReachabilityState.Unknown);
        return (silent.Length, unknown.Length) switch
        {
            (0, 0) => $"All {targets.Length} addresses answer.",
            ( > 0, 0) => $"No answer from {silent}.",
            (0, > 0) => $"Whether {unknown} answers is not known.",
            _ => $"No answer from {silent}. Whether {unknown} answers is not known.",
        };
    }

    private static string Names(ImmutableArray<TargetReachability> targets, ReachabilityState state) =>
        string.Join(" and ", targets.Where(target => target.State == state).Select(target => target.Address));
}
