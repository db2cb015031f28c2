using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Reachability.Outages;

public sealed class OutageWatchTests
{
    private readonly OutageWatch _watch = new();
    private readonly PairView _pair = Make.HealthyPair();

    private string Preferred => _pair.PreferredNode ?? _pair.ActiveNode!;

    private string Other => _pair.Members.First(m => m.Node.Name != _pair.ActiveNode).Node.Name;

    [Fact]
    public void AnotherNodeIsActive_AndNobodyAskedForIt_IsAFailoverWithTheTimeBefore()
    {
        See(0, _pair.ActiveNode);
        See(20, null);
        See(25, Other);

        Assert.Empty(_watch.TakeDue(Make.At.AddSeconds(39)));
        Move move = Assert.Single(_watch.TakeDue(Make.At.AddSeconds(40)));
        Assert.Equal((MoveKind.Failover, null, _pair.ActiveNode, Other), (move.Kind, move.OperationId, move.From, move.To));
        Assert.Equal((Make.At.AddSeconds(-15), Make.At.AddSeconds(40)), (move.Since, move.Until));
        Assert.Empty(_watch.TakeDue(Make.At.AddSeconds(90)));
    }

    [Fact]
    public void BackToThePreferredNode_IsAFailbackByItself()
    {
        See(0, Other);
        See(5, Preferred);

        Assert.Equal(MoveKind.FailbackByItself, Assert.Single(_watch.TakeDue(Make.At.AddMinutes(1))).Kind);
    }

    [Fact]
    public void ActiveNode_ThatGetsAnotherName_HasNotMoved()
    {
        PairView named = Named(_pair.ActiveNode!, "node-z");
        _watch.See(Make.Fleet(Named(_pair.ActiveNode!, _pair.ActiveNode!)) with { At = Make.At });
        _watch.See(Make.Fleet(named) with { At = Make.At.AddSeconds(5) });
        Assert.Equal(0, _watch.Waiting);
        Assert.Equal((_pair.Id, "node-z"), Assert.Single(_watch.TakeUnstored(10)));

        // And from there it moves as any other.
        _watch.See(Make.Fleet(named with { ActiveNode = Other }) with { At = Make.At.AddSeconds(10) });
        Move move = Assert.Single(_watch.TakeDue(Make.At.AddMinutes(1)));
        Assert.Equal(("node-z", Other), (move.From, move.To));
    }

    [Fact]
    public void TheSameNodeAfterAWhileUnknown_IsNoMove()
    {
        See(0, _pair.ActiveNode);
        See(20, null);
        See(25, _pair.ActiveNode);

        Assert.Empty(_watch.TakeDue(Make.At.AddMinutes(1)));
    }

    [Fact]
    public void ThereAndBackWithinSeconds_IsOneOutage()
    {
        See(0, _pair.ActiveNode);
        See(5, Other);
        See(12, _pair.ActiveNode);

        Move move = Assert.Single(_watch.TakeDue(Make.At.AddMinutes(1)));
        Assert.Equal((_pair.ActiveNode, _pair.ActiveNode, Make.At.AddSeconds(27)), (move.From, move.To, move.Until));
    }

    [Fact]
    public void MoveOfAnOperation_IsMeasuredAsThatAlone()
    {
        See(0, _pair.ActiveNode);
        _watch.See(Make.Fleet(_pair with { OperationId = "op-1", MoveId = "op-1" }) with { At = Make.At.AddSeconds(1) });
        _watch.See(Make.Fleet(_pair with { OperationId = "op-1", MoveId = "op-1", ActiveNode = Other }) with { At = Make.At.AddSeconds(2) });
        OperationView ended = Make.Operation() with { PairId = _pair.Id, PairName = _pair.Name, Status = OperationStatus.Succeeded, RequestedAt = Make.At.AddSeconds(1), FinishedAt = Make.At.AddSeconds(3) };
        _watch.See(ended, [Make.Prefix]);
        _watch.See(ended, [Make.Prefix]);
        See(4, Other);

        Move move = Assert.Single(_watch.TakeDue(Make.At.AddSeconds(18)));
        Assert.Equal((MoveKind.Switchover, "op-1", _pair.ActiveNode, Other), (move.Kind, move.OperationId, move.From, move.To));
        Assert.Equal([Make.Prefix], move.Prefixes);
        Assert.Equal(0, _watch.Waiting);
    }

