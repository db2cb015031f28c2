using System.Collections.Immutable;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Running;

namespace FailoverHub.Web.Reachability.Outages;

/// <summary>
/// When an operation moved addresses, by its steps, pure. One whose outcome was not known ends when its nodes are back, hours later perhaps: what the probes showed in all that time
/// was not its doing.
/// </summary>
internal static class MoveTimes
{
    /// <summary>So long a step may have gone on whose end nobody saw, because the hub ended; and so long after it was told a node may have gone back.</summary>
    private static readonly TimeSpan LongestUnseen = TimeSpan.FromMinutes(2);

    /// <summary>From when to when, oldest first: its own steps, then what was taken back so much later that it is measured by itself. At least one.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="end">When it ended; of one that has not, now.</param>
    /// <param name="apart">What begins no later than that after the end of something else is part of it.</param>
    public static ImmutableArray<(DateTimeOffset Began, DateTimeOffset Ended)> Of(OperationView operation, DateTimeOffset end, TimeSpan apart)
    {
        var times = new List<(DateTimeOffset Began, DateTimeOffset Ended)>();
        foreach (OperationStep step in operation.Steps.Where(s => s.StartedAt is not null).OrderBy(s => s.StartedAt))
        {
            (DateTimeOffset began, DateTimeOffset ended) = (step.StartedAt!.Value, EndOf(step));
            if (times is [.., var last] && began <= last.Ended + apart)
            {
                times[^1] = (last.Began, ended > last.Ended ? ended : last.Ended);
            }
            else
            {
                times.Add((began, ended));
            }
        }

        if (times.Count == 0)
        {
            DateTimeOffset latest = operation.RequestedAt + LongestUnseen;
            return [(operation.RequestedAt, end < latest ? end : latest)];
        }

        // Until it has ended it may be between two steps; one that ended soon after the last of them was seen to its end.
        if (operation.Status == OperationStatus.Running || end <= times[^1].Ended + apart)
        {
            times[^1] = (times[^1].Began, end);
        }

        return [.. times];
    }

    // A node that is to go back is waited for however long that takes, and does so when it is told, or not at all.
    private static DateTimeOffset EndOf(OperationStep step)
    {
        DateTimeOffset latest = step.StartedAt!.Value + LongestUnseen;
        return step.FinishedAt is { } finished && (finished < latest || !(TakingBack.IsStep(step) || LeftSteps.EndsUnseen(step))) ? finished : latest;
    }
}
