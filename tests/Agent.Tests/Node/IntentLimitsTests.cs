using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Orders;
using static FailoverHub.Agent.Tests.Node.NodeUnderTest;

namespace FailoverHub.Agent.Tests.Node;

/// <summary>What a node does not let its hub do.</summary>
public sealed class IntentLimitsTests
{
    [Fact]
    public void DrainForbidden_IsRejected_NamingTheLimitAndItsKey_AndLeavesAnEntry()
    {
        var node = Node(new IntentLimits { Drain = false }).Give(new NodeEvent.IntentReceived(Intent(1, drained: true)));

        Assert.Empty(node.Effects.OfType<NodeEffect.PersistIntent>());
        Assert.Equal(
            "this node's configuration does not let the hub drain it (limits.drain is false); change that key there, or give the command there: failoverhub-agent drain",
            Assert.IsType<IntentOutcome.Rejected>(node.Answer!.Outcome).Reason);
        Assert.Equal([TransitionKind.IntentRejected], node.Recorded);
        Assert.Null(node.State.Intent);
    }

    [Fact]
    public void DrainForbidden_WhatDoesNotDrain_IsAccepted() =>
        Node(new IntentLimits { Drain = false }).Keep(Intent(1, false, new PrefixIntent(Shared, Role.Secondary)));

    [Fact]
    public void DrainForbidden_ADrainOrderedOnTheNodeIsNotLiftedEither()
    {
        var node = Node(new IntentLimits { Drain = false }).Order(new LocalCommand.DrainNode(1, "root (uid 0)", "kernel update"));

        Refuse(node, Intent(1) with { LiftLocalDrain = true }, "lift the drain that was ordered on it (limits.drain is false)");
        node.Keep(Intent(2));
    }

    [Fact]
    public void DemoteForbidden_ByNameOrByOmission_IsRejected()
    {
        var node = Node(new IntentLimits { Demote = false });
        Refuse(node, Intent(1, false, new PrefixIntent(Shared, Role.Secondary)), "take the role of primary from 203.0.113.10/32 (limits.demote is false)");
        node.Keep(Intent(2, false, new PrefixIntent(Shared, Role.Primary)));

        var unconfigured = Node(new IntentLimits { Demote = false, Drain = false }, role: null);
        unconfigured.Keep(Intent(1, false, new PrefixIntent(Shared, Role.Primary)));
        Refuse(unconfigured, Intent(2), "limits.demote");
    }

    [Fact]
    public void PromoteForbidden_ByNameOrByOmission_IsRejected()
    {
        var node = Node(new IntentLimits { Promote = false }, Role.Secondary);
        Refuse(node, Intent(1, false, new PrefixIntent(Shared, Role.Primary)), "make 203.0.113.10/32 primary (limits.promote is false)");
        Refuse(node, Intent(1, false, new PrefixIntent(Other, Role.Primary)), "make 2001:db8:e001:1b8c::/64 primary");
        node.Keep(Intent(2, false, new PrefixIntent(Shared, Role.Secondary)));

        var primary = Node(new IntentLimits { Promote = false });
        primary.Keep(Intent(1, false, new PrefixIntent(Shared, Role.Secondary)));
        Refuse(primary, Intent(2), "limits.promote");
    }

    [Fact]
    public void WhatIsInForceAlready_IsAnsweredAndNotJudgedAnew()
    {
        var intent = Intent(1, drained: true);
        var node = new NodeUnderTest(Role.Primary, intent).Limit(new IntentLimits { Drain = false }).Start(Shared).BothUp();

        node.Give(new NodeEvent.IntentReceived(intent));
        Assert.IsType<IntentOutcome.Applied>(node.Answer!.Outcome);
    }

    private static void Refuse(NodeUnderTest node, NodeIntent intent, string words)
    {
        node.Give(new NodeEvent.IntentReceived(intent));
        Assert.Contains(words, Assert.IsType<IntentOutcome.Rejected>(node.Answer!.Outcome).Reason, StringComparison.Ordinal);
        Assert.Empty(node.Effects.OfType<NodeEffect.PersistIntent>());
    }

    private static NodeUnderTest Node(IntentLimits limits, Role? role = Role.Primary) => new NodeUnderTest(role).Limit(limits).Start(Shared).BothUp();
}
