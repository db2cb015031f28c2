using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FailoverHub.Browser.Tests.Trial;
using Microsoft.Playwright;
using Xunit.Sdk;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(TrialRun))]
[assembly: Parallelization(Mode = ParallelMode.None)]

namespace FailoverHub.Browser.Tests.Trial;

/// <summary>
/// One trial data center and one browser for all tests: <c>run.sh</c> with addresses, ports and a folder of its own, so that it runs beside
/// another. It ends with these tests even when they are killed: run.sh watches this process.
/// </summary>
public sealed class TrialRun : IAsyncLifetime
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    private readonly int _index = 20 + (Environment.ProcessId % 70);
    private readonly string _folder = Path.Combine(Places.Results, $"run-{Environment.ProcessId}");
    private readonly Dictionary<string, string> _environment;
    private Process? _runner;
    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private HubApi? _api;
    private string? _signedIn;

    /// <summary>Made by xunit.</summary>
    public TrialRun() => _environment = new Dictionary<string, string>
    {
        ["FAILOVERHUB_RUN_DIR"] = _folder,
        ["FAILOVERHUB_TRIAL_INDEX"] = _index.ToString(CultureInfo.InvariantCulture),
        ["FAILOVERHUB_NO_BUILD"] = "1",

        // These tests move the pair more often than an operator would.
        ["FAILOVERHUB_COOLDOWN"] = "0",
        ["FAILOVERHUB_PARENT_PID"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
        ["FAILOVERHUB_OTLP_ENDPOINT"] = Spans.Endpoint.AbsoluteUri,
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_BSP_SCHEDULE_DELAY"] = "500",
    };

    /// <summary>What the hub sends to its collector.</summary>
    internal SpanReceiver Spans { get; } = new();

    internal IBrowser Browser => _browser ?? throw new InvalidOperationException("Not started.");

    internal HubApi Api => _api ?? throw new InvalidOperationException("Not started.");

    internal Uri HubUrl => Api.Url;

    internal string SharedAddress => $"127.203.{113 + _index}.10";

    internal LabState Lab => new(Path.Combine(_folder, "lab.json"));

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        ForgetOlderRuns();
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Places.Chromium,
            // As root Chromium cannot use its sandbox; the only pages it sees are ours.
            ChromiumSandbox = false,
            Args = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
        await StartAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _api?.Dispose();
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        if (_runner is not null)
        {
            await RunScriptAsync(CancellationToken.None, "stop");
            await _runner.WaitForExitAsync();
            _runner.Dispose();
        }

        await Spans.DisposeAsync();
    }

    /// <summary>A link that signs in once.</summary>
    internal async Task<string> NewSignInLinkAsync(CancellationToken cancelled)
    {
        var said = await Command.RunAsync(Places.Hub, ["sign-in-link", "--data", Path.Combine(_folder, "hub"), "--url", HubUrl.GetLeftPart(UriPartial.Authority)], _environment, cancelled);
        return said.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Last(word => word.StartsWith("http", StringComparison.Ordinal));
    }

    /// <summary>Makes an account, as whoever runs the hub does on its machine: <c>failoverhub user create</c>.</summary>
    /// <returns>The password that is good for one sign-in.</returns>
    internal async Task<string> NewUserAsync(string name, string role, CancellationToken cancelled) =>
        (await Command.RunAsync(Places.Hub, ["user", "create", name, "--role", role, "--data", Path.Combine(_folder, "hub")], _environment, cancelled)).Trim();

    /// <summary>Cookies of a browser that has signed in; it does so once per run.</summary>
    internal async Task<string> SignedInStateAsync(CancellationToken cancelled)
    {
        if (_signedIn is null)
        {
            // Sessions by a link end with the first admin account; this one is made after it.
            await NewUserAsync("first-admin", "Admin", cancelled);
            await using var context = await Browser.NewContextAsync();
            var page = await context.NewPageAsync();
            await page.GotoAsync(await NewSignInLinkAsync(cancelled));
            await page.Locator("#sign-in").ClickAsync();
            await Assertions.Expect(page.GetByTestId("pair-cards")).ToBeVisibleAsync();
            _signedIn = await context.StorageStateAsync();
        }

        return _signedIn;
    }

    /// <summary>kill -9; returns when the process is dead.</summary>
    internal async Task KillAsync(string component, CancellationToken cancelled)
    {
        var pid = (await File.ReadAllTextAsync(Path.Combine(_folder, $"{component}.pid"), cancelled)).Split(' ')[0];
        using (var process = Process.GetProcessById(int.Parse(pid, CultureInfo.InvariantCulture)))
        {
            process.Kill();
        }

        await Waiting.UntilAsync(() => Task.FromResult(StateOf(pid)), state => state is null or 'Z', $"{component} is dead", cancelled);
    }

    /// <summary>The kernel's letter for the state of a process: Z when it is dead and its parent has not asked yet; null when it is gone.</summary>
    private static char? StateOf(string pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>As somebody who is signed in on the node: <c>failoverhub-agent COMMAND</c>.</summary>
    internal Task<string> OnNodeAsync(string node, CancellationToken cancelled, params string[] arguments) =>
        Command.RunAsync(Places.Agent, [.. arguments, "--state", Path.Combine(_folder, node)], _environment, cancelled);

    /// <summary>As an operator at a second terminal: <c>./run.sh start NAME</c>. Does nothing when it runs.</summary>
    internal Task StartComponentAsync(string component, CancellationToken cancelled) => RunScriptAsync(cancelled, "start", component);

    /// <summary>The same, with settings of the component in its environment.</summary>
    internal Task StartComponentAsync(string component, IReadOnlyDictionary<string, string> settings, CancellationToken cancelled) =>
        Command.RunAsync(Path.Combine(Places.Root, "run.sh"), ["start", component], _environment.Concat(settings).ToDictionary(), cancelled);

    /// <summary>Logs and databases of earlier runs, but not of one that runs now beside this one.</summary>
    private static void ForgetOlderRuns()
    {
        foreach (var folder in Directory.EnumerateDirectories(Places.Results, "run-*").Where(folder => !File.Exists(Path.Combine(folder, "run.pid"))))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task StartAsync()
    {
        _runner = Process.Start(Command.Describe(Path.Combine(Places.Root, "run.sh"), [], _environment))!;
        var said = new List<string>();
        using var patience = new CancellationTokenSource(StartLimit);
        while (await _runner.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            said.Add(line);
            if (line.Contains("Ctrl-C stops", StringComparison.Ordinal))
            {
                // Read on, so that it can always write.
                _runner.OutputDataReceived += (_, _) => { };
                _runner.ErrorDataReceived += (_, _) => { };
                _runner.BeginErrorReadLine();
                _ = _runner.StandardOutput.ReadToEndAsync(CancellationToken.None);
                await ReadAccessAsync(patience.Token);
                return;
            }
        }

        throw new InvalidOperationException($"run.sh ended: {string.Join('\n', said)}\n{await _runner.StandardError.ReadToEndAsync(patience.Token)}");
    }

    private async Task ReadAccessAsync(CancellationToken cancelled)
    {
        using var trial = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(_folder, "trial.json"), cancelled));
        _api = new HubApi(new Uri(trial.RootElement.GetProperty("hubUrl").GetString()!), trial.RootElement.GetProperty("apiToken").GetString()!);
    }

    private Task<string> RunScriptAsync(CancellationToken cancelled, params string[] arguments) =>
        Command.RunAsync(Path.Combine(Places.Root, "run.sh"), arguments, _environment, cancelled);
}
