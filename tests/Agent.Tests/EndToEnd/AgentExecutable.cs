using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using FailoverHub.Agent.Tests.Speaker;

namespace FailoverHub.Agent.Tests.EndToEnd;

/// <summary>The agent as it is built, as a process of its own.</summary>
internal sealed class AgentExecutable : IAsyncDisposable
{
    private const int TerminateSignal = 15;
    private const int HangupSignal = 1;

    private static readonly string _path = typeof(AgentExecutable).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(metadata => metadata.Key == "AgentExecutable").Value!;

    private readonly Process _process;

    private AgentExecutable(Process process) => _process = process;

    /// <summary>Lines of its log.</summary>
    public Signal<string> Output { get; } = new();

    /// <summary>Lines of its standard error.</summary>
    public Signal<string> Error { get; } = new();

    public static AgentExecutable Start(params IEnumerable<string> arguments) => Start(new Dictionary<string, string>(), arguments);

    /// <summary>As above, with more variables in its environment.</summary>
    public static AgentExecutable Start(IReadOnlyDictionary<string, string> environment, IEnumerable<string> arguments) => Start(_path, environment, arguments);

    /// <summary>As above, after a line of a shell that becomes the agent then.</summary>
    public static AgentExecutable StartFromShell(string line, IEnumerable<string> arguments) =>
        Start("/bin/sh", new Dictionary<string, string>(), ["-c", $"{line}; exec \"$0\" \"$@\"", _path, .. arguments]);

    private static AgentExecutable Start(string program, IReadOnlyDictionary<string, string> environment, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var agent = new AgentExecutable(new Process { StartInfo = start });
        agent._process.OutputDataReceived += (_, line) => agent.Output.Add(line.Data ?? "(end)");
        agent._process.ErrorDataReceived += (_, line) => agent.Error.Add(line.Data ?? "(end)");
        agent._process.Start();
        agent._process.BeginOutputReadLine();
        agent._process.BeginErrorReadLine();
        return agent;
    }

    /// <summary>Flags of a node that dials these routers.</summary>
    public static IEnumerable<string> Dialling(IEnumerable<FakeRouter> routers) =>
        routers.SelectMany(router => new[] { "--neighbor", router.Endpoint.ToString() });

    public void Terminate() => Assert.Equal(0, Signal(_process.Id, TerminateSignal));

    /// <summary>SIGHUP: read the configuration again.</summary>
    public void Hangup() => Assert.Equal(0, Signal(_process.Id, HangupSignal));

    public void Kill() => _process.Kill();

    public async Task<int> ExitAsync()
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        await _process.WaitForExitAsync(safety.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Signal(int process, int signal);
}
