using System.Text.Json.Nodes;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Hub;

/// <summary>The real hub on node a's machine and a real agent on node b's ask one address: each sees what its own way to it is like.</summary>
public sealed class VantagePointTests : DataCenterTest
{
    // In the network of the route servers; nobody else's.
    private const string Asked = "198.51.100.77";

    private static readonly string HubUrl = $"https://{Addresses.NodeIpv4("a")}:5443";

    [Fact]
    public async Task AddressBehindACutLink_IsSilentFromWhereItIsCut_AndAnswersWhereItIsNot()
    {
        var center = await StartOneAsync(RouteServerKind.Frr, new RouteServerOptions { OverIpv4 = true });
        await center.Sandbox.ScriptAsync($"ip -n {Addresses.RouteServerNetwork} addr add {Asked}/32 dev lo", Cancellation);
        var hub = new RealHub(center, null, HubUrl);
        await hub.StartAsync(Cancellation);
        var agent = Agent.Start(center, "b", "--secondary");
        await Eventually.SeeAsync("the control of the agent", c => agent.StatusAsync(c), status => status.Length > 0, Cancellation);
        (await center.Sandbox.RunAsync(
            Addresses.NodeNetwork("b"),
            [
                "env", $"DOTNET_ROOT={Agent.Runtime}", $"FAILOVERHUB_JOIN_TOKEN={await hub.JoinTokenAsync("web-b", existing: false, Cancellation)}",
                BuiltPaths.AgentExecutable, "join", "--hub", HubUrl, "--node", "web-b", "--state", agent.State,
            ],
            Cancellation)).Checked();
        await hub.SeesAsync("web-b", "\"link\":\"Connected\"", Cancellation);
        await hub.AddTargetAsync("far", Asked, Cancellation);
        await SeesAsync(hub, null, "Reachable", "Reachable");

        await CutAsync(center, "a");
        await SeesAsync(hub, "Answers web-b, not the hub.", "Unreachable", "Reachable");
        await CutAsync(center, "b");
        await SeesAsync(hub, null, "Unreachable", "Unreachable");
        await MendAsync(center, "a");
        await SeesAsync(hub, "Answers the hub, not web-b.", "Reachable", "Unreachable");
        await MendAsync(center, "b");
        await SeesAsync(hub, null, "Reachable", "Reachable");

        // The node itself says what it does for the hub: also what was lost while it was cut off.
        await Eventually.SeeAsync(
            "the probes in its status",
            async c => JsonNode.Parse(await agent.StatusAsync(c, "--json"))!["probing"],
            probing => probing is not null && (int)probing["targets"]! == 1 && (long)probing["lost"]! > 0 && (long)probing["sent"]! > (long)probing["lost"]!,
            Cancellation);
        Assert.Contains("asks for the hub      1 address: ", await agent.StatusAsync(Cancellation), StringComparison.Ordinal);

        // Who goes takes its view along; the hub goes on alone, and says why.
        await agent.TerminateAsync(Cancellation);
        await Eventually.SeeAsync("the hub alone", c => hub.TargetAsync("far", c), found => found?["vantagePoints"]!.AsArray().Count == 1 && found["whyOnlyTheHub"] is not null, Cancellation);
    }

    private static Task<JsonNode?> SeesAsync(RealHub hub, string? difference, string fromTheHub, string fromTheNode) => Eventually.SeeAsync(
        $"{fromTheHub} from the hub, {fromTheNode} from the node, and '{difference}'",
        c => hub.TargetAsync("far", c),
        found => (string?)found?["difference"] == difference && StateOf(found, "hub") == fromTheHub && StateOf(found, "web-b") == fromTheNode,
        Cancellation);

    private static string? StateOf(JsonNode? target, string name) => (string?)target?["vantagePoints"]?.AsArray().FirstOrDefault(v => (string?)v!["name"] == name)?["state"];

    // What comes arrives, and no answer goes back: nobody is told.
    private static Task CutAsync(DataCenter center, string node) => RuleAsync(center, "add", node);

    private static Task MendAsync(DataCenter center, string node) => RuleAsync(center, "del", node);

    private static Task RuleAsync(DataCenter center, string what, string node) =>
        center.Sandbox.ScriptAsync($"ip -n {Addresses.RouteServerNetwork} rule {what} from {Asked} to {Addresses.NodeIpv4(node)} blackhole", Cancellation);
}
