using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;
using FailoverHub.Lab.Routes;

namespace FailoverHub.Lab.Tests.Routes;

public sealed class PlatformPolicyTests
{
    private static readonly IPNetwork Prefix = IPNetwork.Parse("203.0.113.10/32");

    [Theory]
    [InlineData("65000:1", RoutePreference.Primary)]
    [InlineData("65000:2", RoutePreference.Secondary)]
    [InlineData("65000:1 65000:2", RoutePreference.Primary)]
    [InlineData("64999:7 65000:2", RoutePreference.Secondary)]
    internal void Import_KnownCommunity_GivesThePreference(string communities, RoutePreference expected)
    {
        var imported = PlatformPolicy.Import(Announce(Prefix, communities));

        Assert.Equal(expected, Assert.Single(imported.Accepted).Preference);
        Assert.Empty(imported.Withdrawn);
    }

    [Theory]
    [InlineData("")]
    [InlineData("65000:3")]
    [InlineData("65001:1 64999:2")]
    public void Import_NeitherCommunity_IsRefusedAndTakesTheOldRouteAway(string communities)
    {
        var imported = PlatformPolicy.Import(Announce(Prefix, communities));

        Assert.Empty(imported.Accepted);
        Assert.Equal(Prefix, Assert.Single(imported.Withdrawn));
        Assert.Contains("65000:1", Assert.Single(imported.Refused).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("203.0.113.0/24", false)]
    [InlineData("203.0.113.10/32", true)]
    [InlineData("2001:db8:e001:1b8c::/64", true)]
    [InlineData("2001:db8:e001:1b00::/56", true)]
    [InlineData("2001:db8:e001::/48", false)]
    [InlineData("2001:db8::1/128", false)]
    [InlineData("0.0.0.0/0", false)]
    public void Import_OnlyPrefixesThatCanBeShared_AreAccepted(string prefix, bool accepted) =>
        Assert.Equal(accepted ? 1 : 0, PlatformPolicy.Import(Announce(IPNetwork.Parse(prefix), "65000:1")).Accepted.Length);

    [Fact]
    public void Import_Ipv4MappedNextHop_IsTheIpv4Node()
    {
        var update = Announce(Prefix, "65000:1") with { NextHop = IPAddress.Parse("::ffff:127.0.0.11") };

        Assert.Equal(IPAddress.Parse("127.0.0.11"), Assert.Single(PlatformPolicy.Import(update).Accepted).NextHop);
    }

    [Fact]
    public void Import_NoNextHop_IsRefused() =>
        Assert.Single(PlatformPolicy.Import(Announce(Prefix, "65000:1") with { NextHop = null }).Refused);

    private static ReceivedRoutes Announce(IPNetwork prefix, string communities) => new()
    {
        Announced = [prefix],
        Withdrawn = [],
        Origin = Origin.Incomplete,
        AsPath = [65001],
        NextHop = IPAddress.Parse("127.0.0.11"),
        Communities = [.. communities.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Parse)],
    };

    private static Community Parse(string text)
    {
        var parts = text.Split(':');
        return new Community(ushort.Parse(parts[0], null), ushort.Parse(parts[1], null));
    }
}
