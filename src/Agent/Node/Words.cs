using System.Globalization;

namespace FailoverHub.Agent.Node;

internal static class Words
{
    /// <summary>For people, two units at most: <c>3 h 20 min</c>, <c>1 min 30 s</c>, <c>2.5 s</c>.</summary>
    public static string Lasted(TimeSpan time) =>
        time.TotalDays >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalDays} d {time.Hours} h")
        : time.TotalHours >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.Hours} h {time.Minutes} min")
        : time.TotalMinutes >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds} s")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s");
}
