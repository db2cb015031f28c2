using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Storage;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Reachability.Storage;

/// <summary>Charts against what was really sent: the same in memory, in minutes and in hours.</summary>
[Trait("Kind", "Long")]
public sealed class ProbeHistoryTests : IAsyncLifetime
{
    private static readonly ProbeSeries Series = new("203.0.113.10/32", ProbeSeries.Hub);
    private static readonly DateTimeOffset Begin = ChartSteps.Begin(Make.At, TimeSpan.FromHours(1));
    private readonly StoreRig _rig = new(Begin);
    private readonly List<ProbeSample> _sent = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _rig.StartAsync();

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    [Theory]
    [InlineData(15)]
    [InlineData(60)]
    [InlineData(300)]
    [InlineData(1_800)]
    [InlineData(3_600)]
    [InlineData(10_800)]
    public async Task Points_OfAnyStep_AreThoseOfTheProbesInThem(int seconds)
    {
        await ProbeAsync(TimeSpan.FromMinutes(100), second => second is >= 1_800 and < 2_400);
        TimeSpan step = TimeSpan.FromSeconds(seconds);
        DateTimeOffset to = _rig.Clock.GetUtcNow();
        DateTimeOffset from = to - (step * Math.Min(300, 6_000 / seconds + 1));

        ReachabilityChart chart = await _rig.History.ReadAsync(Series.Target, Series.Vantage, from, to, step, Stop);

        var wanted = _sent.Where(s => s.At >= ChartSteps.Begin(from, step)).GroupBy(s => ChartSteps.Begin(s.At, step)).OrderBy(g => g.Key).ToList();
        Assert.Equal(wanted.Select(g => (g.Key, g.Count(), g.Count(s => !s.Answered))), chart.Points.Select(p => (p.At, p.Sent, p.Lost)));
        foreach ((IGrouping<DateTimeOffset, ProbeSample> of, ReachabilityPoint point) in wanted.Zip(chart.Points))
        {
            TimeSpan[] answered = [.. of.Where(s => s.Answered).Select(s => s.RoundTrip!.Value).Order()];
            Assert.Equal((answered[0], answered[^1]), (point.RoundTrips!.Minimum, point.RoundTrips.Maximum));
            Assert.Equal(answered.Average(a => a.TotalMicroseconds), point.RoundTrips.Mean.TotalMicroseconds, 0.5);
            foreach ((double part, TimeSpan found) in new[] { (0.5, point.RoundTrips.Median), (0.95, point.RoundTrips.P95), (0.99, point.RoundTrips.P99) })
            {
                double exact = answered[(int)Math.Ceiling(part * answered.Length) - 1].TotalMicroseconds;
                Assert.InRange(found.TotalMicroseconds, exact * 0.9799, exact * 1.0201);
            }
        }
    }

    [Fact]
    public async Task TimeInWhichNobodyProbed_HasNoPoint_AndIsNoLoss()
    {
        await ProbeAsync(TimeSpan.FromMinutes(60), second => second is >= 600 and < 1_200);

        foreach (TimeSpan step in new[] { TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5) })
        {
            ReachabilityChart chart = await _rig.History.ReadAsync(Series.Target, Series.Vantage, Begin, Begin.AddHours(1), step, Stop);

            Assert.DoesNotContain(chart.Points, p => p.At >= Begin.AddMinutes(10) && p.At < Begin.AddMinutes(20));
            Assert.Equal(_sent.Count(s => !s.Answered), chart.Whole!.Lost);
        }
    }

    [Fact]
    public async Task SilenceOverTheBoundaryOfAnHour_IsFoundWhole()
    {
        for (int second = 3_500; second < 3_700; second++)
        {
            Add(second, answered: second is < 3_590 or >= 3_625);
        }

        for (int minute = 0; minute < 180; minute++)
        {
            await _rig.MinuteAsync();
        }

        ReachabilityChart chart = await _rig.History.ReadAsync(Series.Target, Series.Vantage, Begin, Begin.AddHours(3), TimeSpan.FromHours(1), Stop);
        Assert.Equal(TimeSpan.FromSeconds(35.996), chart.Whole!.LongestSilence);
        Assert.Equal(35, chart.Whole.Lost);
    }

    [Theory]
    [InlineData(2, 60)]
    [InlineData(40, 3_600)]
    public async Task ChartOfATimeWhoseSingleProbesAreGone_IsOfTheFinestThatIsKept(int days, int seconds)
    {
        await ProbeAsync(TimeSpan.FromMinutes(130), _ => false);
        DateTimeOffset to = ChartSteps.Begin(_rig.Clock.GetUtcNow(), TimeSpan.FromHours(1));
        await _rig.JumpAsync(TimeSpan.FromDays(days));

        ReachabilityChart chart = await _rig.History.ReadAsync(Series.Target, Series.Vantage, to.AddHours(-1), to, TimeSpan.FromSeconds(15), Stop);

        Assert.Equal(TimeSpan.FromSeconds(seconds), chart.Step);
        Assert.Equal(3_600 / seconds, chart.Points.Length);
        Assert.Equal(3_600, chart.Whole!.Sent);
    }

    [Fact]
    public async Task TargetThatWasNeverProbed_IsAnEmptyChart()
    {
        ReachabilityChart chart = await _rig.History.ReadAsync("198.51.100.1/32", ProbeSeries.Hub, Begin, Begin.AddHours(1), TimeSpan.FromMinutes(1), Stop);

        Assert.Empty(chart.Points);
        Assert.Null(chart.Whole);
    }

    private async Task ProbeAsync(TimeSpan span, Func<int, bool> hubIsOff)
    {
        for (int second = 0; second < span.TotalSeconds; second++)
        {
            if (!hubIsOff(second))
            {
                Add(second, answered: second % 97 != 0);
            }

            if (second % 60 == 59)
            {
                await _rig.MinuteAsync();
            }
        }
    }

    private void Add(int second, bool answered)
    {
        var sample = new ProbeSample(Begin.AddSeconds(second).AddMilliseconds(second % 40), answered ? TimeSpan.FromMicroseconds(500 + (second * 7919 % 3_000)) : null, answered ? null : "no answer");
        _sent.Add(sample);
        _rig.Add(Series, sample);
    }
}
