using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Interfaces;

/// <summary>What somebody does to the interfaces of a node with <c>ip</c>, as the route server has it afterwards.</summary>
public sealed class WatchedAddressTests : DataCenterTest
{
    private const string Second = "203.0.113.11/32";

    [Fact]
    public async Task AddressesOnLoopback_ComeAndGo_AndTheRouteServerSeesEach()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        var agent = Agent.Start(center, "a", [], "--primary");
        await SeeAsync(Addresses.SharedIpv4);
        var sessions = await center.EstablishedAsync("a", Cancellation);

        await IpAsync($"addr add {Second} dev lo", "addr add 2001:db8:e001:1b8c::1/64 dev lo", "addr add 2001:db8:e002:1b00::1/56 dev lo", "addr add 198.51.100.77/24 dev lo");
        await SeeAsync(Addresses.SharedIpv4, Second, Addresses.SharedRange64, Addresses.SharedRange56);

        await IpAsync($"addr del {Addresses.SharedIpv4} dev lo", "addr del 2001:db8:e001:1b8c::1/64 dev lo");
        await SeeAsync(Second, Addresses.SharedRange56);

        await agent.SayAsync($"{Addresses.SharedIpv4} withdrawn (address-missing)", Cancellation);
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));
    }

    [Fact]
    public async Task AllInterfaces_InterfaceGoesDownAndUp_ItsAddressGoesAndComes_AndTheNodesOwnIsNeverAnnounced()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        await IpAsync("link add eth1 type veth peer name eth2", "link set eth1 up", "link set eth2 up", $"addr add {Second} dev eth1");
        var agent = Agent.Start(center, "a", [], "--primary", "--allifs");
        await SeeAsync(Addresses.SharedIpv4, Second);

        await IpAsync("link set eth1 down");
        await SeeAsync(Addresses.SharedIpv4);
        await agent.SayAsync($"{Second} withdrawn (address-missing)", Cancellation);

        await IpAsync("link set eth1 up");
        await SeeAsync(Addresses.SharedIpv4, Second);
    }

    [Fact]
    public async Task AllInterfaces_AddressThatAnotherHostHas_IsNotAnnounced()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        await IpAsync("link add eth1 type veth peer name eth2", "link set eth1 up", "link set eth2 up", "addr add 2001:db8:e001:1b8c::1/64 dev eth2 nodad");
        await Eventually.SeeAsync(
            "the address of eth2 in use", c => ShowAsync("eth2", c), text => text.Contains("2001:db8:e001:1b8c::1", StringComparison.Ordinal) && !text.Contains("tentative", StringComparison.Ordinal), Cancellation);
        await IpAsync("addr add 2001:db8:e001:1b8c::1/64 dev eth1", "addr add 2001:db8:e002:1b00::1/56 dev eth1");
        await Eventually.SeeAsync("the duplicate found", c => ShowAsync("eth1", c), text => text.Contains("dadfailed", StringComparison.Ordinal), Cancellation);
        await IpAsync("addr del 2001:db8:e001:1b8c::1/64 dev eth2");

        Agent.Start(center, "a", [], "--primary", "--allifs");

        // The other address of that interface shows that the interface is looked at.
        await SeeAsync(Addresses.SharedIpv4, Addresses.SharedRange56);
    }

    [Fact]
    public async Task TenThousandAddresses_AreAnnounced_AndOneOfThemRemovedIsWithdrawn()
    {
        var center = await StartOneAsync(RouteServerKind.Frr, new RouteServerOptions { ManyPrefixes = true });
        var agent = Agent.Start(center, "a", [], "--primary");
        var sessions = await center.EstablishedAsync("a", Cancellation);
        string[] many = [.. Enumerable.Range(0, 10_000).Select(n => $"198.{18 + (n / 65536)}.{n / 256 % 256}.{n % 256}/32")];

        await center.Sandbox.WriteAsync("/run/many", string.Concat(many.Select(address => $"addr add {address} dev lo\n")), Cancellation);
        await center.Sandbox.ScriptAsync($"ip -n {Addresses.NodeNetwork("a")} -batch /run/many", Cancellation);
        await SeeAsync([Addresses.SharedIpv4, .. many]);

        await IpAsync($"addr del {many[5000]} dev lo");
        await SeeAsync([Addresses.SharedIpv4, .. many.Where(address => address != many[5000])]);

        await agent.SayAsync($"{many[5000]} withdrawn (address-missing)", Cancellation);
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));
    }

    private Task SeeAsync(params string[] prefixes) => Center.SeeRoutesAsync("a", Expected.These(prefixes, Addresses.Primary), Cancellation);

    private async Task<string> ShowAsync(string device, CancellationToken cancellation) =>
        (await Center.Sandbox.RunAsync(Addresses.NodeNetwork("a"), ["ip", "-6", "addr", "show", "dev", device], cancellation)).Checked();

    private Task IpAsync(params string[] commands) =>
        Center.Sandbox.ScriptAsync(string.Join('\n', commands.Select(command => $"ip -n {Addresses.NodeNetwork("a")} {command}")), Cancellation);
}
