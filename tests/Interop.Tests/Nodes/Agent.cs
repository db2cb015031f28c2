using FailoverHub.Interop.Tests.Harness;

namespace FailoverHub.Interop.Tests.Nodes;

/// <summary>The built failoverhub-agent as a process in a node's network.</summary>
internal sealed class Agent
{
    private readonly DataCenter _center;
    private readonly string _node;
    private readonly string[] _flags;
    private readonly Dictionary<string, string> _environment = new() { ["DOTNET_ROOT"] = Runtime };
    private readonly List<SandboxProcess> _starts = [];
    private string _executable = BuiltPaths.AgentExecutable;
    private bool _findsNeighbors;
    private string[] _under = [];

    private Agent(DataCenter center, string node, string[] flags)
    {
        _center = center;
        _node = node;
        _flags = flags;
    }

    /// <summary>Where the agent's starter is to look for .NET (DOTNET_ROOT): where the tests run on it, wherever that is installed.</summary>
    public static string Runtime => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "../../.."));

    /// <summary>The process of its last start.</summary>
    public SandboxProcess Process => _starts[^1];

    /// <summary>Its state directory, as it is named inside.</summary>
    public string State => StateOf(_node);

    /// <summary>State directory of a node, for what is to be there before the agent is.</summary>
    public static string StateOf(string node) => $"/run/state-{node}";

    /// <summary>Starts it as an operator would on a machine of the platform, announcing one prefix of every kind.</summary>
    /// <param name="center">Where.</param>
    /// <param name="node">a or b.</param>
    /// <param name="flags">Besides the node's name, the data center, the prefixes and the state directory.</param>
    public static Agent Start(DataCenter center, string node, params string[] flags) => Start(center, node, Addresses.Shared, flags);

    /// <summary>Starts it, announcing these prefixes.</summary>
    public static Agent Start(DataCenter center, string node, IReadOnlyList<string> prefixes, params string[] flags)
    {
        var agent = new Agent(center, node, [.. prefixes.SelectMany(prefix => (string[])["--announce", prefix]), .. flags]);
        agent.StartAgain();
        return agent;
    }

    /// <summary>Starts it with something more in its environment.</summary>
    public static Agent StartIn(IReadOnlyDictionary<string, string> environment, DataCenter center, string node, params string[] flags)
    {
        var agent = new Agent(center, node, [.. Addresses.Shared.SelectMany(prefix => (string[])["--announce", prefix]), .. flags]);
        foreach (var (name, value) in environment)
        {
            agent._environment[name] = value;
        }

        agent.StartAgain();
        return agent;
    }

    /// <summary>Starts it with these flags and no others but the node's name and state directory: where its route servers are it has to find out.</summary>
    public static Agent StartAlone(DataCenter center, string node, params string[] flags)
    {
        var agent = new Agent(center, node, flags) { _findsNeighbors = true };
        agent.StartAgain();
        return agent;
    }

    /// <summary>Starts the native file, with these flags and no others but the node's name and state directory.</summary>
    public static Agent StartNative(DataCenter center, string node, params string[] flags)
    {
        var agent = new Agent(center, node, flags) { _findsNeighbors = true, _executable = BuiltPaths.NativeAgent };
        Assert.True(File.Exists(BuiltPaths.NativeAgent), $"Publish the agent first: scripts/publish-agent.sh makes {BuiltPaths.NativeAgent}, and ./test.sh does that by itself.");
        Assert.True(
            File.GetLastWriteTimeUtc(BuiltPaths.NativeAgent) >= File.GetLastWriteTimeUtc(Path.ChangeExtension(BuiltPaths.AgentExecutable, ".dll")),
            $"{BuiltPaths.NativeAgent} is older than the agent that was built: scripts/publish-agent.sh makes it anew, and ./test.sh does that by itself.");
        agent.StartAgain();
        return agent;
    }

    /// <summary>Starts it as root without one of root's rights.</summary>
    public static Agent StartWithout(string capability, DataCenter center, string node, IReadOnlyList<string> prefixes, params string[] flags)
    {
        var agent = new Agent(center, node, [.. prefixes.SelectMany(prefix => (string[])["--announce", prefix]), .. flags])
        {
            _under = ["setpriv", "--bounding-set", $"-{capability}", "--inh-caps", $"-{capability}", "--"],
        };
        agent.StartAgain();
        return agent;
    }

    /// <summary>Starts it so that it can be ended at any of its calls, with these flags and no others but the node's name and state directory.</summary>
    public static Agent StartUnder(Killer killer, DataCenter center, string node, params string[] flags)
    {
        var agent = new Agent(center, node, flags) { _findsNeighbors = true, _under = Killer.Command };
        foreach (var (name, value) in killer.Environment)
        {
            agent._environment[name] = value;
        }

        agent.StartAgain();
        return agent;
    }

    /// <summary>Starts it behind another program, with these flags and no others but the node's name and state directory.</summary>
    public static Agent StartUnder(string[] program, DataCenter center, string node, params string[] flags)
    {
        var agent = new Agent(center, node, flags) { _findsNeighbors = true, _under = program };
        agent.StartAgain();
        return agent;
    }

    /// <summary>Starts it with the same flags and the same state directory.</summary>
    public void StartAgain()
    {
        Assert.True(File.Exists(BuiltPaths.AgentExecutable), $"Build the agent first: {BuiltPaths.AgentExecutable} is not there.");
        string[] command =
        [
            .. _under, _executable, "run",
            "--node", Addresses.NodeNetwork(_node),
            .. _findsNeighbors ? [] : Neighbors(),
            "--state", State,
            .. _flags,
        ];
        _starts.Add(_center.Sandbox.Spawn(
            $"agent-{_node}-{_starts.Count + 1}", Addresses.NodeNetwork(_node), command, _environment));
    }

    /// <summary>What it has written since its last start.</summary>
    public Task<string> LogAsync(CancellationToken cancellation) => Process.LogAsync(cancellation);

    /// <summary>Waits until its log has this.</summary>
    public Task SayAsync(string words, CancellationToken cancellation) =>
        Eventually.SeeAsync($"'{words}' in the log of node {_node}", LogAsync, log => log.Contains(words, StringComparison.Ordinal), cancellation);

    /// <summary>What it says of itself when it is asked on its control socket.</summary>
    public async Task<string> StatusAsync(CancellationToken cancellation, params string[] flags) => (await _center.Sandbox.RunAsync(
        Addresses.NodeNetwork(_node), ["env", $"DOTNET_ROOT={Runtime}", _executable, "status", .. flags, "--control", $"{State}/control.sock"], cancellation)).Checked();

    /// <summary>What <c>doctor --json</c> says on a node, whether or not an agent runs there; its exit code is 0 or 1.</summary>
    public static async Task<string> ExamineAsync(DataCenter center, string node, params string[] flags)
    {
        var said = await center.Sandbox.RunAsync(
            Addresses.NodeNetwork(node),
            ["env", $"DOTNET_ROOT={Runtime}", BuiltPaths.AgentExecutable, "doctor", "--json", "--state", $"/run/state-{node}", .. flags],
            TestContext.Current.CancellationToken);
        return said.ExitCode is 0 or 1 ? said.Output : said.Checked();
    }

    /// <summary>Joins it to a hub by a token.</summary>
    /// <returns>What was said.</returns>
    public async Task<string> JoinAsync(string hub, string name, string token, CancellationToken cancellation) => (await _center.Sandbox.RunAsync(
        Addresses.NodeNetwork(_node),
        ["env", $"DOTNET_ROOT={Runtime}", $"FAILOVERHUB_JOIN_TOKEN={token}", _executable, "join", "--hub", hub, "--node", name, "--state", State],
        cancellation)).Checked();

    /// <summary>Orders something on its control socket, and gives what it answers.</summary>
    public Task<string> OrderAsync(string[] command, CancellationToken cancellation) => OrderAsync(command, $"{State}/control.sock", cancellation);

    /// <summary>Orders something that may be refused, or never be answered.</summary>
    /// <returns>True: it was done, whether or not a neighbor has been told yet; false: refused; null: nobody answered.</returns>
    public async Task<bool?> TryOrderAsync(string[] command, string control, CancellationToken cancellation) => (await _center.Sandbox.RunAsync(
        Addresses.NodeNetwork(_node), ["env", $"DOTNET_ROOT={Runtime}", _executable, .. command, "--control", control], cancellation)).ExitCode switch
        {
            0 or 4 => true,
            1 => false,
            _ => null,
        };

    /// <summary>Likewise, of an agent whose control socket is elsewhere.</summary>
    public async Task<string> OrderAsync(string[] command, string control, CancellationToken cancellation) => (await _center.Sandbox.RunAsync(
        Addresses.NodeNetwork(_node), ["env", $"DOTNET_ROOT={Runtime}", _executable, .. command, "--control", control], cancellation)).Checked();

    /// <summary>SIGTERM, and waits for its end.</summary>
    /// <returns>Exit code.</returns>
    public async Task<int> TerminateAsync(CancellationToken cancellation)
    {
        await Process.SignalAsync("TERM", cancellation);
        return await Process.ExitAsync(cancellation);
    }

    /// <summary>SIGKILL if it still runs, and waits for its end.</summary>
    public Task KillAnywayAsync(CancellationToken cancellation) => Process.KillAnywayAsync(cancellation);

    /// <summary>SIGKILL, and waits for its end.</summary>
    public Task KillAsync(CancellationToken cancellation) => Process.KillAsync(cancellation);

    // As on the platform where the data center is as there, else the route servers one by one.
    private IEnumerable<string> Neighbors() =>
        _center.Options is { Count: 4, Servers.OverIpv4: false }
            ? ["--dcid", Addresses.DataCenterId]
            : _center.RouteServers.SelectMany(server => (string[])["--neighbor", server.Address]);
}
