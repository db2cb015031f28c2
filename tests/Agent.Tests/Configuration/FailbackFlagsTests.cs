using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;

namespace FailoverHub.Agent.Tests.Configuration;

public sealed class FailbackFlagsTests
{
    [Theory]
    [InlineData(null, null, FailbackPolicy.Immediate, 60)]
    [InlineData("immediate", null, FailbackPolicy.Immediate, 60)]
    [InlineData("after-stable", null, FailbackPolicy.AfterStable, 60)]
    [InlineData("after-stable", "5", FailbackPolicy.AfterStable, 5)]
    [InlineData("manual", null, FailbackPolicy.Manual, 60)]
    [InlineData("sticky", null, FailbackPolicy.Sticky, 60)]
    public void Given_IsObeyed(string? policy, string? stable, object expected, int seconds)
    {
        var (options, errors) = Read(policy, stable);

        Assert.Empty(errors);
        Assert.Equal(new FailbackOptions { Policy = (FailbackPolicy)expected, StableFor = TimeSpan.FromSeconds(seconds) }, options!.Failback);
    }

    [Theory]
    [InlineData("Manual", null, "--failback: 'Manual' is no failback policy")]
    [InlineData("after-stable", "0", "--failback-stable")]
    [InlineData("after-stable", "86401", "--failback-stable")]
    [InlineData("after-stable", "soon", "--failback-stable")]
    public void CannotBeObeyed_NamesTheFlag(string? policy, string? stable, string named) =>
        Assert.Contains(named, Assert.Single(Read(policy, stable).Errors), StringComparison.Ordinal);

    private static (AgentOptions? Options, IReadOnlyList<string> Errors) Read(string? policy, string? stable)
    {
        var (options, errors) = AgentOptionsReader.Read(new RawArguments { DataCenter = "18", Primary = true, Failback = policy, FailbackStable = stable }, "node-a");
        return (options, errors);
    }
}
