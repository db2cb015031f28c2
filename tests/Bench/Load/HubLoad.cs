using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using FailoverHub.Bench.Lab;

namespace FailoverHub.Bench.Load;

/// <summary>
/// The hub under a fleet, beside a bare server under the same: what a report costs, how long a change takes to a program and to a page, how long an operation takes to its node, how a restart
/// goes, and how large a fleet may be. Everything runs on this machine, so latencies contain the bench's own work; processor time and memory are the server's alone.
/// </summary>
internal sealed class HubLoad(LoadOptions options, TextWriter output)
{
    private const string Rest = "processor at one report a second";
    private const string PerReport = "processor and allocation per report";
    private const string Memory = "resident memory";
    private const string Handshaking = "mTLS handshakes a second; processor of each";
    private const string Answer = "report to a program that is told (bare: to the answer)";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(180);

    // A change that a person waits for; the agents' reports are a second apart.
    private static readonly TimeSpan _atMost = TimeSpan.FromSeconds(1);

    private readonly LoadTable _table = new(options.Agents);
    private readonly Random _random = new(1);

    /// <summary>Measures, and writes the table of what it has measured, however it ends.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            if (!options.WithoutBare)
            {
                await BareAsync(stop);
            }

            await HubAsync(stop);
        }
        finally
        {
            await output.WriteLineAsync();
            await output.WriteAsync(_table.Markdown());
        }
    }

    private async Task HubAsync(CancellationToken stop)
    {
        await using var probed = new ProbedAddresses();
        Say($"The hub starts");
        await using var hub = await HubProcess.StartAsync(options.Program, probed.Port, stop);
        var idle = hub.Server.Resident();
        await using var fleet = new FleetOfAgents();
        var members = await JoinAsync(hub, 0, options.Agents, stop);
        Shake(await Handshakes.MeasureAsync(hub.AgentUrl, hub.Server, members, TimeSpan.FromSeconds(5), stop), _table.Hub);
        await ConnectAsync(hub, fleet, members, stop);

        await RestAsync(hub.Server, fleet, _table.Hub, hub, stop);
        _table.Hub(Memory, $"{hub.Server.Resident() / 1_048_576} MiB ({idle / 1_048_576} before the fleet)");
        await WatchedAsync(hub, fleet, stop);
        await OverviewAsync(hub, fleet, stop);
        await OperateAsync(hub, fleet, stop);
        await RestartAsync(hub, fleet, _table.Hub, stop);
        if (options.Largest)
        {
            await GrowAsync(hub, fleet, stop);
        }
    }

    /// <summary>The same fleet at a server that does nothing.</summary>
    private async Task BareAsync(CancellationToken stop)
    {
        Say($"The bare server starts");
        await using var bare = await BareServer.StartAsync(stop);
        Membership[] members = [.. Enumerable.Range(0, options.Agents).Select(bare.Member)];
        Shake(await Handshakes.MeasureAsync(bare.Url, bare.Server, members, TimeSpan.FromSeconds(5), stop), _table.Bare);
        await using var fleet = new FleetOfAgents();
        await fleet.AddAsync(bare.Url, members, stop);
        _ = await fleet.UntilWelcomedAsync(0, _patience, _ => { }, stop) ?? throw new InvalidOperationException("Not all agents reach the bare server.");
        await RestAsync(bare.Server, fleet, _table.Bare, null, stop);
        _table.Bare(Memory, $"{bare.Server.Resident() / 1_048_576} MiB");
        var marks = new Marks();
        foreach (var agent in fleet.Agents)
        {
            agent.OnAcknowledgement = (said, at) => marks.Seen(said.BootId, at);
        }

        await marks.WriteAsync(() => fleet.Agents[_random.Next(fleet.Agents.Count)], TimeSpan.FromMilliseconds(50), options.Watched, stop);
        _table.Bare(Answer, $"{marks.Took}");
    }

    private async Task<IReadOnlyList<Membership>> JoinAsync(HubProcess hub, int first, int count, CancellationToken stop)
    {
        Say($"{count} nodes join, each by a token of its own");
        var (cpu, began, told) = (hub.Server.Processor(), Stopwatch.GetTimestamp(), 0);
        var members = await Membership.JoinAllAsync(hub, [.. Enumerable.Range(first, count).Select(n => (SimulatedAgent.NameOf(n), n))], new Told(joined =>
        {
            if (joined / 500 > Interlocked.Exchange(ref told, joined / 500))
            {
                Say($"  {joined}");
            }
        }), stop);
        var took = Stopwatch.GetElapsedTime(began);
        if (first == 0)
        {
            _table.Hub("joins a second (token made, CSR signed, audited); processor of each", $"{count / took.TotalSeconds:0}; {(hub.Server.Processor() - cpu).TotalMilliseconds / count:0.0} ms");
        }

        return members;
    }

    private static async Task ConnectAsync(HubProcess hub, FleetOfAgents fleet, IReadOnlyList<Membership> members, CancellationToken stop)
    {
        Say($"{members.Count} agents dial");
        var began = Stopwatch.GetTimestamp();
        await fleet.AddAsync(hub.AgentUrl, members, stop);
        await UntilCurrentAsync(hub, fleet, stop);
        Say($"  all connected and current {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s after the first dial");
    }

    /// <summary>Reports alone: what the server's process uses for them.</summary>
    private async Task<double> RestAsync(ServerProcess server, FleetOfAgents fleet, Action<string, FormattableString> row, HubProcess? hub, CancellationToken stop)
    {
        Say($"Reports alone for {options.Watched.TotalSeconds:0} s");
        await Pause.ForAsync(TimeSpan.FromSeconds(3), stop);
        var allocated = hub is null ? 0 : await hub.MetricAsync("dotnet_gc_heap_total_allocated_bytes_total", stop);
        var (cpu, reports, at) = (server.Processor(), fleet.Reports, Stopwatch.GetTimestamp());
        await Pause.ForAsync(options.Watched, stop);
        var (used, took, told) = (server.Processor() - cpu, Stopwatch.GetElapsedTime(at), fleet.Reports - reports);
        var bytes = hub is null ? 0 : await hub.MetricAsync("dotnet_gc_heap_total_allocated_bytes_total", stop) - allocated;
        var percent = 100 * used.TotalSeconds / took.TotalSeconds;
        Say($"  {told / took.TotalSeconds:0} reports/s, {percent:0.0} % of a core, {server.Resident() / 1_048_576} MiB");
        row(Rest, $"{percent:0.0} % of a core ({told / took.TotalSeconds:0} reports/s)");
        if (hub is null)
        {
            row(PerReport, $"{1e6 * used.TotalSeconds / told:0} µs");
        }
        else
        {
            row(PerReport, $"{1e6 * used.TotalSeconds / told:0} µs; {bytes / told / 1_024:0.0} KiB");
        }

        return told / took.TotalSeconds;
    }

    private static void Shake(Handshakes handshakes, Action<string, FormattableString> row)
    {
        Say($"  {handshakes.PerSecond:0} mTLS handshakes/s, client and server on the same cores");
        row(Handshaking, $"{handshakes.PerSecond:0}; {handshakes.ProcessorEach.TotalMilliseconds:0.0} ms");
    }

    /// <summary>Changes until a program and a page have seen them.</summary>
    private async Task WatchedAsync(HubProcess hub, FleetOfAgents fleet, CancellationToken stop)
    {
        Say($"Twenty changes a second, until a program has been told");
        var page = options.WithoutPage || OpenPage.Chromium is null ? null : await OpenPage.StartAsync(hub, $"/nodes/{SimulatedAgent.NameOf(0)}", "[data-testid=session-row]", stop);
        await using var ending = page;
        await using var watcher = await FleetWatcher.StartAsync(hub, stop);
        var inPage = page?.Marks.WriteAsync(() => fleet.Agents[0], TimeSpan.FromMilliseconds(310), options.Watched, stop) ?? Task.CompletedTask;
        await watcher.Marks.WriteAsync(() => fleet.Agents[_random.Next(1, fleet.Agents.Count)], TimeSpan.FromMilliseconds(50), options.Watched, stop);
        await inPage;
        _table.Hub(Answer, $"{watcher.Marks.Took}{Unseen(watcher.Marks)}");
        Say($"  {watcher.Marks.Took}{Unseen(watcher.Marks)}");
        if (page is not null)
        {
            await page.CollectAsync();
            Say($"  in an open page: {page.Marks.Took}{Unseen(page.Marks)}");
            _table.Hub("report to the change in an open page, which repaints at most four times a second", $"{page.Marks.Took}{Unseen(page.Marks)}");
        }
    }

    /// <summary>What somebody costs who looks at the whole fleet while nothing but reports comes.</summary>
    private async Task OverviewAsync(HubProcess hub, FleetOfAgents fleet, CancellationToken stop)
    {
        if (options.WithoutPage || OpenPage.Chromium is null)
        {
            return;
        }

        Say($"The overview is open in a browser");
        await using var page = await OpenPage.StartAsync(hub, "/", "[data-testid=pair-cards]", stop);
        await Pause.ForAsync(TimeSpan.FromSeconds(3), stop);
        var (cpu, at) = (hub.Server.Processor(), Stopwatch.GetTimestamp());
        await Pause.ForAsync(options.Watched / 2, stop);
        var percent = 100 * (hub.Server.Processor() - cpu).TotalSeconds / Stopwatch.GetElapsedTime(at).TotalSeconds;
        Say($"  {percent:0.0} % of a core at {fleet.Agents.Count} agents");
        _table.Hub("processor while the overview of all pairs is open", $"{percent:0.0} % of a core");
    }

    /// <summary>Drains one node after the other by POST.</summary>
    private async Task OperateAsync(HubProcess hub, FleetOfAgents fleet, CancellationToken stop)
    {
        Say($"Drains, one after the other");
        var took = new List<double>();
        var (refused, began) = (0, Stopwatch.GetTimestamp());
        for (var i = 1; i < fleet.Agents.Count && took.Count + refused < 500 && Stopwatch.GetElapsedTime(began) < options.Watched; i += 2)
        {
            var came = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            fleet.Agents[i].OnIntent = (_, at) => came.TrySetResult(at);
            var posted = Stopwatch.GetTimestamp();
            using var answer = await hub.Api.PostAsJsonAsync($"/api/v1/nodes/{fleet.Agents[i].Node}/operations", new { type = "drain", reason = "bench" }, stop);
            if (!answer.IsSuccessStatusCode)
            {
                refused++;
                continue;
            }

            took.Add(Stopwatch.GetElapsedTime(posted, await came.Task.WaitAsync(_patience, stop)).TotalMilliseconds);
            fleet.Agents[i].OnIntent = null;
        }

        var quantiles = Quantiles.Of(took);
        Say($"  {quantiles}, {refused} refused");
        _table.Hub("POST of a drain to the intent at its agent", $"{quantiles}{(refused > 0 ? string.Create(CultureInfo.InvariantCulture, $", {refused} refused") : "")}");
    }

    private static async Task RestartAsync(HubProcess hub, FleetOfAgents fleet, Action<string, FormattableString> row, CancellationToken stop)
    {
        Say($"The hub is restarted");
        await hub.Server.StopAsync(stop);
        var (before, began) = (fleet.Welcomes, Stopwatch.GetTimestamp());
        var running = hub.RunAsync(stop);
        var (most, told) = (fleet.Agents.Count / 4, 0);
        var returned = await fleet.UntilWelcomedAsync(before, _patience, n =>
        {
            if (n / most > told)
            {
                told = n / most;
                Say($"  {n} are back after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
            }
        }, stop);
        await running;
        if (returned is not { } back)
        {
            row("hub restarted", $"not all are back after {_patience.TotalSeconds:0} s");
            return;
        }

        await UntilCurrentAsync(hub, fleet, stop);
        row("hub restarted: all agents back, most in one second", $"{back.Took.TotalSeconds:0.0} s, {back.MostInASecond}");
        row("hub restarted: the fleet is current", $"{Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s ({hub.Server.Processor().TotalSeconds:0.0} s of processor)");
        Say($"  the fleet is current after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
    }

    /// <summary>More and more agents. It holds while 98 % of the reports are taken in time and p99 to a program is below a second.</summary>
    private async Task GrowAsync(HubProcess hub, FleetOfAgents fleet, CancellationToken stop)
    {
        var (held, why) = (fleet.Agents.Count, "the bench went no further");
        while (fleet.Agents.Count < 40_000)
        {
            var more = fleet.Agents.Count / 4 * 2;
            await ConnectAsync(hub, fleet, await JoinAsync(hub, fleet.Agents.Count, more, stop), stop);
            var taken = await hub.MetricAsync("failoverhub_fleet_messages_total", stop);
            var at = Stopwatch.GetTimestamp();
            await RestAsync(hub.Server, fleet, (_, _) => { }, hub, stop);
            var rate = (await hub.MetricAsync("failoverhub_fleet_messages_total", stop) - taken) / Stopwatch.GetElapsedTime(at).TotalSeconds;
            await using var watcher = await FleetWatcher.StartAsync(hub, stop);
            await watcher.Marks.WriteAsync(() => fleet.Agents[_random.Next(fleet.Agents.Count)], TimeSpan.FromMilliseconds(50), options.Watched, stop);
            var late = watcher.Marks.Took;
            Say($"{fleet.Agents.Count} agents: {rate:0} messages/s taken in, report to a program: {late}");
            if (rate < 0.98 * fleet.Agents.Count || !(late.Late <= _atMost.TotalMilliseconds) || watcher.Marks.Missing > 0)
            {
                why = string.Create(CultureInfo.InvariantCulture, $"at {fleet.Agents.Count}: {rate:0} messages/s, p99 {late.Late:0} ms{Unseen(watcher.Marks)}");
                break;
            }

            held = fleet.Agents.Count;
        }

        _table.Hub("largest fleet with 98 % of its reports taken in and p99 to a program below 1 s", $"{held} agents ({why})");
    }

    /// <summary>Waits until every agent is welcomed, and of 99 in 100 the hub's own count says at one moment that their report is fresh: on a machine that is busy some are always late.</summary>
    private static async Task UntilCurrentAsync(HubProcess hub, FleetOfAgents fleet, CancellationToken stop)
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < _patience;)
        {
            if (fleet.Agents.All(a => a.IsConnected) && await hub.MetricAsync("failoverhub_nodes", stop, "link=\"Connected\"") >= 0.99 * fleet.Agents.Count)
            {
                return;
            }

            await Pause.ForAsync(TimeSpan.FromMilliseconds(250), stop);
        }

        throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"Not all of {fleet.Agents.Count} agents are current after {_patience.TotalSeconds:0} s: this is more than the hub holds here."));
    }

    private static string Unseen(Marks marks) => marks.Missing == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {marks.Missing} overtaken");

    private static void Say(FormattableString line) => Console.Error.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private sealed class Told(Action<int> tell) : IProgress<int>
    {
        public void Report(int value) => tell(value);
    }
}
