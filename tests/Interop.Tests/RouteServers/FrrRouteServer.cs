using System.Text.Json;
using FailoverHub.Interop.Tests.Harness;

namespace FailoverHub.Interop.Tests.RouteServers;

/// <summary>FRRouting's bgpd, without zebra.</summary>
internal sealed class FrrRouteServer(Sandbox sandbox, int number, RouteServerOptions options) : RouteServer(sandbox, number, options)
{
    private string Folder => $"/run/{Name}";

    protected override async Task<SandboxProcess> SpawnAsync(bool recovers, CancellationToken cancellation)
    {
        await Sandbox.WriteAsync($"{Folder}/bgpd.conf", Configuration(), cancellation);
        // It tells that it has restarted after every start. -S -Z: no change of user and no zebra. -P 0: no telnet port. -l: all four share port 179.
        return Sandbox.Spawn(Name, Addresses.RouteServerNetwork,
            ["/usr/lib/frr/bgpd", "-f", $"{Folder}/bgpd.conf", "-i", $"{Folder}/bgpd.pid", "--vty_socket", Folder, "-A", "127.0.0.1", "-P", "0", "-l", Address, "-S", "-n", "-Z"]);
    }

    public override async Task<SeenSession> SessionAsync(string node, CancellationToken cancellation)
    {
        var neighbor = await NeighborAsync(node, cancellation);
        var state = neighbor.GetProperty("bgpState").GetString();
        // Before its start timer has fired a passive neighbor is idle, and FRR refuses the connection.
        if (state == "Idle" && !neighbor.TryGetProperty("lastErrorCodeSubcode", out _))
        {
            throw new InvalidOperationException("FRR does not listen to its neighbors yet.");
        }

        return new SeenSession(
            state == "Established",
            // Not bgpTimerUpEstablishedEpoch: FRR computes it anew each time, and it moves by a second.
            $"session {Text(neighbor, "connectionsEstablished")}, {Text(neighbor, "connectionsDropped")} dropped",
            neighbor.TryGetProperty("lastNotificationReason", out var reason) ? $"{reason.GetString()}: {Text(neighbor, "lastShutdownDescription")}" : "");
    }

    public override async Task<SeenTraffic> TrafficAsync(string node, CancellationToken cancellation)
    {
        var neighbor = await NeighborAsync(node, cancellation);
        return new SeenTraffic(
            neighbor.TryGetProperty("bgpTimerHoldTimeMsecs", out var hold) ? hold.GetInt32() / 1000 : 0,
            neighbor.GetProperty("messageStats").GetProperty("updatesRecv").GetInt32());
    }

    public override Task<string> DescribeAsync(string node, CancellationToken cancellation) => VtyAsync($"show bgp neighbors {AddressOf(node)}", cancellation);

    public override async Task RefreshAsync(string node, CancellationToken cancellation) => await VtyAsync($"clear bgp {AddressOf(node)} soft in", cancellation);

    public override async Task ResetAsync(string node, CancellationToken cancellation) => await VtyAsync($"clear bgp {AddressOf(node)}", cancellation);

    public override async Task<IReadOnlyList<SeenRoute>> RoutesAsync(CancellationToken cancellation)
    {
        List<SeenRoute> routes = [];
        foreach (var family in (string[])["ipv4", "ipv6"])
        {
            using var table = JsonDocument.Parse(await VtyAsync($"show bgp {family} unicast json detail", cancellation));
            foreach (var prefix in table.RootElement.GetProperty("routes").EnumerateObject())
            {
                // FRR 8 gives a list whose first entry is the prefix itself; later ones give an object with "paths".
                var paths = prefix.Value.ValueKind == JsonValueKind.Array ? prefix.Value : prefix.Value.GetProperty("paths");
                routes.AddRange(from path in paths.EnumerateArray() where path.TryGetProperty("peer", out _) select Route(prefix.Name, path));
            }
        }

        return routes;
    }

    public override async Task<int> WithdrawalsAsync(string node, CancellationToken cancellation)
    {
        var log = await Sandbox.ReadAsync($"{Folder}/bgpd.log", cancellation);
        return log.Split('\n').Count(line => line.Contains($"{AddressOf(node)}(", StringComparison.Ordinal)
            && line.Contains("rcvd UPDATE about", StringComparison.Ordinal)
            && line.Contains("withdrawn", StringComparison.Ordinal));
    }

