using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Addresses.Netlink;

namespace FailoverHub.Agent.Tests.Addresses;

public sealed class HostAddressesTests
{
    [Fact]
    public void Read_FindsTheLoopbackAddress_EachTime()
    {
        var addresses = new HostAddresses();

        for (var reading = 0; reading < 2; reading++)
        {
            Assert.Contains(addresses.Read(), address => address is { IsLoopback: true, PrefixLength: 8, IsDynamic: false, IsUsable: true } && address.Address.Equals(IPAddress.Loopback));
        }
    }

    [Fact]
    public void NetlinkIsForbidden_IsReadWithoutIt_AndNotTriedAgain()
    {
        var tried = 0;
        var addresses = new HostAddresses(
            () =>
            {
                tried++;
                throw new NetlinkException(NetlinkException.NotPermitted);
            },
            InterfacesWithoutNetlink.Read);

        addresses.Read();

        Assert.Contains(addresses.Read(), address => address.IsLoopback && address.Address.Equals(IPAddress.Loopback));
        Assert.Equal(1, tried);
    }

    [Fact]
    public void NoDescriptorIsLeft_IsAnErrorOfThisReading_AndNetlinkIsTriedAgain()
    {
        const int noDescriptors = 24;
        var fails = true;
        var addresses = new HostAddresses(() => fails ? throw new NetlinkException(noDescriptors) : NetlinkReader.Read(), () => throw new InvalidOperationException("The older way was tried."));

        Assert.Throws<NetlinkException>(() => addresses.Read());
        fails = false;

        Assert.Contains(addresses.Read(), address => address.IsLoopback);
    }

    [Theory]
    [InlineData("eth0\t00000000\t010200C0\t0003", "eth0")]
    [InlineData("tun0\t00000000\t00000000\t0001\neth0\t00000000\t010200C0\t0003", "eth0")]
    [InlineData("eth0\t000200C0\t00000000\t0001\neth1\t00000000\t010200C0\t0003", null)]
    [InlineData("eth0 00000000", null)]
    [InlineData("", null)]
    public void InterfaceTowardsTheGateway_IsThatOfTheDefaultRoute(string routes, string? name)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.At("route"), $"Iface\tDestination\tGateway \tFlags\n{routes}\n");

        Assert.Equal(name, HostAddresses.InterfaceTowardsGateway(directory.At("route")));
        Assert.Null(HostAddresses.InterfaceTowardsGateway(directory.At("none")));
    }

    [Fact]
    public void SourcesTowards_ALoopbackNeighbor_IsALoopbackAddress()
    {
        Assert.Equal([IPAddress.Loopback], HostAddresses.SourcesTowards([IPAddress.Loopback]).ToArray());
    }

    [Fact]
    public void SourcesTowards_AFamilyThatIsSwitchedOff_AreThoseOfTheOther()
    {
        var sources = HostAddresses.SourcesTowards(
            [IPAddress.IPv6Loopback, IPAddress.Loopback],
            family => family == AddressFamily.InterNetworkV6
                ? throw new SocketException((int)SocketError.AddressFamilyNotSupported)
                : new Socket(family, SocketType.Dgram, ProtocolType.Udp));

        Assert.Equal([IPAddress.Loopback], sources.ToArray());
    }
}
