using System.Diagnostics;
using System.Text.Json.Nodes;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Hub;

/// <summary>The real hub and the real agent, from the join token to the revoked certificate, beside a route server that must notice nothing of it.</summary>
public sealed class JoinedNodeTests : DataCenterTest
{
    private const string Connected = "\"link\":\"Connected\"";

    [Fact]
    public async Task JoinedWhileItRuns_HubKilledAndBack_Revoked_JoinedAgain_TheRouteStaysOnTheSameSession()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        var hub = new RealHub(center);
        await hub.StartAsync(Cancellation);
        var agent = Agent.Start(center, "a", "--primary");
        var sessions = await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        var joining = Stopwatch.StartNew();
        Assert.Contains("its BGP sessions were not touched", await JoinAsync(center, hub, agent, existing: false), StringComparison.Ordinal);
        TestContext.Current.TestOutputHelper?.WriteLine($"join, and the running agent connected: {joining.ElapsedMilliseconds} ms with the start of the program and the token");
        await hub.SeesAsync("web-1", Connected, Cancellation);

        await hub.KillAsync(Cancellation);
        await agent.SayAsync("No hub at", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        await hub.StartAsync(Cancellation);
        await hub.SeesAsync("web-1", Connected, Cancellation);

        await hub.RevokeAsync("web-1", Cancellation);
        await SaysAsync(agent, "does NOT TAKE it");
        await hub.SeesAsync("web-1", "\"link\":\"Revoked\"", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        Assert.Contains("its BGP sessions were not touched", await JoinAsync(center, hub, agent, existing: true), StringComparison.Ordinal);
        await hub.SeesAsync("web-1", Connected, Cancellation);
        await SaysAsync(agent, "certificate           good");

        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));
        Assert.Equal(0, await center.WithdrawalsAsync("a", Cancellation));
    }

    [Fact]
    public async Task CertificateDue_IsRenewedByTheHub_AndTheStreamGoesOnWithTheNewOne()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        var hub = new RealHub(center);
        await hub.StartAsync(Cancellation);
        var agent = Agent.Start(center, "a", "--primary");
        await center.EstablishedAsync("a", Cancellation);
        await JoinAsync(center, hub, agent, existing: false);
        await agent.TerminateAsync(Cancellation);

        // Twenty days are over for the agent: what it has kept says that the next certificate is due. The hub gives one for the asking.
        var file = $"{agent.State}/hub-identity.json";
        var kept = JsonNode.Parse(await center.Sandbox.ReadAsync(file, Cancellation))!;
        var first = (string)kept["fingerprint"]!;
        kept["renewAfter"] = (DateTimeOffset)kept["notBefore"]! + TimeSpan.FromSeconds(1);
        kept["notAfter"] = (DateTimeOffset)kept["notBefore"]! + TimeSpan.FromSeconds(2);
        await center.Sandbox.WriteSecretAsync(file, kept.ToJsonString(), Cancellation);
        agent.StartAgain();

        await agent.SayAsync("the hub has renewed this node's certificate", Cancellation);
        await hub.SeesAsync("web-1", "\"renewals\":1", Cancellation);
        await hub.SeesAsync("web-1", Connected, Cancellation);
        await SaysAsync(agent, "certificate           good");
        Assert.NotEqual(first, (string)JsonNode.Parse(await center.Sandbox.ReadAsync(file, Cancellation))!["fingerprint"]!);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
    }

    private static async Task<string> JoinAsync(DataCenter center, RealHub hub, Agent agent, bool existing)
    {
        var token = await hub.JoinTokenAsync("web-1", existing, Cancellation);
        return (await center.Sandbox.RunAsync(
            Addresses.NodeNetwork("a"),
            ["env", $"DOTNET_ROOT={Agent.Runtime}", $"FAILOVERHUB_JOIN_TOKEN={token}", BuiltPaths.AgentExecutable, "join", "--hub", RealHub.Url, "--node", "web-1", "--state", agent.State],
            Cancellation)).Checked();
    }

    private static Task<string> SaysAsync(Agent agent, string words) => Eventually.SeeAsync(
        $"'{words}' in the status", agent.StatusAsync, status => status.Contains(words, StringComparison.Ordinal), Cancellation);
}
