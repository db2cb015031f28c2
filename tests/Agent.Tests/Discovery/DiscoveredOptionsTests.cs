using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Discovery;

namespace FailoverHub.Agent.Tests.Discovery;

public sealed class DiscoveredOptionsTests
{
    private static readonly IPAddress _slaac = IPAddress.Parse("2001:db8:18::1");

    private static readonly InstanceFacts _facts = new() { Region = "us-ord", Slaac = _slaac, ReadAt = DateTimeOffset.UnixEpoch };

    [Fact]
    public void NothingGiven_RegionGivesTheNeighbors_AndSlaacTheSource()
    {
        var options = DiscoveredOptions.Complete(Given("--primary"), _facts);

        Assert.Equal(18, options.DataCenter);
        Assert.Equal(["2600:3c0f:18:34::1", "2600:3c0f:18:34::2", "2600:3c0f:18:34::3", "2600:3c0f:18:34::4"], options.Neighbors.Select(neighbor => neighbor.ToString()));
        Assert.Equal(_slaac, options.LocalIpv6);
        Assert.True(options.LocalIpv6IsFound);
        Assert.True(options.NeighborsAreFound);
        Assert.Empty(DiscoveredOptions.Warnings(Given("--primary"), _facts));
    }

    [Theory]
    [InlineData("--primary --dcid 22", "2600:3c0f:22:34::1", "2001:db8:18::1")]
    [InlineData("--primary --local-address 2001:db8::9", "2600:3c0f:18:34::1", "2001:db8::9")]
    [InlineData("--primary --neighborpattern 2001:db8:%d:9::%d --neighbor-port 1790", "[2001:db8:18:9::1]:1790", "2001:db8:18::1")]
    [InlineData("--primary --neighbor 2001:db8::5 --metadata http://127.0.0.1:1", "2001:db8::5", null)]
    public void WhatIsGiven_Wins(string line, string firstNeighbor, string? source)
    {
        var options = DiscoveredOptions.Complete(Given(line), _facts);

        Assert.Equal(firstNeighbor, options.Neighbors[0].ToString());
        Assert.Equal(source, options.LocalIpv6?.ToString());
        Assert.Equal(source == "2001:db8:18::1", options.LocalIpv6IsFound);
        Assert.Equal(!line.Contains("--dcid", StringComparison.Ordinal) && !line.Contains("--neighbor ", StringComparison.Ordinal), options.NeighborsAreFound);
    }

    [Theory]
    [InlineData("--primary", "xx-new", true, "region xx-new is not known to this version, so the route servers are not known")]
    [InlineData("--primary --dcid 99", "xx-new", true, "what is dialled was given")]
    [InlineData("--primary", null, true, "names no region, so the route servers are not known")]
    [InlineData("--primary --dcid 22", "us-ord", true, "--dcid is 22, but the metadata service says that this machine is in us-ord (Chicago, IL (USA)), which is 18")]
    [InlineData("--primary", "us-west", true, "Fremont")]
    [InlineData("--primary", "us-ord", false, "no IPv6 address")]
    [InlineData("--primary --dcid 18", "us-ord", false, "no IPv6 address")]
    public void WhatIsOdd_IsWarnedOf(string line, string? region, bool hasSlaac, string said)
    {
        var facts = _facts with { Region = region, Slaac = hasSlaac ? _slaac : null };

        Assert.Contains(said, Assert.Single(DiscoveredOptions.Warnings(Given(line), facts)), StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownRegion_LeavesTheNeighborsUnknown()
    {
        Assert.Empty(DiscoveredOptions.Complete(Given("--primary"), _facts with { Region = "xx-new" }).Neighbors);
    }

    [Theory]
    [InlineData("us-ord", 18)]
    [InlineData("in-bom-2", 46)]
    [InlineData("sg-sin-2", 48)]
    [InlineData("au-mel", 45)]
    [InlineData("gb-lon", 44)]
    [InlineData("us-west", 3)]
    public void Region_HasItsId(string region, int id) => Assert.Equal(id, DataCenters.FindRegion(region)?.Id);

    private static AgentOptions Given(string line) =>
        Assert.IsType<CommandLineRequest.Run>(new AgentCommandLine().Read(line.Split(' '), "host-1", TextWriter.Null, TextWriter.Null)).Options;
}