    /// <summary>A drain names the node that the addresses leave; one that was undone has moved nothing in the end.</summary>
    [Theory]
    [InlineData(OperationType.Drain, OperationStatus.Succeeded, true, "203.0.113.10/32: change from node-a to node-b. ")]
    [InlineData(OperationType.Switchover, OperationStatus.Failed, false, "203.0.113.10/32: switchover from node-a that was taken back. ")]
    [InlineData(OperationType.Drain, OperationStatus.Succeeded, false, "203.0.113.10/32: change with node-a active before and after. ")]
    public void Operation_MovesFromWhereTheAddressesWereToWhereTheyAre(OperationType type, OperationStatus status, bool moves, string sentence)
    {
        See(0, _pair.ActiveNode);
        _watch.See(Make.Fleet(_pair with { OperationId = "op-1", MoveId = "op-1" }) with { At = Make.At.AddSeconds(1) });
        _watch.See(Make.Fleet(_pair with { OperationId = "op-1", MoveId = "op-1", ActiveNode = Other }) with { At = Make.At.AddSeconds(2) });
        _watch.See(Make.Operation() with { Type = type, Node = _pair.ActiveNode, PairId = _pair.Id, PairName = _pair.Name, Status = status, RequestedAt = Make.At.AddSeconds(1), FinishedAt = Make.At.AddSeconds(3) }, [Make.Prefix]);
        See(4, moves ? Other : _pair.ActiveNode);

        Move move = Assert.Single(_watch.TakeDue(Make.At.AddSeconds(18)));

        Assert.Equal((_pair.ActiveNode, moves ? Other : _pair.ActiveNode), (move.From, move.To));
        Assert.StartsWith(sentence, OutageSentences.Of(new OutageRecord { At = move.At, Pair = move.Pair, Prefix = Make.Prefix.ToString(), Vantage = "hub", VantageName = "hub", Kind = move.Kind, OperationId = move.OperationId, From = move.From, To = move.To, Figures = OutageFigures.Of([]) }), StringComparison.Ordinal);
    }

    [Fact]
    public void WhereTheAddressesAreAfterAnOperation_IsNotSaidWhereItIsNotKnown()
    {
        See(0, _pair.ActiveNode);
        _watch.See(Make.Operation() with { PairId = _pair.Id, PairName = _pair.Name, Status = OperationStatus.TimedOut, RequestedAt = Make.At.AddSeconds(1), FinishedAt = Make.At.AddSeconds(3) }, [Make.Prefix]);
        See(4, null);

        Move move = Assert.Single(_watch.TakeDue(Make.At.AddSeconds(18)));

        Assert.Equal((_pair.ActiveNode, null), (move.From, move.To));
    }

    /// <summary>It resets a session and moves nothing: what moves meanwhile does so by itself, and is what somebody wants measured.</summary>
    [Fact]
    public void MoveDuringAnOperationThatMovesNothing_IsAFailoverThatNobodyAskedFor()
    {
        See(0, _pair.ActiveNode);
        _watch.See(Make.Fleet(_pair with { OperationId = "reset" }) with { At = Make.At.AddSeconds(1) });
        _watch.See(Make.Fleet(_pair with { OperationId = "reset", ActiveNode = Other }) with { At = Make.At.AddSeconds(2) });

        Move move = Assert.Single(_watch.TakeDue(Make.At.AddMinutes(1)));

        Assert.Equal((MoveKind.Failover, null, _pair.ActiveNode, Other), (move.Kind, move.OperationId, move.From, move.To));
    }

    [Fact]
    public void MoveThatCouldNotBeRead_IsTriedAgainForAsLongAsThatTakes_AsItIs()
    {
        See(0, _pair.ActiveNode);
        See(5, Other);
        Move move = Assert.Single(_watch.TakeDue(Make.At.AddSeconds(20)));
        for (int minute = 1; minute <= 60; minute++)
        {
            _watch.Retry(move, Make.At.AddMinutes(minute));
            Assert.Empty(_watch.TakeDue(Make.At.AddMinutes(minute).AddSeconds(19)));
            move = Assert.Single(_watch.TakeDue(Make.At.AddMinutes(minute).AddSeconds(20)));
        }

        Assert.Equal((Make.At.AddSeconds(-35), Make.At.AddSeconds(20)), (move.Since, move.Until));
    }

    [Fact]
    public void OutageThatGoesOn_IsLookedAtAgainForTenMinutes()
    {
        See(0, _pair.ActiveNode);
        See(5, Other);
        Move move = Assert.Single(_watch.TakeDue(Make.At.AddSeconds(20)));

        Assert.True(_watch.Again(move, _ => true));
        Move later = Assert.Single(_watch.TakeDue(Make.At.AddSeconds(40)));

        Assert.Equal(Make.At.AddSeconds(40), later.Until);
        while (_watch.Again(later, _ => true))
        {
            later = Assert.Single(_watch.TakeDue(Make.At.AddHours(1)));
        }

        Assert.InRange(later.Until - later.At, TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(620));
        Assert.False(_watch.Again(move, _ => false));
    }

