using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Session;

// From an UPDATE as it was written to what it means for its receiver: both encodings together, errors of RFC 7606 applied.
internal static class RouteReception
{
    // Up to two, because the fields of RFC 4271 and MP_REACH_NLRI each have a next hop of their own; none for an UPDATE that says nothing (End-of-RIB).
    public static IEnumerable<ReceivedRoutes> Read(DecodedUpdate decoded)
    {
        var update = decoded.Message;
        var attributes = update.Attributes;
        var reach = attributes.MpReach;
        var withdrawn = update.Withdrawn.AddRange(attributes.MpUnreach?.Prefixes ?? []);
        if (decoded.Worst == AttributeFault.TreatAsWithdraw)
        {
            yield return new ReceivedRoutes
            {
                Withdrawn = withdrawn.AddRange(update.Announced).AddRange(reach?.Prefixes ?? []),
                Announced = [],
                Problem = decoded.Problem,
            };
            yield break;
        }

        var classic = !update.Announced.IsEmpty;
        var multiprotocol = reach is not null && !reach.Prefixes.IsEmpty;
        if (classic || !multiprotocol)
        {
            if (classic || !withdrawn.IsEmpty || decoded.Problem is not null)
            {
                yield return Routes(withdrawn, update.Announced, attributes.NextHop, attributes, decoded.Problem);
            }

            withdrawn = [];
        }

        if (multiprotocol)
        {
            yield return Routes(withdrawn, reach!.Prefixes, reach.NextHop, attributes, classic ? null : decoded.Problem);
        }
    }

    private static ReceivedRoutes Routes(
        ImmutableArray<IPNetwork> withdrawn, ImmutableArray<IPNetwork> announced, IPAddress? nextHop, PathAttributes attributes, string? problem) =>
        announced.IsEmpty
            ? new ReceivedRoutes { Withdrawn = withdrawn, Announced = [], Problem = problem }
            : new ReceivedRoutes
            {
                Withdrawn = withdrawn,
                Announced = announced,
                Origin = attributes.Origin ?? Origin.Incomplete,
                AsPath = Path(attributes),
                NextHop = nextHop,
                Communities = attributes.Communities,
                Problem = problem,
            };

    // RFC 6793 4.2.3: AS4_PATH knows the true numbers of the far end of the path, AS_PATH the whole of it. If AS4_PATH is the longer one, it is not believed.
    // Sets are flattened for the reader, so they are counted as their members here; we only show the path, we do not compare its length.
    private static ImmutableArray<uint> Path(PathAttributes attributes)
    {
        var path = Flatten(attributes.AsPath ?? []);
        if (attributes.As4Path is not { } as4Path)
        {
            return path;
        }

        var truth = Flatten(as4Path);
        return truth.Length > path.Length ? path : [.. path.AsSpan()[..(path.Length - truth.Length)], .. truth];
    }

    private static ImmutableArray<uint> Flatten(ImmutableArray<AsPathSegment> path) =>
        path.Length == 1 ? path[0].AsNumbers : [.. path.SelectMany(segment => segment.AsNumbers)];
}
