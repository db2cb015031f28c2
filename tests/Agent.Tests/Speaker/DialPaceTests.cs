using FailoverHub.Agent.Speaker;

namespace FailoverHub.Agent.Tests.Speaker;

public sealed class DialPaceTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(3.5);

    private readonly DialPace _pace = new(_patience, new Random(1));

    [Fact]
    public void Silence_IsDialledFiveToSevenTimesASecond_AndTheLastSocketHasHalfASecond()
    {
        var dials = Dial(TimeSpan.Zero);

        Assert.All(dials.Zip(dials.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, 0.75 * DialPace.Eager, DialPace.Eager));
        Assert.InRange(dials[^1], TimeSpan.FromSeconds(2.8), TimeSpan.FromSeconds(3));
        Assert.Equal(_patience, _pace.GiveUpAt);
    }

    [Fact]
    public void SilenceThatLasts_IsLeftToTheKernelsPace_AfterAMinute()
    {
        for (var at = TimeSpan.Zero; at < TimeSpan.FromSeconds(56); at += _patience)
        {
            Assert.True(Dial(at).Count > 10);
        }

        Assert.Single(Dial(TimeSpan.FromSeconds(60)));
        Assert.Single(Dial(TimeSpan.FromHours(1)));
    }

    [Fact]
    public void Answered_TheNextSilenceIsYoungAgain()
    {
        Dial(TimeSpan.Zero);
        Assert.Single(Dial(TimeSpan.FromHours(1)));

        _pace.Answered();

        Assert.Null(_pace.NextAt);
        Assert.True(Dial(TimeSpan.FromHours(2)).Count > 10);
    }

    [Fact]
    public void PatienceIsShort_OneSocketHasIt()
    {
        var pace = new DialPace(TimeSpan.FromMilliseconds(600), new Random(1));

        pace.Begin(TimeSpan.Zero);

        Assert.Null(pace.NextAt);
    }

    private List<TimeSpan> Dial(TimeSpan at)
    {
        List<TimeSpan> dials = [at];
        _pace.Begin(at);
        while (_pace.NextAt is { } next)
        {
            dials.Add(next);
            _pace.Dialled(next);
        }

        return dials;
    }
}
