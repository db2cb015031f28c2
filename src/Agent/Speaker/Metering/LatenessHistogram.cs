using System.Runtime.CompilerServices;

namespace FailoverHub.Agent.Speaker.Metering;

/// <summary>How often something was how late, in steps of a factor of two: up to 1/8, 1/4, 1/2, 1, 2, ... milliseconds, the last one open.</summary>
internal struct LatenessHistogram
{
    private const int Steps = 20;
    private const long FirstTicks = TimeSpan.TicksPerMillisecond / 8;

    private Counts _counts;
    private long _all;
    private TimeSpan _sum;

    /// <summary>All that were counted.</summary>
    public readonly long Count => _all;

    /// <summary>Of all that were counted.</summary>
    public readonly TimeSpan Sum => _sum;

    public void Add(TimeSpan late)
    {
        var step = 0;
        while (step < Steps - 1 && late.Ticks > FirstTicks << step)
        {
            step++;
        }

        _counts[step]++;
        _all++;
        _sum += late;
    }

    /// <summary>How many were at most so late, from the shortest step to the open one, whose end is null.</summary>
    public readonly IEnumerable<(TimeSpan? UpTo, long Count)> Cumulative()
    {
        var steps = new (TimeSpan?, long)[Steps];
        long below = 0;
        for (var step = 0; step < Steps; step++)
        {
            below += _counts[step];
            steps[step] = (step < Steps - 1 ? TimeSpan.FromTicks(FirstTicks << step) : null, below);
        }

        return steps;
    }

    /// <summary>The upper end of the step that holds this percentile, 1 to 100; zero when nothing was counted.</summary>
    public readonly TimeSpan Percentile(int percentile)
    {
        long below = 0;
        for (var step = 0; _all > 0 && step < Steps; step++)
        {
            below += _counts[step];
            if (below * 100 >= _all * percentile)
            {
                return TimeSpan.FromTicks(FirstTicks << step);
            }
        }

        return TimeSpan.Zero;
    }

    [InlineArray(Steps)]
    private struct Counts
    {
        private long _first;
    }
}
