using System.Collections.Immutable;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Components.Shared.Charts;

/// <summary>
/// Places probe samples on an even axis that ends now. Pure. A place without a sample stays empty: a gap is a gap. The
/// places are counted from sample to sample, not cut from the clock, or samples near a second's edge would share a place
/// and leave the next one empty by turns.
/// </summary>
internal static class HeartbeatSlots
{
    /// <summary>The hub probes shared addresses once a second.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>While something happens it probes ten times as often: samples closer than that part of the interval share a place, and the worst of them is shown.</summary>
    private const double Shared = 0.75;

    /// <param name="samples">Oldest first.</param>
    /// <param name="now">The right edge.</param>
    /// <param name="count">How many places.</param>
    /// <param name="every">From one probe to the next; null: <see cref="Interval"/>.</param>
    /// <returns>Oldest first; null: nothing was measured then.</returns>
    public static ImmutableArray<ProbeSample?> Place(ImmutableArray<ProbeSample> samples, DateTimeOffset now, int count, TimeSpan? every = null)
    {
        var slots = new ProbeSample?[count];
        int slot = count;
        TimeSpan interval = every ?? Interval;
        DateTimeOffset next = now;
        for (int i = samples.Length - 1; i >= 0; i--)
        {
            TimeSpan apart = next - samples[i].At;

            // The newest may be up to two intervals old (one to wait, one under way) before that is a gap.
            double places = slot == count ? Math.Max(0, (apart / interval) - 1) : apart / interval;
            slot -= Math.Max(1, (int)Math.Round(places));
            if (slot < 0)
            {
                break;
            }

            slots[slot] = samples[i];
            next = samples[i].At;
            for (; i > 0 && next - samples[i - 1].At < interval * Shared; i--)
            {
                slots[slot] = Worse(slots[slot]!, samples[i - 1]);
            }
        }

        return [.. slots];
    }

    private static ProbeSample Worse(ProbeSample a, ProbeSample b) => !a.Answered || (b.Answered && a.RoundTrip >= b.RoundTrip) ? a : b;
}
