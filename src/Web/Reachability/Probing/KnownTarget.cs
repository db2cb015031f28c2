using System.Collections.Immutable;

namespace FailoverHub.Web.Reachability.Probing;

/// <summary>One target's history, without a verdict: that depends on when it is asked for.</summary>
/// <param name="Target">Which.</param>
/// <param name="Recent">Newest samples, oldest first.</param>
/// <param name="NewestSentAt">When the newest was sent, on the prober's own clock.</param>
/// <param name="Problem">Why it cannot be probed.</param>
internal sealed record KnownTarget(ProbeTarget Target, ImmutableArray<ProbeSample> Recent, TimeSpan? NewestSentAt, string? Problem)
{
    /// <summary>The hub looks at it closely.</summary>
    public bool Close { get; init; }

    /// <summary>It has answered since it is probed.</summary>
    public bool HasAnswered { get; init; }

    /// <summary>The newest probe had no answer while the hub may have been cut off itself, and is not among <see cref="Recent"/>.</summary>
    public bool IsNewestDoubted { get; init; }

    /// <summary>So many samples at most, of the last <see cref="KeptFor"/>: two minutes at one a second, a minute at ten a second, less in a burst.</summary>
    public const int MostRecent = 600;

    /// <summary>So many are kept however old they are, where probes come seldom.</summary>
    public const int Fewest = 10;

    /// <summary>What is older is only in the database.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan FreshAtLeast = TimeSpan.FromSeconds(3);

    /// <summary>A sample that is older says nothing about now: three intervals, and three seconds at least.</summary>
    public static TimeSpan FreshFor(ProbeTarget target) => target.Interval * 3 > FreshAtLeast ? target.Interval * 3 : FreshAtLeast;

    /// <summary>Whether it answers, as far as is known at that moment.</summary>
    /// <param name="now">The moment.</param>
    /// <param name="late">So much later than the hub's own the samples come.</param>
    public ReachabilityState StateAt(TimeSpan now, TimeSpan late = default)
    {
        if (Problem is not null || NewestSentAt is not { } sent || IsNewestDoubted || Recent.IsEmpty || now - sent > late + FreshFor(Target))
        {
            return ReachabilityState.Unknown;
        }

        return Recent[^1].Answered ? ReachabilityState.Reachable : ReachabilityState.Unreachable;
    }
}
