using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using FailoverHub.Bench.Lab;

namespace FailoverHub.Bench.Load;

/// <summary>The built hub as a process of its own on loopback, with a data folder that outlives it, and what the kernel and its own metrics count of it.</summary>
internal sealed partial class HubProcess : IAsyncDisposable
{
    private readonly string _program;
    private readonly string _data;
    private Process? _process;

    private HubProcess(string program)
    {
        _program = program;
        _data = Directory.CreateTempSubdirectory("hub-bench-").FullName;
        (Url, AgentUrl) = ($"http://127.0.0.1:{FreePort()}", $"http://127.0.0.1:{FreePort()}");
    }

    public string Url { get; }

    public string AgentUrl { get; }

    public HttpClient Api { get; private set; } = null!;

    public string Token { get; private set; } = "";

    public static async Task<HubProcess> StartAsync(string program, CancellationToken stop)
    {
        var hub = new HubProcess(program);
        hub.Token = (await hub.CommandAsync(["token", "create", "--data", hub._data, "--name", "bench"], stop)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Trim()).Last(l => l.StartsWith("fh_", StringComparison.Ordinal));
        hub.Api = new HttpClient { BaseAddress = new Uri(hub.Url), Timeout = TimeSpan.FromSeconds(30) };
        hub.Api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", hub.Token);
        await hub.RunAsync(stop);
        return hub;
    }

    /// <summary>Starts it on the same ports and folder; completes when it is ready.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var start = new ProcessStartInfo(_program, ["run", "--urls", Url, "--agent-url", AgentUrl, "--data", _data, "--probe", "tcp:9"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/",
        };
        start.Environment["Logging__LogLevel__Default"] = "Error";
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        for (var tries = 0; tries < 600; tries++)
        {
            try
            {
                using var answer = await Api.GetAsync("/healthz/ready", stop);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException) when (!_process.HasExited)
            {
                // It does not listen yet.
            }

            await Pause.ForAsync(TimeSpan.FromMilliseconds(100), stop);
        }

        throw new InvalidOperationException("The hub did not become ready within a minute.");
    }

    /// <summary>SIGTERM; completes when it has ended.</summary>
    public async Task StopAsync(CancellationToken stop)
    {
        const int terminate = 15;
        _ = Signal(_process!.Id, terminate);
        await _process.WaitForExitAsync(stop);
    }

    /// <summary>Processor time of user and kernel until now.</summary>
    public TimeSpan Processor()
    {
        // Behind the name, which may contain blanks, utime and stime are the 12th and 13th field, in hundredths of a second.
        var fields = File.ReadAllText($"/proc/{_process!.Id}/stat").Split(") ")[1].Split(' ');
        return TimeSpan.FromMilliseconds(10 * (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)));
    }

    /// <summary>Resident bytes.</summary>
    public long Resident() => 1_024 * long.Parse(
        File.ReadLines($"/proc/{_process!.Id}/status").First(l => l.StartsWith("VmRSS", StringComparison.Ordinal)).Split(':')[1].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture);

    /// <summary>Sum of the samples of a metric.</summary>
    public async Task<double> MetricAsync(string name, CancellationToken stop)
    {
        var text = await Api.GetStringAsync("/metrics", stop);
        return text.Split('\n').Where(l => l.StartsWith(name, StringComparison.Ordinal) && (l[name.Length] is ' ' or '{'))
            .Sum(l => double.Parse(l[(l.LastIndexOf('}') + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        if (_process is { HasExited: false })
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    private async Task<string> CommandAsync(IReadOnlyList<string> arguments, CancellationToken stop)
    {
        using var command = Process.Start(new ProcessStartInfo(_program, arguments) { RedirectStandardOutput = true })!;
        var output = await command.StandardOutput.ReadToEndAsync(stop);
        await command.WaitForExitAsync(stop);
        return command.ExitCode == 0 ? output : throw new InvalidOperationException($"{_program} {string.Join(' ', arguments)} ended with {command.ExitCode}.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Signal(int process, int signal);
}
