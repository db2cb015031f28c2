using FailoverHub.Agent.Platform;

namespace FailoverHub.Agent.Tests.Platform;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Written_IsThere_WithoutADoubt()
    {
        Assert.Null(AtomicFile.Write(_directory.At("file"), "new"u8));

        Assert.Equal("new", File.ReadAllText(_directory.At("file")));
    }

    /// <summary>After the rename a failure to flush is a doubt to be told, not a failure to write.</summary>
    [Fact]
    public void DirectoryCannotBeFlushed_IsSaid_AndNotThrown()
    {
        Assert.Contains("cannot be opened to flush", AtomicFile.FlushDirectory(_directory.At("nowhere")), StringComparison.Ordinal);
    }

    /// <summary>The files of the kernel know no fsync of their directory; that is no doubt.</summary>
    [Fact]
    public void DirectoryKnowsNoFlush_IsNoDoubt()
    {
        Assert.Null(AtomicFile.FlushDirectory("/proc/self"));
    }
}
