using System.Net;
using FailoverHub.Agent.Configuration;

namespace FailoverHub.Agent.Node;

/// <summary>What the operators have said about one prefix, by all the ways in which they can.</summary>
/// <param name="Prefix">Canonical.</param>
/// <param name="Role">Of the intent, else of the configuration; null: none.</param>
/// <param name="Failback">Likewise, each half of it for itself.</param>
/// <param name="IsGiven">It counts as present whether or not an interface has it.</param>
internal readonly record struct PrefixOrders(IPNetwork Prefix, Role? Role, FailbackOptions Failback, bool IsGiven)
{
    /// <summary>The newer word counts.</summary>
    public static PrefixOrders Of(NodeState state, IPNetwork prefix, ConfiguredPrefix? configured, PrefixIntent? intent) =>
        new(prefix, intent?.Role ?? ConfiguredRole(state, configured), FailbackOf(configured?.Failback ?? state.Settings.Failback, intent), configured is { Present: true });

    /// <summary>The role that the prefix has when no intent names it.</summary>
    public static Role? ConfiguredRole(NodeState state, ConfiguredPrefix? configured) =>
        (configured?.Role ?? state.Settings.DefaultRole) is not { } role ? null
        : state is { Settings.IntentLost: true, Intent: null } ? Node.Role.Secondary
        : role;

    private static FailbackOptions FailbackOf(FailbackOptions configured, PrefixIntent? intent) => intent switch
    {
        null or { FailbackPolicy: null, StableFor: null } => configured,
        _ => configured with { Policy = intent.FailbackPolicy ?? configured.Policy, StableFor = intent.StableFor ?? configured.StableFor },
    };
}
