using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability.Probing;

namespace FailoverHub.Web.Reachability.Answering;

/// <summary>One shared address that is asked who answers there.</summary>
/// <param name="Prefix">The prefix that it stands for.</param>
/// <param name="Address">The address.</param>
/// <param name="Pair">Name of the pair that shares it.</param>
internal sealed record AnswerTarget(IPNetwork Prefix, IPAddress Address, string Pair)
{
    /// <summary>Ports at which its nodes answer, each once; whoever has the address now answers at one of them.</summary>
    public required ImmutableArray<int> Ports { get; init; }

    /// <summary>The nodes of the pair.</summary>
    public required ImmutableArray<string> Members { get; init; }

    /// <summary>The only one that announces it as primary, as far as is known now; null: none, or more than one.</summary>
    public required string? Primary { get; init; }

    /// <summary>Who announces it as what: when this is another, what was answered before says nothing about now.</summary>
    public required string Announced { get; init; }

    /// <summary>An operation moves it.</summary>
    public bool Moving { get; init; }

    /// <summary>Every shared address that at least one node of its pair answers on.</summary>
    public static ImmutableArray<AnswerTarget> Of(FleetSnapshot fleet) =>
    [
        .. from pair in fleet.Pairs
           let ports = pair.Members.Select(m => m.Node.IdentityPort).OfType<int>().Distinct().Order().ToImmutableArray()
           where !ports.IsEmpty
           from prefix in pair.Prefixes
           select Of(pair, prefix, ports) into target
           group target by target.Prefix into same
           select same.First(),
    ];

    private static AnswerTarget Of(PairView pair, IPNetwork prefix, ImmutableArray<int> ports)
    {
        var announcers = pair.Members.Select(m => (m.Node.Name, Role: FleetProjection.AnnouncedRole(m, prefix))).Where(a => a.Role is not null).ToList();
        var primaries = announcers.Where(a => a.Role == Role.Primary).Select(a => a.Name).ToList();
        return new AnswerTarget(prefix, ProbeTarget.AddressOf(prefix), pair.Name)
        {
            Ports = ports,
            Members = [.. pair.Members.Select(m => m.Node.Name)],
            Primary = primaries.Count == 1 ? primaries[0] : null,
            Announced = string.Join(' ', announcers.Select(a => $"{a.Name}={a.Role}")),
            Moving = pair.OperationId is not null || pair.State == PairState.Switching,
        };
    }
}
