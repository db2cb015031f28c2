using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Planning;

namespace FailoverHub.Web.Operations.Rules;

/// <summary>Rules that ask whether this is the moment: not too often, not while it is frozen, not while the hub knows too little. Pure.</summary>
internal static class MomentRules
{
    private const int MostNamed = 5;

    /// <summary>SR-05: one operation at a time.</summary>
    internal static RuleResult OneInFlight(OperationRequest request, string? inFlight)
    {
        var rule = new Rule(request, "SR-05", nameof(OneInFlight), 409, CanOverride: false);
        return inFlight is null
            ? rule.Pass("No other operation is under way on the pair.")
            : rule.Fail($"Operation {inFlight} is under way on the pair.", "Wait until it has ended, or cancel it.");
    }

    /// <summary>Of the rule that is asked of every move, and of nothing else.</summary>
    public const string CooldownId = "SR-06";

    /// <summary>SR-06: whoever moves a pair to and fro makes more outages than he mends.</summary>
    internal static RuleResult Cooldown(OperationTarget target, Circumstances known)
    {
        var rule = new Rule(target.Request, CooldownId, nameof(Cooldown), 429, CanOverride: true);
        var (most, within) = (known.Limits.MovesInARow, known.Limits.MovesWithin);
        if (!OperationPlanner.MayMoveTraffic(target))
        {
            return rule.Pass("It moves no traffic.");
        }

        // A move that is dated after now is one of before the clock was set back: nobody waits for that.
        var counted = known.Moves.Where(at => at <= known.Now && known.Now - at < within).Order().ToImmutableArray();
        if (most <= 0 || counted.Length < most)
        {
            return rule.Pass($"It was moved {Times(counted.Length)} within the last {Words(within)}.");
        }

        var wait = counted[^most] + within - known.Now;
        return rule.Fail(
            $"{target.Pair.Name} was moved {Times(counted.Length)} within the last {Words(within)}.",
            $"Look first why it has to move so often. It may be moved again in {Words(wait)}, or override SR-06.",
            wait);
    }

    /// <summary>SR-07: nothing is done to what is frozen.</summary>
    internal static RuleResult Frozen(OperationTarget target)
    {
        var rule = new Rule(target.Request, "SR-07", nameof(Frozen), 423, CanOverride: false);
        return target.Pair.Freeze is not { } freeze
            ? rule.Pass("The pair is not frozen.")
            : rule.Fail(
                $"{(freeze.OfAll ? "All pairs are" : $"{target.Pair.Name} is")} frozen until {freeze.Until.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC by {freeze.By}: {freeze.Reason}",
                $"Unfreeze {(freeze.OfAll ? "all pairs" : target.Pair.Name)} first, or wait until then.",
                freeze.Until > target.Fleet.At ? freeze.Until - target.Fleet.At : TimeSpan.Zero);
    }

    /// <summary>SR-08: a hub that has just started has not heard everyone yet.</summary>
    internal static RuleResult HubStartupGrace(OperationTarget target, Circumstances known) =>
        HubStartupGrace(target.Request, target.Pair.Members.Select(m => m.Node), known.Limits, known.HubUptime);

    /// <summary>The same of any nodes.</summary>
    internal static RuleResult HubStartupGrace(OperationRequest request, IEnumerable<NodeView> nodes, OperationLimits limits, TimeSpan hubUptime)
    {
        var rule = new Rule(request, "SR-08", nameof(HubStartupGrace), 409, CanOverride: false);
        var unheard = nodes.Where(n => !n.HasReported).Select(n => n.Name).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var left = limits.StartupGrace - hubUptime;
        return unheard.Count == 0
            ? rule.Pass(request.Type == OperationType.BulkDrain ? "Every node has reported since the hub started." : "Every node of the pair has reported since the hub started.")
            : left <= TimeSpan.Zero
            ? rule.Pass($"{Names(unheard)} {(unheard.Count == 1 ? "has" : "have")} not reported since the hub started, which is longer ago than {Words(limits.StartupGrace)}.")
            : rule.Fail(
                $"The hub started {Words(hubUptime)} ago and has not heard {Names(unheard)} yet: what {(unheard.Count == 1 ? "it does" : "they do")} is not known.",
                $"Wait until {(unheard.Count == 1 ? "it has" : "they have")} reported, for {Words(left)} at most.",
                left);
    }

    private static string Names(List<string> nodes) =>
        nodes.Count <= MostNamed ? string.Join(" and ", nodes) : string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", nodes.Take(MostNamed))} and {nodes.Count - MostNamed} others");

    /// <summary>"23 s", rounded up: who waits for so long waits long enough.</summary>
    internal static string Words(TimeSpan time) => PairWords.Countdown(time < TimeSpan.Zero ? TimeSpan.Zero : time);

    private static string Times(int count) => count switch { 0 => "not once", 1 => "once", _ => string.Create(CultureInfo.InvariantCulture, $"{count} times") };
}
