namespace FailoverHub.Interop.Tests.Forwarding;

/// <summary>How FRR is made a fabric: bgpd hears what the route servers chose, zebra writes it into the kernel.</summary>
internal static class FabricText
{
    /// <summary>
    /// A script for the mount namespace in which zebra is to run as root: it insists that its user is in the group of its control socket. The machine's own
    /// file stays as it is.
    /// </summary>
    public const string RootMayServeVty =
        """
        sed -e 's/^\(frrvty:.*:\)$/\1root/' -e 's/^\(frrvty:.*[^:]\)$/\1,root/' /etc/group >/run/group
        mount --bind /run/group /etc/group
        """;

    /// <summary>Starts zebra. Without the last word it takes an IPv6 route away before it writes the other one, and a packet falls between the two.</summary>
    public static IReadOnlyList<string> ZebraCommand(string folder) =>
    [
        "/usr/lib/frr/zebra", "-f", $"{folder}/zebra.conf", "-i", $"{folder}/zebra.pid", "-z", ZebraSocket(folder), "--vty_socket", folder, "-P", "0",
        "-u", "root", "-g", "root", "--v6-rr-semantics",
    ];

    /// <summary>There as soon as zebra serves bgpd.</summary>
    public static string ZebraSocket(string folder) => $"{folder}/zserv.api";

    public static string Zebra(string folder) => $"hostname fabric\nlog file {folder}/zebra.log informational\n";

    public static IReadOnlyList<string> BgpdCommand(string folder) =>
        ["/usr/lib/frr/bgpd", "-f", $"{folder}/bgpd.conf", "-i", $"{folder}/bgpd.pid", "-z", ZebraSocket(folder), "--vty_socket", folder, "-P", "0", "-p", "0", "-S"];

    /// <summary>Configuration of its bgpd.</summary>
    /// <param name="folder">For its log.</param>
    /// <param name="address">Its own.</param>
    /// <param name="servers">Of the route servers.</param>
    /// <param name="shares">What route servers have chosen differently it shares out among all of it.</param>
    public static string Bgpd(string folder, string address, IReadOnlyList<string> servers, bool shares = false)
    {
        var neighbors = string.Join('\n', servers.Select(server => $"""
             neighbor {server} remote-as 65000
             neighbor {server} update-source {address}
             neighbor {server} capability extended-nexthop
             neighbor {server} timers connect 1
            """));
        var active = string.Join('\n', servers.Select(server => $"  neighbor {server} activate\n  neighbor {server} route-map NOTHING out"));
        if (shares)
        {
            active = $"  maximum-paths ibgp 4\n{active}";
        }

        // compare-routerid: of two that are alike the same one always wins, and not the older.
        return $"""
            hostname fabric
            log file {folder}/bgpd.log informational
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
