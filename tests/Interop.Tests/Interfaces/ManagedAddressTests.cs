using System.Globalization;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;
using FailoverHub.Protos.V1;

namespace FailoverHub.Interop.Tests.Interfaces;

/// <summary>The agent puts the addresses on loopback itself. The node has <see cref="Addresses.SharedIpv4"/> there already, from somebody else.</summary>
public sealed class ManagedAddressTests : DataCenterTest
{
    private const string Own = "203.0.113.11/32";
    private static readonly string[] _prefixes = [Addresses.SharedIpv4, Own, Addresses.SharedRange64, Addresses.SharedRange56];

    [Fact]
    public async Task Stop_WithdrawsFirst_ThenTakesOffWhatItAdded_AndNothingElse()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        var monitor = center.Sandbox.Spawn("monitor", Addresses.NodeNetwork("a"), ["env", "TZ=UTC", "ip", "-ts", "monitor", "address"]);
        await monitor.StartedAsync(Cancellation);
        var capture = await Capture.StartAsync(center, Cancellation);
        var agent = Agent.Start(center, "a", _prefixes, "--primary", "--addresses", "managed");
        await center.SeeRoutesAsync("a", Expected.These(_prefixes, Addresses.Primary), Cancellation);
        Assert.Equal([Addresses.SharedIpv4, Own, "2001:db8:e001:1b8c::1/64", "2001:db8:e002:1b00::1/56"], await OnLoopbackAsync());

        Assert.Equal(0, await agent.TerminateAsync(Cancellation));

        Assert.Equal([Addresses.SharedIpv4], await OnLoopbackAsync());
        await capture.StopAfterAsync("bgp.type == 3", 1, Cancellation);
        var removed = await Eventually.SeeAsync(
            "three addresses deleted",
            async c => (await monitor.LogAsync(c)).Split('\n').Where(line => line.Contains("Deleted", StringComparison.Ordinal) && !line.Contains("eth0", StringComparison.Ordinal)).ToList(),
            lines => lines.Count == 3,
            Cancellation);
        var firstRemoved = DateTime.Parse(removed[0].Split('[', ']')[1], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal) - DateTime.UnixEpoch;
        var withdrawn = await capture.FieldsAsync("bgp.update.path_attribute.type_code == 15", ["frame.time_epoch"], Cancellation);
        var goodbye = await capture.FieldsAsync("bgp.type == 3", ["frame.time_epoch"], Cancellation);
        Assert.NotEmpty(withdrawn);
        Assert.InRange(Seconds(withdrawn[^1]), 0, firstRemoved.TotalSeconds);
        Assert.InRange(Seconds(goodbye[0]), 0, firstRemoved.TotalSeconds);
    }

    [Fact]
    public async Task Killed_KnowsItsOwnAddressesAgain_AndTakesThemOffAtTheEnd()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        var agent = Agent.Start(center, "a", _prefixes, "--primary", "--addresses", "managed");
        await center.SeeRoutesAsync("a", Expected.These(_prefixes, Addresses.Primary), Cancellation);
        await agent.KillAsync(Cancellation);
        Assert.Equal(4, (await OnLoopbackAsync()).Length);

        agent.StartAgain();
        await center.SeeRoutesAsync("a", Expected.These(_prefixes, Addresses.Primary), Cancellation);
        Assert.Equal(0, await agent.TerminateAsync(Cancellation));

        Assert.Equal([Addresses.SharedIpv4], await OnLoopbackAsync());
    }

    [Fact]
    public async Task IntentNamesAPrefix_ItsAddressIsAdded_AndAnnouncedInThatRole()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        Agent.Start(center, "a", [], "--hub", ScriptedHub.Url, "--addresses", "managed");
        var sessions = await center.EstablishedAsync("a", Cancellation);

        await hub.IntendAsync(1, drained: false, new Dictionary<string, Role> { [Addresses.SharedRange64] = Role.Secondary }, Cancellation);

        await center.SeeRoutesAsync("a", Expected.These([Addresses.SharedRange64], Addresses.Secondary), Cancellation);
        Assert.Equal([Addresses.SharedIpv4, "2001:db8:e001:1b8c::1/64"], await OnLoopbackAsync());

        // The range of the route servers themselves: with its ::1 on our interface no session could live.
        await hub.IntendAsync(2, drained: false, new Dictionary<string, Role> { [Addresses.SharedRange64] = Role.Primary, ["2600:3c0f:18:34::/64"] = Role.Primary }, Cancellation);

        await center.SeeRoutesAsync("a", Expected.These([Addresses.SharedRange64], Addresses.Primary), Cancellation);
        Assert.Equal([Addresses.SharedIpv4, "2001:db8:e001:1b8c::1/64"], await OnLoopbackAsync());
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));
    }

    [Fact]
    public async Task SomebodyTakesAnAddressOff_ItIsPutBack_AndStaysAnnounced()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        var agent = Agent.Start(center, "a", _prefixes, "--primary", "--addresses", "managed");
        await center.SeeRoutesAsync("a", Expected.These(_prefixes, Addresses.Primary), Cancellation);
        var withdrawals = await center.WithdrawalsAsync("a", Cancellation);

        await center.Sandbox.ScriptAsync($"ip -n {Addresses.NodeNetwork("a")} addr del {Own} dev lo", Cancellation);
        await agent.SayAsync($"{Own} was taken off lo by somebody else, added again", Cancellation);

        Assert.Contains(Own, await OnLoopbackAsync());
        Assert.Equal(withdrawals, await center.WithdrawalsAsync("a", Cancellation));
    }

    [Fact]
    public async Task NamedInterfaceIsNotThere_AndThisKernelMakesNone_IsSaid_AndNothingIsAnnouncedThatIsNotThere()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        var agent = Agent.Start(center, "a", _prefixes, "--primary", "--addresses", "managed", "--address-device", "shared0");

        // A kernel with dummy interfaces makes one, and then everything is announced.
        await agent.SayAsync("shared0", Cancellation);
        var isMade = (await agent.LogAsync(Cancellation)).Contains("Dummy interface shared0 made", StringComparison.Ordinal);
        await center.SeeRoutesAsync("a", Expected.These(isMade ? _prefixes : [Addresses.SharedIpv4], Addresses.Primary), Cancellation);
    }

    [Fact]
    public async Task MayNotAddAddresses_SaysWhatToDo_AndAnnouncesWhatIsThere()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        var agent = Agent.StartWithout("net_admin", center, "a", _prefixes, "--primary", "--addresses", "managed");

        await agent.SayAsync("CAP_NET_ADMIN", Cancellation);

        await center.SeeRoutesAsync("a", Expected.These([Addresses.SharedIpv4], Addresses.Primary), Cancellation);
    }

    private static double Seconds(string[][] fields) => double.Parse(fields[0][0], CultureInfo.InvariantCulture);

    private async Task<string[]> OnLoopbackAsync()
    {
        var lines = (await Center.Sandbox.RunAsync(Addresses.NodeNetwork("a"), ["ip", "-o", "addr", "show", "dev", "lo", "scope", "global"], Cancellation)).Checked().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3]).OrderBy(address => address.Contains(':', StringComparison.Ordinal)).ThenBy(address => address, StringComparer.Ordinal)];
    }
}
