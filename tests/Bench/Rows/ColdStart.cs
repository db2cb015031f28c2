using FailoverHub.Bench.Report;
using FailoverHub.Bench.Subjects;

namespace FailoverHub.Bench.Rows;

/// <summary>From the start of the process with one prefix until the route servers have it. One subject runs at a time.</summary>
internal static class ColdStart
{
    public static async Task MeasureAsync(Run run, IReadOnlyList<Subject> subjects)
    {
        Row dialled = new("start.syn", "process start → first connection at a route server", "ms");
        Row established = new("start.established", "process start → four sessions established", "ms");
        Row arrived = new("start.route", "process start → the route is in all four peers", "ms");
        for (var round = -1; round < run.Options.Rounds; round++)
        {
            foreach (var subject in subjects)
            {
                await subject.StartAsync(1, run.Cancellation);
                var at = await run.WithinAsync(subject, subject.Arrived);
                var start = subject.Process.StartedAt;
                // The first round brings programs and configurations into the page cache.
                if (round >= 0)
                {
                    dialled.Add(subject.Name, Run.Milliseconds(start, subject.Board.FirstAcceptedAt));
                    established.Add(subject.Name, Run.Milliseconds(start, subject.Board.Sessions.Max(session => session.EstablishedAt)));
                    arrived.Add(subject.Name, Run.Milliseconds(start, at));
                }

                await subject.StopAsync(run.Cancellation);
                await run.SettleAsync();
            }

            run.Progress($"cold start, round {round + 1} of {run.Options.Rounds}");
        }

        run.Results.Add("Cold start", dialled, established, arrived);
    }
}
