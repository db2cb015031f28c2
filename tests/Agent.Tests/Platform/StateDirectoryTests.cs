using FailoverHub.Agent.Platform;

namespace FailoverHub.Agent.Tests.Platform;

public sealed class StateDirectoryTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void SecondAgent_IsRefused_AndToldWhoAndWhatToDo()
    {
        using var first = StateDirectory.Open(_root.At("state")).Directory;
        var (second, problem) = StateDirectory.Open(_root.At("state"));

        Assert.NotNull(first);
        Assert.Null(second);
        Assert.Contains($"process {Environment.ProcessId}", problem, StringComparison.Ordinal);
        Assert.Contains("--state DIR", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void AfterTheFirstHasEnded_TheNextIsWelcome()
    {
        StateDirectory.Open(_root.At("state")).Directory!.Dispose();
        using var next = StateDirectory.Open(_root.At("state")).Directory;

        Assert.NotNull(next);
    }

    [Fact]
    public void CannotBeMade_SaysWhatToDo()
    {
        File.WriteAllText(_root.At("file"), "in the way");

        var (directory, problem) = StateDirectory.Open(_root.At("file"));

        Assert.Null(directory);
        Assert.Contains(_root.At("file"), problem, StringComparison.Ordinal);
        Assert.Contains("--state DIR", problem, StringComparison.Ordinal);
    }
}
