namespace FailoverHub.Interop.Tests.Harness;

/// <summary>The network namespaces of a data center and what is between them.</summary>
internal static class Networks
{
    private const string Router = "router";
    private const string Servers = Addresses.RouteServerNetwork;

    /// <summary>The shell script that makes them in an empty sandbox.</summary>
    public static string Script(DataCenterOptions options)
    {
        // One bridge; the namespace that it is in is also the router of the segment.
        var segment = Segment(options);
        string[] lines =
        [
            .. Namespace(Servers),
            .. Enumerable.Range(1, options.Count).Select(n => $"ip -n {Servers} -6 addr add {Addresses.RouteServer(n)}/128 dev lo nodad"),
            .. options.RouterBetween ? BehindARouter(options) : [],
            // Its own address is fixed: a bridge takes that of a port else, and another one when a port leaves it, and then no node finds its gateway.
            $"ip -n {segment} link add lan address 02:00:00:00:00:01 type bridge stp_state 0 mcast_snooping 0 forward_delay 0",
            $"ip -n {segment} -6 addr add {Addresses.Gateway}/64 dev lan nodad",
            $"ip -n {segment} link set lan up",
            .. Addresses.Nodes.SelectMany(node => Node(node, segment)),
            .. options.Servers.OverIpv4 ? Ipv4(options, segment) : [],
            .. options.Forwards ? Forwarding() : [],
        ];
        return string.Join('\n', lines);
    }

    /// <summary>The namespace that the nodes' segment is in.</summary>
    public static string Segment(DataCenterOptions options) => options.RouterBetween ? Router : Servers;

    private static string[] Namespace(string name) => [$"ip netns add {name}", $"ip -n {name} link set lo up"];

    // Addresses need no duplicate detection, which would take a second.
    private static string[] Node(string node, string segment)
    {
        var network = Addresses.NodeNetwork(node);
        return
        [
            .. Namespace(network),
            $"ip link add eth0 netns {network} type veth peer name port-{node} netns {segment}",
            $"ip -n {segment} link set port-{node} master lan up",
            $"ip -n {network} -6 addr add {Addresses.Node(node)}/64 dev eth0 nodad",
            $"ip -n {network} link set eth0 up",
            $"ip -n {network} -6 route add default via {Addresses.Gateway}",
            $"ip -n {network} addr add {Addresses.SharedIpv4} dev lo",
        ];
    }

    private static string[] BehindARouter(DataCenterOptions options) =>
    [
        .. Namespace(Router),
        $"ip netns exec {Router} sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'",
        $"ip link add uplink netns {Servers} type veth peer name downlink netns {Router}",
        $"ip -n {Servers} -6 addr add 2001:db8:ffff::2/64 dev uplink nodad",
        $"ip -n {Router} -6 addr add 2001:db8:ffff::1/64 dev downlink nodad",
        $"ip -n {Servers} link set uplink up",
        $"ip -n {Router} link set downlink up",
        $"ip -n {Servers} -6 route add default via 2001:db8:ffff::1",
        .. Enumerable.Range(1, options.Count).Select(n => $"ip -n {Router} -6 route add {Addresses.RouteServer(n)}/128 via 2001:db8:ffff::2"),
    ];

    private static string[] Ipv4(DataCenterOptions options, string segment) =>
    [
        $"ip -n {segment} addr add {Addresses.GatewayIpv4}/24 dev lan",
        .. Enumerable.Range(1, options.Count).Select(n => $"ip -n {Servers} addr add {Addresses.RouteServerIpv4(n)}/32 dev lo"),
        .. Addresses.Nodes.SelectMany(node => (string[])
        [
            $"ip -n {Addresses.NodeNetwork(node)} addr add {Addresses.NodeIpv4(node)}/24 dev eth0",
            $"ip -n {Addresses.NodeNetwork(node)} route add default via {Addresses.GatewayIpv4}",
        ]),
    ];

    // The namespace of the route servers is the fabric as well: it routes between the nodes' segment and the client.
    private static string[] Forwarding() =>
    [
        $"ip netns exec {Servers} sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'",
        $"ip -n {Servers} -6 addr add {Addresses.Fabric}/128 dev lo nodad",
        $"ip -n {Servers} addr add {Addresses.GatewayIpv4}/24 dev lan",
        .. Namespace(Addresses.ClientNetwork),
        $"ip link add eth0 netns {Addresses.ClientNetwork} type veth peer name clients netns {Servers}",
        .. Side(Servers, "clients", 1),
        .. Side(Addresses.ClientNetwork, "eth0", 2),
        $"ip -n {Addresses.ClientNetwork} route add default via 198.19.0.1",
        $"ip -n {Addresses.ClientNetwork} -6 route add default via 2001:db8:c::1",
        .. Addresses.Nodes.SelectMany(node => (string[])
        [
            $"ip -n {Addresses.NodeNetwork(node)} addr add {Addresses.NodeIpv4(node)}/24 dev eth0",
            $"ip -n {Addresses.NodeNetwork(node)} route add default via {Addresses.GatewayIpv4}",
            $"ip -n {Addresses.NodeNetwork(node)} -6 addr add {Addresses.SharedHosts[1]}/64 dev lo nodad",
        ]),
    ];

    private static string[] Side(string network, string link, int number) =>
    [
        $"ip -n {network} addr add 198.19.0.{number}/24 dev {link}",
        $"ip -n {network} -6 addr add 2001:db8:c::{number}/64 dev {link} nodad",
        $"ip -n {network} link set {link} up",
    ];
}
