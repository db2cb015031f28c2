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

    /// <summary>Root runs the agent in the directory of the service's user, who has put links there.</summary>
    [Fact]
    public void LinksArePlanted_WhatTheyLeadToIsNeitherWrittenNorMade()
    {
        var (victim, made) = (_root.At("victim"), _root.At("made"));
        File.WriteAllText(victim, "somebody else's");
        Directory.CreateDirectory(_root.At("state"));
        File.CreateSymbolicLink(Path.Combine(_root.At("state"), "agent.pid"), victim);
        File.CreateSymbolicLink(Path.Combine(_root.At("state"), "agent.lock"), made);

        using (var refused = StateDirectory.Open(_root.At("state")).Directory)
        {
            Assert.Contains("agent.lock is a symbolic link", refused?.Warning, StringComparison.Ordinal);
        }

        File.Delete(Path.Combine(_root.At("state"), "agent.lock"));
        using var directory = StateDirectory.Open(_root.At("state")).Directory;

        Assert.Null(directory?.Warning);
        Assert.False(File.Exists(made));
        Assert.Equal("somebody else's", File.ReadAllText(victim));
        Assert.Equal(Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture), File.ReadAllText(Path.Combine(_root.At("state"), "agent.pid")));
    }

    [Fact]
    public void LockHeld_NoPidFile_IsRefusedAllTheSame()
    {
        using var first = StateDirectory.Open(_root.At("state")).Directory;
        File.Delete(Path.Combine(_root.At("state"), "agent.pid"));

        Assert.Contains("another agent uses", StateDirectory.Open(_root.At("state")).Problem, StringComparison.Ordinal);
    }
}
