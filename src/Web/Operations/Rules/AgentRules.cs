using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Planning;

namespace FailoverHub.Web.Operations.Rules;

/// <summary>Rules about what an agent can do, and about what may be done without a person. Pure.</summary>
internal static class AgentRules
{
    /// <summary>An agent that obeys <see cref="OperationType.ResetSession"/>.</summary>
    public const string ResetSession = "reset-session";

    private const string LocalCommands = "local-commands";

    /// <summary>SR-12: nobody is asked for what his agent cannot do; null: any agent can do it.</summary>
    internal static RuleResult? VersionSkew(OperationTarget target)
    {
        var rule = new Rule(target.Request, "SR-12", nameof(VersionSkew), 409, CanOverride: false);
        var node = target.Member.Node;
        if (Refused(target) is { } refused)
        {
            return rule.Fail($"{refused}: its own configuration says so.", "Do it on the node itself with failoverhub-agent, or allow it in the agent's configuration.");
        }

        return target.Type switch
        {
            OperationType.ResetSession => Can(rule, node, ResetSession, "reset a session when the hub asks for it"),
            OperationType.Undrain when OperationPlanner.LiftsLocalDrain(target) => Can(rule, node, LocalCommands, "end a drain that was ordered on the node itself"),
            OperationType.SetFailback => OperationPlanner.ToTellFailback(target.Pair).Any()
                ? rule.Pass(Old(target.Pair) is { } old
                    ? $"{old} keeps no failback policy and announces as primary at once; the others are told."
                    : "The agents keep failback policies.")
                : rule.Fail("No agent of the pair keeps a failback policy.", "Update the agents first."),
            _ => null,
        };
    }

    /// <summary>
    /// SR-09: before the hub does something that no person has just asked for, two signals that do not come from the same place have to say that
    /// it is safe: the node's own report, and either another node's or a probe of an address.
    /// </summary>
    /// <param name="target">What would be done.</param>
    /// <param name="answering">An address of the pair answers a probe.</param>
    internal static RuleResult TwoSignals(OperationTarget target, bool answering)
    {
        var rule = new Rule(target.Request, "SR-09", nameof(TwoSignals), 409, CanOverride: false);
        var node = target.Member.Node;
        var itself = node is { IsFresh: true, EstablishedSessions: > 0 } && node.Health != Health.Unhealthy;
        var another = target.Prefixes.All(p => target.Others.Any(o => FleetProjection.SurelyAnnounces(o.Node, p)));
        return !itself
            ? rule.Fail($"{node.Name} does not say of itself that it is well.", $"Look at {node.Name} and ask for it by hand.")
            : answering || another
            ? rule.Pass($"{node.Name} says that it is well, and {(another ? "another node announces its addresses" : "the address answers")}.")
            : rule.Fail($"Only {node.Name} itself says that it is well: no other node announces its addresses, and none of them answers.", $"Look at {node.Name} and ask for it by hand.");
    }

    /// <summary>What a node's own configuration forbids of the plan, "web-1 refuses to be drained by the hub"; null: nothing.</summary>
    private static string? Refused(OperationTarget target)
    {
        foreach (var step in OperationPlanner.Plan(target).Steps)
        {
            if (target.Pair.Members.Append(target.Member).FirstOrDefault(m => m.Node.Name == step.Wanted.Node)?.Node is not { Limits: { AllowEverything: false } limits } node)
            {
                continue;
            }

            var becomes = step.Wanted.Roles.Where(r => step.Before.Roles.GetValueOrDefault(r.Key, Role.Secondary) != r.Value || !step.Before.Roles.ContainsKey(r.Key)).Select(r => r.Value).ToList();
            var what = !limits.Drain && ((step.Wanted.Drained && !step.Before.Drained) || step.Wanted.LiftLocalDrain) ? (step.Wanted.Drained ? "be drained" : "have a drain of its own ended")
                : !limits.Promote && becomes.Contains(Role.Primary) ? "be made primary"
                : !limits.Demote && becomes.Contains(Role.Secondary) && step.Before.Roles.Any(r => r.Value == Role.Primary && step.Wanted.Roles.GetValueOrDefault(r.Key) == Role.Secondary) ? "be made secondary"
                : null;
            if (what is not null)
            {
                return $"{node.Name} refuses to {what} by the hub";
            }
        }

        return null;
    }

    private static RuleResult Can(Rule rule, NodeView node, string capability, string what) => node.Capabilities.Contains(capability)
        ? rule.Pass($"The agent of {node.Name} can {what}.")
        : rule.Fail($"The agent of {node.Name}{(node.AgentVersion.Length > 0 ? $" ({node.AgentVersion})" : "")} cannot {what}.", $"Update the agent of {node.Name}, or do it on the node itself with failoverhub-agent.");

    private static string? Old(PairView pair) =>
        pair.Members.Where(m => !m.Node.KeepsFailback).Select(m => m.Node.Name).ToList() is { Count: > 0 } old ? string.Join(" and ", old) : null;
}
