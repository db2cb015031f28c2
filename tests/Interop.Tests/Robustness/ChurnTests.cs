using System.Globalization;
using System.Text.RegularExpressions;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;
using FailoverHub.Protos.V1;

namespace FailoverHub.Interop.Tests.Robustness;

/// <summary>
/// Ten minutes in which everything changes all the time, on two nodes: what each process holds at the end is what it held after the first minutes. Node a has a hub that sends it
/// intents without end, node b is joined to a real one and speaks with it over TLS. Both have health checks of each kind, whose configuration changes.
/// </summary>
[Trait("Kind", "Endurance")]
public sealed partial class ChurnTests(ITestOutputHelper output) : DataCenterTest
{
    // Shorter for whoever works on this test: FAILOVERHUB_CHURN_SECONDS.
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(
        int.TryParse(Environment.GetEnvironmentVariable("FAILOVERHUB_CHURN_SECONDS"), CultureInfo.InvariantCulture, out var seconds) ? seconds : 600);

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    // The just-in-time compiler and the first collections are through by then.
    private static readonly TimeSpan Settled = Duration * 0.4;

    private const int HappeningsPerSample = 20;
    private const string Joined = "web-b";

    // The collector and the allocator take room in steps of some MiB. What leaks some KiB with every happening, or a handle with every twentieth, is above these.
    private const double MostGrowth = 1.3;
    private const int MoreHandles = 4;

    // The youngest generation as in the published file, and code that is compiled once: what is measured is what the agent keeps, not what the runtime has not
    // collected or compiled again yet.
    private static readonly Dictionary<string, string> _asPublished = new() { ["DOTNET_GCgen0size"] = "100000", ["DOTNET_TieredCompilation"] = "0" };

    private readonly Random _random = new(20261122);
    private ulong _revision;

    [Fact]
    public async Task TenMinutesOfChurn_MemoryHandlesAndThreadsStayFlat()
    {
        var center = await StartAsync(RouteServerKind.Bird);
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        var real = new RealHub(center, Addresses.NodeNetwork("b"));
        await real.StartAsync(Cancellation);
        await ConfigureAsync(center, "a", 0);
        await ConfigureAsync(center, "b", 0);
        var agent = Agent.StartIn(_asPublished, center, "a", "--primary", "--hub", ScriptedHub.Url, "--damping", "off", "--config", FileOf("a"));
        var joined = Agent.StartIn(_asPublished, center, "b", "--secondary", "--damping", "off", "--config", FileOf("b"));
        await center.EstablishedAsync("a", Cancellation);
        await center.EstablishedAsync("b", Cancellation);
        await joined.JoinAsync(RealHub.Url, Joined, await real.JoinTokenAsync(Joined, existing: false, Cancellation), Cancellation);
        await real.SeesAsync(Joined, "\"link\":\"Connected\"", Cancellation);
        (string Node, string Process, List<Sample> Samples)[] watched =
        [
            ("a", await agent.Process.StartedAsync(Cancellation), []),
            ("b", await joined.Process.StartedAsync(Cancellation), []),
        ];

        var since = TimeProvider.System.GetTimestamp();
        var happenings = 0;
        using var timer = new PeriodicTimer(Period);
        while (TimeProvider.System.GetElapsedTime(since) < Duration && await timer.WaitForNextTickAsync(Cancellation))
        {
            await HappenAsync(center, hub, real, happenings % 2 == 0 ? ("a", agent) : ("b", joined));
            if (++happenings % HappeningsPerSample == 0)
            {
                foreach (var (_, process, samples) in watched)
                {
                    samples.Add(await SampleAsync(center, process, TimeProvider.System.GetElapsedTime(since)));
                }
            }
        }

        // It still does what it is told.
        await center.EstablishedAsync("a", Cancellation);
        await Eventually.SeeAsync(
            "the last intent obeyed",
            _ =>
            {
                Send(hub, drained: false, Role.Secondary);
                return Task.FromResult(hub.Obeyed);
            },
            obeyed => obeyed + 10 > _revision,
            Cancellation);
        hub.JournalHasNoGap();
        await real.SeesAsync(Joined, "\"link\":\"Connected\"", Cancellation);
        foreach (var (node, process, samples) in watched)
        {
            // Of one life: else it would be flat because it began anew.
            Assert.Equal(process, await (node == "a" ? agent : joined).Process.StartedAsync(Cancellation));
            Judge(node, happenings, samples);
        }
    }

    private void Judge(string node, int happenings, List<Sample> samples)
    {
        var early = samples.Where(sample => sample.At > Settled && sample.At < Duration * 0.65).ToList();
        var late = samples.Where(sample => sample.At > Duration * 0.7).ToList();
        Assert.True(early.Count > 5 && late.Count > 5, $"Only {samples.Count} samples in {happenings} happenings.");
        foreach (var sample in samples.Where((_, index) => index % Math.Max(1, samples.Count / 20) == 0))
        {
            output.WriteLine($"{node} {sample.At:mm\\:ss}  {sample.AnonymousKib,6} KiB anonymous, {sample.ResidentKib,6} KiB resident, {sample.Handles,3} handles, {sample.Threads,2} threads: {sample.Kinds}");
        }

        Assert.True(Median(late, s => s.AnonymousKib) <= Median(early, s => s.AnonymousKib) * MostGrowth, $"Memory of {node} grew from {Median(early, s => s.AnonymousKib)} to {Median(late, s => s.AnonymousKib)} KiB.");

        // What is open for a moment (a client, a dial) differs from sample to sample; the fewest there are must not.
        Assert.True(late.Min(s => s.Handles) <= early.Min(s => s.Handles) + MoreHandles, $"Handles of {node} grew from {early.Min(s => s.Handles)} to {late.Min(s => s.Handles)}: {early[0].Kinds} became {late[^1].Kinds}");
        Assert.True(late.Min(s => s.Threads) <= early.Min(s => s.Threads) + 2, $"Threads of {node} grew from {early.Min(s => s.Threads)} to {late.Min(s => s.Threads)}.");
    }

