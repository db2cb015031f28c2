using System.Collections.Immutable;
using System.Globalization;

namespace FailoverHub.Web.Alerts.Rules;

/// <summary>Whether a rule makes sense. Pure.</summary>
internal static class AlertRuleCheck
{
    public const int LongestName = 80;
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);
    public static readonly TimeSpan ShortestReminder = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan LongestReminder = TimeSpan.FromDays(30);
    private const int MostNames = 500;

    /// <summary>What is wrong, by field; empty: nothing.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="channels">Ids of the channels that there are.</param>
    public static ImmutableSortedDictionary<string, string> Problems(AlertRule rule, IReadOnlySet<string> channels)
    {
        var problems = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        AlertKindFacts facts = AlertKinds.Of(rule.Kind);
        if (rule.Name.Trim().Length is 0 or > LongestName || rule.Name.Any(char.IsControl))
        {
            problems["name"] = $"Write 1 to {LongestName} characters.";
        }

        if (rule.RaiseAfter < TimeSpan.Zero || rule.RaiseAfter > Longest)
        {
            problems["raiseAfterSeconds"] = string.Create(CultureInfo.InvariantCulture, $"Write 0 to {Longest.TotalSeconds:0}.");
        }

        if (rule.ResolveAfter < TimeSpan.Zero || rule.ResolveAfter > Longest)
        {
            problems["resolveAfterSeconds"] = string.Create(CultureInfo.InvariantCulture, $"Write 0 to {Longest.TotalSeconds:0}.");
        }

        if (rule.RemindEvery is { } again && (again < ShortestReminder || again > LongestReminder))
        {
            problems["remindEveryMinutes"] = string.Create(CultureInfo.InvariantCulture, $"Write {ShortestReminder.TotalMinutes:0} to {LongestReminder.TotalMinutes:0}, or null: once.");
        }

        if (facts.Threshold is { } threshold)
        {
            if (rule.Threshold is not { } number || !(number >= threshold.Least && number <= threshold.Most))
            {
                problems["threshold"] = string.Create(CultureInfo.InvariantCulture, $"Write a number from {threshold.Least} to {threshold.Most} ({threshold.Words}).");
            }
        }
        else if (rule.Threshold is not null)
        {
            problems["threshold"] = $"A rule of kind {facts.Word} has no number.";
        }

        if (rule.States.Except(facts.States, StringComparer.Ordinal).Any() || (!facts.States.IsEmpty && rule.States.IsEmpty))
        {
            problems["states"] = facts.States.IsEmpty ? $"A rule of kind {facts.Word} has no states." : $"Choose among {string.Join(", ", facts.States)}.";
        }

        if (rule.Pairs.Length > MostNames)
        {
            problems["pairs"] = $"Write at most {MostNames} names.";
        }

        if (rule.Nodes.Length > MostNames)
        {
            problems["nodes"] = $"Write at most {MostNames} names.";
        }

        if (rule.Targets.Length > MostNames || (rule.Targets.Length > 0 && facts.Subject != AlertSubjectKind.Target))
        {
            problems["targets"] = facts.Subject == AlertSubjectKind.Target ? $"Write at most {MostNames} names." : $"A rule of kind {facts.Word} looks at no targets.";
        }

        if (rule.Channels is { } chosen && chosen.FirstOrDefault(c => !channels.Contains(c)) is { } unknown)
        {
            problems["channels"] = $"There is no channel with the id '{unknown}'.";
        }

        return problems.ToImmutable();
    }
}
