using FailoverHub.Agent.Speaker;

namespace FailoverHub.Agent.Tests.Speaker;

public sealed class DialPaceTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(3.5);

    private readonly DialPace _pace = new(_patience, new Random(1));

    [Fact]
    public void SilenceOfANearNeighbor_IsDialledFiveToSevenTimesASecond_AndTheLastSocketHasHalfASecond()
    {
        Answer(TimeSpan.Zero, TimeSpan.FromMilliseconds(5));

        var dials = Dial(TimeSpan.FromHours(1));

        Assert.All(dials.Zip(dials.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, 0.75 * DialPace.Eager, DialPace.Eager));
        Assert.InRange(dials[^1] - dials[0], TimeSpan.FromSeconds(2.8), TimeSpan.FromSeconds(3));
        Assert.Equal(dials[0] + _patience, _pace.GiveUpAt);
    }

    [Fact]
    public void NeighborThatNeverAnswered_MayBeFarAway_OneSocketHasAllTheTime()
    {
        Assert.Single(Dial(TimeSpan.Zero));
    }

    [Fact]
    public void NeighborFarAway_OneSocketHasAllTheTime_UntilAnAnswerWasQuick()
    {
        Answer(TimeSpan.Zero, TimeSpan.FromMilliseconds(200));
        Assert.Single(Dial(TimeSpan.FromHours(1)));

        Answer(TimeSpan.FromHours(2), TimeSpan.FromMilliseconds(5));
        Answer(TimeSpan.FromHours(3), TimeSpan.FromMilliseconds(400));

        Assert.True(Dial(TimeSpan.FromHours(4)).Count > 10);
    }

    [Fact]
    public void NoPath_IsTriedAgainSoon_HoweverFarTheNeighborIs()
    {
        Assert.True(Dial(TimeSpan.Zero, isUnderWay: false).Count > 10);
    }

    [Fact]
    public void SilenceThatLasts_IsLeftToTheKernelsPace_AfterAMinute()
    {
        Answer(TimeSpan.Zero, TimeSpan.FromMilliseconds(5));
        for (var at = TimeSpan.FromHours(1); at < TimeSpan.FromHours(1) + TimeSpan.FromSeconds(56); at += _patience)
        {
            Assert.True(Dial(at).Count > 10);
        }

        Assert.Single(Dial(TimeSpan.FromHours(1) + TimeSpan.FromSeconds(60)));
        Assert.Single(Dial(TimeSpan.FromHours(2)));
    }

    [Fact]
    public void Refused_TheNextSilenceIsYoungAgain()
    {
        Answer(TimeSpan.Zero, TimeSpan.FromMilliseconds(5));
        Dial(TimeSpan.FromHours(1));
        Assert.Single(Dial(TimeSpan.FromHours(2)));

        _pace.Refused();

        Assert.Null(_pace.NextAt);
        Assert.True(Dial(TimeSpan.FromHours(3)).Count > 10);
    }

    [Fact]
    public void PatienceIsShort_OneSocketHasIt()
    {
        var pace = new DialPace(TimeSpan.FromMilliseconds(600), new Random(1));

        pace.Begin(TimeSpan.Zero);
        pace.Dialled(TimeSpan.Zero, isUnderWay: false);

        Assert.Null(pace.NextAt);
    }

    private void Answer(TimeSpan at, TimeSpan after)
    {
        _pace.Begin(at);
        _pace.Dialled(at, isUnderWay: true);
        _pace.Connected(at + after);
    }

    private List<TimeSpan> Dial(TimeSpan at, bool isUnderWay = true)
    {
        List<TimeSpan> dials = [at];
        _pace.Begin(at);
        _pace.Dialled(at, isUnderWay);
        while (_pace.NextAt is { } next)
        {
            dials.Add(next);
            _pace.Dialled(next, isUnderWay);
        }

        return dials;
    }
}
