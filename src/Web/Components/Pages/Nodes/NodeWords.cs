using FailoverHub.Web.Components.Shared.Status;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Components.Pages.Nodes;

/// <summary>What a node says of itself, in words. Pure.</summary>
internal static class NodeWords
{
    /// <summary>Verdict of all its checks; a node without checks has none to be proud of.</summary>
    public static StatusWord Health(NodeView node) => Health(node.Health, !node.Checks.IsEmpty);

    /// <summary>Verdict of what is checked; unknown means that there is no verdict yet, or nothing to give one.</summary>
    public static StatusWord Health(Health health, bool isChecked) => health == Fleet.Health.Unknown && isChecked ? new(StatusTone.Unknown, "No verdict yet") : StatusWords.Of(health);

    /// <summary>"no", "yes", "yes, on the node itself", "yes, by the hub and on the node itself".</summary>
    public static string Drained(NodeView node) => node switch
    {
        { Drained: false } => "no",
        { LocallyDrained: true, AssignedDrained: true } => "yes, by the hub and on the node itself",
        { LocallyDrained: true } => "yes, on the node itself",
        _ => "yes",
    };

    /// <summary>The hub wants the other of what the node does. A drain that somebody ordered there is nobody's mistake.</summary>
    public static bool DrainDiffers(NodeView node) => node.Drained != node.AssignedDrained && !node.LocallyDrained;

    /// <summary>Checks that fail, each with what it said last.</summary>
    public static IEnumerable<CheckView> Failing(NodeView node) => node.Checks.Where(check => check.Verdict == Fleet.Health.Unhealthy);

    /// <summary>"withdraws its prefixes while it fails".</summary>
    public static string Consequence(CheckView check) => check.Consequence switch
    {
        "withdraw" => "withdraws",
        "demote" => "demotes to secondary",
        "" => "none",
        var other => other,
    };

    /// <summary>What the node's own configuration keeps from the hub: "refuses to be drained by the hub; …"; null: nothing, or its agent does not say.</summary>
    public static string? Limits(NodeView node)
    {
        if (node.Limits is not { AllowEverything: false } limits)
        {
            return null;
        }

        List<string> refused = [];
        refused.AddRange(limits.Drain ? [] : ["to be drained"]);
        refused.AddRange(limits.Promote ? [] : ["to be made primary"]);
        refused.AddRange(limits.Demote ? [] : ["to be made secondary"]);
        return $"refuses {string.Join(" and ", refused)} by the hub; commands on the node itself are obeyed";
    }

    /// <summary>What the node does when it returns, or that it keeps no policy.</summary>
    public static string Failback(NodeView node, PrefixView prefix) => prefix.Failback is { } failback
        ? FailbackWords.When(failback)
        : node.KeepsFailback ? "not known" : "at once: its agent keeps no policy";
}
