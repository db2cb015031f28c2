using System.Collections.Immutable;

namespace FailoverHub.Web.Reachability.Vantages;

/// <summary>Why a result was not taken.</summary>
internal enum VantageRefusal
{
    /// <summary>It is of no task that the node has now.</summary>
    Task,

    /// <summary>It is more than a minute old.</summary>
    Age,

    /// <summary>The node tells more than it was asked.</summary>
    Pace,

    /// <summary>Its numbers cannot be.</summary>
    Nonsense,
}

/// <summary>A probe of a node that was taken.</summary>
/// <param name="Target">Id of the target.</param>
/// <param name="Sample">At the hub's time.</param>
/// <param name="SentAt">The same on the hub's monotonic clock.</param>
internal readonly record struct TakenProbe(string Target, ProbeSample Sample, TimeSpan SentAt);

/// <summary>What was taken of a batch.</summary>
/// <param name="Probes">Oldest first.</param>
/// <param name="Problems">Why a target cannot be asked, by its id; all of them.</param>
/// <param name="Refused">How many were not taken, by reason, in the order of <see cref="VantageRefusal"/>.</param>
internal sealed record TakenBatch(ImmutableArray<TakenProbe> Probes, ImmutableDictionary<string, string> Problems, ImmutableArray<int> Refused)
{
    /// <summary>Results that were not taken for that reason.</summary>
    public int RefusedFor(VantageRefusal why) => Refused[(int)why];
}

/// <summary>
/// What one stream tells of its probes, pure: all of it is a node's claim. Only what the node was asked counts, at the hub's time less the age that the node gives, and not more of it than was asked:
/// twelve a second for each task, two more than are asked at the closest look, and a minute's worth at once for a stream that was stuck.
/// </summary>
internal sealed class VantageIntake
{
    /// <summary>Results of one task at once, after a silence.</summary>
    public const int Burst = 700;

    /// <summary>Then so many a second.</summary>
    public const double PerSecond = 12;

    /// <summary>What is older says nothing that anybody waits for, and could be written into any past.</summary>
    public static readonly TimeSpan OldestAge = TimeSpan.FromMinutes(1);

    /// <summary>No task waits longer for an answer.</summary>
    public static readonly TimeSpan LongestRoundTrip = TimeSpan.FromSeconds(10);

    // Both are cut to whole microseconds, and read one after the other.
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(1);

    private static readonly int Reasons = Enum.GetValues<VantageRefusal>().Length;

    /// <summary>The clocks of a node and of the hub go apart by no more than that part.</summary>
    private const double Drift = 0.001;

    private readonly Dictionary<uint, (double Left, TimeSpan At)> _paces = [];
    private (TimeSpan Apart, TimeSpan At)? _quickest;
    private VantagePlan _plan = VantagePlan.Empty;

    /// <summary>Takes what may be taken of a batch.</summary>
    /// <param name="plan">What the node is asked now.</param>
    /// <param name="batch">What it tells.</param>
    /// <param name="at">When that came.</param>
    /// <param name="uptime">The same on the monotonic clock.</param>
    public TakenBatch Take(VantagePlan plan, VantageBatch batch, DateTimeOffset at, TimeSpan uptime)
    {
        Follow(plan);
        TimeSpan late = LatenessOf(batch.Made, uptime);
        var probes = ImmutableArray.CreateBuilder<TakenProbe>();
        int[] refused = new int[Reasons];
        refused[(int)VantageRefusal.Pace] = batch.Cut;
        foreach (VantageResult result in batch.Results)
        {
            if (plan.Find(result.Task) is not { } task)
            {
                refused[(int)VantageRefusal.Task]++;
            }
            else if (WhyNot(result, late, uptime) is { } why)
            {
                refused[(int)why]++;
            }
            else
            {
                // What answers within less than the clock can tell answers all the same.
                TimeSpan? roundTrip = result.RoundTrip is { } time && time < TimeSpan.FromMicroseconds(1) ? TimeSpan.FromMicroseconds(1) : result.RoundTrip;
                TimeSpan age = result.Age + late;
                probes.Add(new TakenProbe(task.Target, new ProbeSample(at - age, roundTrip, roundTrip is null ? result.Error ?? "no answer" : null), uptime - age));
            }
        }

        var problems = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (VantageProblem problem in batch.Problems)
        {
            if (plan.Find(problem.Task) is { } task)
            {
                problems[task.Target] = problem.Text;
            }
        }

        return new TakenBatch(probes.ToImmutable(), problems.ToImmutable(), [.. refused]);
    }

    /// <summary>
    /// How much longer than the quickest one a batch was on its way: a stream that was stuck brings what is older than it says. The clock of the node begins anywhere, and nothing is lost if it lies: no
    /// probe gets younger by it, and none older than what is taken.
    /// </summary>
    private TimeSpan LatenessOf(TimeSpan? made, TimeSpan uptime)
    {
        if (made is not { } then)
        {
            return TimeSpan.Zero;
        }

        TimeSpan apart = uptime - then;
        if (_quickest is { } known && known.Apart + ((uptime - known.At) * Drift) is var quickest && quickest < apart)
        {
            _quickest = (quickest, uptime);
            return apart - quickest;
        }

        _quickest = (apart, uptime);
        return TimeSpan.Zero;
    }

    private VantageRefusal? WhyNot(VantageResult result, TimeSpan late, TimeSpan uptime)
    {
        if (result.Age < TimeSpan.Zero || result.Age > OldestAge || late > OldestAge - result.Age)
        {
            return VantageRefusal.Age;
        }

        if (result.RoundTrip is { } time && (time < TimeSpan.Zero || time > LongestRoundTrip || time > result.Age + Tolerance))
        {
            return VantageRefusal.Nonsense;
        }

        (double left, TimeSpan last) = _paces.GetValueOrDefault(result.Task, (Burst, uptime));
        left = Math.Min(Burst, left + ((uptime - last).TotalSeconds * PerSecond));
        _paces[result.Task] = (left < 1 ? left : left - 1, uptime);
        return left < 1 ? VantageRefusal.Pace : null;
    }

    private void Follow(VantagePlan plan)
    {
        if (!ReferenceEquals(plan, _plan))
        {
            _plan = plan;
            foreach (uint gone in _paces.Keys.Where(id => plan.Find(id) is null).ToArray())
            {
                _paces.Remove(gone);
            }
        }
    }
}
