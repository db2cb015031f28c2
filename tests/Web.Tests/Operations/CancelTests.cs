using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using static FailoverHub.Web.Tests.Operations.OperationRig;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>An operation is stopped half-way: what was sent is taken back, once, and everything is audited.</summary>
[Trait("Kind", "Hub")]
public sealed class CancelTests
{
    private static readonly Actor Bob = new("bob", null, null) { Rights = Rights.Operate };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CancelledWhileTheTargetIsAwaited_TakesTheDemotionBack()
    {
        await using var rig = await StartAsync();
        rig.B.OnIntent = async intent =>
        {
            if (intent.Prefixes.Single().Role == Protos.V1.Role.Primary)
            {
                rig.B.Obedience = Obedience.IsDeaf;
                await rig.Hub.Operations.CancelAsync(intent.OperationId, "not now", Bob, Cancellation);
            }
            else
            {
                rig.B.Obedience = Obedience.Applies;
            }
        };

        var id = await rig.AcceptedAsync(Switchover());
        var ended = await rig.EndedAsync(id);

        Assert.Equal((OperationStatus.Cancelled, "web-1"), (ended.Status, rig.Pair.ActiveNode));
        Assert.StartsWith("Cancelled by bob.", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal(Role.Primary, rig.Pair.Members[0].Prefixes[0].ReportedRole);
        Assert.Equal(Role.Secondary, rig.Pair.Members[1].Prefixes[0].ReportedRole);
        var entry = Assert.Single(await rig.AuditAsync(), a => a.Action == "cancel");
        Assert.Equal(("bob", "not now", "accepted", id), (entry.Actor, entry.Reason, entry.Outcome, entry.CorrelationId));
        Assert.Single(await rig.EventsAsync(new HistoryFilter { OperationId = id, Kind = EventKinds.OperationCancelled }));
    }

    [Fact]
    public async Task CancelledWhileNobodyObeys_EndsAndThePairIsFree()
    {
        await using var rig = await StartAsync();
        rig.A.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(Switchover());
        await rig.A.ReceiveIntentAsync();
        rig.A.Obedience = Obedience.Applies;

        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.CancelAsync(id, "not now", Bob, Cancellation));
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Cancelled, ended.Status);
        Assert.Empty(rig.B.Intents);
        Assert.Equal((PairState.Healthy, "web-1", null), (rig.Pair.State, rig.Pair.ActiveNode, rig.Pair.OperationId));
        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(Switchover()))).Status);
    }

    [Fact]
    public async Task CancelledTwice_IsDoneOnce()
    {
        await using var rig = await StartAsync();
        rig.A.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-1"));
        await rig.A.ReceiveIntentAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => rig.Hub.Operations.CancelAsync(id, "not now", Bob, Cancellation)));
        rig.A.Obedience = Obedience.Applies;

        Assert.Single(answers.OfType<SubmitResult.Accepted>());
        Assert.Single(answers.OfType<SubmitResult.TooLate>());
    }

    [Fact]
    public async Task CancelOfWhatHasEnded_IsTooLateAndAudited()
    {
        await using var rig = await StartAsync();
        var id = await rig.AcceptedAsync(Switchover());
        await rig.EndedAsync(id);

        var late = Assert.IsType<SubmitResult.TooLate>(await rig.Hub.Operations.CancelAsync(id, "not now", Bob, Cancellation));

        Assert.Contains("ended already", late.Why, StringComparison.Ordinal);
        Assert.StartsWith("refused: ", (await rig.AuditAsync())[0].Outcome, StringComparison.Ordinal);
        Assert.Equal(OperationStatus.Succeeded, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);
    }

    [Fact]
    public async Task CancelWithoutAReason_OrOfNothing_IsRefused()
    {
        await using var rig = await StartAsync();
        rig.A.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(Switchover());

        Assert.IsType<SubmitResult.Invalid>(await rig.Hub.Operations.CancelAsync(id, " ", Bob, Cancellation));
        Assert.IsType<SubmitResult.Forbidden>(await rig.Hub.Operations.CancelAsync(id, "not now", Bob with { Rights = Rights.View }, Cancellation));
        Assert.IsType<SubmitResult.NotFound>(await rig.Hub.Operations.CancelAsync("nothing", "not now", Bob, Cancellation));
        Assert.False((await rig.Hub.Operations.FindAsync(id, Cancellation))!.IsFinished);
    }
}
