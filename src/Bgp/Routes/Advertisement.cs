using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Routes;

/// <summary>
/// One route that we want a neighbor to have. The AS path (our own AS) and the next hop (our own address on the session)
/// are not here: the session knows them.
/// </summary>
public sealed record Advertisement
{
    /// <summary>IPv4 or IPv6 prefix, host bits zero.</summary>
    public required IPNetwork Prefix { get; init; }

    /// <summary>Standard communities (RFC 1997), in ascending order.</summary>
    public required ImmutableArray<Community> Communities { get; init; }

    /// <summary>Large communities (RFC 8092), none by default. Kept in ascending order and each once, whatever was given: the attribute is a set.</summary>
    public ImmutableArray<LargeCommunity> LargeCommunities
    {
        get;
        init => field = LargeCommunity.Canonical(value);
    } = [];

    /// <summary>ORIGIN (RFC 4271 5.1.1). INCOMPLETE is what the platform's own client sends.</summary>
    public Origin Origin { get; init; } = Origin.Incomplete;

    /// <summary>Family of <see cref="Prefix"/>.</summary>
    public RouteFamily Family => Prefix.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
        ? RouteFamily.Ipv6Unicast
        : RouteFamily.Ipv4Unicast;

    /// <summary>Value equality, communities by content.</summary>
    public bool Equals(Advertisement? other) => other is not null && Prefix.Equals(other.Prefix) && HasAttributesOf(other);

    // The same but for the prefix.
    internal bool HasAttributesOf(Advertisement other) =>
        Origin == other.Origin
        && Same(Communities, other.Communities)
        && Same(LargeCommunities, other.LargeCommunities);

    // Thousands of routes usually share one array.
    private static bool Same<T>(ImmutableArray<T> left, ImmutableArray<T> right) => left == right || left.AsSpan().SequenceEqual(right.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Prefix, Origin, Communities.Length == 0 ? 0 : Communities[0].GetHashCode());
}
