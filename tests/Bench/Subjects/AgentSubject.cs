using System.Net.Sockets;
using System.Text;
using FailoverHub.Bench.Lab;
using FailoverHub.Bench.Peers;
using FailoverHub.Protos.V1;

namespace FailoverHub.Bench.Subjects;

/// <summary>Our agent, commanded by a hub over its stream: an intent, as in production; or on its control socket, as its own tool does it, without a tool.</summary>
/// <param name="name">As the table shows it.</param>
/// <param name="executable">The published program.</param>
/// <param name="hub">Null: it runs stand-alone and takes no commands.</param>
/// <param name="network">Its own.</param>
/// <param name="board">What the route servers see of it.</param>
internal sealed class AgentSubject(string name, string executable, BenchHub? hub, NodeNetwork network, Board board) : Subject(name, network, board)
{
    // The agent's starter looks for .NET where the bench runs on it. The native program needs none.
    private static readonly Dictionary<string, string> _environment = new()
    {
        ["DOTNET_ROOT"] = System.IO.Path.GetFullPath(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(typeof(object).Assembly.Location)!, "../../..")),
    };

    private ulong _revision;
    private Route _role = Route.Primary;

    public override bool IsOurs => true;

    /// <summary>Flags beside those of every start.</summary>
    public IReadOnlyList<string> More { get; init; } = [];

    /// <summary>Its next start finds the state of its last one, as after a crash. Else it is the node's first.</summary>
    public bool Remembers { get; set; }

    /// <summary>Its own command <c>failback</c>, on its control socket.</summary>
    public Task FailBackAsync(CancellationToken cancellation) => AskAsync("""{"command":"failback","reason":"bench"}""", cancellation);

    public override IReadOnlyList<string> IdleToolCommand => ["env", $"DOTNET_ROOT={_environment["DOTNET_ROOT"]}", executable, "status", "--control", ControlSocket];

    private string ControlSocket => $"{Folder}/state/control.sock";

    protected override Task<Launch> PrepareStartAsync(CancellationToken cancellation)
    {
        // A node that starts for the first time: the state of the last start would be an intent to obey.
        var state = $"{Folder}/state";
        if (Directory.Exists(state) && !Remembers)
        {
            Directory.Delete(state, recursive: true);
        }

        hub?.Forget();
        _revision = 0;
        _role = Route.Primary;
        return Task.FromResult(new Launch(
            [
                executable, "run", "--node", "bench", "--dcid", "18", "--primary", "--state", state, "--router-id", "10.0.0.1", "--local-address", Network.Address.ToString(),
                .. More,
                .. hub is null ? (string[])[] : ["--hub", BenchHub.Url],
                .. Prefixes.Texts(PrefixCount).SelectMany(prefix => (string[])["--announce", prefix]),
            ],
            _environment));
    }

    protected override Task<Func<Task>> PrepareCommandAsync(Route wanted, CancellationToken cancellation)
    {
        if (hub is null)
        {
            throw new InvalidOperationException($"{Name} has no hub.");
        }

        _role = wanted == Route.None ? _role : wanted;
        var intent = new NodeIntent { Revision = ++_revision, Drained = wanted == Route.None, OperationId = $"bench-{_revision}", Reason = "bench" };
        var role = _role == Route.Primary ? Role.Primary : Role.Secondary;
        intent.Prefixes.AddRange(Prefixes.Texts(PrefixCount).Select(prefix => new PrefixIntent { Prefix = prefix, Role = role }));
        return Task.FromResult<Func<Task>>(() => hub.IntendAsync(intent, cancellation));
    }

    protected override Task<Func<Task>> PrepareLocalCommandAsync(Route wanted, CancellationToken cancellation)
    {
        var request = (Current, wanted) switch
        {
            (_, Route.None) => """{"command":"drain","reason":"bench"}""",
            (Route.None, _) => """{"command":"undrain","reason":"bench"}""",
            (_, Route.Primary) => """{"command":"role","role":"primary","reason":"bench"}""",
            _ => """{"command":"role","role":"secondary","reason":"bench"}""",
        };
        return Task.FromResult<Func<Task>>(() => AskAsync(request, cancellation));
    }

    // A connection for each command, as the agent wants it.
    private async Task AskAsync(string request, CancellationToken cancellation)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(ControlSocket), cancellation);
        await socket.SendAsync(Encoding.UTF8.GetBytes(request + "\n"), cancellation);
        var (answer, buffer) = (new StringBuilder(), new byte[4096]);
        while (await socket.ReceiveAsync(buffer, cancellation) is > 0 and var count)
        {
            answer.Append(Encoding.UTF8.GetString(buffer, 0, count));
            if (buffer[count - 1] == (byte)'\n')
            {
                break;
            }
        }

        if (!answer.ToString().Contains("\"applied\"", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"{Name} did not do what it was told: {answer}");
        }
    }
}
