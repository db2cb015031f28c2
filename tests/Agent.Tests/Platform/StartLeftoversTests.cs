using FailoverHub.Agent.Platform;

namespace FailoverHub.Agent.Tests.Platform;

public sealed class StartLeftoversTests
{
    private const string Maps = """
        55d0c0a00000-55d0c0a02000 r-xp 00016000 fe:01 1234    /usr/bin/failoverhub-agent
        Rss:                   8 kB
        Anonymous:             0 kB
        VmFlags: rd ex mr mw me
        55d0c0b00000-55d0c0b01000 r--p 00116000 fe:01 1234    /usr/bin/failoverhub-agent
        Anonymous:             4 kB
        55d0c0c00000-55d0c0c04000 rw-p 00216000 fe:01 1234    /usr/bin/failoverhub-agent
        Anonymous:             0 kB
        55d0c0d00000-55d0c0d04000 r--p 00000000 00:00 0
        Anonymous:             0 kB
        7f0000000000-7f0000003000 r--p 00000000 fe:01 99      /usr/lib/x86_64-linux-gnu/libc.so.6
        Anonymous:             0 kB
        7f0000010000-7f0000013000 r--s 00000000 fe:01 98      /var/lib/shared
        Anonymous:             0 kB
        7fff00000000-7fff00002000 r-xp 00000000 00:00 0       [vdso]
        Anonymous:             0 kB
        """;

    [Fact]
    public void OnlyPagesThatAreAsInTheirFile_AreLetGo()
    {
        Assert.Equal(
            [(unchecked((nint)0x55d0c0a00000), (nuint)0x2000), (unchecked((nint)0x7f0000000000), (nuint)0x3000)],
            StartLeftovers.UntouchedFilePages(Maps.Split('\n')));
    }

    [Fact]
    public void OfThisProcess_ThereAreSome()
    {
        Assert.NotEmpty(StartLeftovers.UntouchedFilePages(File.ReadLines("/proc/self/smaps")));
    }
}
