using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Bench.Lab;
using FailoverHub.Bench.Peers;
using FailoverHub.Interop.Tests.Forwarding;

namespace FailoverHub.Bench.Forwarding;

/// <summary>
/// Four route servers of FRR with the hold time of 9 s, a fabric that forwards to the node that they chose, a client, and two nodes whose service answers
/// whether their speaker runs or not. It ends with the namespaces of the bench.
/// </summary>
internal sealed class ForwardingLab
{
    private const string Folder = "/run/fabric";
    private const string FabricAddress = "2600:3c0f:18:34::ff";
    private static readonly string _host = $"{Prefixes.Base(1)}1";
    private static readonly string[] _utc = ["env", "TZ=UTC"];

    private ForwardingLab(NodeNetwork a, NodeNetwork b, NodeNetwork client) => (A, B, Client) = (a, b, client);

    /// <summary>The network of node a.</summary>
    public NodeNetwork A { get; }

    /// <summary>That of node b.</summary>
    public NodeNetwork B { get; }

    private NodeNetwork Client { get; }

    /// <summary>Makes it; to be done once.</summary>
    public static async Task<ForwardingLab> MakeAsync(CancellationToken cancellation)
    {
        await Networks.MakeAsync(cancellation);
        await ScriptAsync(
            [
                // A bridge takes the address of a port else, and another one when a port leaves it.
                "ip link set lan address 02:00:00:00:00:01",
                "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding",
                $"ip -6 addr add {FabricAddress}/128 dev lo nodad",
                "ip netns add client",
                "ip -n client link set lo up",
                "ip link add eth0 netns client type veth peer name clients",
                "ip -6 addr add 2001:db8:c::1/64 dev clients nodad",
                "ip link set clients up",
                "ip -n client -6 addr add 2001:db8:c::2/64 dev eth0 nodad",
                "ip -n client link set eth0 up",
                "ip -n client -6 route add default via 2001:db8:c::1",
                FabricText.RootMayServeVty,
            ],
            cancellation);
        var lab = new ForwardingLab(await Networks.AddNodeAsync(1, cancellation), await Networks.AddNodeAsync(2, cancellation), new NodeNetwork("client", IPAddress.Parse("2001:db8:c::2")));
        foreach (var (letter, network) in new[] { ("a", lab.A), ("b", lab.B) })
        {
            await ScriptAsync([$"ip -n {network.Name} -6 addr add {_host}/64 dev lo nodad"], cancellation);
            var socket = await network.InsideAsync(() => Datagrams(new IPEndPoint(IPAddress.Parse(_host), Pinger.Port)));
            var service = Responder.Start(letter, [socket]);
            if (letter == "a")
            {
                lab.ServiceOfA = service;
            }
        }

        await lab.StartDaemonsAsync(cancellation);
        return lab;
    }

    /// <summary>The shared address that the client pings.</summary>
    public static IPAddress Host => IPAddress.Parse(_host);

    /// <summary>The service of node a, which can be broken.</summary>
    public Responder ServiceOfA { get; private set; } = null!;

    /// <summary>The client begins to ping.</summary>
    public async Task<Pinger> StartPingsAsync() =>
        Pinger.Start(await Client.InsideAsync(() => Datagrams(new IPEndPoint(IPAddress.IPv6Any, 0))), [IPAddress.Parse(_host)]);

    /// <summary>Nothing goes to or comes from node a any more, and nobody is told.</summary>
    public static Task CutAAsync(CancellationToken cancellation) => ScriptAsync(["ip link set port1 nomaster"], cancellation);

    /// <summary>Undoes <see cref="CutAAsync"/>.</summary>
    public static Task MendAAsync(CancellationToken cancellation) => ScriptAsync(["ip link set port1 master lan"], cancellation);

    /// <summary>
    /// Whether the shared address is looked for on the nodes' own segment, where a master of VRRP tells that it has it, instead of where the route servers say.
    /// </summary>
    public static Task ReachBySegmentAsync(bool so, CancellationToken cancellation) => ScriptAsync([$"ip -6 route {(so ? "replace" : "del")} {_host}/128 dev lan"], cancellation);

    /// <summary>When each route server's present session with a node came up, by its log; those with a session only. UTC.</summary>
    public static IReadOnlyList<DateTime> Sessions(NodeNetwork node) => [.. Enumerable.Range(1, Board.Servers).Select(number => Session(number, node)).OfType<DateTime>()];

