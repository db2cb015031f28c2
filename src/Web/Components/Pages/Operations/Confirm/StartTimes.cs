using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Components.Shared.Clock;

namespace FailoverHub.Web.Components.Pages.Operations.Confirm;

/// <summary>Times as a browser's field for date and time writes them, in the zone that the operator reads times in. Pure.</summary>
internal static class StartTimes
{
    private const string Format = "yyyy-MM-ddTHH:mm";

    /// <summary>How long it may be tried, in minutes, and how that is said; the first is what the hub takes when nothing is said.</summary>
    public static ImmutableArray<(int Minutes, string Words)> Windows { get; } = [(15, "for 15 minutes"), (60, "for 1 hour"), (240, "for 4 hours"), (1440, "for 24 hours")];

    /// <summary>The next full hour that is at least ten minutes away.</summary>
    public static string Suggested(DateTimeOffset now, TimeZoneInfo zone)
    {
        DateTimeOffset there = TimeZoneInfo.ConvertTime(now, zone).AddMinutes(10);
        return there.AddHours(1).ToString("yyyy-MM-ddTHH':00'", CultureInfo.InvariantCulture);
    }

    /// <summary>The moment; null: it is no time, or one that the zone's clocks leave out in spring. Of an hour that they show twice, the first.</summary>
    public static DateTimeOffset? Read(string written, TimeZoneInfo zone)
    {
        // A browser leaves out seconds that are 0, and may send them.
        if (!DateTime.TryParseExact(written, [Format, Format + ":ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime local) || zone.IsInvalidTime(local))
        {
            return null;
        }

        TimeSpan offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }

    /// <summary>"UTC", or the name of the zone.</summary>
    public static string ZoneWords(TimeZoneInfo zone) => AgeText.ZoneName(zone);
}
