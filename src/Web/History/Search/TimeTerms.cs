using System.Collections.Immutable;
using System.Globalization;

namespace FailoverHub.Web.History.Search;

/// <summary>When something happened, as terms: its year, month, day, hour and minute in UTC. A span of time is then some of them, large ones in the middle and small ones at its ends. Pure.</summary>
internal static class TimeTerms
{
    // A span that would need more is rather checked row by row: a node's clock was in another century.
    private const int Most = 400;

    private static readonly string[] Formats = ["'@y'yyyy", "'@m'yyyyMM", "'@d'yyyyMMdd", "'@h'yyyyMMddHH", "'@i'yyyyMMddHHmm"];

    public static IEnumerable<string> Of(long atMs)
    {
        DateTime at = DateTimeOffset.FromUnixTimeMilliseconds(atMs).UtcDateTime;
        return Formats.Select(f => at.ToString(f, CultureInfo.InvariantCulture));
    }

    /// <summary>Whether a term is of a time.</summary>
    public static bool IsOne(string term) => term.StartsWith('@');

    /// <summary>Terms of which each moment of the span has one, and besides these only moments of the two minutes at its ends.</summary>
    /// <param name="from">Start, UTC.</param>
    /// <param name="to">End, exclusive, UTC.</param>
    /// <returns>Null: there would be too many.</returns>
    public static ImmutableArray<string>? Cover(DateTime from, DateTime to)
    {
        var terms = ImmutableArray.CreateBuilder<string>();
        DateTime at = new(from.Ticks - from.Ticks % TimeSpan.TicksPerMinute, DateTimeKind.Utc);
        while (at < to)
        {
            int unit = Enumerable.Range(0, Formats.Length).First(u => u == Formats.Length - 1 || (Starts(at, u) && (Next(at, u) ?? DateTime.MaxValue) <= to));
            terms.Add(at.ToString(Formats[unit], CultureInfo.InvariantCulture));
            if (terms.Count > Most)
            {
                return null;
            }

            if (Next(at, unit) is not { } next)
            {
                break;
            }

            at = next;
        }

        return terms.ToImmutable();
    }

    /// <summary>The first moment of the year.</summary>
    public static DateTime YearOf(DateTime at) => new(at.Year, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>The first moment of the next year, or the last one there is.</summary>
    public static DateTime YearAfter(DateTime at) => Next(YearOf(at), 0) ?? DateTime.MaxValue;

    private static bool Starts(DateTime at, int unit) => unit switch
    {
        0 => at == YearOf(at),
        1 => at.Day == 1 && at.TimeOfDay == TimeSpan.Zero,
        2 => at.TimeOfDay == TimeSpan.Zero,
        3 => at.Minute == 0,
        _ => true,
    };

    // Null: the calendar ends.
    private static DateTime? Next(DateTime at, int unit)
    {
        try
        {
            return unit switch
            {
                0 => at.AddYears(1),
                1 => at.AddMonths(1),
                2 => at.AddDays(1),
                3 => at.AddHours(1),
                _ => at.AddMinutes(1),
            };
        }
        catch (ArgumentOutOfRangeException)
        {
            return null;
        }
    }
}
