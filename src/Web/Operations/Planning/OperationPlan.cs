using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Operations.Planning;

/// <summary>What one node should be, and was: the intent of one step without its revision.</summary>
internal sealed record NodeWanted
{
    public required string Node { get; init; }

    public required bool Drained { get; init; }

    /// <summary>Every prefix of the node that has a role, not only the pair's: an intent is the whole state.</summary>
    public required ImmutableSortedDictionary<string, Role> Roles { get; init; }

    /// <summary>Failback policy of every prefix that has a role.</summary>
    public ImmutableSortedDictionary<string, Failback> Failback { get; init; } = IntentFacts.NoFailback;

    /// <summary>Prefixes that have to be primary now, whatever their failback policy holds.</summary>
    public ImmutableSortedSet<string> AtOnce { get; init; } = [];

    /// <summary>Ends a drain that was ordered on the node itself.</summary>
    public bool LiftLocalDrain { get; init; }

    public Role? RoleOf(IPNetwork prefix) => Roles.TryGetValue(prefix.ToString(), out var role) ? role : null;

    /// <summary>
    /// What is wanted of the node now. A newer intent ends a role that was given on the node itself; so that one which is about something else
    /// moves nothing, such a role counts as wanted.
    /// </summary>
    /// <param name="pair">The pair whose failback policy it keeps; null: the node is of none.</param>
    /// <param name="node">As it is now.</param>
    public static NodeWanted Of(PairView? pair, NodeView node)
    {
        var assigned = node.Prefixes.Select(p => p with { AssignedRole = p.LocalRole ?? p.AssignedRole }).Where(p => p.AssignedRole is not null).ToList();
        return new NodeWanted
        {
            Node = node.Name,
            Drained = node.AssignedDrained,
            Roles = IntentFacts.RolesFrom(assigned.Select(p => (p.Prefix, p.AssignedRole!.Value))),
            Failback = IntentFacts.NoFailback.SetItems(assigned.Select(p =>
                KeyValuePair.Create(p.Prefix.ToString(), Fleet.Failback.Wanted(pair is { FailbackIsSet: true } ? pair.Failback : null, p.Failback)))),
        };
    }

    public NodeWanted With(IEnumerable<IPNetwork> prefixes, Role role) =>
        this with { Roles = Roles.SetItems(prefixes.Select(p => KeyValuePair.Create(p.ToString(), role))) };

    /// <summary>Primary for these prefixes, and now: nothing that the node keeps for itself may hold it back.</summary>
    public NodeWanted PrimaryNow(IEnumerable<IPNetwork> prefixes) =>
        With(prefixes, Role.Primary) with { AtOnce = [.. prefixes.Select(p => p.ToString())] };

    public NodeWanted With(Failback failback) =>
        this with { Failback = IntentFacts.NoFailback.SetItems(Roles.Keys.Select(p => KeyValuePair.Create(p, failback))) };
}

/// <summary>One step: a node gets a new intent, and its report has to show it before the next step begins.</summary>
internal sealed record PlannedStep
{
    public required string Title { get; init; }

    public required NodeWanted Wanted { get; init; }

    /// <summary>What to go back to when a later step fails.</summary>
    public required NodeWanted Before { get; init; }

    /// <summary>The prefixes that have to be on the wire with their new role; for the others it is enough that no other role is there.</summary>
    public ImmutableArray<IPNetwork> MustAnnounce { get; init; } = [];

    /// <summary>The node has to report the failback policy that it is told.</summary>
    public bool MustKeepFailback { get; init; }
}

/// <summary>Everything that an accepted request will do.</summary>
internal sealed record OperationPlan
{
    public required OperationType Type { get; init; }

    public required string PairId { get; init; }

    public required string PairName { get; init; }

    public required string? Node { get; init; }

    public required string Title { get; init; }

    public required ImmutableArray<PlannedStep> Steps { get; init; }

    /// <summary>Where the address goes or may go; these are probed before and after.</summary>
    public required ImmutableArray<IPNetwork> Prefixes { get; init; }

    public required string TrafficEffect { get; init; }

    public required bool OutagePossible { get; init; }

    /// <summary>The pair is shown as switching while it runs.</summary>
    public required bool MovesTraffic { get; init; }

    /// <summary>What it does when it does not change what is wanted of a node; null: it has steps.</summary>
    public SessionReset? Reset { get; init; }

    /// <summary>What is wanted from now on of nodes that cannot be told now. They are told when they come back: each of it is a demotion, which never takes an address away.</summary>
    public ImmutableArray<NodeWanted> OnReturn { get; init; } = [];

    /// <summary>Title of the last step, which sends nothing.</summary>
    public const string ObserveTitle = "Observe that all nodes report what is wanted";

    public IEnumerable<string> StepTitles => Reset is { } reset ? reset.StepTitles : Steps.Select(s => s.Title).Append(ObserveTitle);
}

/// <summary>One BGP session that is to be ended and to come up again.</summary>
/// <param name="Node">Whose.</param>
/// <param name="Neighbor">With whom, as the node reports it.</param>
internal sealed record SessionReset(string Node, string Neighbor)
{
    public ImmutableArray<string> StepTitles => [$"Ask {Node} to reset its session with {Neighbor}", "Observe that the session is established again"];
}
