using FailoverHub.Agent.Speaker.Metering;

namespace FailoverHub.Agent.Tests.Speaker.Metering;

public sealed class LatenessHistogramTests
{
    [Fact]
    public void NothingCounted_IsZero() => Assert.Equal(TimeSpan.Zero, default(LatenessHistogram).Percentile(99));

    [Theory]
    [InlineData(0, 0.125)]
    [InlineData(0.125, 0.125)]
    [InlineData(0.126, 0.25)]
    [InlineData(3, 4)]
    [InlineData(4, 4)]
    [InlineData(1000, 1024)]
    [InlineData(10_000_000, 65536)]
    public void One_IsInTheStepThatItFits(double late, double step)
    {
        var histogram = default(LatenessHistogram);
        histogram.Add(TimeSpan.FromMilliseconds(late));

        Assert.Equal(TimeSpan.FromMilliseconds(step), histogram.Percentile(99));
    }

    [Fact]
    public void OneLateInAHundred_DoesNotCount_TwoDo()
    {
        var histogram = default(LatenessHistogram);
        for (var count = 0; count < 99; count++)
        {
            histogram.Add(TimeSpan.FromMilliseconds(1));
        }

        histogram.Add(TimeSpan.FromMilliseconds(500));
        Assert.Equal(TimeSpan.FromMilliseconds(1), histogram.Percentile(99));
        Assert.Equal(TimeSpan.FromMilliseconds(512), histogram.Percentile(100));

        histogram.Add(TimeSpan.FromMilliseconds(500));
        Assert.Equal(TimeSpan.FromMilliseconds(512), histogram.Percentile(99));
    }
}
