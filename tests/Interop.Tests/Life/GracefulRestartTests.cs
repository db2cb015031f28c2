using System.Globalization;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Life;

/// <summary>
/// Graceful restart (RFC 4724, RFC 8538): a route server that restarts is told when it has everything, and it never keeps routes of ours that nobody stands behind.
/// Its restart time is two minutes, longer than any wait of these tests: a route that was kept would be seen.
/// </summary>
public sealed class GracefulRestartTests : DataCenterTest
{
    private static readonly RouteServerOptions Graceful = new() { GracefulRestart = true };

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task DaemonKilledAndRestartedGracefully_HasEveryRouteAndAnEndOfRibOfEachFamily(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind, Graceful);
        var server = center.RouteServers[0];
        Agent.Start(center, "a", "--primary", "--graceful-restart-helper");
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        await server.Process.KillAsync(Cancellation);
        var capture = await Capture.StartAsync(center, Cancellation);
        await server.StartAsync(Cancellation, recovers: true);

        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        await center.SeeBestAsync("a", Addresses.Shared, Cancellation);
        // An UPDATE with nothing in it, and one with nothing but an empty MP_UNREACH_NLRI.
        await capture.StopAfterAsync($"bgp.type == 2 && bgp.length <= 30 && ipv6.src == {Addresses.Node("a")}", 1, Cancellation);
        var lengths = (await capture.FieldsAsync($"bgp.type == 2 && ipv6.src == {Addresses.Node("a")}", ["bgp.length"], Cancellation)).SelectMany(packet => packet[0]);
        Assert.Equal(["23", "30"], lengths.Where(length => int.Parse(length, CultureInfo.InvariantCulture) <= 30).Order(StringComparer.Ordinal));
        Assert.Empty(await capture.ComplaintsAsync(Cancellation));
        if (kind != RouteServerKind.GoBgp)
        {
            // GoBGP shows capabilities as raw bytes only.
            Assert.Matches(
                kind == RouteServerKind.Frr ? "Graceful Restart Capabil\\w*: advertised and received" : "(?s)Neighbor capabilities.*Graceful restart",
                await server.DescribeAsync("a", Cancellation));
        }

        var restarting = await capture.FieldsAsync($"bgp.type == 1 && ipv6.src == {server.Address}", ["bgp.cap.gr.timers.restart_flag"], Cancellation);
        Assert.Contains(restarting, open => open[0].Contains("1"));
    }

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task StoppedAsHelper_DaemonKeepsNoRoute(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind, Graceful);
        var capture = await Capture.StartAsync(center, Cancellation);
        var agent = Agent.Start(center, "a", "--primary", "--graceful-restart-helper");
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        Assert.Equal(0, await agent.TerminateAsync(Cancellation));

        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
        var fromUs = $"ipv6.src == {Addresses.Node("a")}";
        await capture.StopAfterAsync($"bgp.type == 3 && {fromUs}", 1, Cancellation);
        // Hard Reset where the daemon has the N bit as well, else it would have to keep our routes; without it the plain Administrative Shutdown.
        var farewell = Assert.Single(await capture.FieldsAsync($"bgp.type == 3 && {fromUs}", ["bgp.notify.minor_error_cease"], Cancellation));
        var daemon = Assert.Single(await capture.FieldsAsync($"bgp.type == 1 && !({fromUs})", ["bgp.cap.gr.timers.notification_flag"], Cancellation));
        Assert.Equal(daemon[0].Contains("1") ? ["9"] : ["2"], farewell[0]);
        TestContext.Current.TestOutputHelper?.WriteLine($"N bit of the daemon: {string.Join(' ', daemon[0])}, Cease/{farewell[0][0]}");
    }

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task KilledAsHelper_DaemonKeepsNoRoute(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind, Graceful);
        var agent = Agent.Start(center, "a", "--primary", "--graceful-restart-helper");
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        await agent.KillAsync(Cancellation);

        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
    }

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task KilledAsByDefault_DaemonThatCouldKeepRoutes_KeepsNone(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind, Graceful);
        var agent = Agent.Start(center, "a", "--primary");
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        await agent.KillAsync(Cancellation);

        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
    }
}
