using FailoverHub.Agent.Discovery;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Node;

/// <summary>What the metadata service says of the machine, and what follows from it for the node.</summary>
internal static class Instance
{
    /// <summary>What is shared with this machine becomes known; one that no interface has is said, because nobody else would notice.</summary>
    public static void Learn(NodeStep step, InstanceFacts facts)
    {
        var before = step.State.Instance?.Shared ?? [];
        step.State = step.State with { Instance = facts, OnceShared = step.State.OnceShared.Union(facts.Shared) };
        if (before.SequenceEqual(facts.Shared))
        {
            return;
        }

        // Nobody wants another role of anything: what gets its role by this alone is a prefix that returns, and no operator's word for one that is held back.
        step.Replan(new Cause("the metadata service says what is shared with this machine") { EndsDoubt = true });
        if (step.State.Settings.ManagesAddresses)
        {
            return;
        }

        foreach (var prefix in step.State.Prefixes.Where(prefix => !prefix.AddressPresent && facts.Shared.Contains(prefix.Prefix) && !before.Contains(prefix.Prefix)))
        {
            step.Do(new NodeEffect.Log(
                LogLevel.Warning,
                $"{prefix.Prefix} is shared with this machine, but no interface has an address of it, so it is not announced: 'failoverhub-agent doctor' prints what makes it permanent"));
        }
    }
}
