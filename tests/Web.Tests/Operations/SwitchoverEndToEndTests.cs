using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using Microsoft.EntityFrameworkCore;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>Whole operations through the real port, the real stream and the real database, with two fake agents.</summary>
public sealed class SwitchoverEndToEndTests : IDisposable
{
    private static readonly Actor Alice = new("alice", "192.0.2.7", null);
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Switchover_BothNodesObey_DemotesThenPromotesAndTheAuditStandsBeforeTheFirstIntent()
    {
        await using var hub = await HubUnderTest.StartAsync(_folder.Path);
        await using var a = await FakeAgent.StartAsync(hub.AgentUrl, "web-1", ProtoRole.Primary);
        await using var b = await FakeAgent.StartAsync(hub.AgentUrl, "web-2", ProtoRole.Secondary);
        var pair = (await hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy)).FindPair("web")!;
        Assert.Equal("web-1", pair.ActiveNode);
        Assert.Equal("web-1", pair.PreferredNode);

        var auditedAtFirstIntent = new TaskCompletionSource<List<AuditEntity>>();
        a.OnIntent = async _ =>
        {
            await using var db = hub.OpenDatabase();
            auditedAtFirstIntent.TrySetResult(await db.Audit.ToListAsync(Cancellation));
        };

        var accepted = Assert.IsType<SubmitResult.Accepted>(await hub.Operations.SubmitAsync(Switch("web"), Alice, Cancellation));
        var ended = await hub.UntilAsync(accepted.OperationId, o => o.IsFinished);

        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.All(ended.Steps, s => Assert.Equal(StepStatus.Succeeded, s.Status));
        Assert.Equal(["Demote web-1 to secondary", "Promote web-2 to primary", OperationPlan.ObserveTitle], ended.Steps.Select(s => s.Title));
        var entry = Assert.Single(await auditedAtFirstIntent.Task);
        Assert.Equal(("alice", "192.0.2.7", "switchover", "pair web", "accepted", accepted.OperationId), (entry.Actor, entry.RemoteAddress, entry.Action, entry.Target, entry.Outcome, entry.CorrelationId));
        Assert.Equal(ProtoRole.Secondary, Assert.Single(Assert.Single(a.Intents).Prefixes).Role);
        Assert.Equal(ProtoRole.Primary, Assert.Single(Assert.Single(b.Intents).Prefixes).Role);

        var after = hub.Fleet.Current.FindPair("web")!;
        Assert.Equal((PairState.FailedOver, "web-2", "web-1"), (after.State, after.ActiveNode, after.PreferredNode));
        Assert.Contains("moved by alice", after.StateReason, StringComparison.Ordinal);
        Assert.Null(after.OperationId);
        Assert.Equal(pair.Revision + 1, after.Revision);

        await hub.Writer.FlushAsync(Cancellation);
        var story = await hub.History.EventsAsync(new HistoryFilter { OperationId = accepted.OperationId }, null, 100, Cancellation);
        Assert.Contains(story.Items, e => e.Kind == EventKinds.OperationStarted);
        Assert.Equal(3, story.Items.Count(e => e.Kind == EventKinds.OperationStep));
        Assert.Contains(story.Items, e => e.Kind == EventKinds.OperationFinished && e.Severity == EventSeverity.Info);
        Assert.True((await hub.History.VerifyAuditAsync(Cancellation)).Intact);
    }

    private static OperationRequest Switch(string pair) => new() { Type = OperationType.Switchover, Pair = pair, Reason = "kernel update" };
}
