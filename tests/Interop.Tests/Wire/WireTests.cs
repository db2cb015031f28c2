using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;
using FailoverHub.Protos.V1;

namespace FailoverHub.Interop.Tests.Wire;

/// <summary>What leaves the node is well-formed for a dissector that is not ours, and means there what it is meant to.</summary>
public sealed class WireTests : DataCenterTest
{
    private const int Open = 1;
    private const int Update = 2;
    private const int Notification = 3;

    private static readonly string FromUs = $"ipv6.src == {Addresses.Node("a")}";

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task WholeLife_OnTheWire_WiresharkReadsWhatWeMeanAndHasNoComplaint(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind);
        var capture = await Capture.StartAsync(center, Cancellation);

        await LiveAsync(center);

        await capture.StopAfterAsync($"bgp.type == {Notification} && {FromUs}", 1, Cancellation);
        Assert.Empty(await capture.ComplaintsAsync(Cancellation));
        await ReadsOpenAsync(capture);
        await ReadsAnnouncementsAsync(capture);
        await ReadsWithdrawalsAsync(capture);
        await ReadsFarewellAsync(capture);
    }

    // All that a node says in its life: announced, another role, drained and back, asked again, stopped.
    private static async Task LiveAsync(DataCenter center)
    {
        var server = center.RouteServers[0];
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        var agent = Agent.Start(center, "a", "--primary", "--hub", ScriptedHub.Url);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        var roles = Addresses.Shared.ToDictionary(prefix => prefix, _ => Role.Secondary);
        await hub.IntendAsync(1, drained: false, roles, Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Secondary), Cancellation);
        await hub.IntendAsync(2, drained: true, roles, Cancellation);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
        await hub.IntendAsync(3, drained: false, roles, Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Secondary), Cancellation);
        if (center.Options.Kind != RouteServerKind.GoBgp)
        {
            // GoBGP keeps what it received and asks nobody.
            var before = await server.TrafficAsync("a", Cancellation);
            await server.RefreshAsync("a", Cancellation);
            await Eventually.SeeAsync("the routes again", c => server.TrafficAsync("a", c), now => now.Updates >= before.Updates + 2, Cancellation);
        }

        Assert.Equal(0, await agent.TerminateAsync(Cancellation));
    }

    private static async Task ReadsOpenAsync(Capture capture)
    {
        var open = Assert.Single(await capture.FieldsAsync(
            $"bgp.type == {Open} && {FromUs}",
            ["bgp.open.version", "bgp.open.myas", "bgp.open.holdtime", "bgp.cap.type", "bgp.cap.4as", "bgp.cap.mp.afi", "bgp.cap.enh.afi", "bgp.cap.enh.nhafi"],
            Cancellation));
        // Capabilities: two families, route refresh, IPv4 with an IPv6 next hop, four-octet AS numbers. None that the platform is not known to want.
        string[][] expected = [["4"], ["65001"], ["9"], ["1", "1", "2", "5", "65"], ["65001"], ["1", "2"], ["1"], ["2"]];
        Assert.Equal(expected, open);
    }

    private static async Task ReadsAnnouncementsAsync(Capture capture)
    {
        var announcements = await capture.FieldsAsync(
            $"bgp.mp_reach_nlri_ipv4_prefix && {FromUs}",
            ["bgp.update.path_attribute.community_value", "bgp.mp_reach_nlri_ipv4_prefix"],
            Cancellation);
        // Primary, secondary, secondary again after the drain; more where the daemon asked again.
        var roles = announcements.Select(packet => packet[0][0]).ToArray();
        Assert.Equal("1", roles[0]);
        Assert.Equal(["2", "2"], roles[^2..]);
        Assert.All(announcements, packet => Assert.Equal(["203.0.113.10"], packet[1]));

        var ranges = await capture.FieldsAsync($"bgp.mp_reach_nlri_ipv6_prefix && {FromUs}", ["bgp.mp_reach_nlri_ipv6_prefix"], Cancellation);
        Assert.All(ranges, packet => Assert.Equal(["2001:db8:e001:1b8c::", "2001:db8:e002:1b00::"], packet[0].Order(StringComparer.Ordinal)));

        var all = await capture.FieldsAsync(
            $"bgp.update.path_attribute.type_code == 14 && {FromUs}",
            [
                "bgp.type", "bgp.update.path_attribute.type_code", "bgp.update.path_attribute.origin", "bgp.update.path_attribute.as_path_segment.as4",
                "bgp.update.path_attribute.community_as", "bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv6",
            ],
            Cancellation);
        Assert.All(all, packet =>
        {
            // The attribute with the prefixes comes first (RFC 7606 5.1); then ORIGIN, AS_PATH, COMMUNITIES.
            var messages = packet[0].Length;
            Assert.All(packet[0], type => Assert.Equal("2", type));
            Assert.Equal(Repeated(messages, "14", "1", "2", "8"), packet[1]);
            Assert.Equal(Repeated(messages, "2"), packet[2]);
            Assert.Equal(Repeated(messages, "65001"), packet[3]);
            Assert.Equal(Repeated(messages, "65000"), packet[4]);
            Assert.Equal(Repeated(messages, Addresses.Node("a")), packet[5]);
        });
    }

    private static async Task ReadsWithdrawalsAsync(Capture capture)
    {
        var withdrawals = await capture.FieldsAsync(
            $"bgp.type == {Update} && bgp.update.path_attribute.type_code == 15 && {FromUs}",
            ["bgp.mp_unreach_nlri_ipv4_prefix", "bgp.mp_unreach_nlri_ipv6_prefix", "bgp.update.path_attribute.type_code"],
            Cancellation);
        // Once drained and once stopped; two messages in one packet each time.
        Assert.Equal(2, withdrawals.Count);
        Assert.All(withdrawals, packet =>
        {
            Assert.Equal(["203.0.113.10"], packet[0]);
            Assert.Equal(["2001:db8:e001:1b8c::", "2001:db8:e002:1b00::"], packet[1].Order(StringComparer.Ordinal));
            Assert.Equal(["15", "15"], packet[2]);
        });
    }

    private static async Task ReadsFarewellAsync(Capture capture)
    {
        var farewell = Assert.Single(await capture.FieldsAsync(
            $"bgp.type == {Notification} && {FromUs}", ["bgp.notify.major_error", "bgp.notify.minor_error_cease", "bgp.notify.communication"], Cancellation));
        Assert.Equal(["6"], farewell[0]);
        Assert.Equal(["2"], farewell[1]);
        Assert.Equal("failoverhub-agent stopping: SIGTERM on node-a", string.Join(' ', farewell[2]));
    }

    private static string[] Repeated(int times, params string[] values) => [.. Enumerable.Repeat(values, times).SelectMany(v => v)];
}
