using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Operations.Running;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Data.Postgres;
using FailoverHub.Web.Tests.Operations.Freezes;
using Microsoft.Extensions.DependencyInjection;
using static FailoverHub.Web.Tests.Operations.OperationRig;
using AgentMessage = FailoverHub.Protos.V1.AgentMessage;
using IntentResult = FailoverHub.Protos.V1.IntentResult;

namespace FailoverHub.Web.Tests.Operations.Waiting;

/// <summary>A drain with an end: it may have waited itself, and its end ends that drain and no other.</summary>
[Trait("Kind", "Hub")]
public sealed class TimedDrainTests
{
    private static readonly TimeSpan Lasts = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static OperationRequest Timed(string node = "web-2") => OnNode(OperationType.Drain, node) with { ExpiresIn = Lasts };

    private static async Task<OperationView> FollowUpAsync(OperationRig rig) =>
        Assert.Single(await rig.Hub.Operations.RecentAsync(OperationFilter.All, 20, Cancellation), o => o is { Type: OperationType.Undrain, ScheduledFor: not null });

    [Fact]
    public async Task ScheduledOne_BeginsAlsoWhenOthersWereStoredMeanwhile()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Timed() with { StartAt = rig.Time.GetUtcNow().AddSeconds(5) });
        await rig.AcceptedAsync(FreezeTests.Freeze());
        await rig.AcceptedAsync(FreezeTests.Unfreeze());

        await rig.PassTimeUntilAsync(id, o => o.Status != OperationStatus.Queued, rig.A, rig.B);

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(id)).Status);
        var followUp = await FollowUpAsync(rig);
        Assert.True(followUp.Status == OperationStatus.Queued, $"{followUp.Status}: {followUp.Outcome}");
    }

    [Fact]
    public async Task ItsEndComesWhileItIsStillUnderWay_WaitsForIt_AndIsNotForgotten()
    {
        await using var rig = await StartAsync();
        rig.B.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(Timed() with { ExpiresIn = TimeSpan.FromSeconds(60), Deadline = TimeSpan.FromMinutes(5) });
        var ordered = await rig.B.ReceiveIntentAsync();
        var later = rig.Time.GetUtcNow().AddSeconds(70);
        Assert.Equal(OperationStatus.Running, (await rig.PassTimeUntilAsync(id, _ => rig.Time.GetUtcNow() > later, rig.A, rig.B)).Status);
        Assert.Equal(OperationStatus.Queued, (await FollowUpAsync(rig)).Status);

        rig.B.Obedience = Obedience.Applies;
        await rig.B.SendAsync(new AgentMessage { IntentResult = new IntentResult { Revision = ordered.Revision, SessionsUpdated = 4, Outcome = IntentResult.Types.Outcome.Applied } });
        await rig.B.ReportAsync(state => FakeAgent.Apply(state, ordered));
        Assert.Equal(OperationStatus.Succeeded, (await rig.PassTimeUntilAsync(id, o => o.IsFinished, rig.A, rig.B)).Status);
        var followUp = await rig.PassTimeUntilAsync((await FollowUpAsync(rig)).Id, o => o.IsFinished, rig.A, rig.B);

        Assert.Equal(OperationStatus.Succeeded, followUp.Status);
        Assert.False(rig.Pair.Members[1].Node.Drained);
    }

    [Fact]
    public async Task ApprovedOne_BeginsAlsoWhenOthersWereStoredMeanwhile()
    {
        await using var rig = await StartAsync(services => services.AddSingleton(new OperationLimits { TwoPerson = TwoPersonPolicy.Moves }));
        var id = await rig.AcceptedAsync(Timed());
        await rig.AcceptedAsync(FreezeTests.Freeze());
        await rig.AcceptedAsync(FreezeTests.Unfreeze());

        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.ApproveAsync(id, "looks right", People.Bob, Cancellation));

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(id)).Status);
    }

    [Fact]
    public async Task WhatCanNeverBeStored_IsRefusedWithItsReasonAndHoldsUpNobody()
    {
        await using var rig = await StartAsync();
        await using var db = rig.OpenDatabase();
        var cursed = await rig.AcceptedAsync(Timed() with { StartAt = rig.Time.GetUtcNow().AddSeconds(5) });
        var later = await rig.AcceptedAsync(OnNode(OperationType.SetRole, "web-1") with { Role = Role.Secondary, StartAt = rig.Time.GetUtcNow().AddSeconds(6) });
        await RawSql.ForbidAsync(db, "no_drain", "INSERT", "Intents", "the row is cursed", "NEW.Node = 'web-2'");

        await rig.PassTimeUntilAsync(later, o => o.Status != OperationStatus.Queued, rig.A, rig.B);

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(later)).Status);
        var ended = await rig.EndedAsync(cursed);
        Assert.Equal(OperationStatus.Refused, ended.Status);
        Assert.Contains("the row is cursed", ended.Outcome, StringComparison.Ordinal);
        Assert.Single(await rig.AuditAsync(), a => a.CorrelationId == cursed && a.Action == "schedule-refused");
    }

    [Fact]
    public async Task WhatCannotBeStored_KeepsNobodyFromAskingForSomethingElse()
    {
        await using var rig = await StartAsync();
        await using var db = rig.OpenDatabase();
        var id = await rig.AcceptedAsync(Timed() with { StartAt = rig.Time.GetUtcNow().AddSeconds(5) });

        // What is due can neither begin nor be refused: whatever is written about it finds no room.
        await RawSql.ForbidAsync(db, "no_audit", "INSERT", "Audit", "the audit is full", "NEW.CorrelationId IS NOT NULL");
        rig.Time.Advance(TimeSpan.FromSeconds(5));
        while (!rig.Hub.Log.Any(l => l.Contains("could not be stored", StringComparison.Ordinal)))
        {
            Cancellation.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        // The clock stands still, so whoever waits a second under the lock waits for ever.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        Assert.IsType<SubmitResult.Invalid>(await rig.Hub.Operations.SubmitAsync(Switchover() with { Reason = "" }, Alice, patience.Token));

        await RawSql.AllowAsync(db, "no_audit");
        // A table that forbids it is no disk that is full for a while: it is refused, as soon as that can be stored.
        await rig.PassTimeUntilAsync(id, o => o.Status != OperationStatus.Queued, rig.A, rig.B);
        Assert.Equal(OperationStatus.Refused, (await rig.EndedAsync(id)).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LaterDrainOfSomebodyElse_OutlivesTheEndOfTheOneBefore(bool diskIsFull)
    {
        await using var rig = await StartAsync();
        await using var db = rig.OpenDatabase();
        await rig.EndedAsync(await rig.AcceptedAsync(Timed()));
        var followUp = await FollowUpAsync(rig);
        if (diskIsFull)
        {
            // That it is not needed any more cannot be stored, so it is found out when its time has come.
            await RawSql.ForbidAsync(db, "no_cancel", "INSERT", "Audit", "the audit is full", "NEW.Action = 'cancel'");
        }

        rig.Time.Advance(TimeSpan.FromSeconds(1));
        await rig.EndedAsync(await rig.AcceptedAsync(OnNode(OperationType.Undrain, "web-2")));
        await rig.EndedAsync(await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-2")));
        if (diskIsFull)
        {
            // What the end of a drain brings about is done under this lock, after the end is told.
            var admission = rig.Hub.Get<OperationServices>().Admission;
            await admission.WaitAsync(Cancellation);
            admission.Release();
            await RawSql.AllowAsync(db, "no_cancel");
        }

        var ended = await rig.PassTimeUntilAsync(followUp.Id, o => o.IsFinished, rig.A, rig.B);

        Assert.Equal(OperationStatus.Cancelled, ended.Status);
        Assert.Contains("changed since", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal(diskIsFull, rig.Time.GetUtcNow() >= followUp.ScheduledFor);
        Assert.Single(await rig.AuditAsync(), a => a.CorrelationId == followUp.Id && a.Actor == "hub");
        Assert.True(rig.Pair.Members[1].Node.Drained);
    }

    [Fact]
    public async Task UndrainThatFails_LeavesTheDrainItsEnd()
    {
        await using var rig = await StartAsync();
        await rig.EndedAsync(await rig.AcceptedAsync(Timed()));
        rig.B.Obedience = Obedience.Rejects;
        Assert.Equal(OperationStatus.Failed, (await rig.EndedAsync(await rig.AcceptedAsync(OnNode(OperationType.Undrain, "web-2")))).Status);
        rig.B.Obedience = Obedience.Applies;
        var followUp = await FollowUpAsync(rig);
        Assert.Equal(OperationStatus.Queued, followUp.Status);

        await rig.PassTimeUntilAsync(followUp.Id, o => o.Status != OperationStatus.Queued, rig.A, rig.B);

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(followUp.Id)).Status);
        Assert.False(rig.Pair.Members[1].Node.Drained);
    }

    [Fact]
    public async Task ItsEnd_NeverLiftsADrainThatWasOrderedOnTheNode()
    {
        await using var rig = await StartAsync(keepsFailback: true);
        await rig.EndedAsync(await rig.AcceptedAsync(Timed()));
        var followUp = await FollowUpAsync(rig);
        await rig.B.ReportAsync(r => r.LocallyDrained = true);
        await rig.Hub.UntilAsync(s => s.FindNode("web-2")!.LocallyDrained);

        await rig.PassTimeUntilAsync(followUp.Id, o => o.Status != OperationStatus.Queued, rig.A, rig.B);

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(followUp.Id)).Status);
        Assert.False(rig.B.Intents.Last().LiftLocalDrain);
        Assert.False(rig.B.Intents.Last().Drained);
        Assert.Equal((true, true, false), rig.Pair.Members[1].Node is var node ? (node.LocallyDrained, node.Drained, node.AssignedDrained) : default);
    }
}
