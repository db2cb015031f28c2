using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Checks;

/// <summary>
/// From results to a verdict. Immutable, and a function of the results alone.
/// <code>
///   Unknown ── 1 good ──> Healthy ── 'fall' bad in a row ──> Unhealthy
///      └── 'fall' bad in a row ──> Unhealthy ── 'rise' good in a row ──> Healthy
/// </code>
/// The first good result is enough, as keepalived has it: nobody gains by a service that works and is not announced.
/// </summary>
/// <param name="Verdict">So far.</param>
/// <param name="Contrary">The last results in a row that speak against it.</param>
internal readonly record struct VerdictCounter(Health Verdict, int Contrary)
{
    public static VerdictCounter Start(InitialVerdict initial) => new(Of(initial), 0);

    /// <summary>What a check counts as that has no verdict of its own yet.</summary>
    public static Health Of(InitialVerdict initial) => initial switch
    {
        InitialVerdict.Hold => Health.Unknown,
        InitialVerdict.Healthy => Health.Healthy,
        InitialVerdict.Unhealthy => Health.Unhealthy,
        _ => throw new ArgumentOutOfRangeException(nameof(initial), initial, "Not an initial verdict."),
    };

    /// <summary>More results may change the verdict soon: they are wanted fast.</summary>
    public bool IsChangePending => Verdict == Health.Unknown || Contrary > 0;

    /// <summary>One more result.</summary>
    /// <param name="good">What it was.</param>
    /// <param name="rise">Good results in a row that make unhealthy healthy; at least 1.</param>
    /// <param name="fall">Bad results in a row that make unhealthy; at least 1.</param>
    public VerdictCounter Take(bool good, int rise, int fall)
    {
        var (wanted, needed) = good ? (Health.Healthy, Verdict == Health.Unknown ? 1 : rise) : (Health.Unhealthy, fall);
        return Verdict == wanted ? this with { Contrary = 0 }
            : Contrary + 1 >= needed ? new VerdictCounter(wanted, 0)
            : this with { Contrary = Contrary + 1 };
    }
}
