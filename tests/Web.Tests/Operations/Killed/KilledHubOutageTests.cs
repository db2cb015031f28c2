using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Tests.Agents;

namespace FailoverHub.Web.Tests.Operations.Killed;

/// <summary>An address that nobody asked to move falls silent, the hub is killed with -9 while it is silent, and it is on the other node when another hub has started on the same data.</summary>
[Trait("Kind", "Process")]
public sealed class KilledHubOutageTests : IAsyncDisposable
{
    private const string Shared = "127.77.0.10";
    private const string Target = $"/api/v1/reachability/{Shared}";

    private readonly TemporaryFolder _data = new();
    private readonly LabNode _one = new("moved-1", FakeAgent.State(Role.Primary, $"{Shared}/32"), "7", () => false);
    private readonly LabNode _two = new("moved-2", FakeAgent.State(Role.Secondary, $"{Shared}/32"), "7", () => false);
    private HubProcess? _hub;

    public async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        await (_hub?.DisposeAsync() ?? ValueTask.CompletedTask);
        _data.Dispose();
    }

    [Fact]
    public async Task MoveThatWasUnderWayWhenTheHubWasKilled_IsMeasuredByTheNextOne_AndSaysWhatIsNotKnown()
    {
        var service = Listen(0);
        int port = ((IPEndPoint)service.LocalEndpoint).Port;
        string token = await HubProcess.MakeTokenAsync(_data.Path);
        await StartHubAsync(token, port);
        await _hub!.UntilAsync("/api/v1/pairs", pairs => pairs["items"]!.AsArray() is [var pair] && (string?)pair!["activeNode"] == "moved-1");
        await _hub.UntilAsync(Target, target => (string?)target["state"] == "Reachable");

        service.Dispose();
        await _hub.UntilAsync(Target, target => (string?)target["state"] == "Unreachable");

        // Seconds of it are on the disk when it was told as an event, which goes the same way a little later.
        await _hub.UntilAsync("/api/v1/events?kind=reachability-lost", events => events["items"]!.AsArray().Count > 0);
        await _hub.UntilAsync(Target, target => target["recent"]!.AsArray().Count(probe => !(bool)probe!["answered"]!) > 80);
        await _hub.KillAsync();
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        await _hub.DisposeAsync();

        // It moves while nobody looks.
        _one.State.Prefixes[0].Announced = false;
        _one.State.Prefixes[0].ReportedRole = Role.Unspecified;
        _one.State.Drained = true;
        _two.State.Prefixes[0].ReportedRole = Role.Primary;
        using var back = Listen(port);
        await StartHubAsync(token, port);
        JsonNode found = await _hub!.UntilAsync("/api/v1/pairs/moved/outages", outages => outages["items"]!.AsArray().Count > 0);

        JsonNode outage = Assert.Single(found["items"]!.AsArray())!;
        Assert.Equal(("failover", "moved-1", "moved-2", "hub"), ((string?)outage["kind"], (string?)outage["from"], (string?)outage["to"], (string?)outage["vantagePoint"]));
        Assert.True((int)outage["lost"]! > 0 && !(bool)outage["goesOn"]! && (double?)outage["unprobedMs"] > 0, outage.ToJsonString());
        Assert.True((double)outage["shortestMs"]! < (double)outage["longestMs"]! && (double)outage["unprobedMs"]! < (double)outage["longestMs"]!, outage.ToJsonString());
        JsonNode told = await _hub.UntilAsync("/api/v1/events?kind=outage-measured", events => events["items"]!.AsArray().Count > 0);
        Assert.Contains("the hub was not running", (string?)Assert.Single(told["items"]!.AsArray())!["text"], StringComparison.Ordinal);
    }

    private async Task StartHubAsync(string token, int port)
    {
        _hub = await HubProcess.StartAsync(_data.Path, token, $"tcp:{port}");
        await Task.WhenAll(_one.DialAsync(_hub.AgentUrl), _two.DialAsync(_hub.AgentUrl));
    }

    /// <summary>Whoever connects is accepted by the kernel; nobody need take him.</summary>
    private static TcpListener Listen(int port)
    {
        var listener = new TcpListener(IPAddress.Parse(Shared), port);
        listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Start(4_096);
        return listener;
    }
}
