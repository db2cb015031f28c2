using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using static FailoverHub.Web.Tests.Operations.OperationRig;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>One node cannot be reached and the other one is made primary; when the first comes back it is told to be secondary.</summary>
[Trait("Kind", "Hub")]
public sealed class ForcePromoteTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static OperationRequest Force(params string[] overrides) =>
        new() { Type = OperationType.ForcePromote, Pair = "web", Target = "web-2", Reason = "web-1 is dead", OverrideRules = [.. overrides] };

    [Fact]
    public async Task OtherCanBeReached_IsRefusedWhateverIsOverridden()
    {
        await using var rig = await StartAsync();

        var refused = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(Force("SR-02"), Alice, Cancellation));

        var rule = Assert.Single(refused.Preview.Rules, r => r.Blocks);
        Assert.Equal(("SR-02", false), (rule.RuleId, rule.CanOverride));
        Assert.StartsWith("Use switchover", rule.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OtherCannotBeReached_IsPromotedAndTheOtherIsDemotedWhenItComesBack(bool hubRestarts)
    {
        await using var rig = await StartAsync();
        await rig.A.DisposeAsync();
        await rig.Hub.UntilAsync(s => !s.FindNode("web-1")!.IsFresh);

        Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(Force(), Alice, Cancellation));
        var preview = rig.Hub.Operations.Preview(Force("SR-02"), out _)!;
        var id = await rig.AcceptedAsync(Force("SR-02"));
        var ended = await rig.EndedAsync(id);

        Assert.True(preview.OutagePossible);
        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.Equal(ProtoRole.Primary, Assert.Single(rig.B.Intents).Prefixes.Single().Role);
        Assert.Equal("accepted, overriding SR-02", (await rig.AuditAsync())[0].Outcome);
        if (hubRestarts)
        {
            var promoted = rig.B.Intents.Single().Revision;
            await rig.RestartHubAsync();
            rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", ProtoRole.Primary, revision: promoted);
        }

        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Primary, boot: "boot-2");
        var demotion = await rig.A.ReceiveIntentAsync();

        Assert.Equal((ProtoRole.Secondary, id), (demotion.Prefixes.Single().Role, demotion.OperationId));
        await rig.Hub.UntilAsync(s => s.FindPair("web") is { ActiveNode: "web-2" } pair && pair.Members.All(m => m.Node.IsFresh && m.Node.ReportedRevision == m.Node.IntentRevision));
        Assert.Equal([Role.Secondary, Role.Primary], rig.Pair.Members.Select(m => m.Prefixes[0].ReportedRole!.Value));
    }

    [Fact]
    public async Task PromotionThatFails_TheOtherIsNotDemotedWhenItComesBack()
    {
        await using var rig = await StartAsync();
        await rig.A.DisposeAsync();
        await rig.Hub.UntilAsync(s => !s.FindNode("web-1")!.IsFresh);
        rig.B.Obedience = Obedience.Rejects;

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(Force("SR-02")));
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Primary, boot: "boot-2");
        await rig.Hub.UntilAsync(s => s.FindNode("web-1")!.IsFresh);

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.Empty(rig.A.Intents);
        Assert.Equal(Role.Primary, rig.Pair.Members[0].Prefixes[0].AssignedRole);
    }
}
