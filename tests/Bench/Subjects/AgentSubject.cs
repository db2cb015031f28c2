using FailoverHub.Bench.Lab;
using FailoverHub.Bench.Peers;
using FailoverHub.Protos.V1;

namespace FailoverHub.Bench.Subjects;

/// <summary>Our agent, commanded by a hub over its stream: an intent, as in production.</summary>
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

    protected override Task<Launch> PrepareStartAsync(CancellationToken cancellation)
    {
        // A node that starts for the first time: the state of the last start would be an intent to obey.
        var state = $"{Folder}/state";
        if (Directory.Exists(state))
        {
            Directory.Delete(state, recursive: true);
        }

        hub?.Forget();
        _revision = 0;
        _role = Route.Primary;
        return Task.FromResult(new Launch(
            [
                executable, "run", "--node", "bench", "--dcid", "18", "--primary", "--state", state, "--router-id", "10.0.0.1", "--local-address", Network.Address.ToString(),
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
}
