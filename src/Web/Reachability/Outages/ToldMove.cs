using System.Collections.Immutable;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Reachability.Outages;

/// <summary>
/// Finds what a move that nobody asked for cost from every vantage point by one of its events: there is one for each prefix and vantage point, and an operation that would hold them together
/// there is none. Pure.
/// </summary>
internal static class ToldMove
{
    /// <summary>A move is measured a quarter of a minute after it; later where it goes on, and at the next start where the hub ended meanwhile.</summary>
    public static readonly TimeSpan LongestBefore = TimeSpan.FromHours(2);

    /// <summary>All of the move that the event tells of, by prefix and vantage point, the hub first; empty: it tells of none that is kept.</summary>
    /// <param name="told">The event.</param>
    /// <param name="outages">Those of the pair at about that time, whatever the order.</param>
    public static ImmutableArray<OutageRecord> Of(EventRecord told, IEnumerable<OutageRecord> outages)
    {
        if (told is not { Kind: EventKinds.OutageMeasured, OperationId: null, Pair: not null })
        {
            return [];
        }

        // By its own sentence; by the time where that is another one by now, because a node that asked has been renamed.
        ImmutableArray<OutageRecord> possible = [.. outages.Where(o => o.OperationId is null && o.Pair == told.Pair && o.At <= told.At && told.At - o.At <= LongestBefore)];
        OutageRecord? its = possible.Where(o => OutageSentences.Of(o) == told.Text).MaxBy(o => o.At)
            ?? possible.Where(o => o.Prefix == told.Prefix && told.At - o.At >= OutageWatch.After).MaxBy(o => o.At);
        return its is null ? [] : [.. possible.Where(o => o.At == its.At).OrderBy(o => o.Prefix, StringComparer.Ordinal).ThenBy(o => o.Vantage != VantagePoint.HubId).ThenBy(o => o.VantageName, StringComparer.OrdinalIgnoreCase)];
    }
}
