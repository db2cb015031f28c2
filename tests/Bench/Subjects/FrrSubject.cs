using System.Net.Sockets;
using System.Text;
using FailoverHub.Bench.Lab;
using FailoverHub.Bench.Peers;

namespace FailoverHub.Bench.Subjects;

/// <summary>
/// FRR's bgpd alone, without zebra, commanded through its vty socket, as vtysh does it, without a vtysh. Changes of a route map take effect at once by a soft
/// clear: left to itself bgpd waits for its delay timer, 5 s by default.
/// </summary>
internal sealed class FrrSubject(NodeNetwork network, Board board) : Subject("FRR", network, board)
{
    private Socket? _vty;

    private string Configuration => $"{Folder}/bgpd.conf";

    public override IReadOnlyList<string> IdleToolCommand => ["vtysh", "--vty_socket", Folder, "-d", "bgpd", "-c", "show version"];

    protected override async Task<Launch> PrepareStartAsync(CancellationToken cancellation)
    {
        File.Delete($"{Folder}/bgpd.vty");
        await File.WriteAllTextAsync(Configuration, Text(), cancellation);
        return new Launch(
        [
            "/usr/lib/frr/bgpd", "-f", Configuration, "-i", $"{Folder}/pid", "--vty_socket", Folder, "-A", "127.0.0.1", "-P", "0", "-p", "0", "-S", "-n", "-Z",
        ]);
    }

    protected override Task AfterStopAsync()
    {
        _vty?.Dispose();
        _vty = null;
        return Task.CompletedTask;
    }

    protected override async Task<Func<Task>> PrepareCommandAsync(Route wanted, CancellationToken cancellation)
    {
        if (_vty is null)
        {
            _vty = await FrrVty.ConnectAsync($"{Folder}/bgpd.vty", cancellation);
        }

        string[] change = (Current, wanted) switch
        {
            (_, Route.None) => ["route-map OUT deny 5"],
            (Route.None, _) => ["no route-map OUT deny 5"],
            _ => ["route-map OUT permit 10", $"set community {CommunityOf(wanted)}"],
        };
        return async () =>
        {
            foreach (var words in (string[])["configure terminal", .. change, "end", "clear bgp ipv6 unicast * soft out"])
            {
                await FrrVty.AskAsync(_vty, words, cancellation);
            }
        };
    }

    private string Text()
    {
        var neighbors = string.Join('\n', Servers.Select(n => $" neighbor {Networks.RouteServer(n)} peer-group SERVERS"));
        return $"""
            hostname bench
            bgp route-map delay-timer 0
            router bgp 65001
             bgp router-id 10.0.0.3
             no bgp default ipv4-unicast
             no bgp network import-check
             timers bgp 3 9
             neighbor SERVERS peer-group
             neighbor SERVERS remote-as 65000
             neighbor SERVERS ebgp-multihop 16
             neighbor SERVERS update-source {Network.Address}
             neighbor SERVERS timers connect 1
             neighbor SERVERS advertisement-interval 0
            {neighbors}
             address-family ipv6 unicast
              neighbor SERVERS activate
              neighbor SERVERS route-map OUT out
            {string.Join('\n', Prefixes.Texts(PrefixCount).Select(prefix => $"  network {prefix}"))}
             exit-address-family
            exit
            route-map OUT permit 10
             set origin incomplete
             set community 65000:1
            exit

            """;
    }
}

/// <summary>The protocol between vtysh and a daemon: a command with a zero behind it in; the answer, three zeros and a status out.</summary>
internal static class FrrVty
{
    private const byte DoneWithWarning = 1;

    public static async Task<Socket> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
        await AskAsync(socket, "enable", cancellation);
        return socket;
    }

    /// <exception cref="InvalidOperationException">It refuses.</exception>
    public static async Task AskAsync(Socket socket, string words, CancellationToken cancellation)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes(words + "\0"), cancellation);
        var answer = new List<byte>();
        var buffer = new byte[4096];
        while (answer is not [.., 0, 0, 0, _])
        {
            var count = await socket.ReceiveAsync(buffer, cancellation);
            if (count == 0)
            {
                throw new InvalidOperationException("bgpd closed its vty socket.");
            }

            answer.AddRange(buffer.AsSpan(0, count));
        }

        if (answer[^1] > DoneWithWarning)
        {
            throw new InvalidOperationException($"bgpd refuses '{words}' ({answer[^1]}): {Encoding.ASCII.GetString([.. answer[..^4]])}");
        }
    }
}
