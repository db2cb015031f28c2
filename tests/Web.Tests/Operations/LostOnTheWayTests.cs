using FailoverHub.Protos.V1;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Data;
using static FailoverHub.Web.Tests.Operations.OperationRig;
using Health = FailoverHub.Web.Fleet.Health;
using ProtoHealth = FailoverHub.Protos.V1.Health;
using ProtoRole = FailoverHub.Protos.V1.Role;
using Role = FailoverHub.Web.Fleet.Role;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>The fleet changes between the moment an operation is accepted and the moment a step would leave the hub, or leave it once more.</summary>
[Trait("Kind", "Hub")]
public sealed class LostOnTheWayTests
{
    [Fact]
    public async Task DrainThatNeverArrived_IsNotSentWhenTheNodeComesBackAndTheOtherIsGone()
    {
        await using var rig = await StartAsync();
        rig.A.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-1"));
        await rig.A.ReceiveIntentAsync();
        await rig.A.DisposeAsync();
        await rig.PassTimeUntilAsync(id, o => o.Status == OperationStatus.OutcomeUnknown, rig.B);
        await rig.B.DisposeAsync();
        await rig.Hub.UntilAsync(s => s.FindNode("web-2")!.Link != NodeLink.Connected);

        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Primary, boot: "boot-2");
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.Empty(rig.A.Intents);
        var node = rig.Hub.Fleet.Current.FindNode("web-1")!;
        Assert.Equal((false, true), (node.AssignedDrained, node.Prefixes.Single().Announced));
        Assert.Single(await rig.EventsAsync(new HistoryFilter { OperationId = id, Kind = EventKinds.IntentDropped }));
    }

    [Fact]
    public async Task NodeThatDialsAgainWhileItsOperationRuns_IsTold()
    {
        await using var rig = await StartAsync();
        rig.A.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-1"));
        await rig.A.ReceiveIntentAsync();

        await rig.A.DisposeAsync();
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Primary);
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.Single(rig.A.Intents);
    }

    [Fact]
    public async Task NodeThatDialsAgainWhileItsOperationRuns_IsNotToldWhatTheRulesForbidNow()
    {
        await using var rig = await StartAsync();
        rig.A.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-1"));
        await rig.A.ReceiveIntentAsync();
        await rig.A.DisposeAsync();
        await rig.B.DisposeAsync();
        await rig.Hub.UntilAsync(s => s.Nodes.All(n => n.Link != NodeLink.Connected));

        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Primary);
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.Contains("SR-01", ended.Outcome, StringComparison.Ordinal);
        Assert.DoesNotContain(rig.A.Intents, i => i.Drained);
    }

    [Fact]
    public async Task DrainWhoseAnswerWasLost_IsOfferedAgainAndEndsWithTheAnswer()
    {
        await using var rig = await StartAsync();
        rig.A.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-1"));
        var drain = await rig.A.ReceiveIntentAsync();

        // It obeys, and its stream breaks before it could say so.
        await rig.A.DisposeAsync();
        var state = FakeAgent.State(ProtoRole.Primary);
        rig.A = await FakeAgent.ConnectAsync(rig.Hub.AgentUrl, "web-1", state, revision: drain.Revision);
        await rig.A.ReportAsync(r => FakeAgent.Apply(r, drain));
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.Equal([drain.Revision], rig.A.Intents.Select(i => i.Revision));
    }

    [Fact]
    public async Task DrainWhoseAnswerWasLost_EndsWithTheAnswerThatTheAgentGivesAgainByItself()
    {
        await using var rig = await StartAsync();
        rig.A.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-1"));
        var drain = await rig.A.ReceiveIntentAsync();

        await rig.A.DisposeAsync();
        rig.A = await FakeAgent.ConnectAsync(rig.Hub.AgentUrl, "web-1", FakeAgent.State(ProtoRole.Primary), revision: drain.Revision);
        rig.A.Obedience = Obedience.IsDeaf;
        await rig.A.SendAsync(new AgentMessage { IntentResult = new IntentResult { Revision = drain.Revision, SessionsUpdated = 4, Outcome = IntentResult.Types.Outcome.Applied } });
        await rig.A.ReportAsync(r => FakeAgent.Apply(r, drain));
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.Contains("UPDATE left on 4 sessions", ended.Steps[0].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TargetThatIsNoLongerReadyAtItsPromotion_IsNotToldAndTheDemotionIsTakenBack()
    {
        await using var rig = await StartAsync();
        var first = true;
        rig.A.OnIntent = async _ =>
        {
            if (first)
            {
                first = false;
                await rig.B.ReportAsync(r => r.Health = ProtoHealth.Unhealthy);
                await rig.Hub.UntilAsync(s => s.FindNode("web-2")!.Health == Health.Unhealthy);
            }
        };

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(Switchover()));

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.Contains("SR-03 TargetReady", ended.Outcome, StringComparison.Ordinal);
        Assert.Empty(rig.B.Intents);
        Assert.Contains(await rig.AuditAsync(), e => e.CorrelationId == ended.Id && e.Outcome.StartsWith("refused at step 2: SR-03 TargetReady", StringComparison.Ordinal));
        var back = Assert.Single(await rig.AuditAsync(), e => e.Action == "take-back");
        Assert.Equal(("hub", "node web-1 of pair web", "accepted", ended.Id), (back.Actor, back.Target, back.Outcome, back.CorrelationId));
        Assert.Contains("secondary", back.Before, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("primary", back.After, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(await rig.EventsAsync(new HistoryFilter { OperationId = ended.Id, Kind = EventKinds.OperationStep }), e => e.Text.Contains("SR-03", StringComparison.Ordinal));
        Assert.Equal("web-1", rig.Pair.ActiveNode);
        Assert.Equal(Role.Primary, rig.Pair.Members[0].Prefixes[0].ReportedRole);
    }

    [Fact]
    public async Task NodeThatBecomesPrimaryByItselfWhileTheDiskIsFull_IsNotJoinedByTheOneThatSteppedDown()
    {
        var disk = new FullDisk();
        await using var rig = await StartAsync(disk.Install);
        rig.B.Obedience = Obedience.Rejects;
        var told = 0;
        rig.B.OnIntent = _ =>
        {
            // The second one takes the promotion back; what comes next is to give web-1 its role again.
            disk.IsFull = ++told == 2;
            return Task.CompletedTask;
        };
        var id = await rig.AcceptedAsync(Switchover());
        await rig.Hub.UntilAsync(id, o => o.Steps is [.., { Title: "Take back: web-1 as it was", Status: StepStatus.Running }]);
        await disk.RefusesAsync(after: 0);

        await rig.B.ReportAsync(state => state.Prefixes[0].AssignedRole = state.Prefixes[0].ReportedRole = ProtoRole.Primary);
        await rig.Hub.UntilAsync(s => s.FindNode("web-2")!.Prefixes.Single().ReportedRole == Role.Primary);
        disk.IsFull = false;
        var ended = await rig.PassTimeUntilAsync(id, o => o.IsFinished, rig.A, rig.B);

        Assert.Equal((OperationStatus.Failed, StepStatus.Failed), (ended.Status, ended.Steps[^1].Status));
        Assert.Contains("web-2 may be primary", ended.Outcome, StringComparison.Ordinal);
        Assert.Single(rig.A.Intents);
        Assert.DoesNotContain(await rig.AuditAsync(), e => e is { Action: "take-back", Target: "node web-1 of pair web" });
    }
}
