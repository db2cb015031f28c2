using System.Diagnostics;
using FailoverHub.Bench.Lab;
using FailoverHub.Bench.Report;
using FailoverHub.Bench.Subjects;

namespace FailoverHub.Bench.Rows;

/// <summary>Memory and processor time of daemons that have nothing to do but their keepalives.</summary>
internal static class Resting
{
    private const double Mebibyte = 1024 * 1024;

    public static async Task MeasureIdleAsync(Run run, IReadOnlyList<Subject> subjects)
    {
        await StartAllAsync(run, subjects, 1);
        await Pause.ForAsync(run.Options.SettleTime, run.Cancellation);
        Row cpu = new("idle.cpu", "processor time, four sessions, hold time 9", "ms/s");
        for (var round = 0; round < run.Options.Rounds; round++)
        {
            var before = subjects.Select(subject => (subject, subject.Process.ProcessorTime(), At: Stopwatch.GetTimestamp())).ToList();
            await Pause.ForAsync(run.Options.IdleTime, run.Cancellation);
            foreach (var (subject, time, at) in before)
            {
                cpu.Add(subject.Name, (subject.Process.ProcessorTime() - time).TotalMilliseconds / Stopwatch.GetElapsedTime(at).TotalSeconds);
            }
        }

        var memory = Memory(subjects, "idle", "1 prefix");
        await StopAllAsync(run, subjects);
        run.Results.Add("Idle, one prefix", [cpu, .. memory]);
        run.Progress("idle");
    }

    public static async Task MeasureFullAsync(Run run, IReadOnlyList<Subject> subjects)
    {
        await StartAllAsync(run, subjects, Prefixes.Most);
        var memory = Memory(subjects, "full", "10,000 prefixes");
        await StopAllAsync(run, subjects);
        run.Results.Add("Idle, 10,000 prefixes", memory);
        run.Progress("memory with 10,000 prefixes");
    }

    private static Row[] Memory(IReadOnlyList<Subject> subjects, string key, string what)
    {
        Row rss = new($"{key}.rss", $"resident memory with {what} (RSS)", "MiB");
        Row pss = new($"{key}.pss", $"its proportional share (PSS)", "MiB");
        Row alone = new($"{key}.private", $"its private part", "MiB");
        foreach (var subject in subjects)
        {
            var memory = subject.Process.Memory();
            rss.Add(subject.Name, memory.Rss / Mebibyte);
            pss.Add(subject.Name, memory.Pss / Mebibyte);
            alone.Add(subject.Name, memory.Private / Mebibyte);
        }

        return [rss, pss, alone];
    }

    public static async Task StartAllAsync(Run run, IReadOnlyList<Subject> subjects, int prefixes)
    {
        foreach (var subject in subjects)
        {
            await subject.StartAsync(prefixes, run.Cancellation);
        }

        foreach (var subject in subjects)
        {
            await run.WithinAsync(subject, subject.Arrived);
        }

        await Pause.ForAsync(run.Options.RestTime, run.Cancellation);
    }

    public static async Task StopAllAsync(Run run, IReadOnlyList<Subject> subjects)
    {
        foreach (var subject in subjects)
        {
            subject.Board.Check();
            await subject.StopAsync(run.Cancellation);
        }
    }
}
