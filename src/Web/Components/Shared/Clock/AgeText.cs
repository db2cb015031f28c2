using System.Globalization;

namespace FailoverHub.Web.Components.Shared.Clock;

/// <summary>Times and spans as a person reads them. Pure.</summary>
internal static class AgeText
{
    /// <summary>"now", "4 s", "12 min", "3 h 05 min", "2 d 4 h". Clocks that run ahead read as "now".</summary>
    public static string Of(TimeSpan age) => age.TotalSeconds switch
    {
        < 1 => "now",
        < 60 => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalSeconds} s"),
        < 3600 => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalMinutes} min"),
        < 86_400 => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalHours} h {age.Minutes:00} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalDays} d {age.Hours} h"),
    };

    /// <summary>"just now", "4 s ago".</summary>
    public static string Ago(TimeSpan age) => age.TotalSeconds < 1 ? "just now" : Of(age) + " ago";

    /// <summary>"just now", "20 s ago", then minutes: for long lists, where a ticking second is noise.</summary>
    public static string CalmAgo(TimeSpan age) => age.TotalSeconds switch
    {
        < 10 => "just now",
        < 60 => "under 1 min ago",
        _ => Ago(age),
    };

    /// <summary>How long something took: "0.42 s", "12.3 s", "2 min 05 s", "3 h 05 min", "2 d 4 h".</summary>
    public static string Duration(TimeSpan span) => span.TotalSeconds switch
    {
        < 0 => "0.00 s",
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.00} s"),
        < 60 => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.0} s"),
        < 3600 => string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalMinutes} min {span.Seconds:00} s"),
        _ => Of(span),
    };

    /// <summary>A time that somebody has set, in the largest unit that it is whole in: "90 s", "5 min", "36 h", "7 d". Nothing is rounded.</summary>
    public static string Exactly(TimeSpan span) => span.Ticks switch
    {
        0 => "0 s",
        var ticks when ticks % TimeSpan.TicksPerDay == 0 => string.Create(CultureInfo.InvariantCulture, $"{ticks / TimeSpan.TicksPerDay} d"),
        var ticks when ticks % TimeSpan.TicksPerHour == 0 => string.Create(CultureInfo.InvariantCulture, $"{ticks / TimeSpan.TicksPerHour} h"),
        var ticks when ticks % TimeSpan.TicksPerMinute == 0 => string.Create(CultureInfo.InvariantCulture, $"{ticks / TimeSpan.TicksPerMinute} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.#######} s"),
    };

    /// <summary>A round-trip time: "0.42 ms", "12.3 ms", "1.20 s".</summary>
    public static string RoundTrip(TimeSpan span) => span.TotalMilliseconds switch
    {
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0.00} ms"),
        < 100 => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0.0} ms"),
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.00} s"),
    };

    /// <summary>"14:03:07.214" today, else with the date before it, in the zone.</summary>
    public static string Absolute(DateTimeOffset at, DateTimeOffset now, TimeZoneInfo zone)
    {
        DateTimeOffset shown = TimeZoneInfo.ConvertTime(at, zone);
        bool today = shown.Date == TimeZoneInfo.ConvertTime(now, zone).Date;
        return shown.ToString(today ? "HH:mm:ss.fff" : "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
    }

    /// <summary>A time that somebody chose: "14:03" today, else with the date before it, in the zone.</summary>
    public static string Minute(DateTimeOffset at, DateTimeOffset now, TimeZoneInfo zone)
    {
        DateTimeOffset shown = TimeZoneInfo.ConvertTime(at, zone);
        bool today = shown.Date == TimeZoneInfo.ConvertTime(now, zone).Date;
        return shown.ToString(today ? "HH:mm" : "yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
    }

    /// <summary>What the zone of shown times is called: "UTC", "Europe/Berlin".</summary>
    public static string ZoneName(TimeZoneInfo zone) => zone == TimeZoneInfo.Utc ? "UTC" : zone.Id;

    /// <summary>"2026-11-22 14:03:07.214 UTC", or with the zone's offset.</summary>
    public static string Full(DateTimeOffset at, TimeZoneInfo zone)
    {
        DateTimeOffset shown = TimeZoneInfo.ConvertTime(at, zone);
        string time = shown.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);
        return zone == TimeZoneInfo.Utc ? time + " UTC" : time + shown.ToString(" zzz", CultureInfo.InvariantCulture);
    }
}
