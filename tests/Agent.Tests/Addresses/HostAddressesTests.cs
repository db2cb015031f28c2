using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Addresses;

namespace FailoverHub.Agent.Tests.Addresses;

public sealed class HostAddressesTests
{
    [Fact]
    public void Read_FindsTheLoopbackAddress_EachTime()
    {
        var addresses = new HostAddresses();

        for (var reading = 0; reading < 2; reading++)
        {
            Assert.Contains(addresses.Read(), address => address.IsLoopback && address.Address.Equals(IPAddress.Loopback) && address.PrefixLength == 8 && !address.IsDynamic);
        }
    }

    [Fact]
    public void AddressMovesToAnotherInterface_IsSeenWithTheSecondReading_ThoughTheKernelsTablesAreTheSame()
    {
        var shared = IPAddress.Parse("203.0.113.10");
        InterfaceAddress now = new("lo", true, shared, 32);
        var addresses = new HostAddresses(() => [1, 2, 3], () => [now]);
        Assert.Equal([now], addresses.Read());

        now = new InterfaceAddress("eth0", false, shared, 32);
        addresses.Read();

        Assert.Equal([now], addresses.Read());
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
