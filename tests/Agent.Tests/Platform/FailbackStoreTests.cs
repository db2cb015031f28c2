using System.Net;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Agent.Platform;

namespace FailoverHub.Agent.Tests.Platform;

public sealed class FailbackStoreTests : IDisposable
{
    private static readonly IPNetwork _prefix = IPNetwork.Parse("203.0.113.10/32");

    private readonly TemporaryDirectory _directory = new();

    private string FilePath => _directory.At("failback.json");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Saved_IsKnownToTheNextProcess()
    {
        Assert.Null(new FailbackStore(FilePath).TrySave(new FailbackMemory([_prefix])));

        var (memory, problem) = new FailbackStore(FilePath).Load();

        Assert.Null(problem);
        Assert.True(memory.Knows(_prefix));
        Assert.False(memory.Knows(IPNetwork.Parse("203.0.113.11/32")));
        Assert.Equal([FilePath], Directory.GetFiles(_directory.Root));
    }

    [Fact]
    public void NothingSaved_NothingIsKnown_AndThatIsNoProblem()
    {
        var (memory, problem) = new FailbackStore(FilePath).Load();

        Assert.Null(problem);
        Assert.False(memory.Knows(_prefix));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("{\"prefixes\":[null]}")]
    [InlineData("{\"prefixes\":[\"0.0.0.0/0\"]}")]
    [InlineData("{\"prefixes\":[\"203.0.113.11/32\"")]
    public void Damaged_EverythingCountsAsHavingBeenHere_AndThatIsSaid(string content)
    {
        File.WriteAllText(FilePath, content);

        var (memory, problem) = new FailbackStore(FilePath).Load();

        Assert.True(memory.Knows(_prefix));
        Assert.Contains("is held back as secondary now", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void CannotBeSaved_SaysWhy()
    {
        Directory.CreateDirectory(FilePath + ".new");

        Assert.NotNull(new FailbackStore(FilePath).TrySave(FailbackMemory.None));
    }

    [Fact]
    public void TooManyToKeep_WhatIsNotKnownNowIsForgotten()
    {
        var many = Enumerable.Range(0, FailbackMemory.Most).Select(i => new IPNetwork(new IPAddress([10, 0, (byte)(i >> 8), (byte)i]), 32));
        var memory = new FailbackMemory([.. many]);

        var known = new PrefixState(_prefix, true, Role.Primary, Health.Unknown, new AdvertisementDecision.Announce(Role.Primary), 1);
        Assert.Equal([_prefix], memory.With([_prefix], [known]).Prefixes);
    }
}
