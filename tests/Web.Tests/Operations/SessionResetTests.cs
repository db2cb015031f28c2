using FailoverHub.Protos.V1;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using static FailoverHub.Web.Tests.Operations.OperationRig;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>One BGP session is reset: asked once, answered, and seen to come back.</summary>
[Trait("Kind", "Hub")]
public sealed class SessionResetTests
{
    private const string Neighbor = "127.34.0.2:1790";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static OperationRequest Reset(string neighbor = Neighbor) =>
        new() { Type = OperationType.ResetSession, Node = "web-1", Neighbor = neighbor, Reason = "stale routes" };

    [Fact]
    public async Task Asked_IsAnsweredAndSucceedsWhenTheSessionIsBack()
    {
        await using var rig = await StartAsync(keepsFailback: true);
        var id = await rig.AcceptedAsync(Reset());

        var request = await rig.A.ReceiveRequestAsync();
        Assert.Equal((id, id, "stale routes", Neighbor), (request.Id, request.OperationId, request.Reason, request.ResetSession.Neighbor));
        await rig.A.AnswerAsync(request, done: true, "ended");
        await rig.A.ReportAsync(r => (r.Sessions[1].State, r.Sessions[1].Flaps) = (SessionState.Idle, 1));
        await rig.A.ReportAsync(r => r.Sessions[1].State = SessionState.Established);
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.Equal(["ended", "Established again; it has left Established 1 times since the agent started."], ended.Steps.Select(s => s.Detail));
        Assert.Empty(rig.A.Intents);
        Assert.Equal("reset-session", Assert.Single(await rig.AuditAsync()).Action);
    }

    [Fact]
    public async Task Refused_Fails()
    {
        await using var rig = await StartAsync(keepsFailback: true);
        var id = await rig.AcceptedAsync(Reset());

        await rig.A.AnswerAsync(await rig.A.ReceiveRequestAsync(), done: false, "it is stopping");

        Assert.Equal((OperationStatus.Failed, "web-1 did not do it: it is stopping"), ((await rig.EndedAsync(id)).Status, (await rig.EndedAsync(id)).Outcome));
    }

    [Fact]
    public async Task StreamBreaksBeforeTheAnswer_IsNotAskedAgain()
    {
        await using var rig = await StartAsync(keepsFailback: true);
        var id = await rig.AcceptedAsync(Reset());
        await rig.A.ReceiveRequestAsync();

        await rig.A.DisposeAsync();
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", Role.Primary, keepsFailback: true);
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.Contains("is not known", ended.Outcome, StringComparison.Ordinal);
        Assert.Empty(rig.A.Requests);
    }

    [Fact]
    public async Task HubRestartsMeanwhile_IsReportedAndNotAskedAgain()
    {
        await using var rig = await StartAsync(keepsFailback: true);
        var id = await rig.AcceptedAsync(Reset());
        await rig.A.ReceiveRequestAsync();

        await rig.RestartHubAsync();
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", Role.Primary, keepsFailback: true);
        await rig.Hub.UntilAsync(s => s.FindNode("web-1")!.IsFresh);

        Assert.Equal(OperationStatus.Failed, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);
        Assert.Empty(rig.A.Requests);
    }

    [Fact]
    public async Task OlderAgent_IsNotAsked()
    {
        await using var rig = await StartAsync();

        var refused = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(Reset(), Alice, Cancellation));

        Assert.Equal(["SR-12"], refused.Preview.Rules.Where(r => r.Blocks).Select(r => r.RuleId));
    }

    [Fact]
    public async Task NeighborThatTheNodeDoesNotHave_MakesNoSense()
    {
        await using var rig = await StartAsync(keepsFailback: true);

        var answer = Assert.IsType<SubmitResult.Invalid>(await rig.Hub.Operations.SubmitAsync(Reset("192.0.2.99"), Alice, Cancellation));

        Assert.Contains(Neighbor, answer.Problem["neighbor"], StringComparison.Ordinal);
    }
}
