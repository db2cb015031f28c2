using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Web.Fleet.Present;

/// <summary>
/// Which node is active, where one has answered on the shared addresses. Pure. An answer that agrees with what the nodes report is believed at once, and so is one where
/// they report nothing. One that disagrees is believed when it has lasted, which is what its mark says: a route follows an announcement late.
/// </summary>
internal static class ObservedActive
{
    /// <summary>The pair with the node that is observed, or as it was inferred.</summary>
    /// <param name="view">As it was inferred.</param>
    /// <param name="inferred">For each prefix.</param>
    /// <param name="answers">Those that are current.</param>
    public static PairView Over(PairView view, IReadOnlyDictionary<IPNetwork, string?> inferred, ImmutableArray<AnswerView> answers)
    {
        if (answers.IsEmpty)
        {
            return view;
        }

        view = view with { Answers = answers };
        var byPrefix = answers.ToDictionary(a => a.Prefix);
        string? active = null;
        foreach (var prefix in view.Prefixes)
        {
            if (byPrefix.GetValueOrDefault(prefix) is not { Node: { } node } answer || !IsBelieved(answer, inferred.GetValueOrDefault(prefix)) || (active is not null && active != node))
            {
                return view;
            }

            active = node;
        }

        return active is null ? view : WithAges(view with { ActiveNode = active, ActiveNodeBasis = ActiveNodeBasis.Observed }, answers);
    }

    /// <summary>The same pair with answers that only said the same once more.</summary>
    public static PairView WithAges(PairView view, ImmutableArray<AnswerView> answers) => view with
    {
        Answers = answers,
        ActiveObservedAt = view.ActiveNodeBasis == ActiveNodeBasis.Observed && !answers.IsEmpty ? answers.Min(a => a.At) : null,
    };

    private static bool IsBelieved(AnswerView answer, string? inferred) => answer.Mark switch
    {
        null => inferred is null || string.Equals(inferred, answer.Node, StringComparison.OrdinalIgnoreCase),
        { Kind: AnswerMarkKind.Elsewhere } => true,
        _ => false,
    };
}