    [Fact]
    public void Figures_SayWhatWasLostFromWhenToWhenAndHowExactlyThatIsKnown()
    {
        DateTimeOffset at = Make.At;
        List<ProbeSample> samples = [.. Enumerable.Range(0, 10).Select(i => Sample(at.AddSeconds(i), true))];
        samples.AddRange(Enumerable.Range(0, 20).Select(i => Sample(at.AddSeconds(10).AddMilliseconds(100 * i), i is < 5 or >= 9)));
        samples.AddRange(Enumerable.Range(12, 8).Select(i => Sample(at.AddSeconds(i), true)));

        OutageFigures figures = OutageFigures.Of(samples);

        Assert.Equal(
            new OutageFigures(38, 4, at.AddSeconds(10.5), at.AddSeconds(10.8), TimeSpan.FromMilliseconds(500), false, TimeSpan.FromMilliseconds(100)) { Shortest = TimeSpan.FromMilliseconds(300) },
            figures);
        Assert.Equal(
            "4 of 38 probes from the hub were lost, the first at 14:00:10.500 and the last at 14:00:10.800 UTC; without an answer for 0.30 to 0.50 s, probed each 0.1 s.",
            OutageSentences.Of(figures, "hub"));
    }

    [Fact]
    public void Figures_WithoutALossOrWithoutAProbe_SaySo()
    {
        Assert.Equal("All 3 probes from node-a were answered; an outage of less than 1.0 s would not have been seen.", OutageSentences.Of(OutageFigures.Of([.. Enumerable.Range(0, 3).Select(i => Sample(Make.At.AddSeconds(i), true))]), "node-a"));
        Assert.Equal("It was not probed from the hub: what it cost is not known.", OutageSentences.Of(OutageFigures.Of([]), "hub"));
        Assert.True(OutageFigures.Of([Sample(Make.At, true), Sample(Make.At.AddSeconds(1), false)]).GoesOn);
    }

    [Fact]
    public void Figures_OfAMoveThatLostNothing_SayWhatCouldNotHaveBeenSeenWhileItMoved()
    {
        // Once a second before and after, a hundred times a second from 7 ms after it began on, with a gap of 40 ms.
        DateTimeOffset began = Make.At.AddSeconds(5.5);
        List<ProbeSample> samples = [.. Enumerable.Range(0, 6).Select(i => Sample(Make.At.AddSeconds(i), true))];
        samples.AddRange(Enumerable.Range(0, 100).Select(i => Sample(began.AddMilliseconds(7 + (10 * i) + (i >= 60 ? 30 : 0)), true)));
        samples.AddRange(Enumerable.Range(0, 10).Select(i => Sample(began.AddSeconds(3 + i), true)));

        Assert.Equal(TimeSpan.FromMilliseconds(40), OutageFigures.Of(samples, began, began.AddSeconds(0.9)).Resolution);
        Assert.Equal(TimeSpan.FromMilliseconds(1_973), OutageFigures.Of(samples, began, began.AddSeconds(1.2)).Resolution);
    }

    [Fact]
    public void BetweenTheMovesOfADrill_AnotherNodeIsActive_IsAFailoverThatNobodyAskedFor()
    {
        PairView drilled = _pair with { OperationId = "drill", State = PairState.Switching };
        _watch.See(Make.Fleet(drilled with { MoveId = "op-1" }) with { At = Make.At });
        _watch.See(Make.Fleet(drilled with { ActiveNode = Other }) with { At = Make.At.AddSeconds(1) });
        Assert.Equal(0, _watch.Waiting);

        _watch.See(Make.Fleet(drilled with { ActiveNode = Other }) with { At = Make.At.AddSeconds(20) });
        _watch.See(Make.Fleet(drilled) with { At = Make.At.AddSeconds(21) });

        Assert.Equal(1, _watch.Waiting);
    }

    private PairView Named(string old, string name) => _pair with
    {
        ActiveNode = name,
        Members =
        [
            .. _pair.Members.Select(m => m.Node.Name != old ? m : m with
            {
                Node = m.Node with { Name = name, Identity = new NodeIdentityView { NodeId = "id-a", JoinedAt = Make.At, Serial = "01", IssuedAt = Make.At, NotAfter = Make.At.AddDays(1), Renewals = 0 } },
            }),
        ],
    };

    private static ProbeSample Sample(DateTimeOffset at, bool answered) => new(at, answered ? TimeSpan.FromMilliseconds(1) : null, answered ? null : "no answer");

    private void See(int second, string? active) => _watch.See(Make.Fleet(_pair with { ActiveNode = active }) with { At = Make.At.AddSeconds(second) });
}
