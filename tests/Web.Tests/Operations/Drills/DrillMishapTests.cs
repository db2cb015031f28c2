using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Drills;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.History;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Tests.Agents;
using Microsoft.Extensions.DependencyInjection;
using static FailoverHub.Web.Tests.Operations.Drills.DrillMaking;
using static FailoverHub.Web.Tests.Operations.OperationRig;

namespace FailoverHub.Web.Tests.Operations.Drills;

/// <summary>What becomes of the addresses when the hub fails in the middle of a drill: it ends, cannot read its database, breaks it off, or does not know what became of a move.</summary>
[Trait("Kind", "Hub")]
public sealed class DrillMishapTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Drill_WhoseFiguresCannotBeReadForAMoment_MeasuresAndGoesBack()
    {
        var meter = new MeterOfALostDatabase(failsSoOften: 3);
        await using var rig = await StartAsync(s => s.AddSingleton<IReachability>(new AnsweringAddress(ReachabilityState.Reachable)).AddSingleton<IMoveMeter>(meter));

        var ended = await EndAsync(rig, await rig.AcceptedAsync(Drill));

        Assert.True((OperationStatus.Succeeded, "web-1") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.Contains("1 of 3 probes from the hub were lost", ended.Steps[DrillTarget.MeasureThere].Detail, StringComparison.Ordinal);
        Assert.Equal(3, meter.Failed);
    }

    [Fact]
    public async Task Drill_WhoseFiguresCannotBeReadAtAll_GoesBackUnmeasured()
    {
        await using var rig = await StartAsync(s => s.AddSingleton<IReachability>(new AnsweringAddress(ReachabilityState.Reachable)).AddSingleton<IMoveMeter>(new MeterOfALostDatabase(failsSoOften: int.MaxValue)));

        var ended = await EndAsync(rig, await rig.AcceptedAsync(Drill));

        Assert.True((OperationStatus.Succeeded, "web-1") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.Equal("not measured: the database could not be read (the server is away).", ended.Steps[DrillTarget.MeasureThere].Detail);
    }

    [Fact]
    public async Task Drill_BrokenOffByADefectWhileItIsAway_IsAskedBackOnce()
    {
        await using var rig = await StartAsync(s => s.AddSingleton<IReachability>(new AnsweringAddress(ReachabilityState.Reachable)).AddSingleton<IMoveMeter>(new DefectiveMeter()));

        var ended = await EndAsync(rig, await rig.AcceptedAsync(Drill));

        Assert.True((OperationStatus.Failed, "web-1") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.Equal("A defect of the hub broke it off (no such column). The addresses were moved back to web-1.", ended.Outcome);
        Assert.Equal(
            [StepStatus.Succeeded, StepStatus.Succeeded, StepStatus.Failed, StepStatus.Succeeded, StepStatus.Skipped], ended.Steps.Select(s => s.Status));
        Assert.NotNull(DrillTarget.OperationOf(ended.Steps[DrillTarget.FailBack]));
        Assert.Null(rig.Pair.OperationId);
    }

    [Fact]
    public async Task Drill_BrokenOffByADefectThatCannotComeBack_SaysPlainlyWhereTheAddressesAre()
    {
        await using var rig = await StartAsync(s => s.AddSingleton<IReachability>(new AnsweringAddress(ReachabilityState.Reachable)).AddSingleton<IMoveMeter>(new DefectiveMeter()));
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        await rig.AcceptedAsync(new OperationRequest { Type = OperationType.Freeze, Pair = "web", ExpiresIn = TimeSpan.FromHours(1), Reason = "audit in progress" });

        var ended = await EndAsync(rig, id);

        Assert.True((OperationStatus.Failed, "web-2") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.Matches(@"\AA defect of the hub broke it off \(no such column\)\. The addresses were NOT moved back: they are on web-2\. SR-07 Frozen: .*then switch web over to web-1\.\z", ended.Outcome);
    }

    [Fact]
    public async Task Drill_WhoseFailoverHasAnUnknownOutcome_WaitsUntilTheNodesTellAndGoesBack()
    {
        await using var rig = await StartAsync();
        rig.B.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(Drill);
        var intent = await rig.B.ReceiveIntentAsync();

        // web-2 obeys, and is lost before it could say so.
        await rig.B.DisposeAsync();
        var waits = await rig.PassTimeUntilAsync(id, o => o.Steps[DrillTarget.FailOver].Detail is not null, rig.A);
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", Protos.V1.Role.Primary, boot: "boot-2", revision: intent.Revision);
        await rig.PassTimeUntilAsync(id, o => o.IsFinished || o.Steps[DrillTarget.FailOver].Status != StepStatus.Running, rig.A, rig.B);
        var ended = await EndAsync(rig, id);

        Assert.Equal((OperationStatus.Running, StepStatus.Running), (waits.Status, waits.Steps[DrillTarget.FailOver].Status));
        Assert.EndsWith("That is waited for.", waits.Steps[DrillTarget.FailOver].Detail, StringComparison.Ordinal);
        Assert.True((OperationStatus.Succeeded, "web-1") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
    }

    [Fact]
    public async Task Drill_WhoseFailoverStaysUnknown_DoesNotSayThatNothingWasMoved()
    {
        await using var rig = await StartAsync();
        rig.B.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(Drill);
        await rig.B.ReceiveIntentAsync();

        await rig.B.DisposeAsync();
        var ended = await rig.PassTimeUntilAsync(id, o => o.IsFinished, rig.A);

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.StartsWith("What became of the failover is not known (Operation ", ended.Outcome, StringComparison.Ordinal);
        Assert.EndsWith("Look at the pair, and switch web over to web-1 if they are not there.", ended.Outcome, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HubThatEndsWhileItIsAway_TheNextOneMovesTheAddressesBack_Once()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        await KeepDataAsync(rig);

        await rig.KillHubAsync();
        await DialAsync(rig, "web-2");
        var other = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(Switchover("web-1"), Alice, Stop));
        var ended = await EndAsync(rig, id);

        Assert.True((OperationStatus.Succeeded, "web-1") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.StartsWith("Over to web-2 and back to web-1.", ended.Outcome, StringComparison.Ordinal);
        Assert.EndsWith("The hub ended while it was under way, and was started again.", ended.Outcome, StringComparison.Ordinal);
        Assert.Contains(other.Preview.Rules, r => r is { RuleId: "SR-05", Blocks: true });
        Assert.Null(rig.Pair.OperationId);
        Assert.Equal(2, (await rig.AuditAsync()).Count(a => a.Action == "switchover" && a.Outcome.StartsWith("accepted", StringComparison.Ordinal)));

        // Another start has nothing left to do, and tells nothing again.
        await rig.RestartHubAsync();
        await DialAsync(rig, "web-1");
        Assert.Equal(ended.Outcome, (await rig.Hub.Operations.FindAsync(id, Stop))!.Outcome);
        Assert.Null(rig.Pair.OperationId);
        Assert.Single(await rig.EventsAsync(new HistoryFilter { OperationId = id, Kind = EventKinds.OperationFinished }));
    }

    [Fact]
    public async Task HubThatEndsOnTheWayBack_TheNextOneDoesNotAskForItTwice()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        rig.A.Obedience = Obedience.IsDeaf;
        await rig.PassTimeUntilAsync(id, o => o.Steps[DrillTarget.FailBack].Status == StepStatus.Running, rig.A, rig.B);
        while ((await rig.A.ReceiveIntentAsync()).Prefixes.Single().Role != Protos.V1.Role.Primary)
        {
            // The way there was for it too.
        }

        await KeepDataAsync(rig);

        // web-1 obeyed all the same, and both come back to another hub.
        await rig.KillHubAsync();
        await DialAsync(rig, "web-1");
        var ended = await EndAsync(rig, id);

        Assert.True((OperationStatus.Succeeded, "web-1") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.Equal(2, (await rig.AuditAsync()).Count(a => a.Action == "switchover" && a.Outcome.StartsWith("accepted", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task ApprovedDrill_ResumedByAnotherHub_LeavesWhatOthersMovedWhileItWaitedAlone()
    {
        await using var rig = await StartAsync(s => s.AddSingleton(new OperationLimits { TwoPerson = TwoPersonPolicy.Moves, MovesInARow = 0 }));
        var id = await rig.AcceptedAsync(Drill);
        foreach (var to in (string[])["web-2", "web-1"])
        {
            var other = await rig.AcceptedAsync(Switchover(to));
            Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.ApproveAsync(other, "looks right", People.Bob, Stop));
            Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(other)).Status);
        }

        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.ApproveAsync(id, "looks right", People.Bob, Stop));
        await AwayAsync(rig, id);
        await KeepDataAsync(rig);

        await rig.KillHubAsync();
        await DialAsync(rig, "web-2");
        var ended = await EndAsync(rig, id);

        // The failback of somebody else was none of the drill's: its own had to be asked for.
        Assert.True((OperationStatus.Succeeded, "web-1") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.Equal(4, (await rig.AuditAsync()).Count(a => a.Action == "switchover" && a.Outcome is "accepted" or "accepted, approved by bob"));
    }

    [Fact]
    public async Task HubThatEndsWhenItIsBack_TheNextOneLooksWhetherItStillIs()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        await rig.PassTimeUntilAsync(id, o => o.Steps[DrillTarget.FailBack].Status != StepStatus.Pending, rig.A, rig.B);
        await rig.Hub.UntilAsync(id, o => o.Steps[DrillTarget.MeasureBack].Status == StepStatus.Running);
        await KeepDataAsync(rig);

        // While no hub was there the addresses went over again.
        await rig.KillHubAsync();
        await DialAsync(rig, "web-2");
        var ended = await EndAsync(rig, id);

        Assert.True((OperationStatus.Succeeded, "web-1") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
    }

    [Fact]
    public async Task HubThatEndsBeforeAnythingMoved_SaysSo()
    {
        await using var rig = await StartAsync();
        rig.B.Obedience = Obedience.IsDeaf;
        rig.A.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(Drill);
        await rig.A.ReceiveIntentAsync();
        await KeepDataAsync(rig);

        await rig.KillHubAsync();
        await DialAsync(rig, "web-1");
        var ended = await EndAsync(rig, id);

        Assert.True((OperationStatus.Failed, "web-1") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.Contains("The failover did not succeed, so there is nothing to fail back", ended.Outcome, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HubThatWasAwayForLong_MovesNothingByItself_AndSaysPlainlyWhereTheAddressesAre()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        await KeepDataAsync(rig);

        rig.Time.Advance(TimeSpan.FromHours(2));
        await rig.KillHubAsync();
        await DialAsync(rig, "web-2");
        var ended = await EndAsync(rig, id);

        Assert.True((OperationStatus.Failed, "web-2") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.Contains("The addresses were NOT moved back: they are on web-2. Look at the pair, then switch web over to web-1.", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal((StepStatus.Succeeded, StepStatus.Skipped), (ended.Steps[DrillTarget.FailOver].Status, ended.Steps[DrillTarget.FailBack].Status));
        Assert.Single(await rig.AuditAsync(), a => a.Action == "switchover");
    }
}
