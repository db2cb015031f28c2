using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Drills;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Tests.Agents;
using Microsoft.Extensions.DependencyInjection;
using static FailoverHub.Web.Tests.Operations.Drills.DrillMaking;
using static FailoverHub.Web.Tests.Operations.OperationRig;

namespace FailoverHub.Web.Tests.Operations.Drills;

/// <summary>There, measured, back, measured: over the real hub and agents that obey, or do not.</summary>
[Trait("Kind", "Hub")]
public sealed class DrillTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Drill_MovesThereAndBack_EachAnOperationOfItsOwnWithWhatItCost()
    {
        await using var rig = await StartAsync(s => s.AddSingleton<IReachability>(new AnsweringAddress(ReachabilityState.Reachable)).AddSingleton<IMoveMeter>(new TwoVantagePoints()));

        var id = await rig.AcceptedAsync(Drill);
        var ended = await EndAsync(rig, id);

        Assert.True((OperationStatus.Succeeded, "web-1") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.Equal([.. Enumerable.Repeat(StepStatus.Succeeded, 5)], ended.Steps.Select(s => s.Status));
        string[] moves = [.. new[] { DrillTarget.FailOver, DrillTarget.FailBack }.Select(i => DrillTarget.OperationOf(ended.Steps[i])!)];
        foreach (string move in moves)
        {
            Assert.Equal((OperationType.Switchover, OperationStatus.Succeeded), (await rig.Hub.Operations.FindAsync(move, Stop) is { } found ? (found.Type, found.Status) : default));
        }

        // Every vantage point is named, with all its figures.
        Assert.Equal(
            "203.0.113.10/32: 1 of 3 probes from the hub were lost, the first at 12:00:00.000 and the last at 12:00:00.000 UTC; without an answer for 0.90 to 1.00 s, probed each 1.0 s. "
            + "2 of 30 probes from node-c were lost, the first at 12:00:00.500 and the last at 12:00:00.600 UTC; without an answer for 0.10 to 0.20 s, probed each 0.1 s.",
            ended.Steps[DrillTarget.MeasureThere].Detail);
        Assert.Contains("There: 203.0.113.10/32: 1 of 3 probes", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal(["switchover", "switchover", "drill"], (await rig.AuditAsync()).Select(a => a.Action));
    }

    [Fact]
    public async Task Drill_UnderWay_LeavesThePairToNobodyElse()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        var between = rig.Pair;

        var other = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(Switchover("web-1"), Alice, Stop));
        var second = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(Drill, Alice, Stop));
        await EndAsync(rig, id);

        Assert.Equal((id, null, PairState.Switching), (between.OperationId, between.MoveId, between.State));
        Assert.StartsWith("A drill is under way: ", between.StateReason, StringComparison.Ordinal);
        Assert.Equal((null, PairState.Healthy), (rig.Pair.OperationId, rig.Pair.State));
        Assert.Equal("SR-05", Assert.Single(other.Preview.Rules, r => r.Blocks).RuleId);
        Assert.Contains(second.Preview.Rules, r => r is { RuleId: "SR-05", Blocks: true });
        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.SubmitAsync(Switchover(), Alice, Stop));
    }

    [Fact]
    public async Task Drill_OfAnAddressThatIsSilentAlready_MovesNothing()
    {
        await using var rig = await StartAsync(s => s.AddSingleton<IReachability>(new AnsweringAddress(ReachabilityState.Unreachable)));

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(Drill));

        Assert.Equal((OperationStatus.Failed, "Nothing was moved."), (ended.Status, ended.Outcome));
        Assert.Contains("203.0.113.10/32 does not answer already", ended.Steps[DrillTarget.Preflight].Detail, StringComparison.Ordinal);
        Assert.Equal([StepStatus.Failed, StepStatus.Skipped, StepStatus.Skipped, StepStatus.Skipped, StepStatus.Skipped], ended.Steps.Select(s => s.Status));
        Assert.Equal("web-1", rig.Pair.ActiveNode);
    }

    [Fact]
    public async Task Drill_WhoseFailoverFails_IsLeftAsThatLeftIt()
    {
        await using var rig = await StartAsync();
        rig.B.Obedience = Obedience.Rejects;

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(Drill));

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.StartsWith("The failover did not succeed, so there is nothing to fail back: Operation ", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal(StepStatus.Skipped, ended.Steps[DrillTarget.FailBack].Status);
    }

    [Fact]
    public async Task Drill_CancelledWhileItIsAway_GoesBackFirst()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);

        // Not a second passes: nothing that is measured is waited for.
        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.CancelAsync(id, "enough", Alice, Stop));
        var ended = await rig.EndedAsync(id);

        Assert.True((OperationStatus.Cancelled, "Cancelled by alice; the addresses are back.") == (ended.Status, ended.Outcome), Described(ended));
        Assert.Equal((StepStatus.Skipped, StepStatus.Skipped, "web-1"), (ended.Steps[DrillTarget.MeasureThere].Status, ended.Steps[DrillTarget.MeasureBack].Status, rig.Pair.ActiveNode));
    }

    [Fact]
    public async Task Drill_CancelledWhenItIsBack_EndsAtOnce()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        await rig.PassTimeUntilAsync(id, o => o.Steps[DrillTarget.FailBack].Status != StepStatus.Pending, rig.A, rig.B);
        await rig.Hub.UntilAsync(id, o => o.Steps[DrillTarget.MeasureBack].Status == StepStatus.Running);

        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.CancelAsync(id, "enough", Alice, Stop));
        var ended = await rig.EndedAsync(id);

        Assert.True((OperationStatus.Cancelled, "Cancelled by alice; the addresses are back.") == (ended.Status, ended.Outcome), Described(ended));
    }

    [Fact]
    public async Task WayBack_ThatARuleRefusesForAWhile_IsTriedAgainAndSaysSo()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        await rig.AcceptedAsync(new OperationRequest { Type = OperationType.Freeze, Pair = "web", ExpiresIn = TimeSpan.FromHours(1), Reason = "audit in progress" });

        var waits = await rig.PassTimeUntilAsync(id, o => o.Steps[DrillTarget.FailBack].Detail is not null, rig.A, rig.B);
        await rig.AcceptedAsync(new OperationRequest { Type = OperationType.Unfreeze, Pair = "web", Reason = "audit is over" });
        var ended = await EndAsync(rig, id);

        Assert.Equal(StepStatus.Running, waits.Steps[DrillTarget.FailBack].Status);
        Assert.Matches("^Not yet: SR-07 Frozen: .* It is tried again until 12:0[5-9]:[0-9]{2} UTC[.]$", waits.Steps[DrillTarget.FailBack].Detail);
        Assert.True((OperationStatus.Succeeded, "web-1") == (ended.Status, rig.Pair.ActiveNode), Described(ended));
        Assert.Contains("It was tried 2 times; at first: SR-07 Frozen", ended.Steps[DrillTarget.FailBack].Detail, StringComparison.Ordinal);
        Assert.NotNull(DrillTarget.OperationOf(ended.Steps[DrillTarget.FailBack]));

        // One refusal is in the audit, not one for each look.
        Assert.Single(await rig.AuditAsync(), a => a.Action == "switchover" && a.Outcome.StartsWith("refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WayBack_ThatStaysRefused_EndsAfterFiveMinutesAndSaysPlainlyThatNothingWasMovedBack()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        await rig.A.DisposeAsync();
        await rig.Hub.UntilAsync(s => s.FindNode("web-1") is { IsFresh: false });

        var ended = await EndAsync(rig, id, rig.B);

        Assert.True(OperationStatus.Failed == ended.Status, Described(ended));
        Assert.StartsWith("The addresses were NOT moved back: they are on web-2. SR-03 TargetReady: web-1 ", ended.Outcome, StringComparison.Ordinal);
        Assert.EndsWith("Mend that, then switch web over to web-1.", ended.Outcome, StringComparison.Ordinal);
        // The clock of the test runs ahead of a hub that has no processor: that it ends, and not before, is what counts.
        Assert.InRange(ended.FinishedAt!.Value - ended.Steps[DrillTarget.FailBack].StartedAt!.Value, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(9));
        Assert.Equal((StepStatus.Failed, StepStatus.Skipped), (ended.Steps[DrillTarget.FailBack].Status, ended.Steps[DrillTarget.MeasureBack].Status));
        Assert.Null(rig.Pair.OperationId);
    }

    [Fact]
    public async Task WayBack_ThatFailsAgainAndAgain_IsTriedThreeTimes()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Drill);
        await AwayAsync(rig, id);
        rig.A.Obedience = Obedience.Rejects;

        var ended = await EndAsync(rig, id);

        Assert.True(OperationStatus.Failed == ended.Status, Described(ended));
        Assert.Contains("The addresses were NOT moved back: they are on web-2.", ended.Outcome, StringComparison.Ordinal);
        Assert.Contains("It was tried 3 times.", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal(4, (await rig.AuditAsync()).Count(a => a.Action == "switchover" && a.Outcome.StartsWith("accepted", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("web", 60, null, "startAt")]
    [InlineData("web", null, "203.0.113.10/32", "prefix")]
    public async Task Drill_ForLaterOrOfAPart_IsRefusedAndAudited(string pair, int? later, string? prefix, string field)
    {
        await using var rig = await StartAsync();

        var refused = Assert.IsType<SubmitResult.Invalid>(await rig.Hub.Operations.SubmitAsync(
            Drill with { Pair = pair, StartAt = later is { } s ? rig.Time.GetUtcNow().AddSeconds(s) : null, Prefix = prefix is null ? null : IPNetwork.Parse(prefix) }, Alice, Stop));

        Assert.Equal(field, Assert.Single(refused.Problem).Key);
        Assert.Equal("drill", Assert.Single(await rig.AuditAsync()).Action);
    }

    [Fact]
    public async Task Preview_SaysBothMovesAndWhatTheyDoToTraffic()
    {
        await using var rig = await StartAsync();

        OperationPreview preview = rig.Hub.Operations.Preview(Drill, out _)!;

        Assert.True(preview.Allowed);
        Assert.Equal(["Fail over to web-2", "Fail back to web-1"], new[] { preview.Steps[DrillTarget.FailOver], preview.Steps[DrillTarget.FailBack] });
        Assert.Contains("moves back to web-1", preview.TrafficEffect, StringComparison.Ordinal);
        Assert.Contains("\"type\":\"drill\"", preview.ApiCall, StringComparison.Ordinal);
    }
}
