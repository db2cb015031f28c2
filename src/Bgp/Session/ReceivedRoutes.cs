using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Session;

/// <summary>What one UPDATE of the neighbor says, both address families and both encodings together.</summary>
public sealed record ReceivedRoutes
{
    /// <summary>Prefixes no longer reachable through the neighbor, those of a treat-as-withdraw error (RFC 7606) among them.</summary>
    public required ImmutableArray<IPNetwork> Withdrawn { get; init; }

    /// <summary>Prefixes reachable through the neighbor, with the attributes below.</summary>
    public required ImmutableArray<IPNetwork> Announced { get; init; }

    /// <summary>ORIGIN.</summary>
    public Origin Origin { get; init; }

    /// <summary>AS_PATH, leftmost first; sets are flattened.</summary>
    public ImmutableArray<uint> AsPath { get; init; } = [];

    /// <summary>Next hop, null when nothing is announced.</summary>
    public IPAddress? NextHop { get; init; }

    /// <summary>Standard communities.</summary>
    public ImmutableArray<Community> Communities { get; init; } = [];

    /// <summary>What was wrong with the UPDATE and did not end the session (RFC 7606), in words for the operator; null when nothing was.</summary>
    public string? Problem { get; init; }
}
