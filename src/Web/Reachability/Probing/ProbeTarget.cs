using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Reachability.Probing;

/// <summary>One address that is to be probed.</summary>
/// <param name="Prefix">The shared prefix that it stands for.</param>
/// <param name="Address">The address.</param>
/// <param name="Pair">Name of the pair that shares it, for events.</param>
internal sealed record ProbeTarget(IPNetwork Prefix, IPAddress Address, string Pair)
{
    /// <summary>How long after a session came or went the address is still looked at closely.</summary>
    private static readonly TimeSpan NewsFor = TimeSpan.FromSeconds(30);

    /// <summary>Something happens to it by what the nodes report: an operation runs, or a session has just come or gone.</summary>
    public bool Changing { get; init; }

    /// <summary>What should be probed by what is known of the fleet: every shared prefix once, in order of its text.</summary>
    public static ImmutableArray<ProbeTarget> Of(FleetSnapshot fleet) =>
    [
        .. fleet.Pairs
            .SelectMany(pair => pair.Prefixes.Select(prefix => new ProbeTarget(prefix, AddressOf(prefix), pair.Name) { Changing = IsChanging(pair, fleet.At) }))
            .DistinctBy(target => target.Prefix)
            .OrderBy(target => target.Prefix.ToString(), StringComparer.Ordinal),
    ];

    /// <summary>Whether both snapshots give the same targets, found without making them; false when that is not plain.</summary>
    public static bool AreTheSame(FleetSnapshot a, FleetSnapshot b)
    {
        if (ReferenceEquals(a, b))
        {
            return true;
        }

        if (a.Pairs.Length != b.Pairs.Length)
        {
            return false;
        }

        for (int i = 0; i < a.Pairs.Length; i++)
        {
            // A pair keeps its prefixes, the very same array, until they change.
            if (!ReferenceEquals(a.Pairs[i], b.Pairs[i]) && (a.Pairs[i].Prefixes != b.Pairs[i].Prefixes || a.Pairs[i].Name != b.Pairs[i].Name || IsMoving(a.Pairs[i]) != IsMoving(b.Pairs[i])))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A single address stands for itself; a wider prefix is probed at its first host.</summary>
    public static IPAddress AddressOf(IPNetwork prefix)
    {
        byte[] bytes = prefix.BaseAddress.GetAddressBytes();
        if (prefix.PrefixLength < bytes.Length * 8)
        {
            // The host bits of a network's base address are zero, so its last byte is even and this cannot carry.
            bytes[^1]++;
        }

        return new IPAddress(bytes);
    }

    private static bool IsMoving(PairView pair) => pair.OperationId is not null || pair.State == PairState.Switching;

    private static bool IsChanging(PairView pair, DateTimeOffset at) =>
        IsMoving(pair)
        || pair.Members.Any(m => m.Node.IsFresh && m.Node.Sessions.Any(s => s.StateSince is { } since && (at - since).Duration() < NewsFor));
}
