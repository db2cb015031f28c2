using System.Globalization;
using System.Net.Http.Headers;
using FailoverHub.Bench.Lab;

namespace FailoverHub.Bench.Load;

/// <summary>The built hub on loopback, TLS for its agents, with a data folder that outlives its process; and what its own metrics say.</summary>
internal sealed class HubProcess : IAsyncDisposable
{
    // The hub bounds what one address may ask: scripts on as many machines ask more.
    private const int Callers = 8;

    private readonly string _program;
    private readonly string _data;
    private HttpClient[] _callers = [];
    private int _next;

    private HubProcess(string program, int probed)
    {
        _program = program;
        _data = Directory.CreateTempSubdirectory("hub-bench-").FullName;
        (Url, AgentUrl) = ($"http://127.0.0.1:{ServerProcess.FreePort()}", $"https://127.0.0.1:{ServerProcess.FreePort()}");
        Server = new ServerProcess(program, ["run", "--urls", Url, "--agent-url", AgentUrl, "--data", _data, "--probe", $"tcp:{probed}"]);
    }

    public ServerProcess Server { get; }

    public string Url { get; }

    public string AgentUrl { get; }

    public string Token { get; private set; } = "";

    /// <summary>Each time another machine's script.</summary>
    public HttpClient Api => _callers[(uint)Interlocked.Increment(ref _next) % _callers.Length];

    /// <param name="program">The built hub.</param>
    /// <param name="probed">TCP port by which it probes the shared addresses.</param>
    /// <param name="stop">Gives up.</param>
    public static async Task<HubProcess> StartAsync(string program, int probed, CancellationToken stop)
    {
        var hub = new HubProcess(program, probed);
        try
        {
            var made = await ServerProcess.AskAsync(program, ["token", "create", "--data", hub._data, "--name", "bench", "--scope", "admin"], stop);
            hub.Token = made.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Trim()).Last(l => l.StartsWith("fh_", StringComparison.Ordinal));
            hub._callers = [.. Enumerable.Range(0, Callers).Select(hub.Caller)];
            await hub.RunAsync(stop);
            return hub;
        }
        catch
        {
            await hub.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it on the same ports and folder; completes when it is ready.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        Server.Start();
        for (var tries = 0; tries < 1_200; tries++)
        {
            try
            {
                using var answer = await Api.GetAsync("/healthz/ready", stop);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException) when (!Server.HasExited)
            {
                // It does not listen yet.
            }

            await Pause.ForAsync(TimeSpan.FromMilliseconds(50), stop);
        }

        throw new InvalidOperationException($"The hub did not become ready within a minute. {Server.Complaint}");
    }

    /// <summary>A link that signs an admin's browser in.</summary>
    public async Task<string> SignInLinkAsync(CancellationToken stop) =>
        (await ServerProcess.AskAsync(_program, ["sign-in-link", "--data", _data, "--urls", Url], stop)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Last(l => l.StartsWith("http", StringComparison.Ordinal)).Trim();

    /// <summary>Sum of the samples of a metric, of those with that label alone when one is given.</summary>
    public async Task<double> MetricAsync(string name, CancellationToken stop, string label = "")
    {
        var text = await Api.GetStringAsync("/metrics", stop);
        return text.Split('\n').Where(l => l.StartsWith(name, StringComparison.Ordinal) && (l[name.Length] is ' ' or '{') && l.Contains(label, StringComparison.Ordinal))
            .Sum(l => double.Parse(l[(l.LastIndexOf('}') + 1)..].Trim().Split(' ')[^1], CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        Array.ForEach(_callers, c => c.Dispose());
        await Server.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    private HttpClient Caller(int number)
    {
        var client = new HttpClient(new SocketsHttpHandler { ConnectCallback = Loopback.From(Loopback.Script(number)), UseProxy = false }) { BaseAddress = new Uri(Url), Timeout = TimeSpan.FromSeconds(30) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        return client;
    }
}
