using System.Globalization;
using System.Text.Json.Nodes;
using FailoverHub.Interop.Tests.Harness;

namespace FailoverHub.Interop.Tests.Nodes;

/// <summary>The built hub as a process with its own authority and real TLS for agents, in node a's network unless another is given.</summary>
/// <param name="center">Where.</param>
/// <param name="network">In which network namespace.</param>
/// <param name="agentUrl">Where agents reach it.</param>
internal sealed class RealHub(DataCenter center, string? network = null, string agentUrl = RealHub.Url)
{
    /// <summary>For agents on its own machine.</summary>
    public const string Url = "https://127.0.0.1:5443";

    private readonly string _network = network ?? Addresses.NodeNetwork("a");

    // It compiles itself as it starts, which takes most of a minute where everything else is compiled and tested at the same time.
    private static readonly TimeSpan _startBound = TimeSpan.FromMinutes(3);

    private readonly List<SandboxProcess> _starts = [];
    private string _token = "";
    private string _data = "/run/hub";

    /// <summary>Of its processes from now on, beside what they need.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; set; } = new Dictionary<string, string>();

    /// <summary>Starts it, and again after <see cref="KillAsync"/>; answers when it is ready.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        Assert.True(File.Exists(BuiltPaths.HubExecutable), $"Build the hub first: {BuiltPaths.HubExecutable} is not there.");
        _starts.Add(center.Sandbox.Spawn(
            $"hub-{_starts.Count + 1}",
            _network,
            [BuiltPaths.HubExecutable, "run", "--urls", "http://127.0.0.1:5080", "--agent-url", agentUrl, "--data", _data],
            new Dictionary<string, string>(Environment) { ["DOTNET_ROOT"] = Agent.Runtime }));
        await _starts[^1].StartedAsync(cancellation);
        await Eventually.SeeAsync("the hub is ready", c => AskAsync("GET", "/healthz/ready", "", c), answer => answer.Contains(" 200 ", StringComparison.Ordinal), cancellation, _startBound);
        if (_token.Length == 0)
        {
            _token = (await CommandAsync(["token", "create", "--name", "test", "--scope", "admin"], cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        }
    }

    /// <summary>What it has written since its last start.</summary>
    public Task<string> LogAsync(CancellationToken cancellation) => _starts[^1].LogAsync(cancellation);

    /// <summary>SIGKILL, and waits for its end.</summary>
    public Task KillAsync(CancellationToken cancellation) => _starts[^1].KillAsync(cancellation);

    /// <summary>A join token for a node, or for one that there is already.</summary>
    public async Task<string> JoinTokenAsync(string node, bool existing, CancellationToken cancellation)
    {
        var answer = await AskAsync("POST", "/api/v1/join-tokens", $$"""{"node":"{{node}}","forExisting":{{(existing ? "true" : "false")}}}""", cancellation);
        Assert.Contains(" 201 ", answer, StringComparison.Ordinal);
        return (string)JsonNode.Parse(answer[answer.IndexOf('{', StringComparison.Ordinal)..])!["token"]!;
    }

    /// <summary>Writes everything that it is into one file, while it runs.</summary>
    public Task BackupAsync(string file, CancellationToken cancellation) => CommandAsync(["backup", file], cancellation);

    /// <summary>Puts a backup into a new folder; the next start is on that.</summary>
    public async Task RestoreAsync(string file, string folder, CancellationToken cancellation)
    {
        _data = folder;
        await CommandAsync(["restore", file], cancellation);
    }

    /// <summary>One of its commands, on its data.</summary>
    /// <returns>What it said.</returns>
    public async Task<string> CommandAsync(string[] command, CancellationToken cancellation) => (await center.Sandbox.RunAsync(
        _network, ["env", $"DOTNET_ROOT={Agent.Runtime}", .. Environment.Select(entry => $"{entry.Key}={entry.Value}"), BuiltPaths.HubExecutable, .. command, "--data", _data], cancellation)).Checked().Trim();

    public async Task RevokeAsync(string node, CancellationToken cancellation) =>
        Assert.Contains(" 200 ", await AskAsync("POST", $"/api/v1/nodes/{node}/revoke", """{"reason":"a test"}""", cancellation), StringComparison.Ordinal);

    /// <summary>Waits until its API says this of a node.</summary>
    public Task SeesAsync(string node, string words, CancellationToken cancellation) => Eventually.SeeAsync(
        $"the hub says {words} of {node}",
        c => AskAsync("GET", $"/api/v1/nodes/{node}", "", c),
        answer => answer.Replace(" ", "", StringComparison.Ordinal).Contains(words, StringComparison.Ordinal),
        cancellation);

    /// <summary>What its API says of the only pair that there is; null: there is none yet, or more than one.</summary>
    public async Task<JsonNode?> PairAsync(CancellationToken cancellation) =>
        JsonNode.Parse(BodyOf(await AskAsync("GET", "/api/v1/pairs", "", cancellation)))?["items"] is JsonArray { Count: 1 } pairs ? pairs[0] : null;

    /// <summary>Asks for an operation.</summary>
    /// <param name="of">"pairs/NAME" or "nodes/NAME".</param>
    /// <param name="body">As JSON.</param>
    /// <param name="cancellation">Of the test.</param>
    /// <returns>Its id.</returns>
    public async Task<string> OperateAsync(string of, string body, CancellationToken cancellation)
    {
        var answer = await AskAsync("POST", $"/api/v1/{of}/operations", body, cancellation);
        Assert.Contains(" 202 ", answer, StringComparison.Ordinal);
        return (string)JsonNode.Parse(BodyOf(answer))!["id"]!;
    }

    /// <summary>How an operation stands.</summary>
    public async Task<JsonNode> OperationAsync(string id, CancellationToken cancellation) => JsonNode.Parse(BodyOf(await AskAsync("GET", $"/api/v1/operations/{id}", "", cancellation)))!;

    /// <summary>What a drill showed.</summary>
    public async Task<JsonNode> DrillReportAsync(string id, CancellationToken cancellation) => JsonNode.Parse(BodyOf(await AskAsync("GET", $"/api/v1/operations/{id}/report", "", cancellation)))!;

    /// <summary>What moves of a pair cost, newest first.</summary>
    public async Task<IReadOnlyList<JsonNode>> OutagesAsync(string pair, CancellationToken cancellation) =>
        [.. JsonNode.Parse(BodyOf(await AskAsync("GET", $"/api/v1/pairs/{pair}/outages", "", cancellation)))!["items"]!.AsArray().Select(outage => outage!)];

    /// <summary>What its API says of everything that it probes.</summary>
    public async Task<IReadOnlyList<JsonNode>> ReachabilityAsync(CancellationToken cancellation) =>
        [.. JsonNode.Parse(BodyOf(await AskAsync("GET", "/api/v1/reachability", "", cancellation)))!["items"]!.AsArray().Select(target => target!)];

    /// <summary>Has an address probed by ICMP.</summary>
    public async Task AddTargetAsync(string name, string address, CancellationToken cancellation) =>
        Assert.Contains(" 201 ", await AskAsync("POST", "/api/v1/targets", $$"""{"name":"{{name}}","kind":"icmp","address":"{{address}}"}""", cancellation), StringComparison.Ordinal);

    /// <summary>What its API says of one of those; null: it is not probed yet.</summary>
    public async Task<JsonNode?> TargetAsync(string name, CancellationToken cancellation) =>
        await AskAsync("GET", $"/api/v1/reachability/target:{name}", "", cancellation) is var answer && answer.Contains(" 200 ", StringComparison.Ordinal) ? JsonNode.Parse(BodyOf(answer)) : null;

    /// <summary>The newest events of these kinds, newest first, as sentences.</summary>
    public async Task<IReadOnlyList<string>> EventsAsync(CancellationToken cancellation, params string[] kinds) =>
        [.. JsonNode.Parse(BodyOf(await AskAsync("GET", "/api/v1/events?limit=200", "", cancellation)))!["items"]!.AsArray()
            .Where(happened => kinds.Contains((string?)happened!["kind"])).Select(happened => (string)happened!["text"]!)];

    private static string BodyOf(string answer) => answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) is >= 0 and var at ? answer[(at + 4)..] : throw new InvalidOperationException("Nobody answers.");

    // With nothing but bash, so that nothing has to be installed; empty: nobody answers.
    private async Task<string> AskAsync(string method, string path, string body, CancellationToken cancellation)
    {
        const string script = "exec 3<>/dev/tcp/127.0.0.1/5080 && printf '%s %s HTTP/1.0\\r\\nHost: 127.0.0.1:5080\\r\\nAuthorization: Bearer %s\\r\\nContent-Type: application/json\\r\\nContent-Length: %s\\r\\n\\r\\n%s' \"$1\" \"$2\" \"$3\" \"$4\" \"$5\" >&3 && timeout 10 cat <&3";
        return (await center.Sandbox.RunAsync(
            _network, ["bash", "-c", script, "ask", method, path, _token, body.Length.ToString(CultureInfo.InvariantCulture), body], cancellation)).Output;
    }
}
