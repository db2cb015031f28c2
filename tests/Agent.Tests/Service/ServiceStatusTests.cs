using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Service;
using FailoverHub.Agent.Tests.Node;

namespace FailoverHub.Agent.Tests.Service;

public sealed class ServiceStatusTests
{
    private readonly NodeUnderTest _node = new();

    [Fact]
    public void Started_WithoutASession_SaysSo()
    {
        _node.Start(NodeUnderTest.Shared);

        Assert.Equal("0 of 2 sessions established; announces 203.0.113.10/32 (primary)", ServiceStatus.Of(_node.State));
    }

    [Fact]
    public void AddressGone_IsNamedWithTheReason()
    {
        _node.Start(NodeUnderTest.Shared, NodeUnderTest.Other).BothUp().Give(new NodeEvent.AddressesChanged([NodeUnderTest.Other]));

        Assert.Equal(
            "2 of 2 sessions established; announces 2001:db8:e001:1b8c::/64 (primary); not 203.0.113.10/32 (address-missing)",
            ServiceStatus.Of(_node.State));
    }

    [Fact]
    public void Drained_IsSaidAloud()
    {
        _node.Start(NodeUnderTest.Shared).BothUp().Keep(NodeUnderTest.Intent(1, drained: true));

        Assert.Equal("2 of 2 sessions established; DRAINED; nothing is announced; not 203.0.113.10/32 (drained)", ServiceStatus.Of(_node.State));
    }

    [Fact]
    public void ThousandsOfPrefixes_AreStillOneShortLine()
    {
        var node = new NodeUnderTest(Role.Secondary, null, [.. Enumerable.Range(0, 5000).Select(number => new ConfiguredPrefix(new IPNetwork(new IPAddress([10, 0, (byte)(number >> 8), (byte)number]), 32), null))]);
        node.Start();

        Assert.Equal(
            "0 of 2 sessions established; announces 10.0.0.0/32 (secondary), 10.0.0.1/32 (secondary), 10.0.0.2/32 (secondary), 10.0.0.3/32 (secondary) and 4996 more",
            ServiceStatus.Of(node.State));
    }

    [Fact]
    public void Stopping_SaysNothingOfPrefixes()
    {
        _node.Start(NodeUnderTest.Shared).BothUp().Give(new NodeEvent.StopRequested("SIGTERM"));

        Assert.Equal("2 of 2 sessions established; stopping", ServiceStatus.Of(_node.State));
    }
}
