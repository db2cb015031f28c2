using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Components.Shared.Status;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Components.Pages.Settings.Alerting;

/// <summary>What rules and channels say to people, and what became of a wish. Pure.</summary>
internal static class AlertSettingWords
{
    /// <summary>A state that a rule chooses, as it is called on every other page; what the API writes stays with the API.</summary>
    /// <param name="kind">Of the rule.</param>
    /// <param name="state">One of <see cref="AlertKindFacts.States"/>.</param>
    public static string State(AlertKind kind, string state) => kind switch
    {
        AlertKind.PairState => StatusWords.Of(Enum.Parse<PairState>(state)).Word,
        AlertKind.NodeLink => StatusWords.Of(Enum.Parse<NodeLink>(state)).Word,
        AlertKind.OperationFailed => StatusWords.Of(Enum.Parse<OperationStatus>(state)).Word,
        AlertKind.VantageLost => Enum.Parse<VantageTrouble>(state) switch
        {
            VantageTrouble.LinkDown => "Its link is down",
            VantageTrouble.NotOffered => "Its probing is off",
            VantageTrouble.Behind => "It has fallen behind",
            VantageTrouble.CannotAsk => "It cannot ask",
            var other => throw new InvalidOperationException($"No words for {other}."),
        },
        AlertKind.AnswersWrong => Enum.Parse<AnswerMarkKind>(state) switch
        {
            AnswerMarkKind.Split => "Two answer in turn",
            AnswerMarkKind.Elsewhere => "Another one answers than announced",
            AnswerMarkKind.Forged => "Somebody answers without proof",
            var other => throw new InvalidOperationException($"No words for {other}."),
        },
        AlertKind.TargetLost => state == AlertKinds.NodeTarget ? "Addresses of nodes" : "What operators have added",
        _ => throw new InvalidOperationException($"A rule of kind {kind} has no states."),
    };

    /// <summary>Why nothing was done, null: it was done; and what is wrong by field.</summary>
    public static (string? Problem, ImmutableSortedDictionary<string, string> Fields) ProblemOf<T>(SettingResult<T> result) => result switch
    {
        SettingResult<T>.Done => (null, ImmutableSortedDictionary<string, string>.Empty),
        SettingResult<T>.Invalid invalid => ProblemOf(invalid.Problems),
        SettingResult<T>.NotFound notFound => (notFound.What, ImmutableSortedDictionary<string, string>.Empty),
        SettingResult<T>.Stale => ("Somebody changed it meanwhile. Close it, look at it again, then decide again.", ImmutableSortedDictionary<string, string>.Empty),
        SettingResult<T>.NotWritten not => (not.Why, ImmutableSortedDictionary<string, string>.Empty),
        _ => throw new InvalidOperationException($"No words for {result.GetType().Name}."),
    };

    // Fields are named as the API names them, and so are states: a form calls both otherwise.
    private static (string Problem, ImmutableSortedDictionary<string, string> Fields) ProblemOf(ImmutableSortedDictionary<string, string> problems)
    {
        ImmutableSortedDictionary<string, string> said = problems.ContainsKey("states") ? problems.SetItem("states", "Choose at least one.") : problems;
        said = said.TryGetValue("remindEveryMinutes", out string? again) ? said.SetItem("remindEveryMinutes", again.Replace("or null: once", "or nothing: once", StringComparison.Ordinal)) : said;
        return (string.Join(' ', said.Select(p => p.Key == "$" ? p.Value : $"{FieldName(p.Key)}: {p.Value}")), said);
    }

    private static string FieldName(string field) => field switch
    {
        "name" => "Name",
        "raiseAfterSeconds" => "Raised after so many seconds",
        "resolveAfterSeconds" => "Over after so many seconds",
        "remindEveryMinutes" => "Reminded every so many minutes",
        "threshold" => "Number",
        "states" => "States",
        "pairs" => "Pairs",
        "nodes" => "Nodes",
        "targets" => "Targets",
        "channels" => "Told",
        _ => field,
    };
}
