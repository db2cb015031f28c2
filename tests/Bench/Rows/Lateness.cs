using System.Diagnostics;
using FailoverHub.Bench.Lab;
using FailoverHub.Bench.Report;
using FailoverHub.Bench.Subjects;

namespace FailoverHub.Bench.Rows;

/// <summary>
/// Intervals between keepalives, as the peers see them, while twice as many busy threads as there are cores compete with the daemons, half of them filling
/// and dropping memory. The peers offer a hold time of 3 s, so a keepalive is due each second; whoever shortens its intervals at random (RFC 4271 10) has a
/// median below that.
/// </summary>
internal static class Lateness
{
    private const int ShortHold = 3;

    public static async Task MeasureAsync(Run run, IReadOnlyList<Subject> subjects)
    {
        foreach (var subject in subjects)
        {
            subject.Board.HoldTime = ShortHold;
        }

        await Resting.StartAllAsync(run, subjects, 1);
        var load = Enumerable.Range(0, 2 * Environment.ProcessorCount).Select(number => Process.Start(Environment.ProcessPath!, ["busy", number % 2 == 0 ? "compute" : "memory"])).ToList();
        var from = Stopwatch.GetTimestamp();
        try
        {
            await Pause.ForAsync(run.Options.StressTime, run.Cancellation);
        }
        finally
        {
            load.ForEach(process => process.Kill());
        }

        Row median = new("late.p50", "interval between keepalives under load, p50", "ms");
        Row high = new("late.p99", "p99", "ms");
        Row most = new("late.max", "longest", "ms");
        Row lost = new("late.lost", "sessions lost", "sessions");
        foreach (var subject in subjects)
        {
            var intervals = subject.Board.Sessions
                .SelectMany(session => session.Keepalives.Where(at => at >= from).ToArray() is var times ? times.Zip(times.Skip(1), Run.Milliseconds) : [])
                .ToList();
            if (intervals.Count > 0)
            {
                median.Add(subject.Name, Statistics.Quantile(intervals, 0.5));
                high.Add(subject.Name, Statistics.Quantile(intervals, 0.99));
                most.Add(subject.Name, intervals.Max());
            }

            lost.Add(subject.Name, subject.Board.Losses);
        }

        await Resting.StopAllAsync(run, subjects);
        foreach (var subject in subjects)
        {
            subject.Board.HoldTime = 9;
        }

        run.Results.Add("Keepalives while every core is busy, hold time 3", median, high, most, lost);
        run.Progress("keepalives under load");
    }

    /// <summary>What a busy process does until it is killed.</summary>
    public static void BeBusy(bool withMemory)
    {
        var kept = new byte[256][];
        for (var round = 0u; ; round++)
        {
            if (withMemory)
            {
                kept[round % 256] = new byte[1 << (int)(8 + (round % 12))];
            }
            else
            {
                _ = Math.Sqrt(round);
            }
        }
    }
}
