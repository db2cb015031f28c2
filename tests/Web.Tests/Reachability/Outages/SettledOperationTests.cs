using System.Collections.Immutable;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Running;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Reachability.Storage;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Reachability.Storage;

namespace FailoverHub.Web.Tests.Reachability.Outages;

/// <summary>An operation that lost its node, and is settled when that is back hours later: what it cost is what the probes showed while it moved something.</summary>
public sealed class SettledOperationTests
{
    private static readonly OperationStep Demoted = new("Demote node-a to secondary", StepStatus.Succeeded, Make.At, Make.At.AddSeconds(1), null);
    private static readonly OperationStep Lost = new("Promote node-b to primary", StepStatus.Failed, Make.At.AddSeconds(1), Make.At.AddSeconds(31), "node-b fell silent.");
    private static readonly OperationStep CutShort = new("Promote node-b to primary", StepStatus.Running, Make.At.AddSeconds(1), null, null);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void Operation_SettledHoursLater_IsMeasuredUntilItsLastStep()
    {
        Move move = MoveOf(4 * 3600, Demoted, Lost);

        Assert.Equal((Make.At.AddSeconds(-5), Make.At.AddSeconds(46), Make.At.AddSeconds(33)), (move.Since, move.Until, move.SettledAt));
        Assert.Empty(move.TakenBack);
    }

    [Fact]
    public void Operation_WhoseHubEndedMeanwhile_IsMeasuredTwoMinutesIntoItsLastStep_AtMost()
    {
        Assert.Equal(Make.At.AddSeconds(1 + 120 + 15), MoveOf(4 * 3600, Demoted, CutShort).Until);
        Assert.Equal(Make.At.AddSeconds(40 + 15), MoveOf(40, Demoted, CutShort).Until);

        // As the settlement leaves it.
        Assert.Equal(Make.At.AddSeconds(1 + 120 + 15), MoveOf(4 * 3600, Demoted, LeftSteps.Ended(CutShort, OperationStatus.Failed, Make.At.AddHours(4))).Until);
        Assert.Equal(Make.At.AddSeconds(1 + 120 + 15), MoveOf(4 * 3600, Demoted, LeftSteps.Ended(CutShort, OperationStatus.Succeeded, Make.At.AddHours(4))).Until);
    }

    [Fact]
    public void Operation_WhoseOutcomeIsNotKnown_DoesNotGoOnUntilNow()
    {
        OperationView unknown = Operation(null, Demoted, Lost) with { Status = OperationStatus.OutcomeUnknown };
        OperationView running = Operation(null, Demoted, CutShort) with { Status = OperationStatus.Running };

        Assert.Equal(Make.At.AddSeconds(46), OutageWatch.MoveOf(unknown, [Make.Prefix], Make.At.AddHours(3))!.Until);
        Assert.Equal(Make.At.AddMinutes(8).AddSeconds(15), OutageWatch.MoveOf(running, [Make.Prefix], Make.At.AddMinutes(8))!.Until);
    }

    [Fact]
    public void TakeBack_RightBehindTheSteps_IsOneMoveWithThem()
    {
        Move move = MoveOf(40, Demoted, Lost, TakeBack(32, 39));

        Assert.Equal((Make.At.AddSeconds(-5), Make.At.AddSeconds(55)), (move.Since, move.Until));
        Assert.Empty(move.TakenBack);
    }

    [Fact]
    public void TakeBack_HoursLater_IsMeasuredByItself_AndDueWithTheRest()
    {
        var watch = new OutageWatch();
        watch.See(Make.Fleet(Make.HealthyPair()) with { At = Make.At });
        watch.See(Operation(14_402, Demoted, Lost, TakeBack(14_400, 14_401)), [Make.Prefix]);

        Assert.Empty(watch.TakeDue(Make.At.AddSeconds(14_416)));
        Move move = Assert.Single(watch.TakeDue(Make.At.AddSeconds(14_417)));
        Move back = Assert.Single(move.TakenBack);
        Assert.Equal((MoveKind.Switchover, Make.At.AddSeconds(46)), (move.Kind, move.Until));
        Assert.Equal((MoveKind.TakeBack, "op-1", "node-a"), (back.Kind, back.OperationId, back.To));
        Assert.Equal((Make.At.AddSeconds(14_400), Make.At.AddSeconds(14_395), Make.At.AddSeconds(14_417)), (back.At, back.Since, back.Until));
    }

    [Fact]
    public void TakeBack_ThatIsWaitedForWithoutEnd_CountsFromWhenItWasTold()
    {
        Move move = MoveOf(20_000, Demoted, Lost, TakeBack(14_400, 19_999));

        Assert.Equal(Make.At.AddSeconds(14_400 + 120 + 15), Assert.Single(move.TakenBack).Until);
    }

    [Fact]
    public void OutageThatGoesOnUntilTheTakeBack_IsOneWithIt()
    {
        var watch = new OutageWatch();
        Move move = MoveOf(103, Demoted, Lost, TakeBack(100, 102));
        Assert.Single(move.TakenBack);
        for (int looks = 0; move.TakenBack.Length > 0; looks++)
        {
            Assert.InRange(looks, 0, 5);
            Assert.True(watch.Again(move, part => part.Kind == MoveKind.Switchover));
            move = Assert.Single(watch.TakeDue(Make.At.AddHours(1)));
        }

        Assert.Equal((Make.At, Make.At.AddSeconds(118)), (move.At, move.Until));
    }

    [Fact]
    public async Task WhatWasLostBetweenTheStepsAndTheSettling_IsNotCounted()
    {
        await using var rig = new StoreRig(Make.At);
        await rig.StartAsync();
        for (int second = 0; second < 45; second++)
        {
            Probe(second, second is < 3 or >= 7);
        }

        for (int second = 600; second < 660; second++)
        {
            Probe(second, second < 630);
        }

        for (int second = 1_190; second < 1_220; second++)
        {
            Probe(second, second is < 1_201 or >= 1_203);
        }

        await rig.PassAsync(TimeSpan.FromMinutes(21));
        var meter = new OutageMeter(rig.Store, rig.History, new OutageStore(rig.Database, rig.Names), rig.Clock);

        ImmutableArray<OutageRecord> found = await meter.MeasureAsync(MoveOf(1_203, Demoted, Lost, TakeBack(1_200, 1_202)), Stop);

        Assert.Equal([(MoveKind.Switchover, 4, TimeSpan.FromSeconds(5)), (MoveKind.TakeBack, 2, TimeSpan.FromSeconds(3))], found.Select(o => (o.Kind, o.Figures.Lost, o.Figures.Longest)));
        Assert.All(found, o => Assert.False(o.Figures.GoesOn));

        void Probe(int second, bool answered) => rig.Add(
            new ProbeSeries(Make.Prefix.ToString(), ProbeSeries.Hub),
            new ProbeSample(Make.At.AddSeconds(second), answered ? TimeSpan.FromMilliseconds(1) : null, answered ? null : "no answer"));
    }

    private static OperationStep TakeBack(int began, int ended) => new(TakingBack.Step("node-a"), StepStatus.Succeeded, Make.At.AddSeconds(began), Make.At.AddSeconds(ended), null);

    private static Move MoveOf(int finished, params ImmutableArray<OperationStep> steps) => OutageWatch.MoveOf(Operation(finished, steps), [Make.Prefix])!;

    private static OperationView Operation(int? finished, params ImmutableArray<OperationStep> steps) =>
        Make.Operation("op-1", OperationStatus.Failed) with { RequestedAt = Make.At, FinishedAt = finished is { } second ? Make.At.AddSeconds(second) : null, Steps = steps };
}
