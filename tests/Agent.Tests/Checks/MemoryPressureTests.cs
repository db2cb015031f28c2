using System.Globalization;
using FailoverHub.Agent.Checks.Commands;

namespace FailoverHub.Agent.Tests.Checks;

/// <summary>Whom the kernel ends when memory is short.</summary>
public sealed class MemoryPressureTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("-900\n", "0")]
    [InlineData("-1\n", "0")]
    [InlineData("0\n", "as it was")]
    [InlineData("300\n", "as it was")]
    public void AgentThatIsSpared_DoesNotSpareItsChildren_AndOneThatIsNotLeavesThemAlone(string ours, string childs)
    {
        File.WriteAllText(_directory.At("ours"), ours);
        File.WriteAllText(_directory.At("childs"), "as it was");

        MemoryPressure.EndSparing(_directory.At("ours"), _directory.At("childs"));

        Assert.Equal(childs, File.ReadAllText(_directory.At("childs")));
    }

    [Fact]
    public void ChildThatIsGone_IsNoTrouble() => MemoryPressure.EndSparing(_directory.At("ours"), _directory.At("nothing/childs"));

    [Fact]
    [Trait("Kind", "Process")]
    public void EveryChild_IsGivenToIt_WhileItRuns()
    {
        Assert.Equal<Action<int>>(MemoryPressure.EndSparing, new Children().Started);

        // To be spared more needs a right that a test has not got. To be spared less is told in the same way, and needs none.
        var children = new Children { Started = process => File.WriteAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/oom_score_adj"), "987") };
        using var arguments = new NativeTexts(["/bin/sh", "-c", "while [ \"$(cat /proc/self/oom_score_adj)\" != 987 ]; do :; done; cat /proc/self/oom_score_adj"]);
        using var environment = Spawning.Environment("a-run");
        var (end, error) = ChildProcess.Run(children, arguments, environment, "a-run", ChildProcess.Grace, TestContext.Current.CancellationToken);

        Assert.Equal(0, error);
        Assert.Equal(0, end!.Value.Status);
        Assert.Equal("987", end.Value.Output);
    }
}
