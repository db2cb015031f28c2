using FailoverHub.Protos.V1;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Running;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using static FailoverHub.Web.Tests.Operations.OperationRig;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>The hub ends in the middle of an operation and another one starts on the same database.</summary>
[Trait("Kind", "Hub")]
public sealed class HubRestartTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, OperationStatus.Succeeded)]
    [InlineData(false, OperationStatus.Failed)]
    public async Task RestartAfterThePromotionWasSent_IsSettledOnceByWhatTheNodesReportAndNotSentAgain(bool arrived, OperationStatus settled)
    {
        await using var rig = await StartAsync();
        rig.B.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(Switchover());
        await rig.B.ReceiveIntentAsync();

        var obeyed = rig.A.Intents.Single();
        var promoted = rig.B.Intents.Single().Revision;
        Task<FakeAgent> DialBAsync() => FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", arrived ? ProtoRole.Primary : ProtoRole.Secondary, revision: arrived ? promoted : 0);
        await rig.RestartHubAsync();

        Assert.Equal(OperationStatus.OutcomeUnknown, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Secondary, revision: obeyed.Revision);
        rig.B = await DialBAsync();
        var ended = await rig.EndedAsync(id);

        // What was on its way is not sent again; what was done is taken back, unless all of it was done.
        Assert.Equal(settled, ended.Status);
        Assert.Equal(arrived ? [] : [ProtoRole.Primary], rig.A.Intents.Select(i => i.Prefixes.Single().Role));
        Assert.Empty(rig.B.Intents);
        Assert.Equal(arrived ? "web-2" : "web-1", rig.Pair.ActiveNode);

        obeyed = rig.A.Intents.SingleOrDefault() ?? obeyed;
        await rig.RestartHubAsync();
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", obeyed.Prefixes.Single().Role, revision: obeyed.Revision);
        rig.B = await DialBAsync();
        await rig.Hub.UntilAsync(s => s.FindPair("web")!.Members.All(m => m.Node.IsFresh));
        var finished = await rig.EventsAsync(new HistoryFilter { OperationId = id, Kind = EventKinds.OperationFinished });
        Assert.Equal(2, finished.Count);

        // The demotion, the promotion that the hub did not see to its end, and what was taken back.
        Assert.Equal(arrived ? 2 : 3, (await rig.EventsAsync(new HistoryFilter { OperationId = id, Kind = EventKinds.OperationStep })).Count);
        Assert.Equal(settled, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);
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
        Assert.Empty(rig.A.Intents);
        Assert.Equal((PairState.Healthy, "web-1"), (rig.Pair.State, rig.Pair.ActiveNode));
        Assert.Single(await rig.EventsAsync(new HistoryFilter { Kind = EventKinds.IntentDropped }));

        // Nothing is left in the way: the operator asks again.
        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(Switchover("web-2")))).Status);
        Assert.Equal("web-2", rig.Pair.ActiveNode);
    }

    [Fact]
    public async Task KilledBetweenDemotionAndPromotion_TheDemotionIsTakenBackAndAllIsToldOnce()
    {
        await using var rig = await StartAsync();
        var (id, demotion) = await KillBetweenDemotionAndPromotionAsync(rig);
        var accepted = rig.Pair.Revision;

        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Secondary, revision: demotion.Revision);
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", ProtoRole.Secondary);
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.Contains("taken back", ended.Outcome, StringComparison.Ordinal);

        // It was primary a moment ago, so its failback policy holds nothing back.
        Assert.Equal((ProtoRole.Primary, true), Assert.Single(rig.A.Intents).Prefixes.Single() is var back ? (back.Role, back.AtOnce) : default);
        Assert.Empty(rig.B.Intents);
        Assert.Equal((PairState.Healthy, "web-1", null), (rig.Pair.State, rig.Pair.ActiveNode, rig.Pair.OperationId));
        Assert.Equal(accepted + 1, rig.Pair.Revision);
        Assert.Single(await rig.EventsAsync(new HistoryFilter { OperationId = id, Kind = EventKinds.OperationStarted }));

        // Unknown at the start, then failed: each once.
        Assert.Equal(2, (await rig.EventsAsync(new HistoryFilter { OperationId = id, Kind = EventKinds.OperationFinished })).Count);
    }

    [Fact]
    public async Task SettlementThatFindsANewerOperationUnderWay_TakesNothingBack()
    {
        await using var rig = await StartAsync();
        var (id, demotion) = await KillBetweenDemotionAndPromotionAsync(rig);
        var admission = rig.Hub.Get<OperationServices>().Admission;
        await admission.WaitAsync(Cancellation);
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Secondary, revision: demotion.Revision);
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", ProtoRole.Secondary);
        await rig.Hub.UntilAsync(s => s.Nodes.All(n => n.IsFresh));

        await rig.Hub.Fleet.PostAsync(new FleetMessage.OperationChanged(rig.Pair.Id, new RunningOperation("newer", "Drain web-1", true), "newer", null, null), Cancellation);
        await rig.Hub.UntilAsync(s => s.FindPair("web")!.OperationId == "newer");
        admission.Release();
        var ended = await rig.EndedAsync(id);

        Assert.Contains("operation newer is under way", ended.Outcome, StringComparison.Ordinal);
        Assert.Empty(rig.A.Intents);
    }

    [Fact]
    public async Task KilledBeforeItsEventsWereStored_TheyAreToldAfterTheRestartOnce()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Switchover());
        await rig.EndedAsync(id);
        var told = await rig.EventsAsync(new HistoryFilter { OperationId = id });
        await using (var db = rig.OpenDatabase())
        {
            await RawSql.OpenEventsAsync(db);
            await db.Events.Where(e => e.OperationId == id && e.Kind == EventKinds.OperationFinished).ExecuteDeleteAsync(Cancellation);
        }

        for (var restart = 0; restart < 2; restart++)
        {
            await rig.RestartHubAsync();
            var after = await rig.EventsAsync(new HistoryFilter { OperationId = id });
            Assert.Equal(Operation(told), Operation(after));
        }

        static IEnumerable<(string Kind, string Text)> Operation(IEnumerable<EventRecord> events) =>
            events.Where(e => e.Kind is EventKinds.OperationStep or EventKinds.OperationFinished).Select(e => (e.Kind, e.Text)).Order();
    }

    /// <summary>The hub is killed when the node that steps down has its intent, and another one runs on what was on the disk then.</summary>
    internal static async Task<(string Operation, NodeIntent Demotion)> KillBetweenDemotionAndPromotionAsync(OperationRig rig)
    {
        var killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.A.OnIntent = async _ =>
        {
            await rig.Hub.Writer.FlushAsync(Cancellation);
            rig.CopyData();
            killed.SetResult();
        };
        var id = await rig.AcceptedAsync(Switchover());
        var demotion = await rig.A.ReceiveIntentAsync();
        await killed.Task;
        await rig.KillHubAsync();
        return (id, demotion);
    }
}
