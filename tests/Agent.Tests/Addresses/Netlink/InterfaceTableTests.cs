using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Addresses.Netlink;

namespace FailoverHub.Agent.Tests.Addresses.Netlink;

/// <summary>What the kernel said, as the agent's rules look at it.</summary>
public sealed class InterfaceTableTests
{
    private static readonly NetlinkMessage[] _captured = [.. CapturedBytes.Links.Concat(CapturedBytes.Addresses).SelectMany(datagram => NetlinkParser.Parse(datagram).Messages)];

    [Theory]
    [InlineData("203.0.113.10", "lo", true, false, false, true)]
    [InlineData("2001:db8:e001:1b8c::1", "lo", true, false, false, true)]
    [InlineData("192.0.2.5", "v0", false, false, false, true)]
    [InlineData("198.51.100.1", "v0", false, false, false, true)]
    [InlineData("2001:db8:5::9", "v0", false, true, false, true)]
    [InlineData("2001:db8:6::9", "v0", false, true, false, true)]
    [InlineData("2001:db8:7::9", "v0", false, false, false, false)]
    [InlineData("fe80::5eff:fe10:1", "v0", false, false, true, true)]
    public void EachAddress_IsWhatItIs(string address, string name, bool isLoopback, bool isDynamic, bool isFromHardware, bool isUsable)
    {
        var found = Find(new InterfaceTable(_captured), address);

        Assert.Equal((name, isLoopback, isDynamic, isFromHardware, isUsable), (found.Interface, found.IsLoopback, found.IsDynamic, found.IsFromHardware, found.IsUsable));
    }

    [Fact]
    public void AddressThatAnotherHostHas_IsNotUsable()
    {
        var links = _captured.OfType<NetlinkMessage.Link>();
        var table = new InterfaceTable(links.Concat(NetlinkParser.Parse(CapturedBytes.DuplicateFound).Messages));

        Assert.False(Find(table, "2001:db8:7::9").IsUsable);
    }

    [Fact]
    public void InterfaceThatIsDown_HasNoUsableAddress()
    {
        var table = new InterfaceTable(_captured.Concat(NetlinkParser.Parse(CapturedBytes.SetDown).Messages));

        Assert.False(Find(table, "192.0.2.5").IsUsable);
        Assert.True(Find(table, "203.0.113.10").IsUsable);
    }

    [Fact]
    public void InterfaceTowardsTheGateway_IsMarked_AndLoopbackNever()
    {
        Assert.True(new InterfaceTable(_captured).Addresses("v0").Where(address => address.Interface == "v0").All(address => address.IsTowardsGateway));
        Assert.DoesNotContain(new InterfaceTable(_captured).Addresses("lo"), address => address.IsTowardsGateway);
    }

    [Fact]
    public void WhatIsKnownAlready_ChangesNothing()
    {
        var table = new InterfaceTable(_captured);

        Assert.DoesNotContain(_captured, table.IsChangedBy);
        Assert.DoesNotContain(NetlinkParser.Parse(CapturedBytes.Removed).Messages, table.IsChangedBy);
    }

    [Fact]
    public void WhatIsNewOrGoneOrOtherwise_ChangesIt()
    {
        var table = new InterfaceTable(_captured);
        var known = Assert.Single(_captured.OfType<NetlinkMessage.Address>(), address => address.Ip.ToString() == "203.0.113.10");

        Assert.All(NetlinkParser.Parse(CapturedBytes.Added).Messages, message => Assert.True(table.IsChangedBy(message)));
        Assert.All(NetlinkParser.Parse(CapturedBytes.SetDown).Messages, message => Assert.True(table.IsChangedBy(message)));
        Assert.True(table.IsChangedBy(known with { IsRemoved = true }));
        Assert.True(table.IsChangedBy(known with { Flags = AddressFlags.None }));
        Assert.True(table.IsChangedBy(new NetlinkMessage.Link(0, true, 3, "v0", LinkFlags.None, 0)));
    }

    [Fact]
    public void InterfacesAreFoundByName()
    {
        var table = new InterfaceTable(_captured);

        Assert.Equal((3, null, 1), (table.IndexOf("v0"), table.IndexOf("v9"), table.Loopback));
    }

    private static InterfaceAddress Find(InterfaceTable table, string address) =>
        Assert.Single(table.Addresses(null), found => found.Address.ToString() == address);
}
