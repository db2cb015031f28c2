using System.Diagnostics;
using FailoverHub.Browser.Tests.Trial;

namespace FailoverHub.Browser.Tests;

/// <summary>The figures that the closing notes quote; written to <c>TestResults/browser/figures.txt</c>. Asserted generously.</summary>
public sealed class MeasureTests(TrialRun trial) : BrowserTest(trial)
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task PlannedSwitchover_CommandToWireToTraffic()
    {
        await using var probes = new ProbeStream(Trial.SharedAddress);
        await probes.UntilAnsweredByAsync("node-a", Stopwatch.GetTimestamp(), Cancelled);

        var sentAt = DateTimeOffset.UtcNow;
        var sent = Stopwatch.GetTimestamp();
        var operation = await Trial.Api.StartOnPairAsync(Pair.Name, new { type = "switchover", reason = "measured" }, Cancelled);
        Figures.Note("switchover: POST to its answer", Stopwatch.GetElapsedTime(sent));
        var moved = await probes.UntilAnsweredByAsync("node-b", sent, Cancelled);
        await Waiting.UntilAsync(() => Trial.Api.OperationStatusAsync(operation, Cancelled), status => status is not ("Queued" or "Running"), "the operation ends", Cancelled);
        var done = Stopwatch.GetElapsedTime(sent);

        // Some answers more, so that what is unanswered by then is lost and not late.
        await probes.UntilAnsweredByAsync("node-b", Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 2), Cancelled);
        var settled = sent + (long)(done.TotalSeconds * Stopwatch.Frequency);
        Assert.Equal("Succeeded", await Trial.Api.OperationStatusAsync(operation, Cancelled));
        Figures.Note("switchover: POST to first UPDATE at a route server", Trial.Lab.RoutesReceivedAt.Where(at => at >= sentAt).Min() - sentAt);
        Figures.Note("switchover: POST to first answer of node-b", moved);
        Figures.Note("switchover: POST to Succeeded", done);
        Figures.Note($"switchover: probes lost (10 ms apart): {probes.LostBetween(sent, settled)}, longest silence {probes.LongestSilence(sent, settled).TotalMilliseconds:F0} ms");
        Assert.InRange(moved, TimeSpan.Zero, Bound);
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
}
