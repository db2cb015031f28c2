using System.Text.Json.Nodes;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;

namespace FailoverHub.Interop.Tests.Forwarding;

/// <summary>The real hub stands where the client stands: what it sends to the shared addresses is forwarded by FRR's choice, to the machine that really has the traffic.</summary>
public abstract class HubAtTheClientTest : ForwardingTest
{
    // In the client's network; the nodes have a route to it, and the answers come back through the fabric.
    private const string HubUrl = "https://198.19.0.2:5443";

    private protected async Task<RealHub> StartHubAtTheClientAsync()
    {
        var hub = new RealHub(Center, Addresses.ClientNetwork, HubUrl);
        await hub.StartAsync(Cancellation);
        return hub;
    }

    private protected Task<Agent> JoinAsync(RealHub hub, string node, string role) => JoinAsync(hub, node, role, null);

    // With those route servers alone, where some are given. The agent takes what it is given while it runs.
    private protected async Task<Agent> JoinAsync(RealHub hub, string node, string role, int[]? servers, params string[] flags)
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

    private protected static async Task<JsonNode> SeesAsync(RealHub hub, string node, string basis) => (await Eventually.SeeAsync(
        $"the hub says that {node} is active, {basis}",
        c => hub.PairAsync(c),
        pair => pair is not null && (string?)pair["activeNode"] == node && (string?)pair["activeNodeBasis"] == basis && pair["answers"]!.AsArray().Count == Prefixes.Length,
        Cancellation))!;

    /// <summary>What a node sends from the shared addresses is lost, and nothing else of it: it has the traffic and does not answer.</summary>
    private protected Task MuteAsync(string node) => RulesAsync(node, "add");

    /// <summary>Undoes <see cref="MuteAsync"/>.</summary>
    private protected Task UnmuteAsync(string node) => RulesAsync(node, "del");

    private Task RulesAsync(string node, string what) => Center.Sandbox.ScriptAsync(
        $"ip -n {Addresses.NodeNetwork(node)} rule {what} from {Addresses.SharedIpv4} blackhole; ip -n {Addresses.NodeNetwork(node)} -6 rule {what} from {Addresses.SharedRange64} blackhole", Cancellation);
}
