using System.Diagnostics;
using System.Globalization;

namespace FailoverHub.Interop.Tests.Forwarding;

/// <summary>What a <see cref="Pinger"/> has seen.</summary>
/// <param name="targets">For each address its pings, in the order in which they were sent.</param>
internal sealed class PingLog(IReadOnlyList<IReadOnlyList<Ping>> targets)
{
    /// <summary>Datagrams sent, to all addresses.</summary>
    public int Sent => targets.Sum(pings => pings.Count);

    /// <summary>Those of them that nobody answered.</summary>
    public int Lost => LostAfter(0);

    /// <summary>Those of them that were sent after this moment.</summary>
    public int LostAfter(long moment) => targets.Sum(pings => pings.Count(ping => ping.By == '\0' && ping.SentAt > moment));

    /// <summary>The longest time in which an address did not answer: from the last ping before to the first one after that was answered.</summary>
    public TimeSpan Outage => targets.Max(OutageOf);

    /// <summary>The longest time in which that address did not answer: from its first to its last lost ping, and from the answer before to the one after. Both zero: nothing was lost.</summary>
    /// <param name="target">Its place among the addresses.</param>
    public (TimeSpan Shortest, TimeSpan Longest) OutageOf(int target)
    {
        var (worst, lost) = ((Shortest: TimeSpan.Zero, Longest: TimeSpan.Zero), new List<Ping>());
        var before = targets[target].Count > 0 ? targets[target][0] : default;
        foreach (var ping in targets[target])
        {
            if (ping.By == '\0')
            {
                lost.Add(ping);
                continue;
            }

            if (lost.Count > 0 && Stopwatch.GetElapsedTime(before.SentAt, ping.SentAt) is var longest && longest > worst.Longest)
            {
                worst = (Stopwatch.GetElapsedTime(lost[0].SentAt, lost[^1].SentAt), longest);
            }

            lost.Clear();
            before = ping;
        }

        return worst;
    }

    /// <summary>Every address has answered a ping that was sent after this moment, and this node was the one that did so last.</summary>
    /// <param name="node">a or b.</param>
    /// <param name="since">In the clock of <see cref="Stopwatch"/>.</param>
    public bool IsAt(string node, long since) =>
        targets.All(pings => pings.LastOrDefault(ping => ping.By != '\0') is var last && last.By == node[0] && last.SentAt > since);

    /// <summary>The nodes that answered a ping sent after this moment, one after the other, for each address: "ab" is a move from a to b.</summary>
    public IReadOnlyList<string> Answerers(long since) => [.. targets.Select(pings => AnswerersOf(pings.Where(ping => ping.SentAt >= since)))];

    /// <summary>From a moment until the first ping was sent that this node answered, as did every later one; of the slowest address.</summary>
    /// <param name="moment">In the clock of <see cref="Stopwatch"/>.</param>
    /// <param name="node">a or b.</param>
    /// <returns>Null: it never came to that.</returns>
    public TimeSpan? MovedAfter(long moment, string node) => targets.Max(pings =>
    {
        var lastOfOthers = pings.LastOrDefault(ping => ping.By != '\0' && ping.By != node[0]).SentAt;
        var first = pings.FirstOrDefault(ping => ping.By == node[0] && ping.SentAt > Math.Max(lastOfOthers, moment)).SentAt;
        return first == 0 ? TimeSpan.MaxValue : Stopwatch.GetElapsedTime(moment, first);
    }) is var worst && worst < TimeSpan.MaxValue ? worst : null;

    /// <summary>In one line, for people.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Sent} sent, {Lost} lost, longest outage {Outage.TotalMilliseconds:0} ms, answered by {string.Join(" and ", Answerers(0))}{string.Concat(targets.Select(FirstLoss))}");

    private static string FirstLoss(IReadOnlyList<Ping> pings, int target) => pings.TakeWhile(ping => ping.By != '\0').Count() is var at && at == pings.Count
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $"; address {target + 1} first lost its ping {at} after {Stopwatch.GetElapsedTime(pings[0].SentAt, pings[at].SentAt).TotalMilliseconds:0} ms");

    private static string AnswerersOf(IEnumerable<Ping> pings) =>
        pings.Aggregate("", (nodes, ping) => ping.By == '\0' || nodes.EndsWith(ping.By) ? nodes : nodes + ping.By);

    // What was not answered before the first answer or after the last one is as long as it was pinged.
    private static TimeSpan OutageOf(IReadOnlyList<Ping> pings)
    {
        var (worst, missing, before) = (TimeSpan.Zero, false, pings.Count > 0 ? pings[0].SentAt : 0);
        foreach (var ping in pings)
        {
            missing |= ping.By == '\0';
            if (missing && Stopwatch.GetElapsedTime(before, ping.SentAt) is var outage && outage > worst)
            {
                worst = outage;
            }

            (missing, before) = ping.By == '\0' ? (true, before) : (false, ping.SentAt);
        }

        return worst;
    }
}
