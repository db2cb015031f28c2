using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Reachability.Probing;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Reachability;

/// <summary>When the hub probes a hundred times a second, how exact that makes an outage, and what bounds it.</summary>
public sealed class BurstTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(900);
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(3);
    private static readonly IPAddress Gateway = IPAddress.Parse("192.0.2.1");
    private static readonly ProbeTarget Web = Target(0);

    private readonly ProbeBoard _board = new(ProbePace.Default, new Random(7));
    private readonly List<(ProbeTarget Target, TimeSpan At)> _sent = [];
    private readonly List<(ReachabilityChange Change, TimeSpan KnownAt)> _changes = [];
    private readonly List<ProbeSample> _samples = [];
    private readonly PriorityQueue<(ProbeTarget Target, ProbeSample Sample, TimeSpan SentAt), TimeSpan> _under = new();
    private TimeSpan _now;

    [Fact]
    public void MoveOfAnOperation_IsProbedAHundredTimesASecond_FromItsFirstMomentToFiveSecondsAfterIt()
    {
        _board.SetTargets([Web], [], _now);
        Run(5 * Second, _ => true);

        _board.SetTargets([Web with { Changing = true, MoveId = "op-1" }], [], _now);
        Run(2 * Second, _ => true);
        _board.SetTargets([Web], [], _now);
        Run(20 * Second, _ => true);

        Assert.InRange(_sent.First(s => s.At >= 5 * Second).At, 5 * Second, 5.002 * Second);
        Assert.InRange(SentBetween(5 * Second, 7 * Second), 190, 205);
        Assert.InRange(SentBetween(7 * Second, 11.9 * Second), 460, 500);
        Assert.InRange(SentBetween(14 * Second, 20 * Second), 5, 7);
    }

    [Theory]
    [InlineData(220)]
    [InlineData(600)]
    public void AddressFarAway_IsNotOverdueForItsUsualTime_AndIsAsSoonAsAnyOtherBeyondIt(int milliseconds)
    {
        TimeSpan far = TimeSpan.FromMilliseconds(milliseconds);
        _board.SetTargets([Web], [], _now);
        Run(30 * Second, _ => true, far);
        Assert.InRange(SentBetween(2 * Second, 30 * Second), 26, 30);

        Run(3 * Second, _ => false, far);
        Assert.InRange(SentBetween(30 * Second + far + (0.15 * Second), 33 * Second), 30, 300);
        Assert.InRange(_sent.Where(s => s.At >= 30 * Second).Skip(1).First().At - _sent.First(s => s.At >= 30 * Second).At, far + (0.14 * Second), far + (0.17 * Second));
    }

    [Fact]
    public void MoveThatTakesLong_IsProbedInABurstForHalfAMinute_AndCloselyAfterThat()
    {
        _board.SetTargets([Web], [], _now);
        _board.SetTargets([Web with { Changing = true, MoveId = "op-1" }], [], _now);
        Run(60 * Second, _ => true);

        Assert.InRange(SentBetween(28 * Second, 29 * Second), 95, 105);
        Assert.InRange(SentBetween(31 * Second, 41 * Second), 95, 105);

        // The way back of a drill is a move of its own.
        _board.SetTargets([Web with { Changing = true, MoveId = "op-2" }], [], _now);
        Run(2 * Second, _ => true);
        Assert.InRange(SentBetween(60 * Second, 62 * Second), 190, 205);
    }

    [Theory]
    [InlineData(0.03)]
    [InlineData(0.5)]
    [InlineData(3.217)]
    public void OutageOfAPlannedMove_IsMeasuredWithinTwentyMilliseconds(double seconds)
    {
        TimeSpan length = TimeSpan.FromSeconds(seconds);
        _board.SetTargets([Web], [], _now);
        Run(5 * Second, _ => true);
        _board.SetTargets([Web with { Changing = true, MoveId = "op-1" }], [], _now);
        Run(0.123 * Second, _ => true);
        Run(length, _ => false);
        Run(3 * Second, _ => true);

        OutageFigures figures = Figures();

        Assert.InRange(figures.Longest, length, length + TimeSpan.FromMilliseconds(22));
        Assert.InRange(figures.Shortest!.Value, length - TimeSpan.FromMilliseconds(22), length);
        Assert.InRange(figures.Resolution, TimeSpan.FromMilliseconds(9), TimeSpan.FromMilliseconds(12));
    }

    [Theory]
    [InlineData(1.5)]
    [InlineData(8.4)]
    public void OutageThatNobodyExpected_EndsToTheHundredthOfASecond_AndTheFiguresSayBetweenWhatItWas(double seconds)
    {
        TimeSpan length = TimeSpan.FromSeconds(seconds);
        _board.SetTargets([Web], [], _now);
        Run(5.4 * Second, _ => true);
        TimeSpan end = _now + length;
        Run(length, _ => false);
        Run(3 * Second, _ => true);

        OutageFigures figures = Figures();

        Assert.InRange(_samples.First(s => s.Answered && s.At > figures.LastLossAt).At - Make.At - end, TimeSpan.Zero, TimeSpan.FromMilliseconds(11));
        Assert.InRange(length, figures.Shortest!.Value, figures.Longest);
        Assert.InRange(figures.Longest - figures.Shortest!.Value, TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(1_080));
    }

    [Fact]
    public void SilenceThatLasts_IsProbedInABurstForHalfAMinute_AndItsEndToATenthOfASecond()
    {
        _board.SetTargets([Web], [], _now);
        Run(5 * Second, _ => true);
        Run(120 * Second, _ => false);

        Assert.InRange(SentBetween(10 * Second, 11 * Second), 95, 105);
        Assert.InRange(SentBetween(40 * Second, 50 * Second), 95, 105);
        Assert.True(Assert.Single(_changes).Change.Lost);
    }

    [Fact]
    public void AnswerThatIsOverdue_BeginsABurst_LongBeforeItsTimeout()
    {
        _board.SetTargets([Web], [], _now);
        Run(5 * Second, _ => true);
        TimeSpan cut = _now;
        Run(2 * Second, _ => false);

        TimeSpan[] after = [.. _sent.Where(s => s.At >= cut).Select(s => s.At)];
        Assert.InRange(after[1] - after[0], TimeSpan.FromMilliseconds(150), TimeSpan.FromMilliseconds(155));
        Assert.InRange(after[2] - after[1], TimeSpan.FromMilliseconds(9), TimeSpan.FromMilliseconds(12));
    }

    [Fact]
    public void HundredthsOfASecondWithoutAnAnswer_AreInTheFigures_AndNoEvent()
    {
        _board.SetTargets([Web with { Changing = true, MoveId = "op-1" }], [], _now);
        Run(2 * Second, _ => true);
        Run(TimeSpan.FromMilliseconds(50), _ => false);
        Run(2 * Second, _ => true);

        Assert.Empty(_changes);
        Assert.InRange(Figures().Lost, 4, 6);
    }

    [Fact]
    public void WholeDataCenterMoving_IsProbedInBurstsUpToTheLimit_AndCloselyBeyond()
    {
        ImmutableArray<ProbeTarget> many = [.. Enumerable.Range(0, 100).Select(i => Target(i) with { Changing = true, MoveId = $"op-{i}" })];
        _board.SetTargets(many, [], _now);

        Run(3 * Second, _ => true);

        int[] perTarget = [.. many.Select(t => _sent.Count(s => s.Target == t && s.At >= 2 * Second))];
        Assert.Equal(ProbePace.Default.MostBursting, perTarget.Count(n => n > 80));
        Assert.Equal(100 - ProbePace.Default.MostBursting, perTarget.Count(n => n is >= 9 and <= 11));
    }

    [Fact]
    public void GatewayAndNamedTarget_AreNeverProbedInABurst()
    {
        _board.SetTargets([Web], [Gateway], _now);
        Run(5 * Second, _ => true);
        Run(5 * Second, _ => false);

        Assert.InRange(_sent.Count(s => s.Target.Address.Equals(Gateway) && s.At > 6 * Second), 20, 45);
    }

    [Fact]
    public void AddressThatNeverAnswered_MakesNoBurst()
    {
        _board.SetTargets([Web], [], _now);
        Run(20 * Second, _ => false);

        // What it is lost for is looked at closely, as before; nobody waits for its answer to the hundredth.
        Assert.False(_board.IsBursting);
    }

    [Fact]
    public void Intervals_DifferAtRandom_ByAFewPartsOfAHundred_AndKeepTheirMean()
    {
        _board.SetTargets([Web], [], _now);
        Run(200 * Second, _ => true);

        TimeSpan[] steps = [.. _sent.Zip(_sent.Skip(1), (a, b) => b.At - a.At)];
        Assert.All(steps, s => Assert.InRange(s, 0.949 * Second, 1.052 * Second));
        Assert.True(steps.Select(s => Math.Round(s.TotalMilliseconds / 5)).Distinct().Count() > 10, "they hardly differ");
        Assert.InRange(steps.Average(s => s.TotalSeconds), 0.99, 1.01);
    }

    [Fact]
    public void TwoHubsThatBeganTogether_DoNotSendInStep()
    {
        ProbeBoard[] hubs = [new(ProbePace.Default, new Random(1)), new(ProbePace.Default, new Random(2))];
        Array.ForEach(hubs, hub => hub.SetTargets([Web], [], TimeSpan.Zero));
        for (TimeSpan now = TimeSpan.Zero; now < 100 * Second; now += TimeSpan.FromMilliseconds(1))
        {
            foreach (ProbeBoard hub in hubs)
            {
                foreach ((ProbeTarget target, _) in hub.TakeDue(now, 10))
                {
                    hub.Record(target, new ProbeSample(Make.At + now, RoundTrip, null), now);
                }
            }
        }

        Assert.True((hubs[0].NextDue!.Value - hubs[1].NextDue!.Value).Duration() > TimeSpan.FromMilliseconds(20), "they still send together");
    }

    [Fact]
    public void OperationThatBeginsToMove_IsSeenFromOneSnapshotToTheNext()
    {
        PairView pair = Make.HealthyPair("web");
        FleetSnapshot before = Make.Fleet(pair);

        Assert.True(ProbeTarget.BeginsToMove(before, Make.Fleet(pair with { OperationId = "op-1", MoveId = "op-1" })));
        Assert.True(ProbeTarget.BeginsToMove(Make.Fleet(pair with { MoveId = "op-1" }), Make.Fleet(pair with { MoveId = "op-2" })));
        Assert.False(ProbeTarget.BeginsToMove(Make.Fleet(pair with { MoveId = "op-1" }), before));
        Assert.False(ProbeTarget.BeginsToMove(before, Make.Fleet(pair with { State = PairState.Degraded })));
        Assert.False(ProbeTarget.AreTheSame(before, Make.Fleet(pair with { MoveId = "op-1" })));
    }

    private static ProbeTarget Target(int number)
    {
        IPNetwork prefix = IPNetwork.Parse($"198.51.100.{number}/32");
        return new ProbeTarget(prefix, prefix.BaseAddress, "web");
    }

    private OutageFigures Figures() => OutageFigures.Of([.. _samples.OrderBy(s => s.At)]);

    private int SentBetween(TimeSpan from, TimeSpan to) => _sent.Count(s => s.Target.Prefix.Equals(Web.Prefix) && s.At >= from && s.At < to);

    /// <summary>Lets time pass in steps of a millisecond, as the prober's loop would in a burst; whoever answers does so within 3 ms.</summary>
    private void Run(TimeSpan length, Func<ProbeTarget, bool> answers, TimeSpan? roundTrip = null)
    {
        TimeSpan takes = roundTrip ?? RoundTrip;
        for (TimeSpan end = _now + length; _now < end; _now += TimeSpan.FromMilliseconds(1))
        {
            while (_under.TryPeek(out var result, out TimeSpan at) && at <= _now)
            {
                _under.Dequeue();
                if (_board.Record(result.Target, result.Sample, result.SentAt) is { } change)
                {
                    _changes.Add((change, _now));
                }
            }

            _samples.AddRange(_board.TakeCounted(_now).Select(c => c.Sample));

            foreach ((ProbeTarget target, _) in _board.TakeDue(_now, 10_000))
            {
                _sent.Add((target, _now));
                bool answered = answers(target);
                _under.Enqueue((target, new ProbeSample(Make.At + _now, answered ? takes : null, answered ? null : "no answer"), _now), _now + (answered ? takes : Timeout));
            }
        }
    }
}
