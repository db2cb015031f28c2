using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Discovery;

/// <summary>On an instance of the platform the agent needs one flag: its role.</summary>
public sealed class MetadataTests : DataCenterTest
{
    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    public async Task RoleAlone_FindsItsRouteServers_AndAnnouncesWhatIsShared(RouteServerKind kind)
    {
        var center = await StartAsync(kind);
        await using var service = await MetadataService.StartAsync(center, "a", Addresses.Node("a"), Cancellation);

        var agent = Agent.StartAlone(center, "a", "--primary");

        await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.These([Addresses.SharedIpv4], Addresses.Primary), Cancellation);
        foreach (var server in center.RouteServers)
        {
            Expected.AsThePlatformWantsIt(Assert.Single(await server.RoutesAsync(Cancellation)), "a");
        }

        await agent.SayAsync("us-ord is data center 18", Cancellation);
    }

    [Fact]
    public async Task BootsBeforeItsNetwork_WaitsForTheService_AndARestartWaitsNoMore()
    {
        var center = await StartAsync(RouteServerKind.Bird);
        var agent = Agent.StartAlone(center, "a", "--primary");
        await agent.SayAsync("The metadata service does not answer", Cancellation);

        await using (await MetadataService.StartAsync(center, "a", Addresses.Node("a"), Cancellation))
        {
            await center.SeeRoutesAsync("a", Expected.These([Addresses.SharedIpv4], Addresses.Primary), Cancellation);
        }

        Assert.Equal(0, await agent.TerminateAsync(Cancellation));
        agent.StartAgain();

        await agent.SayAsync("By what the metadata service said", Cancellation);
        await center.SeeRoutesAsync("a", Expected.These([Addresses.SharedIpv4], Addresses.Primary), Cancellation);
    }

    [Fact]
    public async Task SharedAddressOnNoInterface_IsWarnedOf_AndAnnouncedAsSoonAsItIsThere()
    {
        var center = await StartAsync(RouteServerKind.Bird);
        await center.Sandbox.ScriptAsync($"ip -n {Addresses.NodeNetwork("a")} addr del {Addresses.SharedIpv4} dev lo", Cancellation);
        await using var service = await MetadataService.StartAsync(center, "a", Addresses.Node("a"), Cancellation);
        var agent = Agent.StartAlone(center, "a", "--primary");
        await center.EstablishedAsync("a", Cancellation);
        await agent.SayAsync($"{Addresses.SharedIpv4} is shared with this machine, but no interface has an address of it", Cancellation);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
        Assert.Contains("not announced: address-missing", await agent.StatusAsync(Cancellation), StringComparison.Ordinal);

        await center.Sandbox.ScriptAsync($"ip -n {Addresses.NodeNetwork("a")} addr add {Addresses.SharedIpv4} dev lo", Cancellation);

        await center.SeeRoutesAsync("a", Expected.These([Addresses.SharedIpv4], Addresses.Primary), Cancellation);
    }

    [Fact]
    public async Task SharedAddressOnNoInterface_ManagedAddresses_IsAddedAndAnnounced()
    {
        var center = await StartAsync(RouteServerKind.Bird);
        await center.Sandbox.ScriptAsync($"ip -n {Addresses.NodeNetwork("a")} addr del {Addresses.SharedIpv4} dev lo", Cancellation);
        await using var service = await MetadataService.StartAsync(center, "a", Addresses.Node("a"), Cancellation);

        Agent.StartAlone(center, "a", "--primary", "--addresses", "managed");

        await center.SeeRoutesAsync("a", Expected.These([Addresses.SharedIpv4], Addresses.Primary), Cancellation);
    }
}
