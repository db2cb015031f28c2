using System.Diagnostics;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Checks.Probes;

namespace FailoverHub.Agent.Tests.Checks;

[Trait("Kind", "Process")]
public sealed class ProcessProbeTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("fo-short")]
    [InlineData("fo-with-a-name-that-the-kernel-cuts")]
    public async Task ProcessOfThatName_IsGoodWhileItLives(string name)
    {
        var program = _directory.At(name);
        File.Copy("/bin/sleep", program);
        var probe = new ProcessProbe(new ProbeOptions.Process(name, null));
        var other = new ProcessProbe(new ProbeOptions.Process(name[..^1] + "x", null));
        Assert.Equal((false, $"no process {name} is running"), await RunAsync(probe));

        using var process = Process.Start(program, "1000");
        Assert.Equal((true, $"process {process.Id} is running"), await RunAsync(probe));
        Assert.Equal((true, $"process {process.Id} is running"), await RunAsync(probe));
        Assert.False((await RunAsync(other)).Good);

        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((false, $"no process {name} is running"), await RunAsync(probe));
    }

    [Fact]
    public async Task PidFile_NamesTheProcess()
    {
        var file = _directory.At("pid");
        var probe = new ProcessProbe(new ProbeOptions.Process(null, file));
        Assert.Equal((false, $"there is no pid file {file}"), await RunAsync(probe));
        await File.WriteAllTextAsync(file, "soon\n", TestContext.Current.CancellationToken);
        Assert.Equal((false, $"pid file {file} has no process id in it"), await RunAsync(probe));

        using var process = Process.Start("sleep", "1000");
        await File.WriteAllTextAsync(file, $" {process.Id}\nmore\n", TestContext.Current.CancellationToken);
        Assert.Equal((true, $"process {process.Id} is running"), await RunAsync(probe));
        Assert.Equal((true, $"process {process.Id} is running"), await RunAsync(new ProcessProbe(new ProbeOptions.Process("sleep", file))));
        Assert.Equal((false, $"process {process.Id} of {file} is sleep and not nginx"), await RunAsync(new ProcessProbe(new ProbeOptions.Process("nginx", file))));

        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((false, $"process {process.Id} of {file} is not running"), await RunAsync(probe));
    }

    private static async Task<(bool Good, string Text)> RunAsync(ProcessProbe probe)
    {
        var result = await probe.RunAsync(TestContext.Current.CancellationToken);
        return (result.Good, result.Text);
    }
}
