using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Tests.Metrics;
using FailoverHub.Agent.Tests.Service;
using FailoverHub.Agent.Tests.Speaker;

namespace FailoverHub.Agent.Tests.EndToEnd;

/// <summary>The real process as systemd starts it.</summary>
[Trait("Kind", "Process")]
public sealed class ServiceTests
{
    [Fact]
    public async Task NotifyService_SaysReadyWhenItsControlAnswers_ThenHowItStands_ThatItLives_ThatItReloads_AndThatItStops()
    {
        using var directory = new TemporaryDirectory();
        await using var manager = new FakeServiceManager(directory.At("notify"));
        await using var router = new FakeRouter();
        var environment = new Dictionary<string, string> { ["NOTIFY_SOCKET"] = manager.Address, ["WATCHDOG_USEC"] = "2000000" };
        await using var agent = AgentExecutable.Start(environment, ["run", "--node", "node-a", "--primary", "--announce", "203.0.113.10/32", "--state", directory.At("state"), .. AgentExecutable.Dialling([router])]);

        Assert.StartsWith("READY=1\nSTATUS=", await manager.Told.FirstAsync<string>(), StringComparison.Ordinal);
        await using (var status = AgentExecutable.Start("status", "--state", directory.At("state")))
        {
            Assert.Equal(0, await status.ExitAsync());
        }

        await manager.Told.FirstAsync<string>(told => told.Contains("STATUS=1 of 1 sessions established; announces 203.0.113.10/32 (primary)", StringComparison.Ordinal));
        await manager.Told.FirstAsync<string>(told => told == "WATCHDOG=1");

        agent.Hangup();

        await manager.Told.FirstAsync<string>(told => told.StartsWith("RELOADING=1\nMONOTONIC_USEC=", StringComparison.Ordinal));
        await manager.Told.FirstAsync<string>(told => told == "READY=1");

        agent.Terminate();

        Assert.Equal(0, await agent.ExitAsync());
        await manager.Told.FirstAsync<string>(told => told == "STOPPING=1\nSTATUS=Stopping: SIGTERM");
    }

    [Fact]
    public async Task Metrics_AskedFor_AreServedOnLoopback_AndTellTheSessions()
    {
        using var directory = new TemporaryDirectory();
        await using var router = new FakeRouter();
        using var client = new HttpClient();
        using var port = new ReservedPort();
        await using var agent = AgentExecutable.Start(
            ["run", "--node", "node-a", "--primary", "--announce", "203.0.113.10/32", "--metrics", $"{port.Number}", "--state", directory.At("state"), .. AgentExecutable.Dialling([router])]);
        await agent.Output.FirstAsync<string>(line => line.Contains("established: hold", StringComparison.Ordinal));

        var samples = ExpositionParser.Parse(await client.GetStringAsync(new Uri($"http://127.0.0.1:{port.Number}/metrics"), TestContext.Current.CancellationToken));

        Assert.Equal("node-a", samples.Single(sample => sample.Name == "failoverhub_build_info").Labels["node"]);
        Assert.Equal(1, samples.Single(sample => sample.Name == "failoverhub_sessions" && sample.Labels["state"] == "established").Value);
        Assert.True(samples.Single(sample => sample.Name == "process_resident_memory_bytes").Value > 1 << 20);
    }

    [Fact]
    public async Task Metrics_PortTaken_IsSaid_AndTheAgentAnnouncesAllTheSame()
    {
        using var directory = new TemporaryDirectory();
        await using var router = new FakeRouter();
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        await using var agent = AgentExecutable.Start(
            ["run", "--node", "node-a", "--primary", "--announce", "203.0.113.10/32", "--metrics", $"{((IPEndPoint)taken.LocalEndPoint!).Port}", "--state", directory.At("state"), .. AgentExecutable.Dialling([router])]);

        await agent.Output.FirstAsync<string>(line => line.Contains("No /metrics at 127.0.0.1:", StringComparison.Ordinal));
        await router.Log.FirstAsync<Seen.Update>(update => update.Announces("203.0.113.10/32", FakeRouter.Primary));
    }
}
