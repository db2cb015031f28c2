using System.Diagnostics;
using System.Globalization;
using FailoverHub.Browser.Tests.Trial;

namespace FailoverHub.Browser.Tests;

/// <summary>The figures that the closing notes quote; written to <c>TestResults/browser/figures.txt</c>. Asserted generously.</summary>
public sealed class MeasureTests(TrialRun trial) : BrowserTest(trial)
{
    private const int Rounds = 6;

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    /// <summary>There and back, some times: the first one also pays for what the hub and the agents compile when it is first used.</summary>
    [Fact]
    public async Task PlannedSwitchovers_CommandToWireToTraffic()
    {
        await using var probes = new ProbeStream(Trial.SharedAddress);
        await probes.UntilAnsweredByAsync("node-a", Stopwatch.GetTimestamp(), Cancelled);

        for (var round = 1; round <= Rounds; round++)
        {
            await SwitchOverAsync(probes, round % 2 == 1 ? "node-b" : "node-a", round);
        }
    }

    [Fact]
    public async Task KilledAgent_KillToTraffic()
    {
        await using var probes = new ProbeStream(Trial.SharedAddress);
        await probes.UntilAnsweredByAsync("node-a", Stopwatch.GetTimestamp(), Cancelled);

        var killed = Stopwatch.GetTimestamp();
        await Trial.KillAsync("node-a", Cancelled);
        var moved = await probes.UntilAnsweredByAsync("node-b", killed, Cancelled);

        await probes.UntilAnsweredByAsync("node-b", Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 2), Cancelled);
        Figures.Note("kill -9: to first answer of node-b", moved);
        Figures.Note($"kill -9: probes lost (10 ms apart): {probes.LostBetween(killed, killed + (Stopwatch.Frequency / 2))}");
        Assert.InRange(moved, TimeSpan.Zero, Bound);
    }

    private async Task SwitchOverAsync(ProbeStream probes, string target, int round)
    {
        var sentAt = DateTimeOffset.UtcNow;
        var sent = Stopwatch.GetTimestamp();
        var operation = await Trial.Api.StartOnPairAsync(Pair.Name, new { type = "switchover", target, reason = "measured" }, Cancelled);
        var answered = Stopwatch.GetElapsedTime(sent);
        var moved = await probes.UntilAnsweredByAsync(target, sent, Cancelled);
        var status = await Waiting.UntilAsync(() => Trial.Api.OperationStatusAsync(operation, Cancelled), status => status is not ("Queued" or "Running"), "the operation ends", Cancelled);
        var done = Stopwatch.GetElapsedTime(sent);
        var settled = Stopwatch.GetTimestamp();

        // Some answers more, so that what is unanswered by then is lost and not late.
        await probes.UntilAnsweredByAsync(target, settled + (Stopwatch.Frequency / 2), Cancelled);
        var update = Trial.Lab.RoutesReceivedAt.Where(at => at >= sentAt).Min() - sentAt;
        Figures.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"switchover {round}: from POST to its answer {answered.TotalMilliseconds:F0} ms, to the first UPDATE at a route server {update.TotalMilliseconds:F0} ms, to the first answer of {target} {moved.TotalMilliseconds:F0} ms, to {status} {done.TotalMilliseconds:F0} ms; probes lost {probes.LostBetween(sent, settled)}, longest silence {probes.LongestSilence(sent, settled).TotalMilliseconds:F0} ms"));
        Assert.Equal("Succeeded", status);
        Assert.InRange(moved, TimeSpan.Zero, Bound);
    }
}