    private async Task HappenAsync(DataCenter center, ScriptedHub hub, RealHub real, (string Letter, Agent Agent) node)
    {
        var network = Addresses.NodeNetwork(node.Letter);
        switch (_random.Next(1000))
        {
            case < 250:
                var (verb, first) = (_random.Next(2) == 0 ? "add" : "del", _random.Next(4) * 50);
                await center.Sandbox.ScriptAsync($"for n in $(seq {first} {first + 49}); do echo addr {verb} 198.18.0.$n/32 dev lo; done | ip -n {network} -batch - -force 2>/dev/null || true", Cancellation);
                break;
            case < 620:
                Send(hub, drained: false, _random.Next(2) == 0 ? Role.Primary : Role.Secondary);
                break;
            case < 720:
                Send(hub, drained: true, Role.Primary);
                break;
            case < 800:
                await node.Agent.StatusAsync(Cancellation);
                break;
            case < 850:
                await center.RouteServers[_random.Next(4)].ResetAsync(node.Letter, Cancellation);
                break;
            case < 900:
                await ConfigureAsync(center, node.Letter, _random.Next(1, 1000));
                await node.Agent.Process.SignalAsync("HUP", Cancellation);
                break;
            case < 960:
                // Refused where the hub's intent drains the node, or where the journal has no room: that is part of it.
                await node.Agent.TryOrderAsync([_random.Next(2) == 0 ? "drain" : "undrain", "--reason", "churn"], $"{node.Agent.State}/control.sock", Cancellation);
                break;
            case < 978:
                await hub.KillAsync();
                await hub.StartAsync(Cancellation);
                break;
            case < 981:
                // A process that compiles itself for seconds: seldom.
                await real.KillAsync(Cancellation);
                await real.StartAsync(Cancellation);
                break;
            default:
                var killed = center.RouteServers[_random.Next(4)];
                await killed.Process.KillAsync(Cancellation);
                await killed.StartAsync(Cancellation);
                break;
        }
    }

    private static string FileOf(string node) => $"/run/churn-{node}.json";

    // Checks of every kind: some stay as they are, one changes with each number, one comes and goes. What they find changes as well, and is of consequence.
    private static async Task ConfigureAsync(DataCenter center, string node, int number)
    {
        var sometimes = number % 2 == 0 ? "" : """, { "name": "sometimes", "command": { "run": "sleep 0.1; echo now" }, "interval": 1, "consequence": "demote" }""";
        await center.Sandbox.WriteAsync(
            $"{FileOf(node)}.new",
            $$"""
            {
              "checks": [
                { "name": "alternating", "command": { "run": "test $(( $(date +%s) / 3 % 2 )) = 0 && echo {{number}}" }, "interval": 0.5, "fastInterval": 0.2, "timeout": 0.4, "rise": 1, "fall": 1, "consequence": "demote" },
                { "name": "hung", "command": { "run": "sleep 60 & sleep 60" }, "interval": 2, "timeout": 1, "consequence": "demote" },
                { "name": "port", "tcp": { "host": "127.0.0.1", "port": {{6000 + number}} }, "interval": 0.5, "consequence": "demote" },
                { "name": "page", "http": { "url": "http://127.0.0.1:5080/healthz/live" }, "interval": 0.5, "consequence": "demote" },
                { "name": "agent", "process": { "name": "failoverhub-agent" }, "interval": 1 }{{sometimes}}
              ],
              "failback": { "policy": "{{(number % 3 == 0 ? "after-stable" : "immediate")}}" }
            }
            """,
            Cancellation);
        File.Move(center.Sandbox.Outside($"{FileOf(node)}.new"), center.Sandbox.Outside(FileOf(node)), overwrite: true);
    }

    // Between two streams there is nobody to send it to: that is part of the churn.
    private void Send(ScriptedHub hub, bool drained, Role role) => hub.TrySend(++_revision, drained, Roles(role));

    private static async Task<Sample> SampleAsync(DataCenter center, string process, TimeSpan at)
    {
        var said = (await center.Sandbox.RunAsync(null, ["sh", "-c", $"cat /proc/{process}/status; echo Handles: $(ls /proc/{process}/fd | wc -l); ls -l /proc/{process}/fd | grep -o '> .*' | sed 's/:\\[.*//; s/[0-9a-f-]*\\.ndjson//; s/> //' | sort | uniq -c"], Cancellation)).Checked();
        int Number(string name) => int.Parse(Field().Matches(said).Single(match => match.Groups[1].Value == name).Groups[2].Value, CultureInfo.InvariantCulture);
        return new Sample(at, Number("RssAnon"), Number("VmRSS"), Number("Handles"), Number("Threads"), Blanks().Replace(said[said.IndexOf("Handles:", StringComparison.Ordinal)..], " "));
    }

    private static double Median(IEnumerable<Sample> samples, Func<Sample, int> value)
    {
        var sorted = samples.Select(value).Order().ToList();
        return sorted[sorted.Count / 2];
    }

    private static Dictionary<string, Role> Roles(Role role) => Addresses.Shared.ToDictionary(prefix => prefix, _ => role);

    [GeneratedRegex(@"^(RssAnon|VmRSS|Handles|Threads):\s+(\d+)", RegexOptions.Multiline)]
    private static partial Regex Field();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();

    private sealed record Sample(TimeSpan At, int AnonymousKib, int ResidentKib, int Handles, int Threads, string Kinds);
}
