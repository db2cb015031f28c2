using System.Collections.Immutable;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Components.Shared.Charts;

/// <summary>Figures of a window of probe samples. Pure.</summary>
/// <param name="Sent">Probes in the window.</param>
/// <param name="Lost">Those without an answer.</param>
/// <param name="Now">Round trip of the newest sample, null when it was not answered.</param>
/// <param name="Minimum">Of the answered ones; null when there is none.</param>
/// <param name="Average">Of the answered ones; null when there is none.</param>
/// <param name="Percentile95">Of the answered ones, nearest rank; null when there is none.</param>
/// <param name="Maximum">Of the answered ones; null when there is none.</param>
internal sealed record RoundTripStatistics(int Sent, int Lost, TimeSpan? Now, TimeSpan? Minimum, TimeSpan? Average, TimeSpan? Percentile95, TimeSpan? Maximum)
{
    /// <summary>Share of the probes that got no answer, in percent; null without probes.</summary>
    public double? LossPercent => Sent == 0 ? null : 100.0 * Lost / Sent;

    public static RoundTripStatistics Of(ImmutableArray<ProbeSample> samples)
    {
        TimeSpan[] answered = [.. samples.Where(s => s.RoundTrip is not null).Select(s => s.RoundTrip!.Value).Order()];
        TimeSpan? now = samples.IsEmpty ? null : samples[^1].RoundTrip;
        if (answered.Length == 0)
        {
            return new(samples.Length, samples.Length, now, null, null, null, null);
        }

        int rank = (int)Math.Ceiling(0.95 * answered.Length) - 1;
        var average = TimeSpan.FromTicks((long)answered.Average(t => t.Ticks));
        return new(samples.Length, samples.Length - answered.Length, now, answered[0], average, answered[rank], answered[^1]);
    }
}
