using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using Microsoft.EntityFrameworkCore;
using static FailoverHub.Web.Tests.Operations.OperationRig;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>The hub ends in the middle of an operation and another one starts on the same database.</summary>
public sealed class HubRestartTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RestartAfterThePromotionWasSent_IsSettledOnceByWhatTheNodesReport()
    {
        await using var rig = await StartAsync();
        rig.B.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(Switchover());
        await rig.B.ReceiveIntentAsync();

        var demoted = rig.A.Intents.Single().Revision;
        await rig.RestartHubAsync();

        Assert.Equal(OperationStatus.OutcomeUnknown, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Secondary, revision: demoted);
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", ProtoRole.Secondary);
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.Empty(rig.A.Intents);
        Assert.Equal("web-2", rig.Pair.ActiveNode);

        await rig.RestartHubAsync();
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Secondary, revision: demoted);
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", ProtoRole.Secondary);
        await rig.Hub.UntilAsync(s => s.FindPair("web")?.ActiveNode == "web-2");
        var finished = await rig.EventsAsync(new HistoryFilter { OperationId = id, Kind = EventKinds.OperationFinished });
        Assert.Equal(2, finished.Count);
        Assert.Equal(OperationStatus.Succeeded, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);
    }

    [Fact]
    public async Task RestartBeforeThePromotion_TheOtherNodeIsNeverPromotedByIt()
    {
        await using var rig = await StartAsync();
        rig.A.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(Switchover());
        await rig.A.ReceiveIntentAsync();

        await rig.RestartHubAsync();
        await using (var db = rig.OpenDatabase())
        {
            Assert.Equal([IntentStage.Released, IntentStage.Abandoned], await db.Intents.OrderBy(i => i.Node).Select(i => i.Stage).ToListAsync(Cancellation));
        }

        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Primary);
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", ProtoRole.Secondary);
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.Empty(rig.B.Intents);
        Assert.Equal(ProtoRole.Secondary, Assert.Single(rig.A.Intents).Prefixes.Single().Role);

        // Nothing is left in the way: the operator asks again.
        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(Switchover("web-2")))).Status);
        Assert.Equal("web-2", rig.Pair.ActiveNode);
    }
}
