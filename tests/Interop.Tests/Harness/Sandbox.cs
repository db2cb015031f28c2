using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace FailoverHub.Interop.Tests.Harness;

/// <summary>
/// A closed place for one test: a process namespace, a mount namespace with its own empty /run, and network namespaces by
/// name, none of which reaches the machine's network. Everything in it ends with its first process, and that one ends when the pipe from this test process closes. So the
/// kernel cleans up, also after SIGKILL: nothing is left for a janitor, and names cannot meet those of another run.
/// </summary>
internal sealed class Sandbox : IAsyncDisposable
{
    // The first process of the sandbox (process 1 in there). It tells its id as the test process knows it before /proc becomes
    // that of the sandbox, and then only waits for the end of its input.
    private const string FirstProcess =
        """
        read -r self rest </proc/self/stat
        mount -t proc proc /proc
        mount -t tmpfs tmpfs /run
        mkdir -p /run/netns /run/log /run/pid
        echo "ready $self"
        exec cat
        """;

    private readonly Process _outer;
    private readonly string _target;
    private readonly List<SandboxProcess> _processes = [];

    private Sandbox(Process outer, int firstProcess)
    {
        _outer = outer;
        _target = firstProcess.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The process whose death ends the sandbox.</summary>
    public Process Outer => _outer;

    /// <summary>Starts an empty sandbox.</summary>
    public static async Task<Sandbox> StartAsync(CancellationToken cancellation)
    {
        if (Native.EffectiveUser() != 0)
        {
            throw new InvalidOperationException("Network namespaces need root. Run ./test.sh interop, which takes sudo or a user namespace when you are not root.");
        }

        var start = new ProcessStartInfo("unshare", ["--mount", "--pid", "--net", "--fork", "--kill-child=SIGKILL", "--", "sh", "-ec", FirstProcess])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var outer = Process.Start(start)!;
        var said = await outer.StandardOutput.ReadLineAsync(cancellation);
        if (said?.Split(' ') is not ["ready", var id])
        {
            var complaint = await outer.StandardError.ReadToEndAsync(cancellation);
            outer.Dispose();
            throw new InvalidOperationException($"No sandbox: unshare said '{said}' and '{complaint.Trim()}'. It needs CAP_SYS_ADMIN (root on the machine, or a privileged container).");
        }

        return new Sandbox(outer, int.Parse(id, CultureInfo.InvariantCulture));
    }

    /// <summary>Where a file of the sandbox is seen from outside.</summary>
    /// <param name="path">Absolute path inside; only what lies under /run is the sandbox's own.</param>
    public string Outside(string path) => $"/proc/{_target}/root{path}";

    /// <summary>The network namespace as a file, for nsenter and setns.</summary>
    public string NamespaceFile(string name) => Outside($"/run/netns/{name}");

    /// <summary>Writes a file under /run.</summary>
    public async Task WriteAsync(string path, string text, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Outside(path))!);
        await File.WriteAllTextAsync(Outside(path), text, cancellation);
    }

    /// <summary>Writes a file under /run that only root may read.</summary>
    public async Task WriteSecretAsync(string path, string text, CancellationToken cancellation)
    {
        await WriteAsync(path, text, cancellation);
        File.SetUnixFileMode(Outside(path), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>Reads a file under /run; empty when there is none.</summary>
    public async Task<string> ReadAsync(string path, CancellationToken cancellation)
    {
        try
        {
            // Shared: daemons have their logs open for writing.
            await using var file = new FileStream(Outside(path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(file);
            return await reader.ReadToEndAsync(cancellation);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return "";
        }
    }

    /// <summary>Runs a shell script in the sandbox, in none of its named network namespaces, and fails the test when the script fails.</summary>
    public async Task ScriptAsync(string script, CancellationToken cancellation) =>
        _ = (await RunAsync(null, ["sh", "-ec", script], cancellation)).Checked();

    /// <summary>Runs a command to its end.</summary>
    /// <param name="network">Name of the network namespace; null: the one without a name, which is empty.</param>
    /// <param name="command">Executable and arguments.</param>
    /// <param name="cancellation">Kills it.</param>
    public async Task<CommandOutput> RunAsync(string? network, IReadOnlyList<string> command, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Eventually.Bound);
        using var process = Process.Start(Enter(network, command, redirect: true))!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new CommandOutput(string.Join(' ', command), process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>Starts a process that runs until it is told to stop, or the sandbox ends.</summary>
    /// <param name="name">For its log, /run/log/NAME.log, and its process id file.</param>
    /// <param name="network">Name of the network namespace.</param>
    /// <param name="command">Executable and arguments.</param>
    /// <param name="environment">Added to the environment.</param>
    public SandboxProcess Spawn(string name, string network, IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment = null)
    {
        // The shell notes the id by which the process is known inside, then becomes the process.
        const string noteAndBecome = """name=$1; shift; echo $$ >"/run/pid/$name"; exec "$@" >>"/run/log/$name.log" 2>&1 </dev/null""";
        var start = Enter(network, ["sh", "-c", noteAndBecome, "sh", name, .. command], redirect: false);
        foreach (var (key, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[key] = value;
        }

        File.Delete(Outside($"/run/pid/{name}"));
        var process = new SandboxProcess(this, name, Process.Start(start)!);
        _processes.Add(process);
        return process;
    }

    /// <summary>Copies what the processes wrote to a folder that outlives the sandbox.</summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(Outside("/run"), "*", SearchOption.AllDirectories))
        {
            var relative = Path.GetRelativePath(Outside("/run"), file);
            if (Path.GetExtension(file) is ".log" or ".conf" or ".toml" or ".json" or ".pcap" && !relative.StartsWith("netns", StringComparison.Ordinal))
            {
                File.Copy(file, Path.Combine(folder, relative.Replace('/', '-')), overwrite: true);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _outer.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await _outer.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _outer.Kill();
            await _outer.WaitForExitAsync(CancellationToken.None);
        }

        foreach (var process in _processes)
        {
            await process.DisposeAsync();
        }

        _outer.Dispose();
    }

    private ProcessStartInfo Enter(string? network, IReadOnlyList<string> command, bool redirect)
    {
        var start = new ProcessStartInfo(
            "nsenter", ["--target", _target, "--mount", "--pid", network is null ? "--net" : $"--net={NamespaceFile(network)}", "--", .. command])
        {
            WorkingDirectory = "/",
            RedirectStandardOutput = redirect,
            RedirectStandardError = redirect,
        };
        return start;
    }
}

/// <summary>What a command said.</summary>
internal sealed record CommandOutput(string Command, int ExitCode, string Output, string Errors)
{
    /// <summary>The output, or a failed test that shows why there is none.</summary>
    public string Checked() => ExitCode == 0
        ? Output
        : throw new InvalidOperationException($"'{Command}' ended with {ExitCode}: {Errors.Trim()} {Output.Trim()}");
}

/// <summary>What the build knows about where things are.</summary>
internal static class BuiltPaths
{
    public static string AgentExecutable => Metadata("AgentExecutable");

    /// <summary>The same as one native file, as it is packaged. <c>scripts/publish-agent.sh</c> makes it.</summary>
    public static string NativeAgent => Metadata("NativeAgent");

    public static string HubExecutable => Metadata("HubExecutable");

    public static string TestResults => Metadata("TestResults");

    private static string Metadata(string key) =>
        typeof(BuiltPaths).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
}
