using System.Diagnostics;
using FailoverHub.Bench.Lab;
using FailoverHub.Bench.Peers;
using FailoverHub.Bench.Report;
using FailoverHub.Bench.Subjects;

namespace FailoverHub.Bench.Rows;

/// <summary>
/// Role change, withdrawal of everything, and announcing everything again, of so many prefixes: from the command until the last of the four route servers
/// has the last prefix. All subjects run, and each round asks one after the other, so that whatever disturbs the machine disturbs all alike.
/// </summary>
internal static class Commands
{
    public static async Task MeasureAsync(Run run, IReadOnlyList<Subject> subjects, int prefixes)
    {
        var count = prefixes.ToString("#,0", System.Globalization.CultureInfo.InvariantCulture);
        var noun = prefixes == 1 ? "prefix" : "prefixes";
        Row start = new($"start.{prefixes}", $"process start with {count} {noun} → all in the peers", "ms");
        Row change = new($"role.{prefixes}", $"role change of {count} {noun}", "ms");
        Row withdraw = new($"withdraw.{prefixes}", $"withdraw all {count} {noun}", "ms");
        Row announce = new($"announce.{prefixes}", $"announce all {count} {noun} again", "ms");
        Row updates = new($"updates.{prefixes}", $"UPDATEs of a role change of {count} {noun}, to each peer", "messages");

        foreach (var subject in subjects)
        {
            await subject.StartAsync(prefixes, run.Cancellation);
            start.Add(subject.Name, Run.Milliseconds(subject.Process.StartedAt, await run.WithinAsync(subject, subject.Arrived)));
            await run.SettleAsync();
        }

        run.Progress($"{count} {noun}: all have started");
        for (var round = -1; round < run.Options.Rounds; round++)
        {
            foreach (var subject in subjects)
            {
                var before = subject.Board.Updates;
                var there = await CommandAsync(run, subject, Route.Secondary);
                var messages = (subject.Board.Updates - before) / (double)Board.Servers;
                var back = await CommandAsync(run, subject, Route.Primary);
                var gone = await CommandAsync(run, subject, Route.None);
                var again = await CommandAsync(run, subject, Route.Primary);
                // The first round compiles and caches what a daemon that runs for months has long done.
                if (round >= 0)
                {
                    change.Add(subject.Name, there);
                    change.Add(subject.Name, back);
                    withdraw.Add(subject.Name, gone);
                    announce.Add(subject.Name, again);
                    updates.Add(subject.Name, messages);
                }
            }

            run.Progress($"{count} {noun}, round {round + 1} of {run.Options.Rounds}");
        }

        foreach (var subject in subjects)
        {
            subject.Board.Check();
            if (subject.Board.Losses > 0)
            {
                run.Results.Note($"{subject.Name} lost {subject.Board.Losses} sessions with {count} {noun}.");
            }

            await subject.StopAsync(run.Cancellation);
        }

        run.Results.Add($"Commands, {count} {noun}", change, withdraw, announce, updates, start);
    }

    private static async Task<double> CommandAsync(Run run, Subject subject, Route wanted)
    {
        var command = await subject.PrepareAsync(wanted, run.Cancellation);
        await run.SettleAsync();
        var arrived = subject.Board.Expect(wanted, subject.PrefixCount);
        var at = Stopwatch.GetTimestamp();
        var answered = command();
        var last = await run.WithinAsync(subject, arrived);
        await answered;
        return Run.Milliseconds(at, last);
    }

    /// <summary>What starting the daemon's own tool costs, for a command that does nothing: it comes on top of the rows above for whoever types it.</summary>
    public static async Task MeasureToolsAsync(Run run, IReadOnlyList<Subject> subjects)
    {
        Row tools = new("tool", "the daemon's own tool, for a command that changes nothing", "ms");
        var asked = subjects.Where(subject => subject.IdleToolCommand is not null).ToList();
        foreach (var subject in asked)
        {
            await subject.StartAsync(1, run.Cancellation);
            await run.WithinAsync(subject, subject.Arrived);
        }

        for (var round = -1; round < run.Options.Rounds; round++)
        {
            foreach (var subject in asked)
            {
                var at = Stopwatch.GetTimestamp();
                await Command.RunAsync(subject.IdleToolCommand!, run.Cancellation);
                if (round >= 0)
                {
                    tools.Add(subject.Name, Run.Milliseconds(at, Stopwatch.GetTimestamp()));
                }
            }
        }

        foreach (var subject in asked)
        {
            await subject.StopAsync(run.Cancellation);
        }

        run.Results.Add("Tools", tools);
    }
}
