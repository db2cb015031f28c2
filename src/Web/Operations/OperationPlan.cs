using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Operations;

/// <summary>What one node should be, and was: the intent of one step without its revision.</summary>
internal sealed record NodeWanted
{
    public required string Node { get; init; }

    public required bool Drained { get; init; }

    /// <summary>Every prefix of the node that has a role, not only the pair's: an intent is the whole state.</summary>
    public required ImmutableSortedDictionary<string, Role> Roles { get; init; }

    public Role? RoleOf(IPNetwork prefix) => Roles.TryGetValue(prefix.ToString(), out var role) ? role : null;

    /// <summary>What is wanted of the node now.</summary>
    public static NodeWanted Of(NodeView node) => new()
    {
        Node = node.Name,
        Drained = node.AssignedDrained,
        Roles = IntentFacts.RolesFrom(node.Prefixes.Where(p => p.AssignedRole is not null).Select(p => (p.Prefix, p.AssignedRole!.Value))),
    };

    public NodeWanted With(IEnumerable<IPNetwork> prefixes, Role role) =>
        this with { Roles = Roles.SetItems(prefixes.Select(p => KeyValuePair.Create(p.ToString(), role))) };
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

    /// <summary>Title of the last step, which sends nothing.</summary>
    public const string ObserveTitle = "Observe that all nodes report what is wanted";

    public IEnumerable<string> StepTitles => Steps.Select(s => s.Title).Append(ObserveTitle);
}
