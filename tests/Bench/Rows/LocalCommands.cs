using System.Diagnostics;
using FailoverHub.Bench.Peers;
using FailoverHub.Bench.Report;
using FailoverHub.Bench.Subjects;

namespace FailoverHub.Bench.Rows;

/// <summary>
/// What somebody orders on the node itself, on the daemon's own socket: from the command until its answer, and until the last of the four route servers has it.
/// Ours keeps the order and its entry on the disk before it obeys, and answers when the UPDATEs are on the sockets; the others keep nothing.
/// </summary>
internal static class LocalCommands
{
    public static async Task MeasureAsync(Run run, IReadOnlyList<Subject> subjects)
    {
        Row roleAnswered = new("local.role.answered", "role change ordered on the node → answered", "ms");
        Row roleArrived = new("local.role", "role change ordered on the node → in the peers", "ms");
        Row drainAnswered = new("local.drain.answered", "drain ordered on the node → answered", "ms");
        Row drainArrived = new("local.drain", "drain ordered on the node → withdrawn from the peers", "ms");
        foreach (var subject in subjects)
        {
            await subject.StartAsync(1, run.Cancellation);
            await run.WithinAsync(subject, subject.Arrived);
            await run.SettleAsync();
        }

        for (var round = -1; round < run.Options.Rounds; round++)
        {
            foreach (var subject in subjects)
            {
                var there = await OrderAsync(run, subject, Route.Secondary);
                var back = await OrderAsync(run, subject, Route.Primary);
                var gone = await OrderAsync(run, subject, Route.None);
                await OrderAsync(run, subject, Route.Primary);
                if (round >= 0)
                {
                    Add(subject, roleAnswered, roleArrived, there);
                    Add(subject, roleAnswered, roleArrived, back);
                    Add(subject, drainAnswered, drainArrived, gone);
                }
            }

            run.Progress($"local commands, round {round + 1} of {run.Options.Rounds}");
        }

        foreach (var subject in subjects)
        {
            subject.Board.Check();
            await subject.StopAsync(run.Cancellation);
        }

        run.Results.Add("Ordered on the node itself, 1 prefix", roleAnswered, roleArrived, drainAnswered, drainArrived);
    }

    private static void Add(Subject subject, Row answered, Row arrived, (double Answered, double Arrived) took)
    {
        answered.Add(subject.Name, took.Answered);
        arrived.Add(subject.Name, took.Arrived);
    }

    private static async Task<(double Answered, double Arrived)> OrderAsync(Run run, Subject subject, Route wanted)
    {
        var command = await subject.PrepareLocalAsync(wanted, run.Cancellation);
        await run.SettleAsync();
        var arrived = subject.Board.Expect(wanted, subject.PrefixCount);
        var at = Stopwatch.GetTimestamp();
        await command();
        var answered = Run.Milliseconds(at, Stopwatch.GetTimestamp());
        return (answered, Run.Milliseconds(at, await run.WithinAsync(subject, arrived)));
    }
}
