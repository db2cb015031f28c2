using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Planning;

namespace FailoverHub.Web.Operations.Rules;

/// <summary>
/// The safety rules, each a pure function of what is known and what is asked for. They are checked for the preview and again when the
/// request is accepted, and those that look at the fleet once more when a step leaves the hub. A rule that cannot tell says no.
/// </summary>
internal static class SafetyRules
{
    public const int ShortestReason = 3;
    public const int LongestReason = 500;

    public static ImmutableArray<string> Ids { get; } = ["SR-01", "SR-02", "SR-03", "SR-04", "SR-05", "SR-06", "SR-07", "SR-08", "SR-09", "SR-11", "SR-12", "SR-13", "SR-14"];

    /// <summary>Every rule that applies to the request, in order of number.</summary>
    /// <param name="target">What is asked for, found in the fleet.</param>
    /// <param name="known">What is known beside the fleet.</param>
    public static ImmutableArray<RuleResult> Check(OperationTarget target, Circumstances known) =>
    [
        AtLeastOneAnnouncer(target),
        .. MayMakeASecondPrimary(target) ? [NoDualPrimary(target)] : ImmutableArray<RuleResult>.Empty,
        TargetReady(target),
        ExpectedRevision(target.Request, target.Pair),
        MomentRules.OneInFlight(target.Request, known.InFlight),
        .. OperationPlanner.MayMoveTraffic(target) ? [MomentRules.Cooldown(target, known)] : ImmutableArray<RuleResult>.Empty,
        MomentRules.Frozen(target),
        MomentRules.HubStartupGrace(target, known),
        .. AgentRules.VersionSkew(target) is { } skew ? [skew] : ImmutableArray<RuleResult>.Empty,
        ReasonRequired(target.Request),
    ];

    /// <summary>The rules that look at the fleet: they have to hold once more when a step leaves the hub, for much may have happened since.</summary>
    public static ImmutableArray<RuleResult> AtDispatch(OperationTarget target) =>
    [
        AtLeastOneAnnouncer(target),
        .. MayMakeASecondPrimary(target) ? [NoDualPrimary(target)] : ImmutableArray<RuleResult>.Empty,
        TargetReady(target),
        .. AgentRules.VersionSkew(target) is { } skew ? [skew] : ImmutableArray<RuleResult>.Empty,
    ];

    private static bool MayMakeASecondPrimary(OperationTarget target) => target is { Type: OperationType.SetRole, Request.Role: Role.Primary } or { Type: OperationType.ForcePromote };

    /// <summary>
    /// The prefixes that nobody of the pair would surely announce without the node: all that it announces or shares, not only the pair's. Any other
    /// node of the fleet may say that it announces them; only those of the pair are believed.
    /// </summary>
    public static IReadOnlyList<IPNetwork> LeftAlone(OperationTarget target) => target.OfClaimant ? Claimants.LeftAlone(target) : LeftAlone(target.Pair, target.Member.Node);

    /// <inheritdoc cref="LeftAlone(OperationTarget)"/>
    public static IReadOnlyList<IPNetwork> LeftAlone(PairView pair, NodeView node)
    {
        var others = pair.Members.Select(m => m.Node).Where(n => n.Name != node.Name).ToList();

        // A node that surely announces nothing of it takes nothing away; of a silent one that is not sure.
        return [.. pair.Prefixes.Union(node.Prefixes.Where(p => p.Announced).Select(p => p.Prefix))
            .Where(p => !node.IsFresh || node.Find(p) is { Announced: true })
            .Where(p => !others.Exists(o => FleetProjection.SurelyAnnounces(o, p)))];
    }

