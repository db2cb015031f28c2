using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Node.Prefixes;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Node;

/// <summary>
/// The configuration was read again while the node runs. What is the same is not touched: a role that changes is an UPDATE on the live sessions, a neighbor that is
/// added or taken away is no business of the others.
/// </summary>
internal static class Reconfiguration
{
    /// <summary>The node goes by other settings from now on.</summary>
    public static void Apply(NodeStep step, NodeEvent.Reconfigured changed)
    {
        var before = step.State;
        if (before.Stopping || before.Leaving is { Stops: true })
        {
            step.Do(new NodeEffect.Log(LogLevel.Information, "the new configuration is left for the next start: the agent is stopping"));
            return;
        }

        step.State = HealthVerdicts.Keep(before with
        {
            Settings = changed.Settings,
            ConfigurationProblem = null,
            Sessions = [.. changed.Settings.Neighbors.Select(neighbor => before.Session(neighbor) ?? new SessionStatus { Neighbor = neighbor, Since = step.Now })],
        });
        step.Do(new NodeEffect.ConfigureSessions(changed.Peers));
        step.Replan(
            new Cause("the configuration was changed") { Forgives = changed.Settings.Damping is null && before.Settings.Damping is not null },
            () => step.Record(TransitionKind.ConfigurationLoaded, changed.Text));
        Failback.FollowSessions(step, before);
    }

    /// <summary>What was read cannot be obeyed. Nothing changes but that it is said, once for each other problem.</summary>
    public static void Refuse(NodeStep step, string problem)
    {
        if (problem == step.State.ConfigurationProblem)
        {
            return;
        }

        step.State = step.State with { ConfigurationProblem = problem };
        step.Do(new NodeEffect.Record(TransitionKind.ConfigurationRejected, $"the configuration was read again and not taken, the one that runs stays: {problem}") { Level = LogLevel.Warning });
    }
}
