using FailoverHub.Agent.Tests.Discovery;

namespace FailoverHub.Agent.Tests.EndToEnd;

[Trait("Kind", "Process")]
public sealed class DiscoveryTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task NothingGiven_ServiceSilent_RunsWithoutNeighborsAndSaysSo_AndEndsWhenAsked()
    {
        await using var agent = AgentExecutable.Start("--primary", "--metadata", "http://127.0.0.1:1", "--state", _directory.Root);
        await agent.Output.FirstAsync<string>(line => line.Contains("The metadata service does not answer", StringComparison.Ordinal));

        agent.Terminate();

        Assert.Equal(0, await agent.ExitAsync());
    }

    [Fact]
    public async Task NothingGiven_ServiceAnswers_DialsTheNeighborsOfItsRegion_AndTheNextStartWaitsForNobody()
    {
        await using (var server = await MetadataServer.StartAsync())
        {
            await using var first = Start(server.Address);
            await first.Output.FirstAsync<string>(line => line.Contains("us-ord is data center 18", StringComparison.Ordinal));
            await first.Output.FirstAsync<string>(line => line.Contains("the metadata service named the data center", StringComparison.Ordinal) && line.Contains("neighbors", StringComparison.Ordinal));
            foreach (var number in (int[])[1, 2, 3, 4])
            {
                await first.Output.FirstAsync<string>(line => line.Contains($"no session with [::ffff:127.34.18.{number}]:1 yet", StringComparison.Ordinal));
            }

            await first.Output.FirstAsync<string>(line => line.Contains("203.0.113.10/32 is shared with this machine, but no interface has an address of it", StringComparison.Ordinal));
            first.Terminate();
            Assert.Equal(0, await first.ExitAsync());
        }

        await using var second = Start(new Uri("http://127.0.0.1:1"));
        await second.Output.FirstAsync<string>(line => line.Contains("By what the metadata service said", StringComparison.Ordinal));
        await second.Output.FirstAsync<string>(line => line.Contains("4 neighbors", StringComparison.Ordinal));
    }

    [Fact]
    public async Task OneWasGivenItsDataCenter_TheOther_WhichFindsTheSameNeighborsLater_DialsNone_AndSaysWhoHasThem()
    {
        await using var server = await MetadataServer.StartAsync();
        await using var given = Start(new Uri("http://127.0.0.1:1"), "given", "--dcid", "18");
        await given.Output.FirstAsync<string>(line => line.Contains("no session with [::ffff:127.34.18.1]:1 yet", StringComparison.Ordinal));

        await using var searching = Start(server.Address, "searching");

        await searching.Output.FirstAsync<string>(line => line.Contains("The new configuration is not taken", StringComparison.Ordinal) && line.Contains("announces as 'node-b' from this machine", StringComparison.Ordinal));
        searching.Terminate();
        Assert.Equal(0, await searching.ExitAsync());
        Assert.DoesNotContain(searching.Output.Seen, line => line.Contains("no session with", StringComparison.Ordinal));
    }

    [Fact]
    public async Task OneHasFoundItsNeighbors_AnotherThatIsGivenThem_DoesNotStart()
    {
        await using var server = await MetadataServer.StartAsync();
        await using var searching = Start(server.Address, "searching");
        await searching.Output.FirstAsync<string>(line => line.Contains("no session with [::ffff:127.34.18.1]:1 yet", StringComparison.Ordinal));

        await using var given = Start(new Uri("http://127.0.0.1:1"), "given", "--dcid", "18");

        Assert.Equal(1, await given.ExitAsync());
        await given.Error.FirstAsync<string>(line => line.Contains("announces as 'node-b' from this machine", StringComparison.Ordinal));
    }

    private AgentExecutable Start(Uri metadata, string state, params string[] more) => AgentExecutable.Start(
        ["--primary", "--node", "node-b", "--metadata", metadata.ToString(), "--neighborpattern", "::ffff:127.34.%d.%d", "--neighbor-port", "1", "--state", _directory.At(state), .. more]);

    // The pattern leads nowhere but to this machine.
    private AgentExecutable Start(Uri metadata) => AgentExecutable.Start(
        "--primary", "--node", "node-a", "--metadata", metadata.ToString(), "--neighborpattern", "::ffff:127.34.%d.%d", "--neighbor-port", "1", "--state", _directory.Root);
}
