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
    public void CannotBeMade_IsNoReasonNotToStart_ButSaysWhatToDo()
    {
        File.WriteAllText(_root.At("file"), "in the way");

        var (directory, problem) = StateDirectory.Open(_root.At("file"));

        Assert.Null(problem);
        Assert.Contains(_root.At("file"), directory!.Warning, StringComparison.Ordinal);
        Assert.Contains("--state DIR", directory.Warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("agent.pid")]
    [InlineData("agent.lock")]
    public void FileCannotBeWritten_IsNoReasonNotToStart(string name)
    {
        Directory.CreateDirectory(Path.Combine(_root.At("state"), name));

        using var directory = StateDirectory.Open(_root.At("state")).Directory;

        Assert.Contains("keeps nothing", directory?.Warning, StringComparison.Ordinal);
    }

    [Fact]
    public void LockHeld_NoPidFile_IsRefusedAllTheSame()
    {
        using var first = StateDirectory.Open(_root.At("state")).Directory;
        File.Delete(Path.Combine(_root.At("state"), "agent.pid"));

        Assert.Contains("another agent uses", StateDirectory.Open(_root.At("state")).Problem, StringComparison.Ordinal);
    }
}
