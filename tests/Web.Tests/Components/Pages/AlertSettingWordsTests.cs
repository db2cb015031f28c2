using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Components.Pages.Settings.Alerting;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Tests.Components.Pages;

public sealed class AlertSettingWordsTests
{
    /// <summary>Also of a state that somebody adds tomorrow: one without words throws.</summary>
    [Fact]
    public void StatesOfEveryKind_AreWordsOfPeople_AndEachIsItsOwn()
    {
        foreach (AlertKind kind in Enum.GetValues<AlertKind>())
        {
            string[] words = [.. AlertKinds.Of(kind).States.Select(state => AlertSettingWords.State(kind, state))];

            Assert.Equal(words.Length, words.Distinct(StringComparer.OrdinalIgnoreCase).Count());
            Assert.All(words, word => Assert.Matches("^[A-Z][a-z ]+$", word));
        }
    }

    [Fact]
    public void StateOfAPair_IsCalledAsOnItsPage() => Assert.Equal("No announcer", AlertSettingWords.State(AlertKind.PairState, nameof(PairState.NoAnnouncer)));

    [Fact]
    public void RuleThatMakesNoSense_IsToldInTheWordsOfTheForm()
    {
        AlertRule rule = new() { Id = "", Name = "", Kind = AlertKind.PairState, RaiseAfter = TimeSpan.FromDays(8), RemindEvery = TimeSpan.FromSeconds(1) };
        var invalid = new SettingResult<AlertRule>.Invalid(AlertRuleCheck.Problems(rule, ImmutableHashSet<string>.Empty));

        (string? problem, ImmutableSortedDictionary<string, string> fields) = AlertSettingWords.ProblemOf(invalid);

        Assert.Equal(
            "Name: Write 1 to 80 characters. Raised after so many seconds: Write 0 to 604800. Reminded every so many minutes: Write 1 to 43200, or nothing: once. States: Choose at least one.",
            problem);
        Assert.DoesNotContain(fields.Values, text => text.Contains(nameof(PairState.NoAnnouncer), StringComparison.Ordinal));
    }
}