    private static DateTime? Session(int number, NodeNetwork node)
    {
        using var file = new FileStream($"{Folder}{number}/bgpd.log", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        var last = reader.ReadToEnd().Split('\n').LastOrDefault(line => line.Contains($"%ADJCHANGE: neighbor {node.Address}(", StringComparison.Ordinal));
        return last is not null && last.EndsWith(" Up", StringComparison.Ordinal)
            ? DateTime.ParseExact(last[..26], "yyyy/MM/dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal)
            : null;
    }

    private async Task StartDaemonsAsync(CancellationToken cancellation)
    {
        for (var number = 1; number <= Board.Servers; number++)
        {
            var folder = $"{Folder}{number}";
            await SpawnAsync(folder, "bgpd.conf", RouteServer(number, folder), ["/usr/lib/frr/bgpd", "-f", $"{folder}/bgpd.conf", "-i", $"{folder}/pid", "--vty_socket", folder,
                "-A", "127.0.0.1", "-P", "0", "-l", Networks.RouteServer(number).ToString(), "-S", "-n", "-Z"], cancellation);
        }

        await SpawnAsync(Folder, "zebra.conf", FabricText.Zebra(Folder), FabricText.ZebraCommand(Folder), cancellation);
        while (!File.Exists(FabricText.ZebraSocket(Folder)))
        {
            await Pause.ForAsync(TimeSpan.FromMilliseconds(50), cancellation);
        }

        string[] servers = [.. Enumerable.Range(1, Board.Servers).Select(number => Networks.RouteServer(number).ToString())];
        await SpawnAsync(Folder, "bgpd.conf", FabricText.Bgpd(Folder, FabricAddress, servers), FabricText.BgpdCommand(Folder), cancellation);
    }

    // In the network of the bench, which is the fabric's.
    private static async Task SpawnAsync(string folder, string file, string text, IReadOnlyList<string> command, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync($"{folder}/{file}", text, cancellation);
        _ = await Command.RunAsync(["sh", "-c", """log=$1; shift; "$@" >>"$log" 2>&1 </dev/null &""", "sh", $"{folder}/out", .. _utc, .. command], cancellation);
    }

    private static Socket Datagrams(IPEndPoint at)
    {
        var socket = new Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { DualMode = true, ReceiveBufferSize = 1 << 20 };
        socket.Bind(at);
        return socket;
    }

    private static Task<string> ScriptAsync(IReadOnlyList<string> lines, CancellationToken cancellation) => Command.RunAsync(["sh", "-ec", string.Join('\n', lines)], cancellation);

    private string RouteServer(int number, string folder)
    {
        string[] nodes = [A.Address.ToString(), B.Address.ToString()];
        return $"""
            hostname rs{number}
            log file {folder}/bgpd.log informational
            log timestamp precision 6
            router bgp 65000
             bgp router-id 10.255.34.{number}
             no bgp default ipv4-unicast
             no bgp network import-check
             bgp log-neighbor-changes
             neighbor NODES peer-group
             neighbor NODES remote-as 65001
             neighbor NODES passive
             neighbor NODES ebgp-multihop 16
             neighbor NODES timers 3 9
             neighbor NODES capability extended-nexthop
             neighbor NODES update-source {Networks.RouteServer(number)}
            {string.Join('\n', nodes.Select(node => $" neighbor {node} peer-group NODES"))}
             neighbor {FabricAddress} remote-as 65000
             neighbor {FabricAddress} passive
             neighbor {FabricAddress} update-source {Networks.RouteServer(number)}
             neighbor {FabricAddress} capability extended-nexthop
             address-family ipv4 unicast
              neighbor NODES activate
              neighbor NODES route-map PREFERRING in
              neighbor NODES route-map NOTHING out
             exit-address-family
             address-family ipv6 unicast
              neighbor NODES activate
              neighbor NODES route-map PREFERRING in
              neighbor NODES route-map NOTHING out
              neighbor {FabricAddress} activate
              neighbor {FabricAddress} route-map NOTHING in
             exit-address-family
            exit
            bgp community-list standard PRIMARY permit 65000:1
            bgp community-list standard SECONDARY permit 65000:2
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