    private SeenRoute Route(string prefix, JsonElement path) => new()
    {
        Prefix = prefix,
        From = NodeAt(path.GetProperty("peer").GetProperty("peerId").GetString()!),
        Best = path.TryGetProperty("bestpath", out var best) && best.TryGetProperty("overall", out var overall) && overall.GetBoolean(),
        Origin = Text(path, "origin").ToLowerInvariant(),
        AsPath = Text(path.GetProperty("aspath"), "string"),
        NextHop = string.Join(' ', path.GetProperty("nexthops").EnumerateArray().Select(hop => Text(hop, "ip"))),
        Communities = path.TryGetProperty("community", out var community) ? Text(community, "string").Replace("graceful-shutdown", "65535:0", StringComparison.Ordinal) : "",
        LargeCommunities = path.TryGetProperty("largeCommunity", out var large) ? Text(large, "string") : "",
    };

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.ToString() : "";

    private async Task<JsonElement> NeighborAsync(string node, CancellationToken cancellation)
    {
        using var all = JsonDocument.Parse(await VtyAsync("show bgp neighbors json", cancellation));
        return all.RootElement.TryGetProperty(AddressOf(node), out var neighbor)
            ? neighbor.Clone()
            : throw new InvalidOperationException($"FRR does not know {node} yet.");
    }

    private Task<string> VtyAsync(string command, CancellationToken cancellation) =>
        AskAsync(["vtysh", "--vty_socket", Folder, "-d", "bgpd", "-c", command], cancellation);

    private string Configuration()
    {
        var neighbors = string.Join('\n', Addresses.Nodes.Select(node => $" neighbor {AddressOf(node)} peer-group NODES"));
        string[] extras =
        [
            Options.TtlSecurity is { } hops ? $"neighbor NODES ttl-security hops {hops}" : "neighbor NODES ebgp-multihop 16",
            .. Options.HoldTime is { } hold ? [$"neighbor NODES timers {Math.Max(1, hold / 3)} {hold}"] : Array.Empty<string>(),
            .. Options.Password is { } password ? [$"neighbor NODES password {password}"] : Array.Empty<string>(),
            .. Options.GracefulRestart ? ["bgp graceful-restart", "bgp graceful-restart restart-time 120"] : Array.Empty<string>(),
        ];
        var extra = string.Join('\n', extras.Select(line => " " + line));
        // Inside of the AS, so that the local preference goes with the route and the next hop stays the node's.
        var fabric = !Options.TellsFabric ? "" : $"""
             neighbor {Addresses.Fabric} remote-as 65000
             neighbor {Addresses.Fabric} passive
             neighbor {Addresses.Fabric} update-source {Address}
             neighbor {Addresses.Fabric} capability extended-nexthop
            """;
        var activateFabric = !Options.TellsFabric ? "" : $"""
              neighbor {Addresses.Fabric} activate
              neighbor {Addresses.Fabric} route-map NOTHING in
            """;
        return $"""
            hostname {Name}
            log file {Folder}/bgpd.log debugging
            log timestamp precision 6
            {(Options.ManyPrefixes ? "" : "debug bgp updates in")}
            debug bgp neighbor-events
            router bgp 65000
             bgp router-id {Identifier}
             no bgp default ipv4-unicast
             no bgp network import-check
             bgp log-neighbor-changes
             neighbor NODES peer-group
             neighbor NODES remote-as 65001
             neighbor NODES passive
             neighbor NODES capability extended-nexthop
             neighbor NODES update-source {Address}
            {extra}
            {neighbors}
            {fabric}
             address-family ipv4 unicast
              neighbor NODES activate
              neighbor NODES route-map PREFERRING in
              neighbor NODES route-map NOTHING out
            {activateFabric}
             exit-address-family
             address-family ipv6 unicast
              neighbor NODES activate
              neighbor NODES route-map PREFERRING in
              neighbor NODES route-map NOTHING out
            {activateFabric}
             exit-address-family
            exit
            bgp community-list standard PRIMARY permit {Addresses.Primary}
            bgp community-list standard SECONDARY permit {Addresses.Secondary}
            route-map PREFERRING permit 10
             match community PRIMARY
             set local-preference 200
            route-map PREFERRING permit 20
             match community SECONDARY
             set local-preference 100
            route-map PREFERRING deny 99
            route-map NOTHING deny 10

            """;
    }
}
