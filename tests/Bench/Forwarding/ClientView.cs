using System.Diagnostics;
using FailoverHub.Bench.Lab;
using FailoverHub.Bench.Peers;
using FailoverHub.Bench.Report;
using FailoverHub.Interop.Tests.Forwarding;

namespace FailoverHub.Bench.Forwarding;

/// <summary>What the client sees while something is done to the nodes of one pair.</summary>
/// <param name="run">The run.</param>
/// <param name="lab">Where.</param>
/// <param name="name">Of the pair, as the table shows it.</param>
/// <param name="lastWords">The ends of the daemons' logs, for a run that failed.</param>
internal sealed class ClientView(Run run, ForwardingLab lab, string name, Func<string> lastWords)
{
    /// <summary>Lets what a move set going come to rest.</summary>
    public static readonly TimeSpan Settle = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    public string Name => name;

    /// <summary>Does something that brings the client to a node, and writes down when it is there for good and what was lost meanwhile.</summary>
    /// <param name="time">Milliseconds from the act.</param>
    /// <param name="lost">Pings.</param>
    /// <param name="to">a or b; the client is at the other one before.</param>
    /// <param name="act">What is done.</param>
    public Task MoveAsync(Row time, Row lost, string to, Func<Task> act) => WatchAsync(to, act, (log, at) =>
    {
        lost.Add(name, log.LostAfter(at));
        if (log.MovedAfter(at, to) is { } moved)
        {
            time.Add(name, moved.TotalMilliseconds);
        }
    });

    /// <summary>As <see cref="MoveAsync"/>; what is written down is how long nobody answered the client.</summary>
    public Task FailAsync(Row outage, Row lost, string to, Func<Task> act) => WatchAsync(to, act, (log, at) =>
    {
        outage.Add(name, log.Outage.TotalMilliseconds);
        lost.Add(name, log.LostAfter(at));
    });

    /// <summary>Waits until pings that were sent after a moment are answered by this node.</summary>
    public Task SeeAtAsync(Pinger pinger, string node, long since) => UntilAsync($"the pings at node {node}", () => pinger.Seen.IsAt(node, since));

    /// <summary>Waits for four sessions of a node that are younger than a moment, and gives when they came; by the route servers' own logs.</summary>
    public async Task<IReadOnlyList<DateTime>> SessionsAsync(NodeNetwork node, DateTime since = default)
    {
        IReadOnlyList<DateTime> sessions = [];
        await UntilAsync(
            $"four sessions of {node.Name}",
            () => (sessions = ForwardingLab.Sessions(node)) is { Count: Board.Servers } && sessions.All(session => session >= since));
        return sessions;
    }

    private async Task WatchAsync(string to, Func<Task> act, Action<PingLog, long> note)
    {
        var pinger = await lab.StartPingsAsync();
        await SeeAtAsync(pinger, to == "a" ? "b" : "a", Stopwatch.GetTimestamp());
        var at = Stopwatch.GetTimestamp();
        var acting = act();
        await SeeAtAsync(pinger, to, at);
        await acting;
        await Pause.ForAsync(Settle, run.Cancellation);
        note(await pinger.StopAsync(), at);
    }

    private async Task UntilAsync(string what, Func<bool> isSo)
    {
        for (var began = Stopwatch.GetTimestamp(); !isSo(); await Pause.ForAsync(_look, run.Cancellation))
        {
            if (Stopwatch.GetElapsedTime(began) > _patience)
            {
                throw new InvalidOperationException($"{name}: never saw {what}. {lastWords()}");
            }
        }
    }
}
