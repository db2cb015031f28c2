using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FailoverHub.Bench.Load;

/// <summary>A server under load as a process of its own, and what the kernel counts of it.</summary>
internal sealed partial class ServerProcess(string program, IReadOnlyList<string> arguments) : IAsyncDisposable
{
    private const int Terminate = 15;

    private Process? _process;

    public bool HasExited => _process is { HasExited: true };

    public void Start()
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        start.Environment["Logging__LogLevel__Default"] = "Error";
        _process?.Dispose();
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, line) => Complaint = line.Data is { Length: > 0 } said ? said : Complaint;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The last that it wrote to standard error.</summary>
    public string Complaint { get; private set; } = "";

    /// <summary>SIGTERM; completes when it has ended.</summary>
    public async Task StopAsync(CancellationToken stop)
    {
        _ = Signal(_process!.Id, Terminate);
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

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
    }

    /// <summary>Runs it once with other arguments; gives what it printed.</summary>
    public static async Task<string> AskAsync(string program, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        using var command = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = await command.StandardOutput.ReadToEndAsync(stop);
        await command.WaitForExitAsync(stop);
        return command.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {command.ExitCode}.");
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Signal(int process, int signal);
}
