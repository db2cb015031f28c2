using System.Text.Json;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Tests.Speaker;

namespace FailoverHub.Agent.Tests.EndToEnd;

[Trait("Kind", "Process")]
public sealed class DoctorTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task SomethingFailed_IsSaid_WithWhatToDo_AndExitsWith1()
    {
        await using var doctor = AgentExecutable.Start("doctor", "--metadata", "off", "--neighbor", "127.0.0.1:1", "--announce", "203.0.113.10", "--state", _directory.Root);

        Assert.Equal(1, await doctor.ExitAsync());
        var lines = await doctor.Output.UntilAsync(lines => lines.Contains("(end)"));
        Assert.Contains("FAILED   tcp              TCP does not reach 127.0.0.1:1: connection refused", lines);
        Assert.Contains(lines, line => line.Contains("ip addr add 203.0.113.10/32 dev lo", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("unknown  agent ", StringComparison.Ordinal));
        Assert.Empty((await doctor.Error.UntilAsync(said => said.Contains("(end)"))).Remove("(end)"));
    }

    [Fact]
    public async Task AgentRuns_ItsWordCounts_AndItsSessionIsLeftInPeace()
    {
        await using var router = new FakeRouter();
        await using var agent = AgentExecutable.Start(
            [.. AgentExecutable.Dialling([router]), "--primary", "--announce", "203.0.113.10", "--node", "node-a", "--state", _directory.Root]);
        await agent.Output.FirstAsync<string>(line => line.Contains("1 prefix announced as primary", StringComparison.Ordinal));

        // Whom the agent dials is not said here: the agent knows.
        await using var doctor = AgentExecutable.Start("doctor", "--json", "--metadata", "http://127.0.0.1:1", "--state", _directory.Root);
        await doctor.ExitAsync();

        using var json = JsonDocument.Parse(string.Join('\n', (await doctor.Output.UntilAsync(lines => lines.Contains("(end)"))).Remove("(end)")));
        var states = json.RootElement.GetProperty("findings").EnumerateArray().Select(finding => $"{finding.GetProperty("check")}: {finding.GetProperty("state")}").ToList();
        Assert.Contains("agent: passed", states);
        Assert.Contains("tcp: passed", states);
        Assert.Contains("share: passed", states);
        Assert.Single(router.Log.Seen.OfType<Seen.Established>());
    }

    [Theory]
    [InlineData("doctor --dcid x")]
    [InlineData("doctor --what")]
    [InlineData("doctor --metadata off")]
    public void CannotBeObeyed_ExitsWith2(string line)
    {
        Assert.Equal(new CommandLineRequest.Exit(2), new AgentCommandLine().Read(line.Split(' '), "host-1", TextWriter.Null, TextWriter.Null));
    }

    [Fact]
    public void FlagsOfRun_AreUnderstood_AndItsOwn()
    {
        var examine = Assert.IsType<CommandLineRequest.Examine>(
            new AgentCommandLine().Read("doctor -dcid 18 -allifs --json --write --peer-host aa11".Split(' '), "host-1", TextWriter.Null, TextWriter.Null));

        Assert.True(examine.Options.AllInterfaces);
        Assert.Equal(new Agent.Doctor.DoctorOptions(true, true, "aa11"), examine.Doctor);
    }
}
