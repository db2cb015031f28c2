using System.Net.Sockets;
using System.Text;
using FailoverHub.Bench.Lab;
using FailoverHub.Bench.Peers;

namespace FailoverHub.Bench.Subjects;

/// <summary>BIRD 2, commanded through its control socket, as birdc does it, without a birdc.</summary>
internal sealed class BirdSubject(NodeNetwork network, Board board) : Subject("BIRD", network, board)
{
    private Socket? _control;

    private string Configuration => $"{Folder}/bird.conf";

    private string ControlSocket => $"{Folder}/ctl";

    public override IReadOnlyList<string> IdleToolCommand => ["birdc", "-s", ControlSocket, "show", "status"];

    protected override async Task<Launch> PrepareStartAsync(CancellationToken cancellation)
    {
        File.Delete(ControlSocket);
        await File.WriteAllTextAsync(Configuration, Text(Route.Primary), cancellation);
        return new Launch(["bird", "-f", "-c", Configuration, "-s", ControlSocket, "-P", $"{Folder}/pid"]);
    }

    protected override Task AfterStopAsync()
    {
        _control?.Dispose();
        _control = null;
        return Task.CompletedTask;
    }

    protected override async Task<Func<Task>> PrepareCommandAsync(Route wanted, CancellationToken cancellation)
    {
        _control ??= await BirdControl.ConnectAsync(ControlSocket, cancellation);
        var words = (Current, wanted) switch
        {
            (_, Route.None) => "disable shared",
            (Route.None, _) => "enable shared",
            _ => "configure",
        };
        if (words == "configure")
        {
            await File.WriteAllTextAsync(Configuration, Text(wanted), cancellation);
        }

        return () => BirdControl.AskAsync(_control, words, cancellation);
    }

    private string Text(Route role)
    {
        var sessions = string.Join('\n', Servers.Select(n => $"protocol bgp server{n} from servers {{ neighbor {Networks.RouteServer(n)} as 65000; }}"));
        return $$"""
            log stderr all;
            router id 10.0.0.2;
            protocol device { }
            protocol static shared {
              ipv6;
              {{string.Join("\n  ", Prefixes.Texts(PrefixCount).Select(prefix => $"route {prefix} blackhole;"))}}
            }
            filter announce_all {
              bgp_community.add(({{CommunityOf(role).Replace(':', ',')}}));
              bgp_origin = ORIGIN_INCOMPLETE;
              accept;
            }
            template bgp servers {
              local {{Network.Address}} as 65001;
              multihop 16;
              hold time 9;
              keepalive time 3;
              connect delay time 1;
              connect retry time 1;
              error wait time 1, 2;
              ipv6 { import none; export filter announce_all; };
            }
            {{sessions}}

            """;
    }
}

/// <summary>BIRD's control protocol: a line in, numbered lines out; the last one has a blank behind its number.</summary>
internal static class BirdControl
{
    public static async Task<Socket> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
        await ReadAsync(socket, cancellation);
        return socket;
    }

    /// <returns>What it answers.</returns>
    /// <exception cref="InvalidOperationException">It refuses: numbers from 8000 on.</exception>
    public static async Task<string> AskAsync(Socket socket, string words, CancellationToken cancellation)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes(words + "\n"), cancellation);
        var answer = await ReadAsync(socket, cancellation);
        return answer.Split('\n')[^2][0] is '8' or '9' ? throw new InvalidOperationException($"BIRD refuses '{words}': {answer}") : answer;
    }

    private static async Task<string> ReadAsync(Socket socket, CancellationToken cancellation)
    {
        var text = new StringBuilder();
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var count = await socket.ReceiveAsync(buffer, cancellation);
            if (count == 0)
            {
                throw new InvalidOperationException("BIRD closed its control socket.");
            }

            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
            var so = text.ToString();
            if (so.EndsWith('\n') && so.Split('\n')[^2] is [>= '0' and <= '9', _, _, >= '0' and <= '9', ' ', ..])
            {
                return so;
            }
        }
    }
}
