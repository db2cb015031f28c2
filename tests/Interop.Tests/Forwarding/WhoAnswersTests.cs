using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;

namespace FailoverHub.Interop.Tests.Forwarding;

/// <summary>
/// The real hub stands where the client stands and asks the shared addresses who answers there: its questions are forwarded by FRR's choice, to the machine that really has
/// the traffic.
/// </summary>
public sealed class WhoAnswersTests : ForwardingTest
{
    private const int Port = 5444;

    // In the client's network; the nodes have a route to it, and the answers come back through the fabric.
    private const string HubUrl = "https://198.19.0.2:5443";

    // The kernel's, less the fabric's own hop.
    private const int Ttl = 63;

    [Fact]
    public async Task Switchover_TheHubSeesWhoAnswers_BeforeAndAfter()
    {
        await StartFabricAsync();
        var hub = await StartHubAtTheClientAsync();
        var a = await JoinAsync(hub, "a", "--primary");
        var b = await JoinAsync(hub, "b", "--secondary");
        var before = await SeesAsync(hub, "web-a", "observed");
        Assert.All(before["answers"]!.AsArray(), answer => Assert.Equal(("web-a", Ttl), ((string?)answer!["node"], (int?)answer["ttl"])));
        Assert.Equal(2, before["answers"]!.AsArray().Count);

        await a.OrderAsync(["drain", "--reason", "a test"], Cancellation);
        await SeesAsync(hub, "web-b", "observed");
        await a.OrderAsync(["undrain", "--reason", "a test"], Cancellation);
        await SeesAsync(hub, "web-a", "observed");

        // Both moves were moves, and nothing else.
        Assert.Empty(await hub.EventsAsync(Cancellation, "answers-split", "answers-elsewhere", "answers-forged"));

        // Nobody is asked any more of what is not answered: then it is inferred, and says so.
        await b.TerminateAsync(Cancellation);
        await a.Process.SignalAsync("STOP", Cancellation);
        await Eventually.SeeAsync("no answer that is old", c => hub.PairAsync(c), pair => pair?["answers"]?.AsArray().Count == 0 && (string?)pair["activeNodeBasis"] != "observed", Cancellation);
        await a.Process.SignalAsync("CONT", Cancellation);
        await SeesAsync(hub, "web-a", "observed");
    }

    /// <summary>Each half of the route servers hears one node only, both are primary, and the network shares the traffic out: that is what no node can see.</summary>
    [Fact]
    public async Task BothPrimary_AndTheNetworkSharesThemOut_IsASplit_UntilOneOfThemGoes()
    {
        await StartFabricAsync(shares: true);
        var hub = await StartHubAtTheClientAsync();
        await JoinAsync(hub, "a", "--primary", [1, 2]);
        var b = await JoinAsync(hub, "b", "--primary", [3, 4]);

        var pair = await Eventually.SeeAsync(
            "the split", c => hub.PairAsync(c), pair => pair?["answers"]?.AsArray().Any(answer => (string?)answer!["problem"] == "split") == true, Cancellation);
        Assert.NotEqual("observed", (string?)pair!["activeNodeBasis"]);
        await Eventually.SeeAsync(
            "the event of the split",
            c => hub.EventsAsync(c, "answers-split"),
            events => events.Any(text => text.StartsWith("web-a and web-b answer on ", StringComparison.Ordinal)),
            Cancellation);

        await b.OrderAsync(["drain", "--reason", "a test"], Cancellation);
        await SeesAsync(hub, "web-a", "observed");
        await Eventually.SeeAsync("that it is over", c => hub.EventsAsync(c, "answers-settled"), events => events.Any(text => text.Contains("only web-a answers there now", StringComparison.Ordinal)), Cancellation);
    }

    /// <summary>Node a has the traffic, and somebody else than its agent answers there, as whom he likes.</summary>
    [Fact]
    public async Task SomebodyAnswersWithAFalseDigest_IsTold_AndNeverShownAsActive()
    {
        await StartFabricAsync();
        using var liar = Native.BindDatagramIn(Center.Sandbox.NamespaceFile(Addresses.NodeNetwork("a")), new IPEndPoint(IPAddress.Parse(Addresses.SharedHosts[0]), Port));
        using var end = new CancellationTokenSource();
        var lying = LieAsync(liar, end.Token);
        var hub = await StartHubAtTheClientAsync();
        await JoinAsync(hub, "a", "--primary", null, "--identity-port", "0");
        await JoinAsync(hub, "b", "--secondary");

        var pair = await Eventually.SeeAsync(
            "the lie", c => hub.PairAsync(c), pair => pair?["answers"]?.AsArray().Any(answer => (string?)answer!["problem"] == "forged" && answer["node"] is null) == true, Cancellation);
        Assert.Equal(("web-a", "inferred"), ((string?)pair!["activeNode"], (string?)pair["activeNodeBasis"]));
        await Eventually.SeeAsync(
            "the event of the lie",
            c => hub.EventsAsync(c, "answers-forged"),
            events => events.Any(text => text.Contains("cannot prove it", StringComparison.Ordinal)),
            Cancellation);
        await end.CancelAsync();
        await lying;
    }

    private async Task<RealHub> StartHubAtTheClientAsync()
    {
        var hub = new RealHub(Center, Addresses.ClientNetwork, HubUrl);
        await hub.StartAsync(Cancellation);
        return hub;
    }

    private Task<Agent> JoinAsync(RealHub hub, string node, string role) => JoinAsync(hub, node, role, null);

    // With those route servers alone, where some are given. The agent takes what it is given while it runs.
    private async Task<Agent> JoinAsync(RealHub hub, string node, string role, int[]? servers, params string[] flags)
    {
        string[] some = [.. (servers ?? []).SelectMany(number => (string[])["--neighbor", Addresses.RouteServer(number)])];
        var agent = servers is null
            ? StartNode(node, [role, .. flags])
            : Agent.StartAlone(Center, node, [.. Prefixes.SelectMany(prefix => (string[])["--announce", prefix]), role, .. some, .. flags]);
        var name = $"web-{node}";
        var token = await hub.JoinTokenAsync(name, existing: false, Cancellation);
        await Eventually.SeeAsync("the control of the agent", c => agent.StatusAsync(c), status => status.Length > 0, Cancellation);
        (await Center.Sandbox.RunAsync(
            Addresses.NodeNetwork(node),
            ["env", $"DOTNET_ROOT={Agent.Runtime}", $"FAILOVERHUB_JOIN_TOKEN={token}", BuiltPaths.AgentExecutable, "join", "--hub", HubUrl, "--node", name, "--state", agent.State],
            Cancellation)).Checked();
        await hub.SeesAsync(name, "\"link\":\"Connected\"", Cancellation);
        return agent;
    }

    private static async Task<JsonNode> SeesAsync(RealHub hub, string node, string basis) => (await Eventually.SeeAsync(
        $"the hub says that {node} is active, {basis}",
        c => hub.PairAsync(c),
        pair => pair is not null && (string?)pair["activeNode"] == node && (string?)pair["activeNodeBasis"] == basis && pair["answers"]!.AsArray().Count == Prefixes.Length,
        Cancellation))!;

    private static async Task LieAsync(Socket socket, CancellationToken end)
    {
        var request = new byte[200];
        try
        {
            while (true)
            {
                var asked = await socket.ReceiveFromAsync(request, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), end);
                byte[] answer = [.. "FHA1"u8, .. request[4..20], .. new byte[32], 5, .. "web-b"u8];
                await socket.SendToAsync(answer, SocketFlags.None, asked.RemoteEndPoint, end);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
