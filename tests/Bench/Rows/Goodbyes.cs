using System.Diagnostics;
using FailoverHub.Bench.Report;
using FailoverHub.Bench.Subjects;

namespace FailoverHub.Bench.Rows;

/// <summary>
/// From SIGTERM until the last of the four route servers knows that the subject leaves (by a withdrawal, a Cease or the end of the connection, whichever it has
/// first), and until the process has ended. One subject runs at a time.
/// </summary>
internal static class Goodbyes
{
    public static async Task MeasureAsync(Run run, IReadOnlyList<Subject> subjects)
    {
        Row goodbye = new("stop.goodbye", "SIGTERM → goodbye in all four peers (withdrawal, Cease or end)", "ms");
        Row ended = new("stop.ended", "SIGTERM → the process has ended", "ms");
        for (var round = -1; round < run.Options.Rounds; round++)
        {
            foreach (var subject in subjects)
            {
                await subject.StartAsync(1, run.Cancellation);
                await run.WithinAsync(subject, subject.Arrived);
                await run.SettleAsync();

                var left = subject.Board.ExpectGoodbye();
                var at = Stopwatch.GetTimestamp();
                var ending = subject.TerminateAsync(run.Cancellation);
                var last = await run.WithinAsync(subject, left);
                await ending;
                var over = Stopwatch.GetTimestamp();

                // The first round brings programs and configurations into the page cache.
                if (round >= 0)
                {
                    goodbye.Add(subject.Name, Run.Milliseconds(at, last));
                    ended.Add(subject.Name, Run.Milliseconds(at, over));
                }

                subject.Board.Check();
                await run.SettleAsync();
            }

            run.Progress($"goodbyes, round {round + 1} of {run.Options.Rounds}");
        }

        run.Results.Add("Goodbye", goodbye, ended);
    }
}
