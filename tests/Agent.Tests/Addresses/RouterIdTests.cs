using System.Net;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Platform;

namespace FailoverHub.Agent.Tests.Addresses;

public sealed class RouterIdTests
{
    private static readonly NodeIdentity _nodeA = new("machine-1", "node-a");

    [Fact]
    public void LocalAddressGiven_IsTheRouterId()
    {
        Assert.Equal("127.0.0.11", RouterIdChooser.Choose(IPAddress.Parse("127.0.0.11"), [Own("192.0.2.7", 24)], [], _nodeA).ToString());
    }

    [Fact]
    public void AddressTowardsTheGateway_IsTheRouterId()
    {
        Assert.Equal("192.0.2.7", RouterIdChooser.Choose(null, [Own("192.0.2.7", 24)], [], _nodeA).ToString());
    }

    [Fact]
    public void AddressesThatBothNodesMayHave_AreNeverTheRouterId()
    {
        InterfaceAddress[] addresses =
        [
            new("lo", true, IPAddress.Parse("203.0.113.10"), 32),
            Own("203.0.113.10", 24),
            Own("203.0.113.11", 32),
            Own("172.17.0.1", 16) with { IsTowardsGateway = false },
        ];

        var routerId = RouterIdChooser.Choose(null, addresses, [IPNetwork.Parse("203.0.113.10/32")], _nodeA);

        Assert.Equal(_nodeA.DerivedRouterId(), routerId);
    }

    [Fact]
    public void Derived_DiffersByMachineAndByName_AndIsTheSameEachTime()
    {
        Assert.Equal(_nodeA.DerivedRouterId(), new NodeIdentity("machine-1", "node-a").DerivedRouterId());
        Assert.NotEqual(_nodeA.DerivedRouterId(), new NodeIdentity("machine-1", "node-b").DerivedRouterId());
        Assert.NotEqual(_nodeA.DerivedRouterId(), new NodeIdentity("machine-2", "node-a").DerivedRouterId());
    }

    [Fact]
    public void Kept_IsFoundAgain_ButNotByANodeThatTheDiskWasCopiedTo()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.At("router-id.json");
        var routerId = _nodeA.DerivedRouterId();

        Assert.Null(RouterIdStore.Load(file, _nodeA));
        RouterIdStore.Save(file, routerId, _nodeA);

        Assert.Equal(routerId, RouterIdStore.Load(file, _nodeA));
        Assert.Null(RouterIdStore.Load(file, new NodeIdentity("machine-1", "node-b")));
    }

    [Fact]
    public void KeptButDamaged_IsAsIfThereWereNone()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.At("router-id.json"), "{\"routerId\":");

        Assert.Null(RouterIdStore.Load(directory.At("router-id.json"), _nodeA));
    }

    private static InterfaceAddress Own(string address, int length) =>
        new("eth0", false, IPAddress.Parse(address), length) { IsTowardsGateway = true };
}
