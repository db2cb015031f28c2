using System.Text.Json;
using FailoverHub.Interop.Tests.Harness;

namespace FailoverHub.Interop.Tests.RouteServers;

/// <summary>FRRouting's bgpd, without zebra.</summary>
internal sealed class FrrRouteServer(Sandbox sandbox, int number) : RouteServer(sandbox, number)
{
    private string Folder => $"/run/{Name}";

    public override async Task StartAsync(CancellationToken cancellation)
    {
        await Sandbox.WriteAsync($"{Folder}/bgpd.conf", Configuration(), cancellation);
        // -S -Z: no change of user and no zebra. -P 0: no telnet port. -l: all four share port 179.
        Sandbox.Spawn(Name, Addresses.RouteServerNetwork,
            ["/usr/lib/frr/bgpd", "-f", $"{Folder}/bgpd.conf", "-i", $"{Folder}/bgpd.pid", "--vty_socket", Folder, "-A", "127.0.0.1", "-P", "0", "-l", Address, "-S", "-n", "-Z"]);
    }

    public override async Task<SeenSession> SessionAsync(string node, CancellationToken cancellation)
    {
        using var all = JsonDocument.Parse(await VtyAsync("show bgp neighbors json", cancellation));
        if (!all.RootElement.TryGetProperty(node, out var neighbor))
        {
            throw new InvalidOperationException($"FRR does not know {node} yet.");
        }

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
        return log.Split('\n').Count(line => line.Contains($"{node}(", StringComparison.Ordinal)
            && line.Contains("rcvd UPDATE about", StringComparison.Ordinal)
            && line.Contains("withdrawn", StringComparison.Ordinal));
    }

    private static SeenRoute Route(string prefix, JsonElement path) => new()
    {
        Prefix = prefix,
        From = path.GetProperty("peer").GetProperty("peerId").GetString()!,
        Best = path.TryGetProperty("bestpath", out var best) && best.TryGetProperty("overall", out var overall) && overall.GetBoolean(),
        Origin = Text(path, "origin").ToLowerInvariant(),
        AsPath = Text(path.GetProperty("aspath"), "string"),
        NextHop = string.Join(' ', path.GetProperty("nexthops").EnumerateArray().Select(hop => Text(hop, "ip"))),
        Communities = path.TryGetProperty("community", out var community) ? Text(community, "string") : "",
    };

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.ToString() : "";

    private Task<string> VtyAsync(string command, CancellationToken cancellation) =>
        AskAsync(["vtysh", "--vty_socket", Folder, "-d", "bgpd", "-c", command], cancellation);

    private string Configuration()
    {
        var neighbors = string.Join('\n', Addresses.Nodes.Select(node => $" neighbor {Addresses.Node(node)} peer-group NODES"));
        return $"""
            hostname {Name}
            log file {Folder}/bgpd.log debugging
            log timestamp precision 6
            debug bgp updates in
            debug bgp neighbor-events
            router bgp 65000
             bgp router-id {Identifier}
             no bgp default ipv4-unicast
             no bgp network import-check
             bgp log-neighbor-changes
             neighbor NODES peer-group
             neighbor NODES remote-as 65001
             neighbor NODES ebgp-multihop 16
             neighbor NODES passive
             neighbor NODES capability extended-nexthop
             neighbor NODES update-source {Address}
            {neighbors}
             address-family ipv4 unicast
              neighbor NODES activate
              neighbor NODES soft-reconfiguration inbound
              neighbor NODES route-map PREFERRING in
              neighbor NODES route-map NOTHING out
             exit-address-family
             address-family ipv6 unicast
              neighbor NODES activate
              neighbor NODES soft-reconfiguration inbound
              neighbor NODES route-map PREFERRING in
              neighbor NODES route-map NOTHING out
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
