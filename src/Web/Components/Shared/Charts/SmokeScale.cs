using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Components.Shared.Charts;

/// <summary>
/// A chart's points on an area of 1,000 by 200, time from left to right, round trips upwards from 0. Pure. Points that do not follow each other are not joined:
/// a gap is a gap.
/// </summary>
internal sealed class SmokeScale
{
    public const double Width = 1_000;
    public const double Height = 200;

    private static readonly double[] Steps = [1, 2, 2.5, 5, 10];
    private readonly ReachabilityChart _chart;

    public SmokeScale(ReachabilityChart chart)
    {
        _chart = chart;
        Top = Nice(chart.Points.Max(p => p.RoundTrips?.P99) ?? TimeSpan.Zero);
        Runs = Consecutive(chart);
    }

    /// <summary>The upper edge: just above nearly everything; a single outlier beyond it is cut off, and stands in the figures.</summary>
    public TimeSpan Top { get; }

    /// <summary>Points that follow each other without a gap and with round trips.</summary>
    public ImmutableArray<ImmutableArray<ReachabilityPoint>> Runs { get; }

    /// <summary>Where a moment is.</summary>
    public double X(DateTimeOffset at) => Width * ((at - _chart.From) / (_chart.To - _chart.From));

    /// <summary>How wide a point is.</summary>
    public double PointWidth => Width * (_chart.Step / (_chart.To - _chart.From));

    /// <summary>Where a round trip is.</summary>
    public double Y(TimeSpan roundTrip) => Height * (1 - Math.Min(1, roundTrip / Top));

    /// <summary>The outline of what lies between two figures, a path for each run.</summary>
    public IEnumerable<string> Band(Func<RoundTripFigures, TimeSpan> low, Func<RoundTripFigures, TimeSpan> high) => Runs.Select(run =>
    {
        var path = new StringBuilder();
        foreach (ReachabilityPoint point in run)
        {
            Step(path, point, high(point.RoundTrips!));
        }

        foreach (ReachabilityPoint point in run.Reverse())
        {
            Step(path, point, low(point.RoundTrips!), backwards: true);
        }

        return path.Append('Z').ToString();
    });

    /// <summary>A figure as a line, a path for each run.</summary>
    public IEnumerable<string> Line(Func<RoundTripFigures, TimeSpan> figure) => Runs.Select(run =>
    {
        var path = new StringBuilder();
        foreach (ReachabilityPoint point in run)
        {
            Step(path, point, figure(point.RoundTrips!));
        }

        return path.ToString();
    });

    private void Step(StringBuilder path, ReachabilityPoint point, TimeSpan roundTrip, bool backwards = false)
    {
        // A point begins where its time begins, maybe a little before the area does.
        (double left, double right) = (Math.Max(0, X(point.At)), Math.Min(Width, X(point.At + _chart.Step)));
        double y = Y(roundTrip);
        path.Append(path.Length == 0 ? 'M' : 'L').Append(CultureInfo.InvariantCulture, $"{(backwards ? right : left):0.##} {y:0.##}L{(backwards ? left : right):0.##} {y:0.##}");
    }

    private static ImmutableArray<ImmutableArray<ReachabilityPoint>> Consecutive(ReachabilityChart chart)
    {
        var runs = ImmutableArray.CreateBuilder<ImmutableArray<ReachabilityPoint>>();
        var run = ImmutableArray.CreateBuilder<ReachabilityPoint>();
        foreach (ReachabilityPoint point in chart.Points)
        {
            if (run.Count > 0 && (point.RoundTrips is null || point.At - run[^1].At > chart.Step))
            {
                runs.Add(run.ToImmutable());
                run.Clear();
            }

            if (point.RoundTrips is not null)
            {
                run.Add(point);
            }
        }

        if (run.Count > 0)
        {
            runs.Add(run.ToImmutable());
        }

        return runs.ToImmutable();
    }

    /// <summary>1, 2, 2.5 or 5 times a power of ten, the next one with a tenth to spare.</summary>
    private static TimeSpan Nice(TimeSpan most)
    {
        double wanted = Math.Max(most.TotalMilliseconds * 1.1, 0.1);
        double power = Math.Pow(10, Math.Floor(Math.Log10(wanted)));
        return TimeSpan.FromMilliseconds(Steps.Select(s => s * power).First(v => v >= wanted * 0.999_999));
    }
}
