using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using FailoverHub.Bench.Lab;
using FailoverHub.Protos.V1;
using Microsoft.AspNetCore.SignalR.Client;

namespace FailoverHub.Bench.Load;

/// <summary>
/// The hub under a fleet: what a report costs it, how long a change takes to a program that watches, how long an operation takes to its node, and how a restart of the hub goes. Everything
/// runs on this machine, so latencies contain the bench's own work; processor time and memory are the hub's alone.
/// </summary>
internal sealed class HubLoad(string program, int agents, TimeSpan duration, TextWriter output)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private readonly ConcurrentDictionary<string, long> _marks = new();
    private readonly ConcurrentBag<double> _seen = [];

    public async Task RunAsync(CancellationToken stop)
    {
        await using var hub = await HubProcess.StartAsync(program, stop);
        var fleet = Enumerable.Range(0, agents).Select(i => new SimulatedAgent(
            hub.AgentUrl, $"n{i / 2:00000}-{(i % 2 == 0 ? 'a' : 'b')}", string.Create(CultureInfo.InvariantCulture, $"10.{i / 2 / 65_536}.{i / 2 / 256 % 256}.{i / 2 % 256}/32"), i % 2 == 0 ? Role.Primary : Role.Secondary, i)).ToArray();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var began = Stopwatch.GetTimestamp();
        var living = await DialAsync(fleet, ending.Token);
        await UntilCurrentAsync(hub, stop);
        Say($"agents {agents}, pairs {agents / 2}: all connected and current {Seconds(began)} s after the first dial");

        await using var client = await WatchAsync(hub, ending.Token);
        await RestAsync(hub, fleet, stop);
        await MarkAsync(fleet, stop);
        await OperateAsync(hub, fleet, stop);
        await RestartAsync(hub, fleet, stop);

        await ending.CancelAsync();
        await Task.WhenAll(living);
        Array.ForEach(fleet, a => a.Dispose());
    }

    private static async Task<List<Task>> DialAsync(SimulatedAgent[] fleet, CancellationToken stop)
    {
        var living = new List<Task>(fleet.Length);
        foreach (var some in fleet.Chunk(50))
        {
            living.AddRange(some.Select(a => Task.Run(() => a.RunAsync(stop), CancellationToken.None)));
            await Pause.ForAsync(TimeSpan.FromMilliseconds(100), stop);
        }

        return living;
    }

    /// <summary>Reports alone: what the hub's process uses for them.</summary>
    private async Task RestAsync(HubProcess hub, SimulatedAgent[] fleet, CancellationToken stop)
    {
        var (cpu, reports, at) = (hub.Processor(), fleet.Sum(a => a.Reports), Stopwatch.GetTimestamp());
        var allocated = await hub.MetricAsync("dotnet_gc_heap_total_allocated_bytes_total", stop);
        await Pause.ForAsync(duration, stop);
        var (used, took) = (hub.Processor() - cpu, Stopwatch.GetElapsedTime(at));
        var told = fleet.Sum(a => a.Reports) - reports;
        var bytes = await hub.MetricAsync("dotnet_gc_heap_total_allocated_bytes_total", stop) - allocated;
        Say($"{told / took.TotalSeconds:0} reports/s: {100 * used.TotalSeconds / took.TotalSeconds:0.0} % of a processor, {1e6 * used.TotalSeconds / told:0} µs and {bytes / told / 1_024:0.0} KiB a report, {hub.Resident() / 1_048_576} MiB resident");
    }

    private async Task<HubConnection> WatchAsync(HubProcess hub, CancellationToken stop)
    {
        var client = new HubConnectionBuilder().WithUrl($"{hub.Url}/hubs/fleet", o => o.AccessTokenProvider = () => Task.FromResult<string?>(hub.Token)).Build();
        await client.StartAsync(stop);
        var first = new TaskCompletionSource();
        _ = Task.Run(
            async () =>
            {
                try
                {
                    await foreach (var message in client.StreamAsync<JsonElement>("WatchFleet", stop))
                    {
                        var at = Stopwatch.GetTimestamp();
                        first.TrySetResult();
                        foreach (var node in message.GetProperty("nodes").EnumerateArray())
                        {
                            if (node.GetProperty("sessions") is { ValueKind: JsonValueKind.Array } sessions && sessions.GetArrayLength() > 0
                                && sessions[0].GetProperty("lastError").GetString() is { } mark && _marks.TryRemove(mark, out var written))
                            {
                                _seen.Add(Stopwatch.GetElapsedTime(written, at).TotalMilliseconds);
                            }
                        }
                    }
                }
                catch (Exception e) when (e is OperationCanceledException or HttpRequestException or InvalidOperationException or IOException or System.Net.WebSockets.WebSocketException)
                {
                    // The hub was restarted, or the bench ends.
                }
            },
            CancellationToken.None);
        await first.Task.WaitAsync(stop);
        return client;
    }

    /// <summary>Twenty changes a second, each of another node, until a program that watches has seen them.</summary>
    private async Task MarkAsync(SimulatedAgent[] fleet, CancellationToken stop)
    {
        var random = new Random(1);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (var i = 0; i < 20 * Math.Min(20, duration.TotalSeconds); i++)
        {
            await timer.WaitForNextTickAsync(stop);
            var mark = $"mark {i}";
            _marks[mark] = Stopwatch.GetTimestamp();
            if (await fleet[random.Next(fleet.Length)].MarkAsync(mark) is null)
            {
                _marks.TryRemove(mark, out _);
            }
        }

        await Pause.ForAsync(TimeSpan.FromMilliseconds(2_000), stop);
        Say($"report to a SignalR client: {Quantiles(_seen)}, {_marks.Count} not seen");
    }

    /// <summary>Drains one node after the other by POST, and lets it come back.</summary>
    private async Task OperateAsync(HubProcess hub, SimulatedAgent[] fleet, CancellationToken stop)
    {
        var took = new List<double>();
        var refused = 0;
        var until = Stopwatch.GetTimestamp() + (long)(Math.Min(15, duration.TotalSeconds) * Stopwatch.Frequency);
        for (var i = 1; i < fleet.Length && took.Count + refused < 200 && Stopwatch.GetTimestamp() < until; i += 2)
        {
            var came = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            fleet[i].OnIntent = (_, at) => came.TrySetResult(at);
            var began = Stopwatch.GetTimestamp();
            using var answer = await hub.Api.PostAsJsonAsync($"/api/v1/nodes/{fleet[i].Node}/operations", new { type = "drain", reason = "bench" }, stop);
            if (!answer.IsSuccessStatusCode)
            {
                refused++;
                continue;
            }

            took.Add(Stopwatch.GetElapsedTime(began, await came.Task.WaitAsync(_patience, stop)).TotalMilliseconds);
            fleet[i].OnIntent = null;
        }

        Say($"POST to intent received: {Quantiles(took)}, {refused} refused");
    }

    private async Task RestartAsync(HubProcess hub, SimulatedAgent[] fleet, CancellationToken stop)
    {
        await hub.StopAsync(stop);
        var before = fleet.Sum(a => a.Welcomes);
        var began = Stopwatch.GetTimestamp();
        var running = hub.RunAsync(stop);
        var (returned, last, most) = (0, 0, 0);
        while (returned < fleet.Length && Stopwatch.GetElapsedTime(began) < _patience)
        {
            await Pause.ForAsync(TimeSpan.FromMilliseconds(1_000), stop);
            returned = fleet.Sum(a => a.Welcomes) - before;
            most = Math.Max(most, returned - last);
            last = returned;
        }

        await running;
        Say($"hub restarted: all agents back after {Seconds(began)} s, at most {most} in one second, {hub.Processor().TotalSeconds:0.0} s of processor time");
        await UntilCurrentAsync(hub, stop);
        Say($"hub restarted: the fleet is current after {Seconds(began)} s");
    }

    /// <summary>Waits until every node is connected by the hub's own count.</summary>
    private async Task UntilCurrentAsync(HubProcess hub, CancellationToken stop)
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < _patience;)
        {
            var text = await hub.Api.GetStringAsync("/metrics", stop);
            var connected = text.Split('\n').Where(l => l.StartsWith("failoverhub_nodes{", StringComparison.Ordinal) && l.Contains("link=\"Connected\"", StringComparison.Ordinal))
                .Select(l => double.Parse(l[(l.LastIndexOf('}') + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture)).FirstOrDefault();
            if (connected >= agents)
            {
                return;
            }

            await Pause.ForAsync(TimeSpan.FromMilliseconds(500), stop);
        }

        throw new InvalidOperationException($"Not all of {agents} agents are current after {_patience.TotalSeconds:0} s: this is more than the hub holds here.");
    }

    private static string Quantiles(IReadOnlyCollection<double> samples)
    {
        if (samples.Count == 0)
        {
            return "no samples";
        }

        double[] sorted = [.. samples.Order()];
        double At(double q) => sorted[Math.Min(sorted.Length - 1, (int)(q * sorted.Length))];
        return string.Create(CultureInfo.InvariantCulture, $"median {At(0.5):0.0} ms, p99 {At(0.99):0.0} ms, longest {sorted[^1]:0.0} ms of {sorted.Length}");
    }

    private static string Seconds(long since) => Stopwatch.GetElapsedTime(since).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);

    private void Say(FormattableString line) => output.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