    /// <summary>SR-01: no prefix may be left without a node that announces it.</summary>
    internal static RuleResult AtLeastOneAnnouncer(OperationTarget target)
    {
        var rule = new Rule(target.Request, "SR-01", nameof(AtLeastOneAnnouncer), 409, CanOverride: true);
        var node = target.Member.Node;

        if (target.Type == OperationType.SetFailback)
        {
            // They are told all that is wanted of them once more, a drain that they have not obeyed yet with it.
            var emptied = OperationPlanner.ToTellFailback(target.Pair).Where(m => m.Node is { AssignedDrained: true, Drained: false }).FirstOrDefault(m => LeftAlone(target.Pair, m.Node).Count > 0);
            return emptied is null
                ? rule.Pass("No step withdraws a prefix.")
                : rule.Fail($"{emptied.Node.Name} is to be drained and has not obeyed yet; nobody else surely announces what it does.", $"Undrain {emptied.Node.Name} first, or bring the other node back.");
        }

        if (target.Type == OperationType.ResetSession)
        {
            // Over the other sessions the prefixes stay announced; without them they are gone until this one is back.
            var last = OperationPlanner.EndsItsLastSession(target) ? LeftAlone(target) : [];
            return last.Count == 0
                ? rule.Pass("Every prefix stays announced while the session is down.")
                : rule.Fail($"It is the only session of {node.Name}, and no other node surely announces {string.Join(", ", last)}: until it is back nobody would.", $"Bring {Names(target.Others)} or another session back first, or override SR-01 if the address may be without a node for a moment.");
        }

        // A new intent carries on a drain that the node has not obeyed yet.
        if (target.Type != OperationType.Drain && !(target.Type == OperationType.SetRole && node is { AssignedDrained: true, Drained: false }))
        {
            return rule.Pass("No step withdraws a prefix.");
        }

        var left = LeftAlone(target);
        return left.Count == 0
            ? rule.Pass("Another node with current reports announces every prefix.")
            : rule.Fail(
                $"No other node surely announces {string.Join(", ", left)}, as fresh reports and what is wanted of them say: without {node.Name} nobody would.",
                $"Bring {Names(target.Others)} back first, or override SR-01 if the address may be without a node.");
    }

    /// <summary>SR-02: a prefix may have one primary, unless somebody wants it otherwise.</summary>
    internal static RuleResult NoDualPrimary(OperationTarget target)
    {
        var others = target.Others.Where(o => OperationPlanner.MayBecomePrimary(o, target.Prefixes)).ToList();
        if (target.Type == OperationType.ForcePromote)
        {
            return OnlyWithoutTheOther(target, others);
        }

        var rule = new Rule(target.Request, "SR-02", nameof(NoDualPrimary), 409, CanOverride: true);
        if (target.Pair.Failback.Policy == FailbackPolicy.Sticky)
        {
            return rule.Pass("The pair's failback policy is sticky: the same role on all its nodes is wanted.");
        }

        var other = others.FirstOrDefault();
        return other is null
            ? rule.Pass("No other node is primary.")
            : rule.Fail(
                !other.Node.HasReported
                    ? $"{other.Node.Name} has said nothing since the hub started, so it may be primary; two primaries leave it to the platform which node gets the traffic."
                    : other.Node.ReportedRevision < other.Node.IntentRevision
                    ? $"{other.Node.Name} has not confirmed revision {other.Node.IntentRevision}, so it may be primary; two primaries leave it to the platform which node gets the traffic."
                    : $"{other.Node.Name} is primary already; two primaries leave it to the platform which node gets the traffic.",
                $"Use switchover, which demotes {other.Node.Name} first, or override SR-02 to give both the same role.");
    }

    // Whoever can be reached can step down first: then nothing has to be forced.
    private static RuleResult OnlyWithoutTheOther(OperationTarget target, List<MemberView> others)
    {
        if (others.Find(o => o.Node.IsFresh) is { } reached)
        {
            return new Rule(target.Request, "SR-02", nameof(NoDualPrimary), 409, CanOverride: false)
                .Fail($"{reached.Node.Name} can be reached, and may be primary.", $"Use switchover: it demotes {reached.Node.Name} first. If {reached.Node.Name} refuses, set-role with SR-02 overridden makes {target.Member.Node.Name} primary beside it.");
        }

        var rule = new Rule(target.Request, "SR-02", nameof(NoDualPrimary), 409, CanOverride: true);
        return others.Count == 0
            ? rule.Pass("No other node is primary.")
            : rule.Fail(
                $"{Names(others)} cannot be reached and may be primary: if only the hub has lost it, two nodes announce as primary from now on, and the platform decides which of them gets the traffic.",
                $"Make sure that {Names(others)} is down, then override SR-02. When it comes back it is told to be secondary.");
    }

