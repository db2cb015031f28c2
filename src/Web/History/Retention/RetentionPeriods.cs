using System.Collections.Immutable;
using System.Globalization;

namespace FailoverHub.Web.History.Retention;

/// <summary>How long the past is kept. The audit is kept for ever: its chain could not be checked without its beginning.</summary>
/// <param name="EventDays">Events; null: for ever. 1 to 36500.</param>
/// <param name="ProbeHours">Single probes. 1 to 9600.</param>
/// <param name="MinuteDays">What probes come to each minute. 1 to 400.</param>
/// <param name="HourDays">What probes come to each hour. 1 to 3660.</param>
internal sealed record RetentionPeriods(int? EventDays, int ProbeHours, int MinuteDays = 30, int HourDays = 400)
{
    public static readonly RetentionPeriods Default = new(400, 24);

    public const int MostEventDays = 36_500;
    public const int MostProbeHours = 9_600;
    public const int MostMinuteDays = 400;
    public const int MostHourDays = 3_660;

    private const string Forever = "forever";

    public bool EventsMakeSense => EventDays is null or (>= 1 and <= MostEventDays);

    public bool ProbesMakeSense => ProbeHours is >= 1 and <= MostProbeHours;

    public bool MinutesMakeSense => MinuteDays is >= 1 and <= MostMinuteDays;

    public bool HoursMakeSense => HourDays is >= 1 and <= MostHourDays;

    public bool MakesSense => EventsMakeSense && ProbesMakeSense && MinutesMakeSense && HoursMakeSense;

    /// <summary>"400", or "forever".</summary>
    public string EventText => EventDays?.ToString(CultureInfo.InvariantCulture) ?? Forever;

    /// <summary>Changes what is given.</summary>
    /// <param name="events">"forever", or days; null: as it is.</param>
    /// <param name="probes">Hours; null: as it is.</param>
    /// <param name="minutes">Days; null: as it is.</param>
    /// <param name="hours">Days; null: as it is.</param>
    /// <param name="problems">Every one, each a sentence that says what to write.</param>
    public RetentionPeriods With(string? events, string? probes, string? minutes, string? hours, out ImmutableArray<string> problems)
    {
        var found = ImmutableArray.CreateBuilder<string>();
        var result = this;
        if (events == Forever)
        {
            result = result with { EventDays = null };
        }
        else if (events is not null)
        {
            result = result with { EventDays = Number(events, MostEventDays, $"--events: '{events}' is no time to keep events. Write 1 to {MostEventDays} days, or {Forever}.", found) };
        }

        if (probes is not null)
        {
            result = result with { ProbeHours = Number(probes, MostProbeHours, $"--probes: '{probes}' is no time to keep single probes. Write 1 to {MostProbeHours} hours.", found) };
        }

        if (minutes is not null)
        {
            result = result with { MinuteDays = Number(minutes, MostMinuteDays, $"--minutes: '{minutes}' is no time to keep minutes of probes. Write 1 to {MostMinuteDays} days.", found) };
        }

        if (hours is not null)
        {
            result = result with { HourDays = Number(hours, MostHourDays, $"--hours: '{hours}' is no time to keep hours of probes. Write 1 to {MostHourDays} days.", found) };
        }

        problems = found.ToImmutable();
        return problems.IsEmpty ? result : this;
    }

    private static int Number(string text, int most, string problem, ImmutableArray<string>.Builder problems)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= 1 && number <= most)
        {
            return number;
        }

        problems.Add(problem);
        return most;
    }
}
