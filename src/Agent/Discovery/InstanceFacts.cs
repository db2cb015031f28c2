using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Agent.Discovery;

/// <summary>What the platform says about this machine.</summary>
internal sealed record InstanceFacts
{
    /// <summary>Of the platform; null: not said.</summary>
    public long? InstanceId { get; init; }

    /// <summary>Name of the machine at the platform; null: not said.</summary>
    public string? Label { get; init; }

    /// <summary>Such as <c>us-ord</c>; null: not said.</summary>
    public string? Region { get; init; }

    /// <summary>Of the physical host: equal on both nodes of a pair means that one broken host takes both away. Null: not said.</summary>
    public string? HostId { get; init; }

    /// <summary>The machine's own IPv6 address, which the route servers know it by; null: it has none.</summary>
    public IPAddress? Slaac { get; init; }

    /// <summary>
    /// Prefixes of another machine that are shared with this one. What this machine owns and shares is not told apart from what it owns alone, so on
    /// the owner this is empty.
    /// </summary>
    public ImmutableArray<IPNetwork> Shared { get; init; } = [];

    /// <summary>UTC.</summary>
    public required DateTimeOffset ReadAt { get; init; }

    /// <summary>All but the time.</summary>
    public bool SaysTheSameAs(InstanceFacts other) =>
        InstanceId == other.InstanceId && Label == other.Label && Region == other.Region && HostId == other.HostId && Equals(Slaac, other.Slaac) && Shared.SequenceEqual(other.Shared);
}
