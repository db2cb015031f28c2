using System.Collections.Immutable;

namespace FailoverHub.Web.Reachability;

/// <summary>What an address did over a time, for charts.</summary>
public interface IReachabilityHistory
{
    /// <summary>Reads a time as points of equal length.</summary>
    /// <param name="target">A shared prefix as CIDR text, or the id of another target.</param>
    /// <param name="vantage">"hub", or the id or name of the node that probes.</param>
    /// <param name="from">At or after; rounded down to a whole point.</param>
    /// <param name="to">Before.</param>
    /// <param name="step">Length of a point, one of <see cref="ChartSteps.All"/>; of what is too old for it they are a minute or an hour long.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<ReachabilityChart> ReadAsync(string target, string vantage, DateTimeOffset from, DateTimeOffset to, TimeSpan step, CancellationToken cancellationToken);

    /// <summary>From where a target was ever probed: the hub first, then nodes by their present names.</summary>
    Task<ImmutableArray<VantageName>> VantagesAsync(string target, CancellationToken cancellationToken);

    /// <summary>Stored single probes, oldest first.</summary>
    /// <param name="target">A shared prefix as CIDR text, or the id of another target.</param>
    /// <param name="vantage">"hub", or the id or name of the node that probes.</param>
    /// <param name="from">At or after.</param>
    /// <param name="to">Before.</param>
    /// <param name="limit">1 to 10,000.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<IReadOnlyList<ProbeSample>> SamplesAsync(string target, string vantage, DateTimeOffset from, DateTimeOffset to, int limit, CancellationToken cancellationToken);
}

/// <summary>What an address did over a time.</summary>
/// <param name="From">Beginning of the first point that there could be.</param>
/// <param name="To">End.</param>
/// <param name="Step">Length of a point.</param>
/// <param name="Points">Those with probes in them, oldest first. One that is missing is unknown: nobody probed.</param>
public sealed record ReachabilityChart(DateTimeOffset From, DateTimeOffset To, TimeSpan Step, ImmutableArray<ReachabilityPoint> Points)
{
    /// <summary>All of it as one point; null: nobody probed.</summary>
    public required ReachabilityPoint? Whole { get; init; }
}

/// <summary>The probes of one stretch of time.</summary>
/// <param name="At">When it begins.</param>
/// <param name="Sent">Probes, 1 and up.</param>
/// <param name="Lost">Those without an answer.</param>
/// <param name="RoundTrips">Of the answered ones; null: none was.</param>
/// <param name="LongestSilence">The longest time from an answer to the next with an unanswered probe between; zero: every probe was answered.</param>
public sealed record ReachabilityPoint(DateTimeOffset At, int Sent, int Lost, RoundTripFigures? RoundTrips, TimeSpan LongestSilence)
{
    /// <summary>The part that was not answered, 0 to 1.</summary>
    public double Loss => (double)Lost / Sent;
}

/// <summary>Round trips of some time. Minimum, mean and maximum are exact, percentiles within 2 %.</summary>
public sealed record RoundTripFigures(TimeSpan Minimum, TimeSpan Mean, TimeSpan Median, TimeSpan P95, TimeSpan P99, TimeSpan Maximum);

/// <summary>Lengths that a point of a chart may have.</summary>
public static class ChartSteps
{
    /// <summary>No chart has more points.</summary>
    public const int MostPoints = 300;

    /// <summary>The shortest first; each but the last few is a part of an hour or of a day.</summary>
    public static ImmutableArray<TimeSpan> All { get; } =
    [
        .. new[] { 1, 2, 5, 10, 15, 30 }.Select(s => TimeSpan.FromSeconds(s)),
        .. new[] { 1, 2, 5, 10, 15, 30 }.Select(m => TimeSpan.FromMinutes(m)),
        .. new[] { 1, 3, 6, 12, 24, 48, 96, 24 * 14 }.Select(h => TimeSpan.FromHours(h)),
    ];

    /// <summary>The shortest step that gives a time no more points than <see cref="MostPoints"/>; null: it is too long for any.</summary>
    public static TimeSpan? For(DateTimeOffset from, DateTimeOffset to) => All.Cast<TimeSpan?>().FirstOrDefault(step => PointsOf(from, to, step!.Value) <= MostPoints);

    /// <summary>Points of that length that the time touches.</summary>
    public static long PointsOf(DateTimeOffset from, DateTimeOffset to, TimeSpan step) => to <= from ? 0 : ((to.UtcTicks - 1) / step.Ticks) - (from.UtcTicks / step.Ticks) + 1;

    /// <summary>The beginning of the point that a moment is in.</summary>
    public static DateTimeOffset Begin(DateTimeOffset at, TimeSpan step) => new(at.UtcTicks - (at.UtcTicks % step.Ticks), TimeSpan.Zero);
}
