using System.Text.Json.Nodes;
using FailoverHub.Interop.Tests.Harness;

namespace FailoverHub.Interop.Tests.Forwarding;

/// <summary>The hub's own machine loses its way out, and the network goes on without it: nothing is lost but what the hub knows.</summary>
public sealed class HubCutOffTests : HubAtTheClientTest
{
    // Longer than two lost probes, the gateway's three and the kernel's table take together.
    private static readonly TimeSpan _cutOff = TimeSpan.FromSeconds(8);

    [Theory]
    [InlineData("its default routes are deleted")]
    [InlineData("its link goes down")]
    public async Task HubWithoutAWayOut_CallsNoAddressLost_AndKnowsThemAgainWhenItHasOne(string what)
    {
        await StartFabricAsync();
        var hub = await StartHubAtTheClientAsync();
        await JoinAsync(hub, "a", "--primary");
        await JoinAsync(hub, "b", "--secondary");
        await Eventually.SeeAsync("each address answers the hub", hub.ReachabilityAsync, targets => AllAre(targets, "Reachable"), Cancellation);
        var isLink = what.Contains("link", StringComparison.Ordinal);

        await ScriptAsync(isLink ? "link set eth0 down" : "route del default", isLink ? null : "-6 route del default");
        await Eventually.SeeAsync(
            "the hub says that it is cut off", c => hub.EventsAsync(c, "hub-cut-off"), events => events.Any(text => text.Contains("no IPv4 route out", StringComparison.Ordinal)), Cancellation);
        await Eventually.SeeAsync("nothing is known", hub.ReachabilityAsync, targets => AllAre(targets, "Unknown"), Cancellation);
        await Eventually.StaysAsync("nothing is known", _cutOff, hub.ReachabilityAsync, targets => AllAre(targets, "Unknown"), Cancellation);

        // A link that is down forgets its routes, and its IPv6 addresses.
        await ScriptAsync(isLink ? "link set eth0 up" : null, isLink ? "-6 addr add 2001:db8:c::2/64 dev eth0 nodad" : null, "route add default via 198.19.0.1", "-6 route add default via 2001:db8:c::1");
        await Eventually.SeeAsync("each address answers the hub again", hub.ReachabilityAsync, targets => AllAre(targets, "Reachable"), Cancellation);
        await Eventually.SeeAsync("the hub says that it is connected", c => hub.EventsAsync(c, "hub-connected"), events => events.Count > 0, Cancellation);
        Assert.Empty(await hub.EventsAsync(Cancellation, "reachability-lost"));
    }

    // What both nodes share; that a node's own address answers is not what this is about.
    private static bool AllAre(IReadOnlyList<JsonNode> targets, string state) =>
        targets.Where(target => target["prefix"] is not null).ToList() is { Count: > 0 } shared && shared.Count == Prefixes.Length && shared.All(target => (string?)target["state"] == state);

    private Task ScriptAsync(params string?[] commands) =>
        Center.Sandbox.ScriptAsync(string.Join("; ", commands.OfType<string>().Select(command => $"ip -n {Addresses.ClientNetwork} {command}")), Cancellation);
}
