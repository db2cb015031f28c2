using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Tests.Agents;
using Microsoft.EntityFrameworkCore;
using static FailoverHub.Web.Tests.Operations.OperationRig;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>Whole operations through the real port, the real stream and the real database, with two fake agents.</summary>
[Trait("Kind", "Hub")]
public sealed class SwitchoverEndToEndTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static IEnumerable<ProtoRole> Roles(FakeAgent agent) => agent.Intents.Select(i => i.Prefixes.Single().Role);

    [Fact]
    public async Task Switchover_BothNodesObey_DemotesThenPromotesAndTheAuditStandsBeforeTheFirstIntent()
    {
        await using var rig = await StartAsync();
        var before = rig.Pair;
        Assert.Equal(("web-1", "web-1"), (before.ActiveNode, before.PreferredNode));
        var auditedAtFirstIntent = new TaskCompletionSource<List<AuditEntity>>();
        var demotedAtPromotion = false;
        rig.A.OnIntent = async _ =>
        {
            await using var db = rig.OpenDatabase();
            auditedAtFirstIntent.TrySetResult(await db.Audit.ToListAsync(Cancellation));
        };
        rig.B.OnIntent = _ =>
        {
            demotedAtPromotion = rig.Hub.Fleet.Current.FindNode("web-1")!.Prefixes.Single().ReportedRole == Role.Secondary;
            return Task.CompletedTask;
        };

        var id = await rig.AcceptedAsync(Switchover());
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.All(ended.Steps, s => Assert.Equal(StepStatus.Succeeded, s.Status));
        Assert.Equal(["Demote web-1 to secondary", "Promote web-2 to primary", OperationPlan.ObserveTitle], ended.Steps.Select(s => s.Title));
        var entry = Assert.Single(await auditedAtFirstIntent.Task);
        Assert.Equal(("alice", "192.0.2.7", "switchover", "pair web", "accepted", id), (entry.Actor, entry.RemoteAddress, entry.Action, entry.Target, entry.Outcome, entry.CorrelationId));
        Assert.True(demotedAtPromotion);
        Assert.Equal([ProtoRole.Secondary], Roles(rig.A));
        Assert.Equal([ProtoRole.Primary], Roles(rig.B));

        Assert.Equal((PairState.FailedOver, "web-2", "web-1"), (rig.Pair.State, rig.Pair.ActiveNode, rig.Pair.PreferredNode));
        Assert.Contains("moved by alice", rig.Pair.StateReason, StringComparison.Ordinal);
        Assert.Equal((null, before.Revision + 1), (rig.Pair.OperationId, rig.Pair.Revision));

        var story = await rig.EventsAsync(new HistoryFilter { OperationId = id });
        Assert.Contains(story, e => e.Kind == EventKinds.OperationStarted);
        Assert.Equal(3, story.Count(e => e.Kind == EventKinds.OperationStep));
        Assert.Contains(story, e => e.Kind == EventKinds.OperationFinished && e.Severity == EventSeverity.Info);
        Assert.True((await rig.Hub.History.VerifyAuditAsync(Cancellation)).Intact);

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(Switchover()))).Status);
        Assert.Equal((PairState.Healthy, "web-1"), (rig.Pair.State, rig.Pair.ActiveNode));
    }

    [Fact]
    public async Task Promotion_IsRejected_EverythingIsTakenBack()
    {
        await using var rig = await StartAsync();
        rig.B.Obedience = Obedience.Rejects;

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(Switchover()));

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.Contains("the disk is full", ended.Outcome, StringComparison.Ordinal);
        Assert.Contains("taken back", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal([ProtoRole.Secondary, ProtoRole.Primary], Roles(rig.A));
        Assert.Equal("web-1", rig.Pair.ActiveNode);
        Assert.Equal(Role.Primary, rig.Pair.Members[0].Prefixes[0].AssignedRole);
    }

    [Fact]
    public async Task Promotion_NodeHasNoSession_EverythingIsTakenBack()
    {
        await using var rig = await StartAsync();
        rig.B.Obedience = Obedience.AcceptsWithoutSession;

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(Switchover()));

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.Equal([ProtoRole.Primary, ProtoRole.Secondary], Roles(rig.B));
        Assert.Equal([ProtoRole.Secondary, ProtoRole.Primary], Roles(rig.A));
        Assert.Equal(PairState.Healthy, rig.Pair.State);
    }

    [Fact]
    public async Task Demotion_IsRejected_NobodyIsPromoted()
    {
        await using var rig = await StartAsync();
        rig.A.Obedience = Obedience.Rejects;

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(Switchover()));

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.Empty(rig.B.Intents);
        Assert.Equal(StepStatus.Skipped, ended.Steps.Single(s => s.Title.StartsWith("Promote", StringComparison.Ordinal)).Status);
    }

    [Fact]
    public async Task Promotion_NotObservedInTime_NobodyIsMadePrimaryAgainWithoutAConfirmation()
    {
        await using var rig = await StartAsync();
        rig.B.Obedience = Obedience.IsDeaf;

        var id = await rig.AcceptedAsync(Switchover());
        await rig.B.ReceiveIntentAsync();
        var ended = await rig.PassTimeUntilAsync(id, o => o.IsFinished, rig.A, rig.B);

        Assert.Equal(OperationStatus.TimedOut, ended.Status);
        Assert.Contains("did not confirm", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal([ProtoRole.Secondary], Roles(rig.A));
        Assert.Equal((PairState.Degraded, "web-1"), (rig.Pair.State, rig.Pair.ActiveNode));

        // What web-2 does next is not known: it has to be seen as secondary before web-1 may be primary.
        rig.B.Obedience = Obedience.Applies;
        ended = await rig.EndedAsync(await rig.AcceptedAsync(Switchover("web-1")));
        Assert.Equal(["Demote web-2 to secondary", "Promote web-1 to primary", OperationPlan.ObserveTitle], ended.Steps.Select(s => s.Title));
        Assert.Equal(PairState.Healthy, rig.Pair.State);
    }

    [Fact]
    public async Task NodeLostAtItsPromotion_OutcomeIsUnknownAndSettledWhenItComesBackWithoutSendingItAgain()
    {
        await using var rig = await StartAsync();
        rig.B.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(Switchover());
        await rig.B.ReceiveIntentAsync();

        await rig.B.DisposeAsync();
        var unknown = await rig.PassTimeUntilAsync(id, o => o.Status == OperationStatus.OutcomeUnknown, rig.A);

        Assert.Null(unknown.FinishedAt);
        Assert.Equal([ProtoRole.Secondary], Roles(rig.A));
        Assert.Null(rig.Pair.OperationId);

        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", ProtoRole.Secondary, boot: "boot-2");
        var ended = await rig.PassTimeUntilAsync(id, o => o.IsFinished, rig.A, rig.B);
        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.Empty(rig.B.Intents);

        // Whoever still wants it asks again, and the rules are checked again.
        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(Switchover("web-2")))).Status);
        Assert.Equal("web-2", rig.Pair.ActiveNode);
    }

    [Fact]
    public async Task NodeLostAtItsDemotion_NobodyIsPromotedAndNothingIsSentToItAgain()
    {
        await using var rig = await StartAsync();
        rig.A.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(Switchover());
        await rig.A.ReceiveIntentAsync();

        await rig.A.DisposeAsync();
        await rig.PassTimeUntilAsync(id, o => o.Status == OperationStatus.OutcomeUnknown, rig.B);
        Assert.Empty(rig.B.Intents);
        Assert.Equal((PairState.Degraded, null), (rig.Pair.State, rig.Pair.ActiveNode));

        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Primary, boot: "boot-2");
        var ended = await rig.PassTimeUntilAsync(id, o => o.IsFinished, rig.A, rig.B);
        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.Empty(rig.A.Intents);
        Assert.Equal((PairState.Healthy, "web-1"), (rig.Pair.State, rig.Pair.ActiveNode));
    }

    [Fact]
    public async Task UnknownOutcome_ANewerOperation_SettlesItAsFailed()
    {
        await using var rig = await StartAsync();
        rig.A.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-1"));
        await rig.A.ReceiveIntentAsync();
        await rig.A.DisposeAsync();
        await rig.PassTimeUntilAsync(id, o => o.Status == OperationStatus.OutcomeUnknown, rig.B);

        await rig.EndedAsync(await rig.AcceptedAsync(new OperationRequest { Type = OperationType.SetRole, Node = "web-2", Role = Role.Primary, Reason = "web-1 is gone", OverrideRules = ["SR-02"] }));

        var settled = (await rig.Hub.Operations.FindAsync(id, Cancellation))!;
        Assert.Equal(OperationStatus.Failed, settled.Status);
        Assert.Contains("changed what is wanted", settled.Outcome, StringComparison.Ordinal);
    }
}
