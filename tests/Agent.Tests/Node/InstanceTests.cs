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

    private static NodeEvent.InstanceLearned Learned(params System.Net.IPNetwork[] shared) =>
        new(new InstanceFacts { Shared = [.. shared], ReadAt = DateTimeOffset.UnixEpoch });

    private static IEnumerable<string> Warnings(NodeUnderTest node) =>
        node.Effects.OfType<NodeEffect.Log>().Where(log => log.Level == LogLevel.Warning).Select(log => log.Text);
}
