using System.Net;

namespace FailoverHub.Web.Reachability;

/// <summary>What probes of one address showed during some time.</summary>
/// <param name="Prefix">The shared prefix.</param>
/// <param name="Probes">Probes that were sent; 0: nothing is known of that time.</param>
/// <param name="Unanswered">Those without an answer.</param>
/// <param name="Longest">The longest time from one answer to the next with at least one unanswered probe between them; as exact as probes are often, and never too short. Null: every probe was answered.</param>
/// <param name="Began">The last answer before that, or the first probe where none came before.</param>
/// <param name="Ended">The first answer after it; null: none came until the last probe.</param>
public sealed record MeasuredOutage(IPNetwork Prefix, int Probes, int Unanswered, TimeSpan? Longest, DateTimeOffset? Began, DateTimeOffset? Ended)
{
    /// <summary>Without a probe for longer than that nothing is known of the time between, and no outage goes on over it.</summary>
    public static readonly TimeSpan HoleAfter = TimeSpan.FromSeconds(3);

    /// <summary>Measures. Pure. An outage that is cut by a time without probes counts as far as it was seen.</summary>
    /// <param name="prefix">Which.</param>
    /// <param name="samples">Oldest first.</param>
    public static MeasuredOutage Of(IPNetwork prefix, IReadOnlyList<ProbeSample> samples)
    {
        var result = new MeasuredOutage(prefix, samples.Count, samples.Count(s => !s.Answered), null, null, null);
        DateTimeOffset? began = null;
        for (int i = 0; i < samples.Count; i++)
        {
            bool hole = i > 0 && samples[i].At - samples[i - 1].At > HoleAfter;
            if (hole && began is { } cut)
            {
                result = result.LongerOf(cut, samples[i - 1].At, null);
                began = null;
            }

            if (!samples[i].Answered)
            {
                began ??= i == 0 || hole ? samples[i].At : samples[i - 1].At;
                if (i == samples.Count - 1)
                {
                    result = result.LongerOf(began.Value, samples[i].At, null);
                }
            }
            else if (began is { } since)
            {
                result = result.LongerOf(since, samples[i].At, samples[i].At);
                began = null;
            }
        }

        return result;
    }

    private MeasuredOutage LongerOf(DateTimeOffset began, DateTimeOffset until, DateTimeOffset? ended) =>
        Longest is { } known && known >= until - began ? this : this with { Longest = until - began, Began = began, Ended = ended };
}
