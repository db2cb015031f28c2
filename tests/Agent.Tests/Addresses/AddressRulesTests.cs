using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Configuration;

namespace FailoverHub.Agent.Tests.Addresses;

public sealed class AddressRulesTests
{
    private static readonly AddressRuleOptions _vendorDefaults = new(AllInterfaces: false, Ipv6Length: 64, OwnAddresses: []);

    [Theory]
    [InlineData("203.0.113.57/32", "203.0.113.57/32")]
    [InlineData("203.0.113.57/24", null)]
    [InlineData("127.0.0.1/8", null)]
    [InlineData("127.0.0.2/32", null)]
    [InlineData("169.254.1.1/32", null)]
    [InlineData("::1/128", null)]
    [InlineData("fe80::1/64", null)]
    [InlineData("2001:db8:e001:1b8c::1/128", "2001:db8:e001:1b8c::/64")]
    [InlineData("2001:db8:e001:1b8c::1/112", "2001:db8:e001:1b8c::/64")]
    [InlineData("2001:db8:e001:1b8c::1/64", "2001:db8:e001:1b8c::/64")]
    [InlineData("2001:db8:e001:1b8c::1/56", "2001:db8:e001:1b00::/56")]
    [InlineData("2001:db8:e001:1b8c::1/48", "2001:db8:e001:1b8c::/64")]
    public void OnLoopback_FollowsTheVendorsRules(string address, string? prefix)
    {
        Assert.Equal(Prefixes(prefix), Find(_vendorDefaults, Loopback(address)));
    }

    [Theory]
    [InlineData("2001:db8:e001:1b8c::1/128", "2001:db8:e001:1b00::/56")]
    [InlineData("2001:db8:e001:1b8c::1/64", "2001:db8:e001:1b8c::/64")]
    [InlineData("2001:db8:e001:1b8c::1/56", "2001:db8:e001:1b00::/56")]
    public void Send56_WidensTo56_ButALengthThatIsConfiguredStays(string address, string prefix)
    {
        Assert.Equal(Prefixes(prefix), Find(_vendorDefaults with { Ipv6Length = 56 }, Loopback(address)));
    }

    [Fact]
    public void AddressesOfOnePrefix_AreOne()
    {
        var found = Find(_vendorDefaults, Loopback("2001:db8::1/128"), Loopback("2001:db8::2/128"), Loopback("203.0.113.57/32"), Loopback("203.0.113.57/32"));

        Assert.Equal(Prefixes("2001:db8::/64", "203.0.113.57/32"), found);
    }

    [Fact]
    public void OtherInterfaces_CountOnlyWithAllifs()
    {
        var shared = OnEth0("203.0.113.57/32");

        Assert.Empty(Find(_vendorDefaults, shared));
        Assert.Equal(Prefixes("203.0.113.57/32"), Find(_vendorDefaults with { AllInterfaces = true }, shared));
    }

    [Fact]
    public void Allifs_NeverAnnouncesTheNodesOwnNetworks()
    {
        var found = Find(
            _vendorDefaults with { AllInterfaces = true, OwnAddresses = [IPAddress.Parse("198.51.100.9"), IPAddress.Parse("2001:db8:c::9")] },
            OnEth0("2001:db8:a:0:f03c:91ff:fe00:1/64") with { IsDynamic = true },
            OnEth0("2001:db8:b:0:f03c:91ff:fe00:1/64") with { IsFromHardware = true },
            OnEth0("2001:db8:b::5/64"),
            OnEth0("2001:db8:c::9/64"),
            OnEth0("198.51.100.9/32"),
            OnEth0("2001:db8:d::1/64"),
            OnEth0("203.0.113.57/32"));

        Assert.Equal(Prefixes("2001:db8:d::/64", "203.0.113.57/32"), found);
    }

    [Fact]
    public void Allifs_WhatTheKernelWouldDialFrom_IsTheNodesOwn_WhenNothingElseTells()
    {
        var options = _vendorDefaults with { AllInterfaces = true, Sources = [IPAddress.Parse("2001:db8:c::9")] };

        Assert.Equal(Prefixes("2001:db8:d::/64"), Find(options, OnEth0("2001:db8:c::9/64"), OnEth0("2001:db8:d::1/64")));
    }

    [Fact]
    public void Allifs_StaticSource_IsTheNodesOwn_AlsoBesideAnInterfaceThatARouterAdvertisesOn()
    {
        var options = _vendorDefaults with { AllInterfaces = true, Sources = [IPAddress.Parse("2001:db8:c::9")] };

        var found = Find(options, OnEth0("2001:db8:c::9/64"), OnEth0("2001:db8:a:0:f03c:91ff:fe00:1/64") with { Interface = "eth1", IsDynamic = true }, OnEth0("2001:db8:d::1/64") with { Interface = "eth1" });

        Assert.Equal(Prefixes("2001:db8:d::/64"), found);
    }

