using System.Runtime.InteropServices;
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

    /// <summary>The directory is the service's user's, who waits for root to come by.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LinkIsPlanted_WhereTheNewFileIsBegun_WhatItLeadsToIsNotTouched(bool isSecret)
    {
        var victim = Victim();
        File.CreateSymbolicLink(_directory.At("file.new"), victim);

        Assert.Null(isSecret ? AtomicFile.WritePrivate(_directory.At("file"), "new"u8) : AtomicFile.Write(_directory.At("file"), "new"u8));

        Assert.Equal("somebody else's", File.ReadAllText(victim));
        Assert.Equal("new", File.ReadAllText(_directory.At("file")));
        Assert.Null(new FileInfo(_directory.At("file")).LinkTarget);
    }

    [Theory]
    [InlineData("file")]
    [InlineData("folder")]
    [InlineData("link that leads nowhere")]
    public void NameIsTakenMeanwhile_ItStaysWhoseItIs(string by)
    {
        File.WriteAllText(_directory.At(".new"), "new");
        Assert.True(AtomicFile.TryName(_directory.At(".new"), _directory.At("free")));
        Assert.Equal("new", File.ReadAllText(_directory.At("free")));
        _ = by switch
        {
            "file" => File.CreateText(_directory.At("name")).DisposeAsync().AsTask(),
            "folder" => Task.FromResult(Directory.CreateDirectory(_directory.At("name"))),
            _ => Task.FromResult(File.CreateSymbolicLink(_directory.At("name"), _directory.At("nowhere"))),
        };

        Assert.False(AtomicFile.TryName(_directory.At(".new"), _directory.At("name")));

        Assert.Equal(by == "folder", Directory.Exists(_directory.At("name")));
        Assert.False(File.Exists(_directory.At("nowhere")));
        Assert.Throws<IOException>(() => AtomicFile.TryName(_directory.At("not there"), _directory.At("another")));
    }

    [Fact]
    public void LinkIsPlanted_InThePlaceOfTheFile_ItIsReplaced()
    {
        var victim = Victim();
        File.CreateSymbolicLink(_directory.At("file"), victim);

        Assert.Null(AtomicFile.Write(_directory.At("file"), "new"u8));

        Assert.Equal("somebody else's", File.ReadAllText(victim));
        Assert.Equal("new", File.ReadAllText(_directory.At("file")));
    }

    /// <summary>Another name of somebody else's file is not written through either.</summary>
    [Fact]
    public void SecondNameIsPlanted_WhereTheNewFileIsBegun_TheFirstIsNotTouched()
    {
        var victim = Victim();
        Assert.Equal(0, GiveSecondName(victim, _directory.At("file.new")));

        Assert.Null(AtomicFile.Write(_directory.At("file"), "new"u8));

        Assert.Equal("somebody else's", File.ReadAllText(victim));
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

    private string Victim()
    {
        File.WriteAllText(_directory.At("victim"), "somebody else's");
        return _directory.At("victim");
    }

    [DllImport("libc", EntryPoint = "link")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GiveSecondName(string path, string second);
}
