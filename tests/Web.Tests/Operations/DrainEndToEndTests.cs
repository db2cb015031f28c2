using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using static FailoverHub.Web.Tests.Operations.OperationRig;

namespace FailoverHub.Web.Tests.Operations;

[Trait("Kind", "Hub")]
public sealed class DrainEndToEndTests
{
    [Fact]
    public async Task Drain_MovesTheAddressAndUndrainBringsTheNodeBackAsSecondaryWithoutMovingItBack()
    {
        await using var rig = await StartAsync();

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-1")))).Status);
        Assert.Equal((PairState.FailedOver, "web-2"), (rig.Pair.State, rig.Pair.ActiveNode));
        Assert.Contains("web-1 is drained", rig.Pair.StateReason, StringComparison.Ordinal);
        Assert.Empty(rig.B.Intents);

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(OnNode(OperationType.Undrain, "web-1")))).Status);
        Assert.Equal((PairState.FailedOver, "web-2"), (rig.Pair.State, rig.Pair.ActiveNode));
        var prefix = rig.Pair.Members[0].Prefixes[0];
        Assert.Equal((Role.Secondary, Role.Secondary), (prefix.AssignedRole, prefix.ReportedRole));

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(Switchover("web-1")))).Status);
        Assert.Equal((PairState.Healthy, "web-1"), (rig.Pair.State, rig.Pair.ActiveNode));
    }

    [Fact]
    public async Task SetRole_ChangesOneNode()
    {
        await using var rig = await StartAsync();

        var request = OnNode(OperationType.SetRole, "web-1") with { Role = Role.Secondary };
        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(request))).Status);

        Assert.Equal((PairState.Degraded, "web-1"), (rig.Pair.State, rig.Pair.ActiveNode));
        Assert.Empty(rig.B.Intents);
    }
}