    [Fact]
    public void Allifs_SharedAddressThatTheKernelWouldDialFrom_IsAnnounced_WhenTheNodesOwnIsKnown()
    {
        var options = _vendorDefaults with { AllInterfaces = true, Sources = [IPAddress.Parse("2001:db8:d::1")] };
        var slaac = OnEth0("2001:db8:c:0:f03c:91ff:fe00:1/64") with { IsFromHardware = true };

        Assert.Equal(Prefixes("2001:db8:d::/64"), Find(options, slaac, OnEth0("2001:db8:d::1/64")));
    }

    [Fact]
    public void AddressThatTheKernelDoesNotAnswerTo_IsNotThere()
    {
        Assert.Empty(Find(_vendorDefaults, Loopback("203.0.113.57/32") with { IsUsable = false }));
        Assert.Equal(Prefixes("2001:db8::/64"), Find(_vendorDefaults, Loopback("2001:db8::1/128") with { IsUsable = false }, Loopback("2001:db8::2/128")));
    }

    [Fact]
    public void OwnAddressThatIsStillBeingChecked_KeepsItsNetworkFromBeingAnnounced()
    {
        var slaac = OnEth0("2001:db8:a:0:f03c:91ff:fe00:1/64") with { IsDynamic = true, IsUsable = false };

        Assert.Empty(Find(_vendorDefaults with { AllInterfaces = true }, slaac, OnEth0("2001:db8:a::5/64")));
    }

    [Fact]
    public void Allifs_Ipv4AddressOfADhcpServer_IsTheNodesOwn() =>
        Assert.Empty(Find(_vendorDefaults with { AllInterfaces = true }, OnEth0("203.0.113.57/32") with { IsDynamic = true }));

    [Fact]
    public void DeviceOfTheSharedAddresses_CountsAsLoopbackDoes()
    {
        var options = _vendorDefaults with { Device = "shared0" };

        Assert.Equal(Prefixes("203.0.113.57/32"), Find(options, At("shared0", false, "203.0.113.57/32"), OnEth0("203.0.113.58/32")));
    }

    /// <summary>Its static /64 was announced as a shared one: nothing was asked that would have told.</summary>
    [Theory]
    [InlineData("eth0", true)]
    [InlineData("lo", false)]
    [InlineData(null, false)]
    public void DeviceBesideLoopback_TheSourceOfTheSessionsIsAsked(string? device, bool isAsked)
    {
        var options = new AgentOptions
        {
            StateDirectory = "/nowhere",
            ControlSocket = "/nowhere/agent.sock",
            Node = "node-a",
            Neighbors = [new NeighborEndpoint(IPAddress.Loopback, 179)],
            Addresses = new AddressOptions { Mode = AddressMode.Managed, Device = device },
        };

        Assert.Equal(isAsked, AgentSettings.DependOnRoutes(options));
        Assert.Equal((IPAddress[])(isAsked ? [IPAddress.Loopback] : []), AgentSettings.Addresses(options).Sources);
    }

    [Fact]
    public void DeviceBesideLoopback_TheNodesOwnStaticNetworkIsNotShared_AndWhatTheAgentPutThereIs()
    {
        var options = _vendorDefaults with { Device = "eth0", Sources = [IPAddress.Parse("2001:db8:c::9")] };
        var addresses = new[] { OnEth0("2001:db8:c::9/64"), OnEth0("2001:db8:d::1/64") };
        Assert.Equal(Prefixes("2001:db8:d::/64"), Find(options, addresses));

        // The kernel prefers the shared one: a guess that is known to be wrong.
        var wrong = options with { Sources = [IPAddress.Parse("2001:db8:d::1")], PutHere = Prefixes("2001:db8:d::/64") };
        Assert.Contains(IPNetwork.Parse("2001:db8:d::/64"), Find(wrong, addresses));
    }

    private static ImmutableHashSet<IPNetwork> Find(AddressRuleOptions options, params InterfaceAddress[] addresses) => AddressRules.Find(addresses, options);

    private static ImmutableHashSet<IPNetwork> Prefixes(params string?[] prefixes) => [.. prefixes.OfType<string>().Select(IPNetwork.Parse)];

    private static InterfaceAddress Loopback(string text) => At("lo", true, text);

    private static InterfaceAddress OnEth0(string text) => At("eth0", false, text);

    private static InterfaceAddress At(string name, bool isLoopback, string text) =>
        text.Split('/') is [var address, var length] ? new InterfaceAddress(name, isLoopback, IPAddress.Parse(address), int.Parse(length)) : throw new FormatException(text);
}
