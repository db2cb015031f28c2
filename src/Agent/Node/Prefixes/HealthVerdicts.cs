using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Checks;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Node.Prefixes;

/// <summary>What a check says.</summary>
/// <param name="Check">As it was configured then: a verdict says nothing about a check of the same name that does something else.</param>
/// <param name="Health">Never <see cref="Health.Unknown"/>.</param>
/// <param name="Since">When it began to say so.</param>
internal sealed record CheckVerdict(CheckOptions Check, Health Health, Moment Since);

/// <summary>What all checks together say about one prefix.</summary>
/// <param name="Health">Unhealthy if any of them is; healthy if all are.</param>
/// <param name="AwaitsVerdict">One of them has no verdict yet, and until then nothing new may begin.</param>
/// <param name="OnlyDemotes">Every unhealthy one demotes.</param>
internal readonly record struct PrefixHealth(Health Health, bool AwaitsVerdict, bool OnlyDemotes);

/// <summary>What health checks do to the node: what they said last, and the consequence.</summary>
internal static class HealthVerdicts
{
    public static void Change(NodeStep step, NodeEvent.HealthChanged changed)
    {
        var state = step.State;
        if (state.Settings.Checks.FirstOrDefault(check => check.Name == changed.Check.Name) is not { } configured
            || !configured.Probe.Equals(changed.Check.Probe)
            || (state.Verdicts.GetValueOrDefault(configured.Name) is { } known && known.Health == changed.Verdict))
        {
            // Said by a check that has been taken away meanwhile, or nothing new.
            return;
        }

        step.State = state with { Verdicts = state.Verdicts.SetItem(configured.Name, new CheckVerdict(configured, changed.Verdict, step.Now)) };
        var what = $"check {configured.Name} ({configured.Probe.Kind} {configured.Probe.Target}) is {changed.Verdict.Word()}: {changed.Text}";
        step.Replan(
            new Cause($"check {configured.Name} is {changed.Verdict.Word()}: {changed.Text}") { Involuntary = true },
            () => step.Do(new NodeEffect.Record(TransitionKind.HealthChanged, $"{what}; {Consequence(state, step.State, configured)}", configured.Prefixes is [var only] ? only.ToString() : "")
            {
                Level = changed.Verdict == Health.Unhealthy ? LogLevel.Warning : LogLevel.Information,
            }));
    }

    /// <summary>After other settings came into the state: the verdict of a check that still does the same is kept, every other one is forgotten.</summary>
    public static NodeState Keep(NodeState state) => state with
    {
        Verdicts = state.Verdicts.RemoveRange(state.Verdicts
            .Where(known => !state.Settings.Checks.Any(check => check.Name == known.Key && check.Probe.Equals(known.Value.Check.Probe)))
            .Select(known => known.Key)),
    };

    /// <summary>Of one check: its verdict, or what it counts as without one.</summary>
    public static Health Of(NodeState state, CheckOptions check) =>
        state.Verdicts.TryGetValue(check.Name, out var verdict) ? verdict.Health : VerdictCounter.Of(check.Initial);

    /// <summary>Of one prefix.</summary>
    public static PrefixHealth Of(NodeState state, IPNetwork prefix)
    {
        var checks = 0;
        var unknown = 0;
        var unhealthy = 0;
        var demoting = 0;
        foreach (var check in state.Settings.Checks)
        {
            if (!check.SpeaksFor(prefix))
            {
                continue;
            }

            checks++;
            switch (Of(state, check))
            {
                case Health.Unknown:
                    unknown++;
                    break;
                case Health.Unhealthy:
                    unhealthy++;
                    demoting += check.Consequence == HealthConsequence.Demote ? 1 : 0;
                    break;
                default:
                    break;
            }
        }

        var health = unhealthy > 0 ? Health.Unhealthy : checks == 0 || unknown > 0 ? Health.Unknown : Health.Healthy;
        return new PrefixHealth(health, unknown > 0, unhealthy > 0 && demoting == unhealthy);
    }

    /// <summary>Of the node: unhealthy if any check is, healthy if all are, unknown without checks.</summary>
    public static Health Of(NodeState state)
    {
        var all = state.Settings.Checks.Select(check => Of(state, check)).ToList();
        return all.Contains(Health.Unhealthy) ? Health.Unhealthy
            : all.Count == 0 || all.Contains(Health.Unknown) ? Health.Unknown
            : Health.Healthy;
    }

    /// <summary>The stable word of the status and the logs.</summary>
    public static string Word(this Health health) => health switch
    {
        Health.Unknown => "unknown",
        Health.Healthy => "healthy",
        Health.Unhealthy => "unhealthy",
        _ => throw new ArgumentOutOfRangeException(nameof(health), health, "Not a verdict."),
    };

    /// <summary>The stable word of the configuration, the status and the reports.</summary>
    public static string Word(this HealthConsequence consequence) => consequence switch
    {
        HealthConsequence.Withdraw => "withdraw",
        HealthConsequence.Demote => "demote",
        _ => throw new ArgumentOutOfRangeException(nameof(consequence), consequence, "Not a consequence."),
    };

    // What came of it, counted: the prefixes have transitions of their own.
    private static string Consequence(NodeState before, NodeState after, CheckOptions check)
    {
        var old = before.Prefixes.ToDictionary(prefix => prefix.Prefix, prefix => prefix.Decision);
        var changed = after.Prefixes
            .Where(prefix => check.SpeaksFor(prefix.Prefix) && old.GetValueOrDefault(prefix.Prefix) != prefix.Decision)
            .Select(prefix => prefix.Decision switch
            {
                AdvertisementDecision.Announce(var role) => $"announced as {role.Word()}",
                _ when old.GetValueOrDefault(prefix.Prefix) is AdvertisementDecision.Announce => "withdrawn",
                _ => "",
            })
            .Where(word => word.Length > 0)
            .GroupBy(word => word)
            .Select(group => $"{group.Count()} {(group.Count() == 1 ? "prefix" : "prefixes")} {group.Key}")
            .ToList();
        return changed.Count > 0 ? string.Join(", ", changed) : "nothing that is announced changes";
    }
}
