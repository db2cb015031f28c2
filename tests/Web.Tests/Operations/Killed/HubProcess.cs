using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Tests.Data.Postgres;

namespace FailoverHub.Web.Tests.Operations.Killed;

/// <summary>The built hub as a process of its own, on ports and a data folder of its own: it can be killed as nothing inside of it notices.</summary>
internal sealed class HubProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly Process _process;
    private readonly HttpClient _client;

    private HubProcess(Process process, HttpClient client, string agentUrl) => (_process, _client, AgentUrl) = (process, client, agentUrl);

    public string AgentUrl { get; }

    /// <summary>Makes a token that may do everything, and the database with it; before the first start.</summary>
    public static async Task<string> MakeTokenAsync(string data)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await HubCommandLine.Build(output, error).Parse(["token", "create", "--name", "test", "--scope", "admin", .. DataOf(data)]).InvokeAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(code == 0, error.ToString());
        return output.ToString().Trim();
    }

    /// <summary>Starts it and waits until both ports answer.</summary>
    public static async Task<HubProcess> StartAsync(string data, string token, string probe = "tcp:9", string twoPerson = "off")
    {
        // The port is free when it is asked for; somebody else may take it before the hub does, and then another one is tried.
        for (var attempt = 0; ; attempt++)
        {
            var agentUrl = $"http://127.0.0.1:{FreePort()}";
            var process = Run(twoPerson, ["run", "--urls", "http://127.0.0.1:0", "--agent-url", agentUrl, "--probe", probe, .. DataOf(data)]);
            if (await ReadUrlAsync(process) is { } url)
            {
                var client = new HttpClient { BaseAddress = new Uri(url) };
                client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
                return new HubProcess(process, client, agentUrl);
            }

            process.Dispose();
            Assert.True(attempt < 3, "The hub did not start.");
        }
    }

    /// <summary>As a power failure ends it: kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <param name="path">Where.</param>
    /// <param name="body">JSON.</param>
    /// <param name="token">Of somebody else; null: the one that it was started with.</param>
    public async Task<HttpStatusCode> PostAsync(string path, string body, string? token = null)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, new MediaTypeHeaderValue("application/json")) };
            request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
            using var answer = await _client.SendAsync(request, TestContext.Current.CancellationToken);
            return answer.StatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or HttpIOException)
        {
            // It was killed before it could answer, or in the middle of it.
            return HttpStatusCode.ServiceUnavailable;
        }
    }

    public async Task<JsonNode> GetAsync(string path) => (await _client.GetFromJsonAsync<JsonNode>(path, TestContext.Current.CancellationToken))!;

    /// <summary>Asks again until the answer is so.</summary>
    public async Task<JsonNode> UntilAsync(string path, Func<JsonNode, bool> holds)
    {
        var since = Stopwatch.GetTimestamp();
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (true)
        {
            var now = await GetAsync(path);
            if (holds(now))
            {
                return now;
            }

            Assert.True(Stopwatch.GetElapsedTime(since) < Patience, $"{path} did not become so: {now}");
            await again.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }

    // "FailoverHub 0.1.0. Dashboard: http://127.0.0.1:41234  Agents: …"; null: it ended without saying so. What it says later is read and thrown away.
    private static async Task<string?> ReadUrlAsync(Process process)
    {
        var lines = Channel.CreateUnbounded<string?>();
        process.OutputDataReceived += (_, line) => lines.Writer.TryWrite(line.Data);
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(Patience);
        while (await lines.Reader.ReadAsync(safety.Token) is { } line)
        {
            if (line.IndexOf("Dashboard: ", StringComparison.Ordinal) is >= 0 and var at)
            {
                return line[(at + "Dashboard: ".Length)..].Split(' ')[0];
            }
        }

        return null;
    }

    private static string[] DataOf(string data) =>
        TestDatabases.OnPostgres ? ["--data", data, "--database", TestDatabases.For(data).ConnectionString!] : ["--data", data];

    private static Process Run(string twoPerson, string[] arguments)
    {
        var start = new ProcessStartInfo(Executable()) { RedirectStandardOutput = true, RedirectStandardError = true };

        // It is started to be killed: nothing in it is worth being compiled twice.
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["FAILOVERHUB_COOLDOWN"] = "0";
        start.Environment["FAILOVERHUB_TWO_PERSON"] = twoPerson;
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    // Beside our own output: tests/Web.Tests/bin/Release/net10.0 -> src/Web/bin/Release/net10.0.
    private static string Executable()
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory);
        var built = Path.Combine(own.Parent!.Parent!.Parent!.Parent!.Parent!.FullName, "src", "Web", "bin", own.Parent.Name, own.Name, "failoverhub");
        return File.Exists(built) ? built : throw new FileNotFoundException("The hub is not built.", built);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
