using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Wire;

/// <summary>Large communities (RFC 8092), of which the platform knows nothing and other networks do.</summary>
public sealed class LargeCommunityTests : DataCenterTest
{
    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task LargeCommunitiesGiven_DaemonShowsThemBesideTheRole(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind);

        Agent.Start(center, "a", "--primary", "--large-community", "65001:7:9", "--large-community", "4200000000:4294967295:0");

        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        Assert.All(
            await center.RouteServers[0].RoutesAsync(Cancellation),
            route => Assert.Equal(["4200000000:4294967295:0", "65001:7:9"], route.LargeCommunities.Split(' ').Order(StringComparer.Ordinal)));
    }
}
