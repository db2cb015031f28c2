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

        await DoctorSaysAsync(center, "hub", "passed", RealHub.Url);
        await DoctorSaysAsync(center, "certificate", "passed", "good for 29 days");

        await hub.KillAsync(Cancellation);
        await agent.SayAsync("No hub at", Cancellation);
        await DoctorSaysAsync(center, "hub", "failed", "not connected");
        await DoctorSaysAsync(center, "certificate", "passed", "good for 29 days");
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

    [Fact]
    public async Task ExpiredWhileTheHubWasAway_TheRouteStays_AndATokenForTheNodeIsTheWayBack()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        var clock = await Clock.StartAsync(center, "-31d", Cancellation);
        var hub = new RealHub(center) { Environment = Clock.At("-31d") };
        await hub.StartAsync(Cancellation);
        var agent = Agent.StartIn(clock.Environment, center, "a", "--primary");
        var sessions = await center.EstablishedAsync("a", Cancellation);
        await JoinAsync(center, hub, agent, existing: false, Clock.At("-31d"));
        await hub.SeesAsync("web-1", Connected, Cancellation);

        // Thirty-one days without a hub: nothing renews the certificate.
        await hub.KillAsync(Cancellation);
        await agent.SayAsync("No hub at", Cancellation);
        await clock.SetAsync("+0", Cancellation);
        await DoctorSaysAsync(center, "certificate", "failed", "ended 2 days ago");
        hub.Environment = new Dictionary<string, string>();
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        await hub.StartAsync(Cancellation);

        await SaysAsync(agent, "does NOT TAKE it: The certificate of 'web-1' expired on");
        await SaysAsync(agent, "certificate           refused, over for 1 d");
        await SaysAsync(agent, "addresses stay announced");
        await DoctorSaysAsync(center, "certificate", "failed", "does not take this node's certificate: The certificate of 'web-1' expired on");
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        Assert.Contains("its BGP sessions were not touched", await JoinAsync(center, hub, agent, existing: true), StringComparison.Ordinal);
        await hub.SeesAsync("web-1", Connected, Cancellation);
        await SaysAsync(agent, "certificate           good");
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));
        Assert.Equal(0, await center.WithdrawalsAsync("a", Cancellation));
    }

    [Fact]
    public async Task HubIsLostWithItsMachine_AndRestoredFromABackup_TheAgentComesBackWithTheCertificateThatItHas()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        var hub = new RealHub(center);
        await hub.StartAsync(Cancellation);
        var agent = Agent.Start(center, "a", "--primary");
        var sessions = await center.EstablishedAsync("a", Cancellation);
        await JoinAsync(center, hub, agent, existing: false);
        await hub.SeesAsync("web-1", Connected, Cancellation);
        var identity = await center.Sandbox.ReadAsync($"{agent.State}/hub-identity.json", Cancellation);

        await hub.BackupAsync("/run/backup.tar.gz", Cancellation);
        await hub.KillAsync(Cancellation);
        await hub.RestoreAsync("/run/backup.tar.gz", "/run/hub-restored", Cancellation);
        await hub.StartAsync(Cancellation);

        // The same authority, or TLS would not know it; the same table of nodes, or the certificate would be nobody's.
        await hub.SeesAsync("web-1", Connected, Cancellation);
        await SaysAsync(agent, "certificate           good");
        Assert.Equal(identity, await center.Sandbox.ReadAsync($"{agent.State}/hub-identity.json", Cancellation));
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
    }

    [Fact]
    public async Task JoinToken_IsListedWithoutItself_GoodOnceAndForItsNodeOnly_AndUselessWhenWithdrawn()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        var hub = new RealHub(center);
        await hub.StartAsync(Cancellation);
        var agent = Agent.Start(center, "a", "--primary");
        await center.EstablishedAsync("a", Cancellation);

        var said = await hub.CommandAsync(["join-token", "create", "--node", "web-1"], Cancellation);
        var token = said.Split(' ')[1];
        Assert.Equal($"echo {token} | failoverhub-agent join --hub {RealHub.Url} --node web-1 --token -", said.Trim());
        var listed = await hub.CommandAsync(["join-token", "list"], Cancellation);
        Assert.Contains("web-1", listed, StringComparison.Ordinal);
        Assert.DoesNotContain(token, listed, StringComparison.Ordinal);

        Assert.NotEqual(0, (await TryJoinAsync(center, agent, token, "web-2")).ExitCode);
        (await TryJoinAsync(center, agent, token, "web-1")).Checked();
        Assert.NotEqual(0, (await TryJoinAsync(center, agent, token, "web-1")).ExitCode);

        await hub.JoinTokenAsync("web-3", existing: false, Cancellation);
        var withdrawn = await hub.JoinTokenAsync("web-4", existing: false, Cancellation);
        var id = (await hub.CommandAsync(["join-token", "list"], Cancellation)).Split('\n').Single(line => line.Contains("web-4", StringComparison.Ordinal)).Split(' ')[0];
        await hub.CommandAsync(["join-token", "withdraw", id], Cancellation);
        Assert.NotEqual(0, (await TryJoinAsync(center, agent, withdrawn, "web-4")).ExitCode);

        // Of all that the node has only kept what was good.
        await hub.SeesAsync("web-1", Connected, Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
    }

    private static Task<CommandOutput> TryJoinAsync(DataCenter center, Agent agent, string token, string node, IReadOnlyDictionary<string, string>? environment = null) => center.Sandbox.RunAsync(
        Addresses.NodeNetwork("a"),
        [
            "env", $"DOTNET_ROOT={Agent.Runtime}", $"FAILOVERHUB_JOIN_TOKEN={token}", .. (environment ?? new Dictionary<string, string>()).Select(entry => $"{entry.Key}={entry.Value}"),
            BuiltPaths.AgentExecutable, "join", "--hub", RealHub.Url, "--node", node, "--state", agent.State,
        ],
        Cancellation);

    private static async Task<string> JoinAsync(DataCenter center, RealHub hub, Agent agent, bool existing, IReadOnlyDictionary<string, string>? environment = null) =>
        (await TryJoinAsync(center, agent, await hub.JoinTokenAsync("web-1", existing, Cancellation), "web-1", environment)).Checked();

    // Whoever is asked first may have been asked too early.
    private static Task<JsonNode?> DoctorSaysAsync(DataCenter center, string check, string state, string words) => Eventually.SeeAsync(
        $"doctor saying of {check}: {state}, {words}",
        async c => JsonNode.Parse(await Agent.ExamineAsync(center, "a", "--metadata", "off", "--neighbor", center.RouteServers[0].Address))!["findings"]!.AsArray().SingleOrDefault(finding => (string)finding!["check"]! == check),
        finding => finding is not null && (string)finding["state"]! == state && ((string)finding["text"]!).Contains(words, StringComparison.Ordinal),
        Cancellation);

    private static Task<string> SaysAsync(Agent agent, string words) => Eventually.SeeAsync(
        $"'{words}' in the status", c => agent.StatusAsync(c), status => status.Contains(words, StringComparison.Ordinal), Cancellation);
}
