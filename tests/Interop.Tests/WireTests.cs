using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;
using FailoverHub.Protos.V1;

namespace FailoverHub.Interop.Tests;

/// <summary>What leaves the node is well-formed for a dissector that is not ours either, and that complains of more than a daemon does.</summary>
public sealed class WireTests : DataCenterTest
{
    private const string Capture = "/run/wire.pcap";

    // Wireshark's own numbers: PI_WARN. Notes and chats are about TCP's ordinary life.
    private const string Complaints = "tcp.port == 179 && (_ws.malformed || (bgp && _ws.expert.severity >= 0x00600000))";

    [Fact]
    public async Task WholeLife_OnTheWire_WiresharkHasNoComplaint()
    {
        var center = await StartAsync(RouteServerKind.Bird);
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        var tshark = center.Sandbox.Spawn("tshark", Addresses.RouteServerNetwork, ["tshark", "-i", "lan", "-w", Capture, "-f", "tcp port 179"]);
        await Eventually.SeeAsync("tshark capturing", tshark.LogAsync, log => log.Contains("Capturing on", StringComparison.Ordinal), Cancellation);

        var agent = Agent.Start(center, "a", "--primary", "--hub", ScriptedHub.Url);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        var roles = Addresses.Shared.ToDictionary(prefix => prefix, _ => Role.Secondary);
        await hub.IntendAsync(1, drained: false, roles, Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Secondary), Cancellation);
        await hub.IntendAsync(2, drained: true, roles, Cancellation);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
        Assert.Equal(0, await agent.TerminateAsync(Cancellation));
        // The last packet of each session is written out before the capture ends.
        await Eventually.SeeAsync("four farewells in the capture", c => ReadAsync($"bgp.type == 3 && ipv6.src == {Addresses.Node("a")}", c), lines => lines.Length == 4, Cancellation);
        await tshark.SignalAsync("TERM", Cancellation);
        await tshark.ExitAsync(Cancellation);

        // The capture has what it is to have, so that having no complaint means something.
        Assert.NotEmpty(await ReadAsync($"bgp.type == 1 && ipv6.src == {Addresses.Node("a")}", Cancellation));
        Assert.NotEmpty(await ReadAsync($"bgp.update.path_attribute.community_value == 1 && ipv6.src == {Addresses.Node("a")}", Cancellation));
        Assert.NotEmpty(await ReadAsync($"bgp.update.path_attribute.community_value == 2 && ipv6.src == {Addresses.Node("a")}", Cancellation));
        Assert.Empty(await ReadAsync(Complaints, Cancellation));
    }

    // A line for each packet that passes the filter.
    private async Task<string[]> ReadAsync(string filter, CancellationToken cancellation) =>
        (await Center.Sandbox.RunAsync(null, ["tshark", "-n", "-r", Capture, "-Y", filter], cancellation)).Checked().Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
