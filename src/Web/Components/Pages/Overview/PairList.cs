using System.Collections.Immutable;
using FailoverHub.Web.Components.Shared.Status;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Components.Pages.Overview;

/// <summary>Order, search and counts of the overview. Pure.</summary>
internal static class PairList
{
    /// <summary>States from worst to best: the order of cards, and of the filters.</summary>
    public static readonly ImmutableArray<PairState> WorstFirst =
    [
        PairState.NoAnnouncer, PairState.DualPrimary, PairState.Unknown, PairState.Degraded, PairState.FailedOver,
        PairState.Switching, PairState.Frozen, PairState.Maintenance, PairState.Healthy,
    ];

    /// <summary>Pairs that match, problems first, then by name.</summary>
    /// <param name="pairs">All.</param>
    /// <param name="search">Words; each must occur in the name, an address, a node or the state. Empty: all match.</param>
    /// <param name="state">Only these; null: all.</param>
    public static ImmutableArray<PairView> Select(ImmutableArray<PairView> pairs, string? search, PairState? state)
    {
        string[] words = (search ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return
        [
            .. pairs
                .Where(pair => (state is null || pair.State == state) && words.All(word => Matches(pair, word)))
                .OrderBy(pair => WorstFirst.IndexOf(pair.State))
                .ThenBy(pair => pair.Name, StringComparer.OrdinalIgnoreCase),
        ];
    }

    /// <summary>How many pairs are in each state that occurs, worst first.</summary>
    public static ImmutableArray<(PairState State, int Count)> Counts(ImmutableArray<PairView> pairs) =>
        [.. WorstFirst.Select(state => (state, pairs.Count(pair => pair.State == state))).Where(count => count.Item2 > 0)];

    private static bool Matches(PairView pair, string word) =>
        Contains(pair.Name, word)
        || Contains(StatusWords.Of(pair.State).Word, word)
        || pair.Prefixes.Any(prefix => Contains(prefix.ToString(), word))
        || pair.Members.Any(member => Contains(member.Node.Name, word));

    private static bool Contains(string text, string word) => text.Contains(word, StringComparison.OrdinalIgnoreCase);
}
