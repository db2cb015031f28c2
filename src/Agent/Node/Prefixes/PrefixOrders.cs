using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node.Intents;

namespace FailoverHub.Agent.Node.Prefixes;

/// <summary>What the operators have said about one prefix, by all the ways in which they can.</summary>
/// <param name="Prefix">Canonical.</param>
/// <param name="Role">Of a command on the node, else of the intent, else of the configuration; null: none.</param>
/// <param name="Failback">Of the intent, else of the configuration, each half of it for itself.</param>
/// <param name="IsGiven">It counts as present whether or not an interface has it.</param>
internal readonly record struct PrefixOrders(IPNetwork Prefix, Role? Role, FailbackOptions Failback, bool IsGiven)
{
    /// <summary>The word that is nearest to the node counts; what a newer intent has ended is no longer among <see cref="NodeState.Orders"/>.</summary>
    public static PrefixOrders Of(NodeState state, IPNetwork prefix, ConfiguredPrefix? configured, PrefixIntent? intent) =>
        new(prefix, RoleOf(state, prefix, configured, intent), FailbackOf(configured?.Failback ?? state.Settings.Failback, intent), configured is { Present: true });

    private static Role? RoleOf(NodeState state, IPNetwork prefix, ConfiguredPrefix? configured, PrefixIntent? intent)
    {
        if (state.Orders.Roles.TryGetValue(prefix, out var order))
        {
            return state.IntentIsLost && !order.DespiteLostIntent ? AtMostSecondary(order.Role) : order.Role;
        }

        if (state.IsLeftOver(prefix, isNamed: configured is not null || intent is not null))
        {
            return null;
        }

        var role = intent?.Role ?? (state.IntentIsLost ? AtMostSecondary(configured?.Role ?? state.Settings.DefaultRole) : configured?.Role ?? state.Settings.DefaultRole);
        var isInDoubt = state.Orders.RolesLostAfter is { } lost && !(intent is not null && state.Intent!.Revision > lost);
        return isInDoubt ? AtMostSecondary(role) : role;
    }

    // Some word about it is lost, and may have been "secondary".
    private static Role? AtMostSecondary(Role? role) => role is null ? null : Node.Role.Secondary;

    private static FailbackOptions FailbackOf(FailbackOptions configured, PrefixIntent? intent) => intent switch
    {
        null or { FailbackPolicy: null, StableFor: null } => configured,
        _ => configured with { Policy = intent.FailbackPolicy ?? configured.Policy, StableFor = intent.StableFor ?? configured.StableFor },
    };
}
