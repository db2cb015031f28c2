using FailoverHub.Web.Components.Shared.Charts;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Components.Charts;

public sealed class SmokeScaleTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(1);

    [Fact]
    public void TimeWithoutProbes_AndTimeWithoutAnswers_BreakTheBand()
    {
        var scale = new SmokeScale(Chart(Point(0, 10), Point(1, 12), Point(4, 11), Point(5, null), Point(6, 9)));

        Assert.Equal([2, 1, 1], scale.Runs.Select(r => r.Length));
        Assert.Equal(3, scale.Band(f => f.Minimum, f => f.Maximum).Count());
    }

    [Fact]
    public void Band_GoesThereAboveAndBackBelow()
    {
        var scale = new SmokeScale(Chart(Point(0, 10)));

        Assert.Equal("M0 80L100 80L100 160L0 160Z", Assert.Single(scale.Band(f => f.Minimum, f => f.P95)));
        Assert.Equal("M0 120L100 120", Assert.Single(scale.Line(f => f.Median)));
    }

    [Theory]
    [InlineData(0.03, 0.1)]
    [InlineData(0.5, 2)]
    [InlineData(1.9, 5)]
    [InlineData(10, 25)]
    [InlineData(44, 100)]
    public void Top_IsARoundNumberAboveTheP99(double median, double top) =>
        Assert.Equal(top, new SmokeScale(Chart(Point(0, median))).Top.TotalMilliseconds, 6);

    [Fact]
    public void Chart_WithoutAnyPoint_IsEmpty()
    {
        var scale = new SmokeScale(Chart());

        Assert.Empty(scale.Runs);
        Assert.True(scale.Top > TimeSpan.Zero);
    }

    internal static ReachabilityChart Chart(params ReachabilityPoint[] points) =>
        new(Make.At, Make.At + (10 * Step), Step, [.. points]) { Whole = points.Length == 0 ? null : points[0] };

    internal static ReachabilityPoint Point(int minute, double? median) => new(
        Make.At + (minute * Step),
        60,
        median is null ? 60 : minute == 1 ? 3 : 0,
        median is { } ms ? new RoundTripFigures(Ms(ms / 2), Ms(ms), Ms(ms), Ms(ms * 1.5), Ms(ms * 2), Ms(ms * 3)) : null,
        median is null ? Step : TimeSpan.Zero);

    private static TimeSpan Ms(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
