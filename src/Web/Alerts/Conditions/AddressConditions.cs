using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Alerts.Conditions;

/// <summary>What is wrong with what is probed: shared addresses, who answers there, what operators have added, and nodes' own addresses. Pure.</summary>
internal static class AddressConditions
{
    /// <summary>In fewer seconds with probes their loss says nothing.</summary>
    public const int FewestSeconds = 20;

    private static readonly TimeSpan LossOver = TimeSpan.FromMinutes(2);

    /// <summary>What is probed less often has too few probes in that time, and no loss of it is looked for.</summary>
    private static readonly TimeSpan LongestInterval = LossOver / FewestSeconds;

    /// <summary>One lost probe is no outage, and of what is probed each minute it would be one for a minute.</summary>
    private const int Silent = 2;

    public static IEnumerable<Finding> OfShared(AlertFacts facts, AlertRule rule)
    {
        foreach (PairView pair in facts.Fleet.Pairs.Where(p => rule.IsAbout(p.Name, p.Members.Select(m => m.Node.Name))))
        {
            foreach (System.Net.IPNetwork prefix in pair.Prefixes)
            {
                var found = new Finding(new AlertKey(rule.Id, $"address:{prefix}"), true) { About = $"address {prefix}", Pair = pair.Name, Prefix = prefix.ToString() };
                if ((rule.Kind == AlertKind.AnswersWrong ? OfAnswer(facts, rule, pair, prefix, found) : OfAddress(facts, rule, prefix, found)) is { } wrong)
                {
                    yield return wrong;
                }
            }
        }
    }

    /// <summary>What is probed beside the shared addresses.</summary>
    public static IEnumerable<Finding> OfTargets(AlertFacts facts, AlertRule rule, ILookup<string, string> pairsOf) =>
        facts.Targets.Select(target => OfTarget(facts, rule, target, target.Node is { } node ? pairsOf[node].FirstOrDefault() : null)).OfType<Finding>();

    /// <summary>So many percent of the probes of the last two minutes were lost, each second counted alike however often it was probed; null: in too few seconds.</summary>
    public static ProbeLoss? LossOf(ImmutableArray<ProbeSample> recent, DateTimeOffset now)
    {
        // Ten probes a second after a loss, a hundred in a burst: by their number alone the seconds that were looked at closely would be all that counts.
        ImmutableArray<ProbeSample> probes = [.. recent.Where(s => now - s.At <= LossOver)];
        double[] seconds = [.. probes.GroupBy(s => s.At.ToUnixTimeSeconds()).Select(second => second.Count(s => !s.Answered) / (double)second.Count())];
        return seconds.Length < FewestSeconds ? null : new ProbeLoss(100 * seconds.Average(), probes.Count(s => !s.Answered), probes.Length, seconds.Length);
    }

    private static Finding? OfAnswer(AlertFacts facts, AlertRule rule, PairView pair, System.Net.IPNetwork prefix, Finding found) => pair.Answers.FirstOrDefault(a => a.Prefix.Equals(prefix)) switch
    {
        null => IsAsked(facts, pair) ? Unknown(found) : null,
        { Mark: { } mark } when rule.States.Contains(mark.Kind.ToString()) => found with { Text = $"{mark.Text} {WhatToDo(mark.Kind)}" },
        _ => null,
    };

    // By a node that answers who it is. One that has not come back to a hub that was just started may be such a one.
    private static bool IsAsked(AlertFacts facts, PairView pair) =>
        pair.Members.Any(m => m.Node.IdentityPort is not null || (!m.Node.IsFresh && facts.HubUpFor < AlertConditions.Grace));

    private static string WhatToDo(AnswerMarkKind kind) => kind switch
    {
        AnswerMarkKind.Split => "See which of them should be primary, and drain the other.",
        AnswerMarkKind.Elsewhere => "The network does not follow what is announced: see the sessions of both, then ask the provider.",
        _ => "See which machine that is: it has the address and not the key.",
    };

    private static Finding? OfAddress(AlertFacts facts, AlertRule rule, System.Net.IPNetwork prefix, Finding found)
    {
        if (!facts.Reachability.TryGetValue(prefix, out TargetReachability? target) || target.State == ReachabilityState.Unknown)
        {
            return Unknown(found);
        }

        return rule.Kind == AlertKind.ProbeLoss ? OfLoss(facts, rule, target.Address.ToString(), target.Recent, found)
            : target.State == ReachabilityState.Unreachable ? found with { Text = SilentText(target.Address.ToString(), target.Recent) }
            : null;
    }

    private static Finding? OfTarget(AlertFacts facts, AlertRule rule, ProbedTarget target, string? pair)
    {
        bool isAdded = target.Kind == ProbedKind.Named;
        bool isAsked = (isAdded ? rule.IsAboutTarget(target.Label) : rule.Targets.IsDefaultOrEmpty && rule.IsAbout(pair, target.Node is { } of ? [of] : []))
            && (rule.Kind == AlertKind.ProbeLoss ? target.Interval <= LongestInterval : rule.States.Contains(isAdded ? AlertKinds.AddedTarget : AlertKinds.NodeTarget));
        if (!isAsked)
        {
            return null;
        }

        var found = new Finding(new AlertKey(rule.Id, isAdded ? target.Id : $"target:{target.Id}"), true) { About = isAdded ? $"target {target.Label}" : $"address of node {target.Label}", Node = target.Node, Pair = pair };

        // Many nodes answer no ping, ever: that is no loss. What operators have added they want to hear of.
        if (target.State == ReachabilityState.Unknown || (!isAdded && !target.HasAnswered))
        {
            return Unknown(found);
        }

        return rule.Kind == AlertKind.ProbeLoss ? OfLoss(facts, rule, target.Label, target.Recent, found)
            : target.State != ReachabilityState.Unreachable ? null
            : target.Recent.Length < Silent || target.Recent[^Silent].Answered ? Unknown(found)
            : found with { Text = SilentText(target.Label, target.Recent) };
    }

    private static Finding? OfLoss(AlertFacts facts, AlertRule rule, string label, ImmutableArray<ProbeSample> recent, Finding found)
    {
        if (LossOf(recent, facts.At) is not { } loss)
        {
            return Unknown(found);
        }

        return loss.Percent >= (rule.Threshold ?? 100)
            ? found with { Text = string.Create(CultureInfo.InvariantCulture, $"{loss.Percent:0.#} % of the probes of {label} were lost, over {loss.Seconds} s that count alike ({loss.Lost} of {loss.Probes} probes).") }
            : null;
    }

    private static string SilentText(string label, ImmutableArray<ProbeSample> recent) => $"{label} does not answer the hub{(recent is [.., { Error: { } error }] ? $": {error.TrimEnd('.')}" : "")}.";

    private static Finding Unknown(Finding found) => found with { IsKnown = false, Text = "" };
}

/// <summary>Lost probes of one address.</summary>
/// <param name="Percent">0 to 100: the mean of the seconds.</param>
/// <param name="Lost">Probes.</param>
/// <param name="Probes">All of them.</param>
/// <param name="Seconds">In so many seconds.</param>
internal readonly record struct ProbeLoss(double Percent, int Lost, int Probes, int Seconds);
