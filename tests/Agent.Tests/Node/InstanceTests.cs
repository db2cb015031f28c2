using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Discovery;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Prefixes;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Tests.Node;

public sealed class InstanceTests
{
    [Fact]
    public void SharedWithoutAnAddress_IsKnown_NotAnnounced_AndWarnedOf()
    {
        var node = new NodeUnderTest().Start().Give(Learned(NodeUnderTest.Shared));

        var prefix = Assert.Single(node.State.Prefixes);
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.AddressMissing), prefix.Decision);
        Assert.Null(node.Handed);
        Assert.Contains("no interface has an address of it", Assert.Single(Warnings(node)), StringComparison.Ordinal);
    }

    [Fact]
    public void SharedWithoutAnAddress_WhereTheAgentAddsIt_IsNoReasonToWarn()
    {
        var node = new NodeUnderTest(settings => settings with { ManagesAddresses = true }).Start().Give(Learned(NodeUnderTest.Shared));

        Assert.Single(node.State.Prefixes);
        Assert.Empty(Warnings(node));
    }

    [Fact]
    public void SharedWithItsAddress_IsAnnouncedAsBefore_WithoutAWord()
    {
        var node = new NodeUnderTest().Start(NodeUnderTest.Shared).Give(Learned(NodeUnderTest.Shared));

        Assert.IsType<AdvertisementDecision.Announce>(Assert.Single(node.State.Prefixes).Decision);
        Assert.Null(node.Handed);
        Assert.Empty(node.Effects);
    }

    [Fact]
    public void AddressOfASharedOneAppears_IsAnnounced()
    {
        var node = new NodeUnderTest().Start().Give(Learned(NodeUnderTest.Shared)).Give(new NodeEvent.AddressesChanged([NodeUnderTest.Shared]));

        Assert.Equal(NodeUnderTest.Shared, Assert.Single(node.Handed!.Value).Prefix);
    }

    [Fact]
    public void TheSameLearnedAgain_ChangesNothing_AndSaysNothing()
    {
        var node = new NodeUnderTest().Start().Give(Learned(NodeUnderTest.Shared)).Give(Learned(NodeUnderTest.Shared));

        Assert.Empty(node.Effects);
    }

    [Fact]
    public void SharedNoMore_IsForgotten_UnlessAnInterfaceHasIt()
    {
        var node = new NodeUnderTest().Start(NodeUnderTest.Shared).Give(Learned(NodeUnderTest.Shared, NodeUnderTest.Other)).Give(Learned());

        Assert.Equal(NodeUnderTest.Shared, Assert.Single(node.State.Prefixes).Prefix);
        Assert.IsType<AdvertisementDecision.Announce>(node.State.Prefixes[0].Decision);
    }

    /// <summary>Every start is a return. It was withdrawn as nobody's first, and then "made" primary by the word of the service, which let it go at once.</summary>
    [Theory]
    [InlineData("after-stable")]
    [InlineData("manual")]
    public void RestartWithAnAddressOfItsOwn_SharedBefore_IsHeldAsSecondaryFromTheStart(string policy)
    {
        Assert.True(FailbackPolicyWords.TryParse(policy, out var held));
        var node = Managing(held).Remember(NodeUnderTest.Shared).ToldBefore(NodeUnderTest.Shared).Give(StartedWithItsOwn);
        Assert.Equal(_secondary, node.Decision(NodeUnderTest.Shared));

        node.Give(Learned(NodeUnderTest.Shared));
        Assert.Empty(node.Effects);
        node.BothUp();

        Assert.Equal(_secondary, node.Decision(NodeUnderTest.Shared));
        Assert.True(Assert.Single(node.State.Prefixes).Failback.IsHeld);
    }

    /// <summary>What the service said before is lost with its file, and is said again a second later.</summary>
    [Fact]
    public void RestartWithAnAddressOfItsOwn_SharedAsIsHeardLater_IsHeldAsSecondary()
    {
        var node = Managing(FailbackPolicy.Manual).Remember(NodeUnderTest.Shared).Give(StartedWithItsOwn).BothUp();
        Assert.Equal(new AdvertisementDecision.Withdraw(WithdrawnReason.NotAssigned), node.Decision(NodeUnderTest.Shared));

        node.Give(Learned(NodeUnderTest.Shared));

        Assert.Equal(_secondary, node.Decision(NodeUnderTest.Shared));
        Assert.True(Assert.Single(node.State.Prefixes).Failback.IsHeld);
    }

    [Fact]
    public void AddressOfItsOwnThatNobodyNames_IsSomebodyElsesNow_IsHeldAsSecondary()
    {
        var node = Managing(FailbackPolicy.Manual).Remember(NodeUnderTest.Shared).Give(StartedWithItsOwn).BothUp();

        node.Give(new NodeEvent.AddressesChanged([NodeUnderTest.Shared]));

        Assert.Equal(_secondary, node.Decision(NodeUnderTest.Shared));
    }

    private static readonly AdvertisementDecision _secondary = new AdvertisementDecision.Announce(Role.Secondary);

    private static NodeEvent.Started StartedWithItsOwn => new([NodeUnderTest.Shared], "started") { Own = [NodeUnderTest.Shared] };

    private static NodeUnderTest Managing(FailbackPolicy policy) =>
        new(settings => settings with { ManagesAddresses = true, Failback = new FailbackOptions { Policy = policy } });

    private static NodeEvent.InstanceLearned Learned(params System.Net.IPNetwork[] shared) =>
        new(new InstanceFacts { Shared = [.. shared], ReadAt = DateTimeOffset.UnixEpoch });

    private static IEnumerable<string> Warnings(NodeUnderTest node) =>
        node.Effects.OfType<NodeEffect.Log>().Where(log => log.Level == LogLevel.Warning).Select(log => log.Text);
}
