using System.Collections.Immutable;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Reachability.Outages;

/// <summary>What was lost by one move of a pair is not the cost of the next one, nor the other way round.</summary>
public sealed class MoveBordersTests
{
    private readonly OutageWatch _watch = new();
    private readonly PairView _pair = Make.HealthyPair();

    private PairView Moved => _pair with { ActiveNode = _pair.Members.First(m => m.Node.Name != _pair.ActiveNode).Node.Name };

    [Fact]
    public void FailoverSoonAfterAnOperation_BeginsWhereThatHadSettled()
    {
        See(0, _pair);
        See(1, Moved, "op-1");
        See(4, Moved);
        _watch.See(Operation("op-1", 1, 4), [Make.Prefix]);
        See(24, _pair);

        ImmutableArray<Move> moves = _watch.TakeDue(Make.At.AddMinutes(1));

        Assert.Equal([MoveKind.Switchover, MoveKind.FailbackByItself], moves.Select(m => m.Kind));
        Assert.Equal([(null, At(6)), (At(6), null)], moves.Select(m => (m.BorderBefore, m.BorderAfter)));
    }

    /// <summary>Its outcome is not known for hours: its time is over all the same.</summary>
    [Fact]
    public void FailoverSoonAfterAnOperationThatHasNotEnded_BeginsWhereThatWasLastSeenToMove()
    {
        See(0, _pair);
        See(1, _pair, "op-1");
        See(10, _pair, "op-1");
        See(30, Moved);

        Assert.Equal(At(12), Assert.Single(_watch.TakeDue(Make.At.AddMinutes(1))).BorderBefore);
    }

    [Fact]
    public void OperationRightAfterAFailover_EndsTheTimeOfThat_AlsoWhileItGoesOn()
    {
        See(0, _pair);
        See(10, Moved);
        See(13, Moved, "op-1");
        Move failover = Assert.Single(_watch.TakeDue(Make.At.AddSeconds(25)));
        See(40, _pair, "op-1");
        _watch.See(Operation("op-1", 13, 40), [Make.Prefix]);
        Move failback = Assert.Single(_watch.TakeDue(Make.At.AddMinutes(2)));

        Assert.Equal((null, At(12)), (failover.BorderBefore, failover.BorderAfter));
        Assert.Equal((At(12), null), (failback.BorderBefore, failback.BorderAfter));
    }

    [Fact]
    public void MovesOfOtherPairs_AndLongAgo_ChangeNothing()
    {
        See(0, _pair);
        _watch.See(Operation("op-1", 1, 4) with { PairId = "id-other" }, [Make.Prefix]);
        _watch.See(Operation("op-2", 1, 4), [Make.Prefix]);
        See(1, Moved, "op-2");
        See(600, _pair);

        Move[] moves = [.. _watch.TakeDue(Make.At.AddHours(1))];

        Assert.Null(moves.Single(m => m.OperationId == "op-1").BorderAfter);
        Assert.Equal(moves.Single(m => m.OperationId is null).Since, moves.Single(m => m.OperationId is null).BorderBefore);
    }

    [Fact]
    public void LossesOnBothSidesOfABorder_CountEachOnItsOwnSide()
    {
        List<ProbeSample> samples = Samples(40, 5, 6, 7, 25, 26);
        Move earlier = Operation("op-1", 3, 8, null, At(10));
        Move later = Operation("op-2", 20, 27, At(10), null);

        OutageFigures before = OutageFigures.Of(MoveBorders.Within(samples, earlier));
        OutageFigures after = OutageFigures.Of(MoveBorders.Within(samples, later));

        Assert.Equal((3, At(5), At(7)), (before.Lost, before.FirstLossAt, before.LastLossAt));
        Assert.Equal((2, At(25), At(26)), (after.Lost, after.FirstLossAt, after.LastLossAt));
        Assert.Equal((11, 31), (before.Sent, after.Sent));
    }

    [Fact]
    public void SilenceOverABorder_CountsForBoth_AndWhole()
    {
        List<ProbeSample> samples = Samples(40, [2, .. Enumerable.Range(8, 10), 30]);

        foreach (Move move in new[] { Operation("op-1", 5, 8, At(4), At(10)), Operation("op-2", 12, 20, At(10), At(25)) })
        {
            OutageFigures figures = OutageFigures.Of(MoveBorders.Within(samples, move));
            Assert.Equal((10, TimeSpan.FromSeconds(11), false), (figures.Lost, figures.Longest, figures.GoesOn));
        }
    }

    [Fact]
    public void SilenceThatGoesOn_OrWasThereAllTheTime_IsNotCutAway()
    {
        List<ProbeSample> silent = Samples(20, [.. Enumerable.Range(0, 20)]);

        Assert.Equal(20, MoveBorders.Within(silent, Operation("op-1", 5, 8, At(4), At(10))).Count);
        Assert.Empty(MoveBorders.Within([], Operation("op-1", 5, 8, At(4), At(10))));
    }

    private static DateTimeOffset At(int second) => Make.At.AddSeconds(second);

    private static List<ProbeSample> Samples(int count, params ImmutableArray<int> lost) =>
        [.. Enumerable.Range(0, count).Select(i => new ProbeSample(At(i), lost.Contains(i) ? null : TimeSpan.FromMilliseconds(1), lost.Contains(i) ? "no answer" : null))];

    private static OperationView Operation(string id, int began, int ended) => Make.Operation(id, OperationStatus.Succeeded) with
    {
        RequestedAt = At(began),
        FinishedAt = At(ended),
        Steps = [new("Move it", StepStatus.Succeeded, At(began), At(ended), null)],
    };

    private static Move Operation(string id, int began, int ended, DateTimeOffset? before, DateTimeOffset? after) =>
        OutageWatch.MoveOf(Operation(id, began, ended), [Make.Prefix])! with { BorderBefore = before, BorderAfter = after };

    private void See(int second, PairView pair, string? moving = null) => _watch.See(Make.Fleet(pair with { OperationId = moving, MoveId = moving }) with { At = At(second) });
}
