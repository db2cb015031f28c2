using Bunit;
using FailoverHub.Web.Components.Shared.Charts;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Components.Charts;

public sealed class HeartbeatTests : DashboardTest
{
    [Fact]
    public void Slots_OneSampleASecond_FillTheRightEdge()
    {
        var slots = HeartbeatSlots.Place(Make.Samples(5), Make.At, 8);

        Assert.Equal([false, false, false, true, true, true, true, true], slots.Select(slot => slot is not null));
    }

    [Fact]
    public void Slots_ProberWasSilent_TheGapStaysAGap()
    {
        var samples = Make.Samples(10).RemoveRange(4, 3);

        var slots = HeartbeatSlots.Place(samples, Make.At, 10);

        Assert.Equal([true, true, true, true, false, false, false, true, true, true], slots.Select(slot => slot is not null));
    }

    [Fact]
    public void Slots_ProberSilentNow_TheGapGrowsAtTheRight()
    {
        var slots = HeartbeatSlots.Place(Make.Samples(3), Make.At.AddSeconds(4), 8);

        // Up to two seconds are the probe's own time: one to wait, one under way.
        Assert.Equal([false, false, false, true, true, true, false, false], slots.Select(slot => slot is not null));
    }

    [Fact]
    public void Slots_SamplesAroundTheEdgeOfASecond_NeitherShareNorSkipAPlace()
    {
        // 0.98 s and 1.02 s apart by turns: cut by the clock's seconds this would leave holes.
        ProbeSample[] samples = [.. Enumerable.Range(0, 20).Select(i => new ProbeSample(Make.At.AddSeconds(i - 20 + (i % 2 == 0 ? 0.01 : -0.01)), TimeSpan.FromMilliseconds(1), null))];

        var slots = HeartbeatSlots.Place([.. samples], Make.At, 20);

        Assert.All(slots, Assert.NotNull);
    }

    [Fact]
    public void Bar_AnUnansweredProbe_IsTallerAndNamed()
    {
        var samples = Make.Samples(3).SetItem(1, new ProbeSample(Make.At.AddSeconds(-1), null, "no answer within 1 s"));

        var bar = Render<HeartbeatBar>(p => p.Add(b => b.Samples, samples).Add(b => b.Now, Make.At));

        var down = Assert.Single(bar.FindAll("rect.down"));
        Assert.Equal("22", down.GetAttribute("height"));
        Assert.Contains("no answer within 1 s", down.TextContent, StringComparison.Ordinal);
        Assert.All(bar.FindAll("rect.up"), up => Assert.Equal("14", up.GetAttribute("height")));
        Assert.Equal("Probes of the last two minutes: 2 answered, 1 without answer", bar.Find("svg").GetAttribute("aria-label"));
    }

    [Fact]
    public void Bar_NothingMeasured_DrawsNothing()
    {
        var bar = Render<HeartbeatBar>(p => p.Add(b => b.Samples, []).Add(b => b.Now, Make.At));

        Assert.Empty(bar.FindAll("rect"));
        Assert.Equal("No probe in the last two minutes", bar.Find("svg").GetAttribute("aria-label"));
    }

    [Fact]
    public void Line_AnUnansweredProbe_BreaksTheLine()
    {
        var samples = Make.Samples(9).SetItem(4, new ProbeSample(Make.At.AddSeconds(-4), null, "no answer"));

        var line = Render<RoundTripLine>(p => p.Add(l => l.Samples, samples).Add(l => l.Now, Make.At).Add(l => l.Count, 9));

        Assert.Equal(2, line.FindAll("path").Count);
    }

    [Theory]
    [InlineData(60, "59 s")]
    [InlineData(500, "2 min")]
    public void Line_SaysOfHowLongItIs_WhichMayBeLessThanThereIsRoomFor(int samples, string span)
    {
        var line = Render<RoundTripLine>(p => p.Add(l => l.Samples, Make.Samples(samples)).Add(l => l.Now, Make.At));

        Assert.StartsWith($"Round-trip times of the last {span}, at most ", line.Find("svg").GetAttribute("aria-label"), StringComparison.Ordinal);
    }

    [Fact]
    public void Panel_SaysHowManyProbesItsFiguresAreOf_AndOfHowLong()
    {
        var panel = Render<FailoverHub.Web.Components.Pages.Pairs.ReachabilityPanel>(p => p.Add(x => x.Target, Make.Target(ReachabilityState.Reachable, Make.Samples(60))).Add(x => x.Now, Make.At));

        Assert.Equal("60 probes of the last 59 s by ICMP from the hub", panel.Find("[data-testid=span]").TextContent);
    }

    [Fact]
    public void Statistics_TwentySamples_HaveNearestRankPercentileAndLoss()
    {
        ProbeSample[] samples = [.. Enumerable.Range(1, 20).Select(i => new ProbeSample(Make.At.AddSeconds(i), i == 10 ? null : TimeSpan.FromMilliseconds(i), null))];

        var figures = RoundTripStatistics.Of([.. samples]);

        Assert.Equal(TimeSpan.FromMilliseconds(1), figures.Minimum);
        Assert.Equal(TimeSpan.FromMilliseconds(20), figures.Maximum);
        Assert.Equal(TimeSpan.FromMilliseconds(20), figures.Now);
        Assert.Equal(TimeSpan.FromMilliseconds(20), figures.Percentile95);
        Assert.Equal(5, figures.LossPercent);
    }

    [Fact]
    public void Statistics_NothingAnswered_HasNoTimesButLoss()
    {
        var figures = RoundTripStatistics.Of([new ProbeSample(Make.At, null, "no answer")]);

        Assert.Null(figures.Average);
        Assert.Equal(100, figures.LossPercent);
        Assert.Null(RoundTripStatistics.Of([]).LossPercent);
    }
}
