using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Interfaces;

/// <summary>A real radvd tells the node its prefix, and the node's kernel makes addresses of it as Linux does in each of its ways. None of them is ever announced.</summary>
public sealed class RouterAdvertisementTests : DataCenterTest
{
    // Nothing but how it came to the interface tells its addresses from shared ones.
    private const string Advertised = "2001:db8:e003:1b8c::/64";
    private const string Later = "2001:db8:e004:1b8c::/64";
    private const string Shared = "203.0.113.11/32";
    private const string Configuration = "/run/radvd.conf";

    [Theory]
    [InlineData("from the hardware address", "addr_gen_mode=0")]
    [InlineData("stable and opaque (RFC 7217)", "addr_gen_mode=3")]
    [InlineData("temporary beside it (RFC 8981)", "use_tempaddr=2")]
    public async Task AllInterfaces_WhatTheKernelMakesOfAnAdvertisement_IsNotAnnounced_AndWhatAnOperatorAddsBesideItIs(string how, string setting)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(how);
        var center = await StartOneAsync(RouteServerKind.Frr);
        var (name, value) = (setting.Split('=')[0], setting.Split('=')[1]);
        await center.Sandbox.ScriptAsync(
            $"""
            ip link add eth1 netns {Node} type veth peer name ra0 netns {Addresses.RouteServerNetwork}
            ip netns exec {Addresses.RouteServerNetwork} sh -c 'echo 1 >/proc/sys/net/ipv6/conf/ra0/forwarding'
            ip netns exec {Node} sh -c 'echo {value} >/proc/sys/net/ipv6/conf/eth1/{name}; echo 0 >/proc/sys/net/ipv6/conf/eth1/accept_dad; echo 0 >/proc/sys/net/ipv6/conf/eth1/accept_ra_defrtr'
            ip -n {Addresses.RouteServerNetwork} link set ra0 up
            ip -n {Node} link set eth1 up
            """,
            Cancellation);
        var router = await AdvertiseAsync(center, Advertised);
        var first = await MadeAsync(Advertised, temporary: name == "use_tempaddr");
        await center.Sandbox.ScriptAsync($"ip -n {Node} addr add {Shared} dev eth1", Cancellation);

        // They are there when it starts.
        Agent.Start(center, "a", [], "--primary", "--allifs");
        await center.SeeRoutesAsync("a", Expected.These([Addresses.SharedIpv4, Shared], Addresses.Primary), Cancellation);

        // Others come while it watches, and what comes after them is announced: so they have been looked at.
        await router.KillAsync(Cancellation);
        await AdvertiseAsync(center, Advertised, Later);
        var second = await MadeAsync(Later, temporary: name == "use_tempaddr");
        await center.Sandbox.ScriptAsync($"ip -n {Node} -6 addr add 2001:db8:e001:1b8c::1/64 dev eth1 nodad", Cancellation);
        await center.SeeRoutesAsync("a", Expected.These([Addresses.SharedIpv4, Shared, Addresses.SharedRange64], Addresses.Primary), Cancellation);

        // The whole /64 is the router's: an operator's address in it is not shared either. What is added after it shows that it was looked at.
        await center.Sandbox.ScriptAsync($"ip -n {Node} -6 addr add 2001:db8:e003:1b8c::77/64 dev eth1 nodad; ip -n {Node} addr add 203.0.113.12/32 dev eth1", Cancellation);
        await center.SeeRoutesAsync("a", Expected.These([Addresses.SharedIpv4, Shared, "203.0.113.12/32", Addresses.SharedRange64], Addresses.Primary), Cancellation);

        // And nothing was announced in between and taken back.
        Assert.Equal(0, await center.WithdrawalsAsync("a", Cancellation));
        TestContext.Current.TestOutputHelper?.WriteLine($"{first}\n{second}");
    }

    private static string Node => Addresses.NodeNetwork("a");

    private static async Task<SandboxProcess> AdvertiseAsync(DataCenter center, params string[] prefixes)
    {
        var told = string.Join(' ', prefixes.Select(prefix => $"prefix {prefix} {{ AdvOnLink on; AdvAutonomous on; AdvValidLifetime 3600; AdvPreferredLifetime 1800; }};"));
        await center.Sandbox.WriteAsync(Configuration, $"interface ra0 {{ AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; {told} }};\n", Cancellation);
        return center.Sandbox.Spawn($"radvd-{prefixes.Length}", Addresses.RouteServerNetwork, ["radvd", "--config", Configuration, "--pidfile", $"/run/radvd-{prefixes.Length}.pid", "--nodaemon", "--logmethod", "stderr"]);
    }

    // The addresses that the kernel has made of a prefix, in the words of ip.
    private Task<string> MadeAsync(string prefix, bool temporary) => Eventually.SeeAsync(
        $"the addresses of {prefix} in use",
        async c =>
        {
            var said = (await Center.Sandbox.RunAsync(Node, ["ip", "-o", "-6", "addr", "show", "dev", "eth1", "dynamic"], c)).Checked();
            return string.Join('\n', said.Split('\n').Where(line => line.Contains(prefix.Replace("::/64", ":", StringComparison.Ordinal), StringComparison.Ordinal)));
        },
        made => made.Contains("dynamic", StringComparison.Ordinal) && !made.Contains("tentative", StringComparison.Ordinal) && made.Contains("temporary", StringComparison.Ordinal) == temporary,
        Cancellation);
}
