using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Rules;

namespace FailoverHub.Web.Components.Pages.Settings.Alerting;

/// <summary>What became of a wish, in words. Pure.</summary>
internal static class AlertSettingWords
{
    /// <summary>Why nothing was done, null: it was done; and what is wrong by field.</summary>
    public static (string? Problem, ImmutableSortedDictionary<string, string> Fields) ProblemOf<T>(SettingResult<T> result) => result switch
    {
        SettingResult<T>.Done => (null, ImmutableSortedDictionary<string, string>.Empty),
        SettingResult<T>.Invalid invalid => (string.Join(' ', invalid.Problems.Select(p => p.Key == "$" ? p.Value : $"{p.Key}: {p.Value}")), invalid.Problems),
        SettingResult<T>.NotFound notFound => (notFound.What, ImmutableSortedDictionary<string, string>.Empty),
        SettingResult<T>.Stale => ("Somebody changed it meanwhile. Close it, look at it again, then decide again.", ImmutableSortedDictionary<string, string>.Empty),
        SettingResult<T>.NotWritten not => (not.Why, ImmutableSortedDictionary<string, string>.Empty),
        _ => throw new InvalidOperationException($"No words for {result.GetType().Name}."),
    };
}
