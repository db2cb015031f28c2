using System.Net;

namespace FailoverHub.Bgp.Routes;

/// <summary>Why a session cannot carry a prefix.</summary>
public enum SkipReason
{
    /// <summary>The neighbor did not offer the prefix's address family (RFC 4760 8).</summary>
    FamilyNotNegotiated,

    /// <summary>IPv4 on an IPv6 session, and the neighbor did not offer IPv6 next hops for it (RFC 8950 4).</summary>
    NoNextHop,
}

/// <summary>A prefix that the neighbor should have and never gets on this session.</summary>
/// <param name="Prefix">As in the advertisement.</param>
/// <param name="Reason">What the session lacks.</param>
public sealed record SkippedPrefix(IPNetwork Prefix, SkipReason Reason);
