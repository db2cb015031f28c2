using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Robustness;

/// <summary>The network of the node goes and comes back.</summary>
public sealed class NetworkTests : DataCenterTest
{
    [Fact]
    public async Task AllRouteServersGoneAndBack_EverySessionAndRouteReturns()
    {
        var center = await StartAsync(RouteServerKind.Bird);
        var agent = Agent.Start(center, "a", "--primary");
        await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        foreach (var server in center.RouteServers)
        {
            await server.Process.KillAsync(Cancellation);
        }

        await agent.SayAsync("0 of 4 sessions remain", Cancellation);
        foreach (var server in center.RouteServers)
        {
            await server.StartAsync(Cancellation);
        }

        await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
    }

    [Fact]
    public async Task InterfaceDownAndUp_EverySessionAndRouteReturns()
    {
        var center = await StartAsync(new DataCenterOptions { Kind = RouteServerKind.Bird, Servers = new RouteServerOptions { HoldTime = 3 } });
        var agent = Agent.Start(center, "a", "--primary");
        await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        var network = Addresses.NodeNetwork("a");

        // The kernel takes the IPv6 addresses of an interface away with it.
        await center.Sandbox.ScriptAsync($"ip -n {network} link set eth0 down", Cancellation);
        await agent.SayAsync("0 of 4 sessions remain", Cancellation);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
        await center.Sandbox.ScriptAsync(
            $"""
            ip -n {network} link set eth0 up
            ip -n {network} -6 addr add {Addresses.Node("a")}/64 dev eth0 nodad
            ip -n {network} -6 route add default via {Addresses.Gateway}
            """,
            Cancellation);

        await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
    }
}
