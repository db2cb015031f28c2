using FailoverHub.Agent.Configuration;
using FailoverHub.Bgp.Routes;

namespace FailoverHub.Agent.Node;

internal static class SkipWords
{
    /// <summary>The consequence and its cause, without a full stop.</summary>
    public static string Describe(this SkippedPrefix skipped, NeighborEndpoint neighbor) => skipped.Reason switch
    {
        SkipReason.FamilyNotNegotiated => $"{skipped.Prefix} is not announced to {neighbor}, which did not offer its address family",
        SkipReason.NoNextHop => $"{skipped.Prefix} is not announced to {neighbor}, which takes no IPv4 routes on an IPv6 session (RFC 8950)",
        _ => throw new ArgumentOutOfRangeException(nameof(skipped), skipped, "Not a reason."),
    };
}
