using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Reload;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Agent.Tests.Reload;

public sealed class ReloadRulesTests
{
    private static readonly RouterId _routerId = new(1);

    [Theory]
    [InlineData("--primary --dcid 18", "--primary --dcid 18 --neighbor 2001:db8::5", "")]
    [InlineData("--primary --neighbor 2001:db8::5", "--primary --dcid 18", "")]
    [InlineData("--primary --dcid 18 --metadata off", "--primary --dcid 18 --metadata off --neighbor 2001:db8::5", "")]
    [InlineData("--primary --dcid 18", "--primary --dcid 18 --metadata http://127.0.0.1:1", "metadata")]
    [InlineData("--primary --dcid 18 --metadata off", "--primary --dcid 18", "metadata")]
    public void NeighborsComeOrGo_MetadataIsComparedOnlyWhereSomebodySaidIt(string before, string now, string refused)
    {
        var (running, read) = (Given(before), Given(now));

        var taken = ReloadRules.WithTheServiceOf(running, read);

        Assert.Equal(refused, string.Join(' ', ReloadRules.NeedARestart(running, taken, _routerId).Select(sentence => sentence.Split(':')[0])));
        Assert.True(refused.Length > 0 || taken.Metadata.SequenceEqual(running.Metadata), "The service is asked as since the start.");
    }

    private static AgentOptions Given(string line) =>
        Assert.IsType<CommandLineRequest.Run>(new AgentCommandLine().Read(line.Split(' '), "host-1", TextWriter.Null, TextWriter.Null)).Options;
}
