using System.Net;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Transport;

/// <summary>A session over IPv4, which the platform does not use and other networks do.</summary>
public sealed class Ipv4Tests : DataCenterTest
{
    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task SessionOverIpv4_CarriesBothFamilies_WithOurIpv4AddressAsNextHop(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind, new RouteServerOptions { OverIpv4 = true });
        var agent = Agent.Start(center, "a", "--primary");
        await center.EstablishedAsync("a", Cancellation);

        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        // For an IPv6 prefix it is written ::ffff:192.0.2.10; how that is shown differs.
        var routes = await center.RouteServers[0].RoutesAsync(Cancellation);
        Assert.All(routes, route => Assert.Equal(IPAddress.Parse(Addresses.NodeIpv4("a")), IPAddress.Parse(route.NextHop).MapToIPv4()));

        Assert.Equal(0, await agent.TerminateAsync(Cancellation));
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
        Assert.Equal(Addresses.Shared.Length, await center.WithdrawalsAsync("a", Cancellation));
    }
}
