using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Node.Prefixes;
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

    [Theory]
    [InlineData(FailbackPolicy.AfterStable, null, null, true)]
    [InlineData(FailbackPolicy.AfterStable, FailbackPolicy.Immediate, null, false)]
    [InlineData(FailbackPolicy.AfterStable, FailbackPolicy.Sticky, null, false)]
    [InlineData(FailbackPolicy.AfterStable, null, 1, false)]
    [InlineData(FailbackPolicy.Manual, FailbackPolicy.AfterStable, null, false)]
    public void PromoteForbidden_WhatIsHeldBackAsSecondary_IsNotLetGoByTheHub_NeitherAtOnceNorByALooserPolicy(object configured, object? policy, int? stableFor, bool atOnce)
    {
        var entry = new PrefixIntent(Shared, Role.Primary) { FailbackPolicy = (FailbackPolicy?)policy, StableFor = stableFor is { } seconds ? TimeSpan.FromSeconds(seconds) : null, AtOnce = atOnce };
        var node = Held((FailbackPolicy)configured, promote: false);

        Refuse(node, Intent(1, false, entry), "make 203.0.113.10/32 primary sooner than it would be by itself (limits.promote is false); change that key there, or give the command there: failoverhub-agent failback 203.0.113.10/32");
        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), node.Decision(Shared));

        // On a node that lets the hub do it, it may.
        Held((FailbackPolicy)configured, promote: true).Keep(Intent(1, false, entry));
    }

    [Fact]
    public void PromoteForbidden_WhatWouldBeHeldWhenItReturns_IsNotLetGoBeforehand()
    {
        var node = Held(FailbackPolicy.Manual, promote: false).Keep(Intent(1, drained: true));

        Refuse(node, Intent(2, false, new PrefixIntent(Shared, Role.Primary) { AtOnce = true }), "limits.promote");
        Refuse(node, Intent(2, false, new PrefixIntent(Shared, Role.Primary) { FailbackPolicy = FailbackPolicy.Immediate }), "limits.promote");
        node.Keep(Intent(2, false, new PrefixIntent(Shared, Role.Primary)));
        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), node.Decision(Shared));
    }

    [Fact]
    public void PromoteForbidden_AStricterHold_OrTheSameOne_IsAccepted()
    {
        var node = Held(FailbackPolicy.AfterStable, promote: false);

        node.Keep(Intent(1, false, new PrefixIntent(Shared, Role.Primary)));
        node.Keep(Intent(2, false, new PrefixIntent(Shared, Role.Primary) { FailbackPolicy = FailbackPolicy.Manual }));
        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), node.Decision(Shared));

        // And what is primary already is let go by nothing.
        var primary = Node(new IntentLimits { Promote = false });
        primary.Keep(Intent(1, false, new PrefixIntent(Shared, Role.Primary) { AtOnce = true, FailbackPolicy = FailbackPolicy.Immediate }));
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

    private static NodeUnderTest Held(FailbackPolicy policy, bool promote)
    {
        var node = new NodeUnderTest(settings => settings with { Failback = new FailbackOptions { Policy = policy }, Limits = new IntentLimits { Promote = promote } });
        node.Remember(Shared).Start(Shared).BothUp();
        Assert.Equal(new AdvertisementDecision.Announce(Role.Secondary), node.Decision(Shared));
        return node;
    }

    private static NodeUnderTest Node(IntentLimits limits, Role? role = Role.Primary) => new NodeUnderTest(role).Limit(limits).Start(Shared).BothUp();
}