    /// <summary>SR-03: the nodes that are told something must be able to hear it, and the one that gets traffic able to carry it.</summary>
    internal static RuleResult TargetReady(OperationTarget target)
    {
        var node = target.Member.Node;
        var deaf = NodesToTell(target).Where(m => !m.Node.IsFresh).Select(m => m.Node).ToList();
        if (deaf.Count > 0)
        {
            var silent = new Rule(target.Request, "SR-03", nameof(TargetReady), 409, CanOverride: false);
            return silent.Fail(
                $"{string.Join(" and ", deaf.Select(n => $"{n.Name} is {Word(n.Link)}"))}: what it does now is not known, and nothing can be asked of it.",
                "Bring it back first. Until then every node goes on with what it was last told.");
        }

        // A switchover that cannot end well is not worth an override: it would be undone.
        var rule = new Rule(target.Request, "SR-03", nameof(TargetReady), 409, CanOverride: target.Type is OperationType.SetRole or OperationType.ForcePromote);
        var getsTraffic = target.Type.IsMove() || target.Type == OperationType.ForcePromote || target is { Type: OperationType.SetRole, Request.Role: Role.Primary };
        var problem = getsTraffic ? NotReady(target) : null;
        return problem is null
            ? rule.Pass(getsTraffic ? $"{node.Name} is connected, has established sessions and the address, and is not drained." : $"{node.Name} is connected.")
            : rule.Fail($"{node.Name} {problem.Value.What}.", problem.Value.Remedy);
    }

    /// <summary>SR-04: the pair must still be as the operator saw it.</summary>
    internal static RuleResult ExpectedRevision(OperationRequest request, PairView pair)
    {
        var rule = new Rule(request, "SR-04", nameof(ExpectedRevision), 412, CanOverride: false);
        var now = pair.Revision.ToString(CultureInfo.InvariantCulture);
        return request.ExpectedRevision switch
        {
            null => rule.Pass("The request names no revision."),
            var seen when seen == pair.Revision => rule.Pass($"The pair is still at revision {now}."),
            var seen => rule.Fail($"The pair is at revision {now}, not {seen}: somebody changed it meanwhile.", "Look at the pair again, then decide again."),
        };
    }

    /// <summary>SR-14: whoever reads the audit wants to know why.</summary>
    internal static RuleResult ReasonRequired(OperationRequest request)
    {
        var rule = new Rule(request, "SR-14", nameof(ReasonRequired), 422, CanOverride: false);
        return (request.Reason ?? "").Trim().Length is >= ShortestReason and <= LongestReason
            ? rule.Pass("A reason is given.")
            : rule.Fail("The request gives no usable reason.", $"Give a reason of {ShortestReason} to {LongestReason} characters.");
    }

    /// <summary>Whom the operation sends something: the node itself, and in a switchover whoever has to be demoted.</summary>
    private static IEnumerable<MemberView> NodesToTell(OperationTarget target) => target.Type switch
    {
        OperationType.SetFailback => OperationPlanner.ToTellFailback(target.Pair),
        _ when target.Type.IsMove() => OperationPlanner.ToDemote(target).Append(target.Member),
        _ => [target.Member],
    };

    private static (string What, string Remedy)? NotReady(OperationTarget target)
    {
        var node = target.Member.Node;
        if (node.Drained || node.AssignedDrained)
        {
            return (PairWords.Drained(node), $"Undrain {node.Name} first.");
        }

        if (node.EstablishedSessions == 0)
        {
            return ("has no established BGP session", "Look at its sessions: is the address shared with it, are the route servers reachable?");
        }

        if (target.Prefixes.Select(p => PairWords.FailingChecks(node, p)).FirstOrDefault(c => c.Length > 0) is { } failing)
        {
            return ($"is unhealthy: {failing}", "Look at its checks first.");
        }

        if (node.Health == Health.Unhealthy && node.Checks.IsEmpty)
        {
            return ("is unhealthy: its checks fail", "Look at its checks first.");
        }

        foreach (var prefix in target.Prefixes)
        {
            var view = target.Member.Find(prefix);
            if (view is null)
            {
                return ($"does not have {prefix}", $"Configure {prefix} on {node.Name}.");
            }

            if (!view.AddressPresent)
            {
                return ($"has the address of {prefix} on no interface", "Add the address to an interface (loopback is usual).");
            }

            if (target.Type.IsMove() && !FleetProjection.CarriesOnTheWire(node, prefix))
            {
                return ($"does not announce {prefix} as standby", "A move is without loss only to a node that announces already: look why it does not.");
            }
        }

        return null;
    }

    private static string Names(IEnumerable<MemberView> members) => string.Join(" or ", members.Select(m => m.Node.Name));

    private static string Word(NodeLink link) => link switch
    {
        NodeLink.Stale => "stale",
        NodeLink.Offline => "offline",
        NodeLink.NeverSeen => "never seen",
        NodeLink.Revoked => "revoked",
        _ => "connected",
    };
}
