using FailoverHub.Web.Alerts.Conditions;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>Which failures are the same trouble, and what makes up for one.</summary>
public sealed class EndedOperationsTests
{
    private EndedOperations _ended = EndedOperations.None;
    private int _ids;

    [Fact]
    public void Failure_StandsUntilALaterOneOfItsPairSucceeds()
    {
        Take(OperationStatus.Failed, 10);
        Take(OperationStatus.Succeeded, 5, OperationType.Drain);
        Assert.Single(_ended.Failed);

        Take(OperationStatus.Succeeded, 20, OperationType.Drain, "other");
        Assert.Single(_ended.Failed);
        Take(OperationStatus.Succeeded, 20, OperationType.Drain);

        Assert.Empty(_ended.Failed);
    }

    [Fact]
    public void Freeze_MovesNothingAndMakesUpForNothingElse()
    {
        Take(OperationStatus.Failed, 10);
        Take(OperationStatus.Refused, 11, OperationType.Freeze);

        Take(OperationStatus.Succeeded, 20, OperationType.Freeze);

        Assert.Equal(OperationType.Switchover, Assert.Single(_ended.Failed).Newest.Type);
    }

    [Fact]
    public void SameAgain_IsTheSameTroubleAndCounted()
    {
        OperationView first = Take(OperationStatus.Failed, 10);
        Take(OperationStatus.TimedOut, 20);
        OperationView last = Take(OperationStatus.Refused, 30);

        FailedOperation failed = Assert.Single(_ended.Failed);
        Assert.Equal((last.Id, 3, first.RequestedAt), (failed.Newest.Id, failed.Times, failed.Since));
    }

    [Fact]
    public void AnotherTypeOrAnotherNode_IsAnotherTrouble()
    {
        Take(OperationStatus.Failed, 10);
        Take(OperationStatus.Failed, 11, OperationType.Drain, node: "node-a");
        Take(OperationStatus.Failed, 12, OperationType.Drain, node: "node-b");
        Take(OperationStatus.Failed, 13, node: "node-a");

        Assert.Equal([2, 1, 1], _ended.Failed.OrderByDescending(f => f.Times).Select(f => f.Times));
    }

    [Theory]
    [InlineData(OperationStatus.Succeeded, 0)]
    [InlineData(OperationStatus.Cancelled, 0)]
    [InlineData(OperationStatus.Failed, 1)]
    public void OutcomeThatWasNotKnown_IsSettledByWhatIsSeenLater(OperationStatus settled, int stands)
    {
        OperationView unknown = Take(OperationStatus.OutcomeUnknown, 10);

        _ended = _ended.Take(unknown with { Status = settled, FinishedAt = Make.At.AddSeconds(60) });

        Assert.Equal(stands, _ended.Failed.Count());
        Assert.All(_ended.Failed, f => Assert.Equal((settled, 1), (f.Newest.Status, f.Times)));
    }

    [Fact]
    public void OrderOfNews_DoesNotMatter()
    {
        Take(OperationStatus.Succeeded, 20);
        Take(OperationStatus.Failed, 10);
        Assert.Empty(_ended.Failed);

        OperationView newest = Take(OperationStatus.Failed, 40);
        Take(OperationStatus.Failed, 30);

        Assert.Equal((newest.Id, 2, Make.At.AddSeconds(30)), (_ended.Failed.Single().Newest.Id, _ended.Failed.Single().Times, _ended.Failed.Single().Since));
    }

    /// <summary>The undrain that ends a drain is asked for with it, hours before its time; an operation may wait as long for a second person.</summary>
    [Theory]
    [InlineData(OperationStatus.Refused)]
    [InlineData(OperationStatus.TimedOut)]
    [InlineData(OperationStatus.Failed)]
    public void AskedForLongAgo_AndFailedNow_IsNotMadeUpForByWhatSucceededInBetween(OperationStatus status)
    {
        Take(OperationStatus.Succeeded, 3_600);

        OperationView undrain = Take(status, 0, OperationType.Undrain, node: "node-a", took: 14_400);

        Assert.Equal(undrain.Id, Assert.Single(_ended.Failed).Newest.Id);
    }

    [Fact]
    public void AskedForBeforeTheFailure_AndSucceededAfterIt_MakesUpForIt()
    {
        Take(OperationStatus.Failed, 3_600);

        Take(OperationStatus.Succeeded, 0, OperationType.Undrain, node: "node-a", took: 14_400);

        Assert.Empty(_ended.Failed);
    }

    [Fact]
    public void Newest_IsTheOneThatFailedLast_NotTheOneThatWasAskedForLast()
    {
        Take(OperationStatus.Failed, 3_600);

        OperationView scheduled = Take(OperationStatus.TimedOut, 0, took: 14_400);

        FailedOperation failed = Assert.Single(_ended.Failed);
        Assert.Equal((scheduled.Id, 2, Make.At), (failed.Newest.Id, failed.Times, failed.Since));
    }

    [Fact]
    public void OutcomeThatIsNotKnown_IsOfWhenItsLastStepEnded()
    {
        Take(OperationStatus.Succeeded, 3_600);
        OperationView lost = Make.Operation("lost", OperationStatus.OutcomeUnknown) with { PairId = "web", FinishedAt = null };

        _ended = _ended.Take(lost);
        Assert.Empty(_ended.Failed);
        _ended = _ended.Take(lost with { Steps = [lost.Steps[0] with { FinishedAt = Make.At.AddHours(2) }] });

        Assert.Equal("lost", Assert.Single(_ended.Failed).Newest.Id);
    }

    [Fact]
    public void Running_IsNotTaken()
    {
        Take(OperationStatus.Running, 10);
        Take(OperationStatus.Queued, 11);

        Assert.Empty(_ended.Failed);
    }

    [Fact]
    public void WhatNoRuleCallsNews_IsForgotten()
    {
        Take(OperationStatus.Failed, 10);

        Assert.Same(_ended, _ended.Forget(Make.At.AddHours(168)));
        Assert.Empty(_ended.Forget(Make.At.AddHours(169)).Failed);
    }

    private OperationView Take(OperationStatus status, int second, OperationType type = OperationType.Switchover, string pair = "web", string node = "node-b", int took = 1)
    {
        OperationView operation = Make.Operation($"op-{++_ids}", status) with { Type = type, PairId = pair, Node = node, RequestedAt = Make.At.AddSeconds(second), FinishedAt = status == OperationStatus.OutcomeUnknown ? null : Make.At.AddSeconds(second + took) };
        _ended = _ended.Take(operation);
        return operation;
    }
}
