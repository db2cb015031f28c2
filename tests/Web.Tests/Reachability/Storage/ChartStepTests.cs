using FailoverHub.Web.Reachability;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Reachability.Storage;

public sealed class ChartStepTests
{
    [Theory]
    [InlineData(1.0 / 24, 15)]
    [InlineData(0.25, 120)]
    [InlineData(1, 300)]
    [InlineData(7, 3_600)]
    [InlineData(30, 10_800)]
    [InlineData(400, 172_800)]
    [InlineData(3_660, 1_209_600)]
    public void Range_HasTheShortestStepThatGivesNoMoreThanThreeHundredPoints(double days, int seconds)
    {
        DateTimeOffset to = Make.At.AddSeconds(17);

        Assert.Equal(TimeSpan.FromSeconds(seconds), ChartSteps.For(to.AddDays(-days), to));
    }

    [Fact]
    public void Range_OfCenturies_HasNone() => Assert.Null(ChartSteps.For(DateTimeOffset.MinValue, Make.At));

    [Fact]
    public void Steps_EachAreAPartOfTheLongerUnitThatTheyAreReadFrom() => Assert.All(
        ChartSteps.All,
        step => Assert.Equal(0, (step < TimeSpan.FromMinutes(1) ? TimeSpan.FromMinutes(1) : step < TimeSpan.FromHours(1) ? TimeSpan.FromHours(1) : step).Ticks
            % (step < TimeSpan.FromHours(1) ? step : TimeSpan.FromHours(1)).Ticks));
}
