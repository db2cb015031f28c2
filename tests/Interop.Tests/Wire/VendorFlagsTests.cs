using System.Globalization;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Wire;

/// <summary>
/// The unit of the vendor's client with our program in it, and not a word changed: the same four route servers hear the same from it. Compared with what a daemon that
/// is configured as that client put on a wire.
/// </summary>
public sealed class VendorFlagsTests : DataCenterTest
{
    private const string Marker = "ffffffffffffffffffffffffffffffff";

    // Its OPEN offers one thing more, the host's name (73), which tells nothing to a route server.
    private const string TheirOpen = "0104fde900090a0000012402220200490402766d0001040001000101040002000141040000fde90506000100010002";
    private const string TheirHostName = "490402766d00";
    private static readonly string[] TheirAttributes = ["40010102", "40020602010000fde9", "c00804fde80001"];

    [Fact]
    public async Task UnitOfTheVendorsClient_Unchanged_TheSameOpenAndTheSameAttributesAtAllFour()
    {
        var center = await StartAsync(RouteServerKind.Frr);
        await center.Sandbox.ScriptAsync($"ip -n {Addresses.NodeNetwork("a")} -6 addr add 2001:db8:e002:1b01::1/128 dev lo nodad", Cancellation);
        var capture = await Capture.StartAsync(center, Cancellation);

        center.Sandbox.Spawn(
            "agent",
            Addresses.NodeNetwork("a"),
            [BuiltPaths.AgentExecutable, "-dcid", "18", "-primary", "-allifs", "-send56", "-multihopttl", "16", "-loglevel", "info", "-logjson"],
            new Dictionary<string, string> { ["DOTNET_ROOT"] = Agent.Runtime, ["FAILOVERHUB_AGENT_STATE"] = "/run/state" });
        await center.SeeRoutesAsync("a", Expected.These([Addresses.SharedIpv4, Addresses.SharedRange56], Addresses.Primary), Cancellation);

        const string fromUs = "ipv6.src == 2600:3c0f:18:1::a && ipv6.hlim == 16";
        await capture.StopAfterAsync($"bgp.type == 1 && {fromUs}", 4, Cancellation);
        var streams = (await capture.FieldsAsync($"tcp.len > 0 && {fromUs}", ["tcp.stream", "ipv6.dst", "tcp.payload"], Cancellation))
            .GroupBy(packet => packet[0][0], packet => (To: packet[1][0], Payload: packet[2][0]))
            .ToList();
        Assert.Equal(center.RouteServers.Select(server => server.Address), streams.Select(stream => stream.First().To).Order(StringComparer.Ordinal));
        foreach (var stream in streams)
        {
            Compare([.. string.Concat(stream.Select(packet => packet.Payload)).Split(Marker, StringSplitOptions.RemoveEmptyEntries).Select(message => message[4..])]);
        }
    }

    private static void Compare(string[] messages)
    {
        var open = Assert.Single(messages, message => message.StartsWith("01", StringComparison.Ordinal));
        // Version, AS and hold time; then the router id, which that client has the same on every node.
        Assert.Equal(TheirOpen[..12], open[..12]);
        Assert.Equal(Capabilities(TheirOpen).Where(capability => capability != TheirHostName), Capabilities(open));

        const string nextHop = "2600" + "3c0f" + "0018" + "0001" + "000000000000000a";
        string[][] expected =
        [
            [.. TheirAttributes, "800e1a" + "000101" + "10" + nextHop + "00" + "20cb00710a"],
            [.. TheirAttributes, "800e1d" + "000201" + "10" + nextHop + "00" + "3820010db8e0021b"],
        ];
        // FRR may have asked for all of it once more.
        Assert.Equal(expected, messages.Where(message => message.StartsWith("02", StringComparison.Ordinal)).Distinct().Select(Attributes).OrderBy(attributes => attributes[^1], StringComparer.Ordinal));
    }

    // In one order: neither that of capabilities nor that of attributes means anything. Ours has the prefixes first (RFC 7606 5.1).
    private static IEnumerable<string> Capabilities(string open)
    {
        var parameters = Items(open[22..], 2).ToList();
        Assert.All(parameters, parameter => Assert.StartsWith("02", parameter, StringComparison.Ordinal));
        return parameters.SelectMany(parameter => Items(parameter[4..], 2)).Order(StringComparer.Ordinal);
    }

    private static string[] Attributes(string update)
    {
        // No withdrawn routes, and no prefixes behind the attributes.
        Assert.Equal("0000", update[2..6]);
        Assert.Equal(update.Length - 10, 2 * Number(update[6..10]));
        return [.. Items(update[10..], 4).OrderBy(attribute => attribute[2..4] == "0e").ThenBy(attribute => attribute[2..4], StringComparer.Ordinal)];
    }

    // Each begins with a head of so many digits, then a length. That of an attribute may have two octets (RFC 4271 4.3), which is another way to say the same.
    private static IEnumerable<string> Items(string digits, int head)
    {
        for (var at = 0; at < digits.Length;)
        {
            var isLong = head == 4 && (Number(digits.Substring(at, 2)) & 0x10) != 0;
            var start = at + head + (isLong ? 4 : 2);
            var value = digits.Substring(start, 2 * Number(digits[(at + head)..start]));
            yield return isLong ? $"{Number(digits.Substring(at, 2)) & ~0x10:x2}{digits.Substring(at + 2, 2)}{value.Length / 2:x2}{value}" : digits[at..start] + value;
            at = start + value.Length;
        }
    }

    private static int Number(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
