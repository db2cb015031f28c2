using System.Globalization;
using System.Text.RegularExpressions;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;
using FailoverHub.Protos.V1;

namespace FailoverHub.Interop.Tests.Robustness;

/// <summary>Ten minutes in which everything changes all the time: what the process holds at the end is what it held after the first minutes.</summary>
[Trait("Kind", "Endurance")]
public sealed partial class ChurnTests(ITestOutputHelper output) : DataCenterTest
{
    private static readonly TimeSpan Duration = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    // The just-in-time compiler and the first collections are through by then.
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(4);

    private const int HappeningsPerSample = 20;

    // The collector and the allocator take room in steps of some MiB. What leaks some KiB with every happening, or a handle with every twentieth, is above these.
    private const double MostGrowth = 1.3;
    private const int MoreHandles = 4;

    // The youngest generation as in the published file, and code that is compiled once: what is measured is what the agent keeps, not what the runtime has not
    // collected or compiled again yet.
    private static readonly Dictionary<string, string> _asPublished = new() { ["DOTNET_GCgen0size"] = "100000", ["DOTNET_TieredCompilation"] = "0" };

    private readonly List<Sample> _samples = [];
    private readonly Random _random = new(20261122);
    private ulong _revision;

    [Fact]
    public async Task TenMinutesOfChurn_MemoryHandlesAndThreadsStayFlat()
    {
        var center = await StartAsync(RouteServerKind.Bird);
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        var agent = Agent.StartIn(_asPublished, center, "a", "--primary", "--hub", ScriptedHub.Url, "--damping", "off");
        await center.EstablishedAsync("a", Cancellation);
        var process = await agent.Process.StartedAsync(Cancellation);

        var since = TimeProvider.System.GetTimestamp();
        var happenings = 0;
        using var timer = new PeriodicTimer(Period);
        while (TimeProvider.System.GetElapsedTime(since) < Duration && await timer.WaitForNextTickAsync(Cancellation))
        {
            await HappenAsync(center, hub, agent);
            if (++happenings % HappeningsPerSample == 0)
            {
                _samples.Add(await SampleAsync(center, process, TimeProvider.System.GetElapsedTime(since)));
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
        Judge(happenings);
    }

    private void Judge(int happenings)
    {
        var early = _samples.Where(sample => sample.At > Settled && sample.At < Duration * 0.65).ToList();
        var late = _samples.Where(sample => sample.At > Duration * 0.7).ToList();
        Assert.True(early.Count > 5 && late.Count > 5, $"Only {_samples.Count} samples in {happenings} happenings.");
        foreach (var sample in _samples.Where((_, index) => index % (_samples.Count / 20) == 0))
        {
            output.WriteLine($"{sample.At:mm\\:ss}  {sample.AnonymousKib,6} KiB anonymous, {sample.ResidentKib,6} KiB resident, {sample.Handles,3} handles, {sample.Threads,2} threads: {sample.Kinds}");
        }

        Assert.True(Median(late, s => s.AnonymousKib) <= Median(early, s => s.AnonymousKib) * MostGrowth, $"Memory grew from {Median(early, s => s.AnonymousKib)} to {Median(late, s => s.AnonymousKib)} KiB.");

        // What is open for a moment (a client, a dial) differs from sample to sample; the fewest there are must not.
        Assert.True(late.Min(s => s.Handles) <= early.Min(s => s.Handles) + MoreHandles, $"Handles grew from {early.Min(s => s.Handles)} to {late.Min(s => s.Handles)}: {early[0].Kinds} became {late[^1].Kinds}");
        Assert.True(late.Min(s => s.Threads) <= early.Min(s => s.Threads) + 2, $"Threads grew from {early.Min(s => s.Threads)} to {late.Min(s => s.Threads)}.");
    }

    private async Task HappenAsync(DataCenter center, ScriptedHub hub, Agent agent)
    {
        var network = Addresses.NodeNetwork("a");
        switch (_random.Next(100))
        {
            case < 30:
                var (verb, first) = (_random.Next(2) == 0 ? "add" : "del", _random.Next(4) * 50);
                await center.Sandbox.ScriptAsync($"for n in $(seq {first} {first + 49}); do echo addr {verb} 198.18.0.$n/32 dev lo; done | ip -n {network} -batch - -force 2>/dev/null || true", Cancellation);
                break;
            case < 70:
                Send(hub, drained: false, _random.Next(2) == 0 ? Role.Primary : Role.Secondary);
                break;
            case < 80:
                Send(hub, drained: true, Role.Primary);
                break;
            case < 88:
                await agent.StatusAsync(Cancellation);
                break;
            case < 93:
                await center.RouteServers[_random.Next(4)].ResetAsync("a", Cancellation);
                break;
            case < 96:
                await agent.Process.SignalAsync("HUP", Cancellation);
                break;
            case < 98:
                await hub.KillAsync();
                await hub.StartAsync(Cancellation);
                break;
            default:
                var killed = center.RouteServers[_random.Next(4)];
                await killed.Process.KillAsync(Cancellation);
                await killed.StartAsync(Cancellation);
                break;
        }
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
