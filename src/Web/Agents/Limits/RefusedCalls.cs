using System.Collections.Concurrent;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Agents.Limits;

/// <summary>
/// Which refused calls of a node the fleet is told of: it becomes an event each time that the reason is another one, and whoever has two certificates that open nothing can show them in turn, as often
/// as he likes. So it is told once in a period, whatever the reason, and once a second at most while it is not known yet. Remembers one time for each node of the table.
/// </summary>
internal sealed class RefusedCalls(FleetStore fleet, TimeProvider time)
{
    /// <summary>Of one node, whatever the reasons are.</summary>
    public static readonly TimeSpan ToldEvery = TimeSpan.FromMinutes(10);

    // Many calls may come before the fleet knows of the first.
    private static readonly TimeSpan AtMostEvery = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, long> _toldAt = new(StringComparer.Ordinal);

    /// <summary>One more; whether it is to be told.</summary>
    /// <param name="nodeId">Whose certificate was shown.</param>
    /// <param name="name">What that node is called.</param>
    public bool IsNews(string nodeId, string name)
    {
        if (fleet.State.Facts.Nodes.GetValueOrDefault(name)?.Refusal is { } known && time.GetUtcNow() - known.At <= ToldEvery)
        {
            return false;
        }

        long now = time.GetTimestamp();
        return _toldAt.TryGetValue(nodeId, out long before)
            ? time.GetElapsedTime(before, now) >= AtMostEvery && _toldAt.TryUpdate(nodeId, now, before)
            : _toldAt.TryAdd(nodeId, now);
    }
}
