using System.Collections.Immutable;

namespace FailoverHub.Web.History.Search;

/// <summary>A filter as terms; each kind of database writes it in its own language. Pure.</summary>
/// <param name="All">Terms that an entry must all have; one that ends in a star is a beginning.</param>
/// <param name="Times">Of these it must have one; empty: the filter says nothing of time; null: there would be too many of them, or the index has none, and only the row says when it was.</param>
/// <param name="FromMs">Start of the span, UTC epoch milliseconds; the smallest number: none.</param>
/// <param name="ToMs">Its end, exclusive; the largest number: none.</param>
internal sealed record SearchQuery(ImmutableArray<string> All, ImmutableArray<string>? Times, long FromMs, long ToMs)
{
    public static bool IsEmpty(HistoryFilter filter) => string.IsNullOrWhiteSpace(filter.Text) && filter with { Text = null } == new HistoryFilter();

    public static bool HasTime(HistoryFilter filter) => filter.From is not null || filter.To is not null;

    /// <summary>Null: nothing can match.</summary>
    /// <param name="filter">Not empty.</param>
    /// <param name="kept">Times of the oldest and newest entry that there is, asked for only where the filter has a time.</param>
    public static SearchQuery? Of(HistoryFilter filter, (long? First, long? Last) kept)
    {
        var terms = SearchTerms.Of(filter);
        if (terms.Contains(""))
        {
            return null;
        }

        ImmutableArray<string>? times = [];
        if (HasTime(filter))
        {
            if (Span(filter, kept) is not { } span)
            {
                return null;
            }

            times = TimeTerms.Cover(span.From, span.To);
        }

        return new SearchQuery([.. terms], times, FirstMs(filter), EndMs(filter));
    }

    /// <summary>For an index that knows no terms of time. Null: nothing can match.</summary>
    /// <param name="filter">Not empty.</param>
    public static SearchQuery? ByRow(HistoryFilter filter) =>
        SearchTerms.Of(filter) is var terms && terms.Contains("") ? null : new SearchQuery([.. terms], null, FirstMs(filter), EndMs(filter));

    private static long FirstMs(HistoryFilter filter) => filter.From?.ToUnixTimeMilliseconds() ?? long.MinValue;

    private static long EndMs(HistoryFilter filter) => filter.To?.ToUnixTimeMilliseconds() ?? long.MaxValue;

    // Beyond what is kept a span may be as round as it likes, which needs fewer terms.
    private static (DateTime From, DateTime To)? Span(HistoryFilter filter, (long? First, long? Last) kept)
    {
        if (kept is not { First: { } first, Last: { } last })
        {
            return null;
        }

        DateTime oldest = DateTimeOffset.FromUnixTimeMilliseconds(first).UtcDateTime;
        DateTime newest = DateTimeOffset.FromUnixTimeMilliseconds(last).UtcDateTime;
        DateTime from = filter.From is { } f && f.UtcDateTime > oldest ? f.UtcDateTime : TimeTerms.YearOf(oldest);
        DateTime to = filter.To is { } t && t.UtcDateTime <= newest ? t.UtcDateTime : TimeTerms.YearAfter(newest);
        return from < to ? (from, to) : null;
    }
}
