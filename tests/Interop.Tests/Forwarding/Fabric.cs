using FailoverHub.Interop.Tests.Harness;

namespace FailoverHub.Interop.Tests.Forwarding;

/// <summary>
/// The part of a data center that forwards: FRR's bgpd hears from the four route servers what they chose, and its zebra puts that into the kernel of the
/// namespace that stands between client and nodes.
/// </summary>
internal sealed class Fabric(Sandbox sandbox)
{
    private const string Folder = "/run/fabric";

    // zebra insists that its user is in the group of its control socket. The machine's own file stays as it is: this is the sandbox's.
    private const string RootMayServeVty =
        """
        sed -e 's/^\(frrvty:.*:\)$/\1root/' -e 's/^\(frrvty:.*[^:]\)$/\1,root/' /etc/group >/run/group
        mount --bind /run/group /etc/group
        """;

    /// <summary>Starts it and waits until it has a session with every route server.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        await sandbox.WriteAsync($"{Folder}/zebra.conf", $"hostname fabric\nlog file {Folder}/zebra.log informational\n", cancellation);
        await sandbox.WriteAsync($"{Folder}/bgpd.conf", Configuration(), cancellation);
        await sandbox.ScriptAsync(RootMayServeVty, cancellation);
        // Without the last word zebra takes an IPv6 route away before it writes the other one, and a packet falls between the two.
        sandbox.Spawn("zebra", Addresses.RouteServerNetwork,
            ["/usr/lib/frr/zebra", "-f", $"{Folder}/zebra.conf", "-i", $"{Folder}/zebra.pid", "-z", $"{Folder}/zserv.api", "--vty_socket", Folder, "-P", "0", "-u", "root", "-g", "root", "--v6-rr-semantics"]);
        await Eventually.SeeAsync("zebra's socket", _ => Task.FromResult(File.Exists(sandbox.Outside($"{Folder}/zserv.api"))), there => there, cancellation);
        sandbox.Spawn("fabric", Addresses.RouteServerNetwork,
            ["/usr/lib/frr/bgpd", "-f", $"{Folder}/bgpd.conf", "-i", $"{Folder}/bgpd.pid", "-z", $"{Folder}/zserv.api", "--vty_socket", Folder, "-P", "0", "-p", "0", "-S"]);
        await Eventually.SeeAsync("a session of the fabric with every route server", SessionsAsync, count => count == 4, cancellation);
    }

    /// <summary>What the kernel forwards by: the node that a packet to this address goes to; empty: none.</summary>
    public async Task<string> NextHopAsync(string host, CancellationToken cancellation)
    {
        var route = (await sandbox.RunAsync(Addresses.RouteServerNetwork, ["ip", "route", "get", host], cancellation)).Output;
        return Addresses.Nodes.FirstOrDefault(node => route.Contains($"via inet6 {Addresses.Node(node)} ", StringComparison.Ordinal) || route.Contains($"via {Addresses.Node(node)} ", StringComparison.Ordinal)) ?? "";
    }

    private async Task<int> SessionsAsync(CancellationToken cancellation)
    {
        var shown = (await sandbox.RunAsync(Addresses.RouteServerNetwork, ["vtysh", "--vty_socket", Folder, "-d", "bgpd", "-c", "show bgp neighbors"], cancellation)).Checked();
        return shown.Split('\n').Count(line => line.Contains("BGP state = Established", StringComparison.Ordinal));
    }

    // compare-routerid: of two that are alike the same one always wins, and not the older.
    private static string Configuration()
    {
        var servers = Enumerable.Range(1, 4).Select(Addresses.RouteServer).ToArray();
        var neighbors = string.Join('\n', servers.Select(server => $"""
             neighbor {server} remote-as 65000
             neighbor {server} update-source {Addresses.Fabric}
             neighbor {server} capability extended-nexthop
             neighbor {server} timers connect 1
            """));
        var active = string.Join('\n', servers.Select(server => $"  neighbor {server} activate\n  neighbor {server} route-map NOTHING out"));
        return $"""
            hostname fabric
            log file {Folder}/bgpd.log informational
            log timestamp precision 6
            router bgp 65000
             bgp router-id 10.255.34.255
             no bgp default ipv4-unicast
             bgp log-neighbor-changes
             bgp bestpath compare-routerid
            {neighbors}
             address-family ipv4 unicast
            {active}
             exit-address-family
             address-family ipv6 unicast
            {active}
             exit-address-family
            exit
            route-map NOTHING deny 10

            """;
    }
}
