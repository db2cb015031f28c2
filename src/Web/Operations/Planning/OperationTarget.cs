using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Rules;

namespace FailoverHub.Web.Operations.Planning;

/// <summary>A request whose names have been found in the fleet and make sense together.</summary>
internal sealed record OperationTarget
{
    public static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortestDeadline = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDeadline = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestAhead = TimeSpan.FromDays(30);
    private static readonly TimeSpan LongestWindow = TimeSpan.FromDays(1);

    private OperationTarget()
    {
    }

    public required OperationRequest Request { get; init; }

    /// <summary>The fleet in which it was found.</summary>
    public required FleetSnapshot Fleet { get; init; }

    public required PairView Pair { get; init; }

    /// <summary>The node that becomes active (switchover), or that is drained, undrained or given a role.</summary>
    public required MemberView Member { get; init; }

    /// <summary>The node only claims addresses of the pair (<see cref="PairView.Claimants"/>): it can be told to stand back, and nothing else.</summary>
    public bool OfClaimant { get; init; }

    /// <summary>The prefixes that it is about; at least one.</summary>
    public required ImmutableArray<IPNetwork> Prefixes { get; init; }

    public required TimeSpan Deadline { get; init; }

    public OperationType Type => Request.Type;

    public IEnumerable<MemberView> Others => Pair.Members.Where(m => m.Node.Name != Member.Node.Name);

    /// <summary>
    /// The request with the destination in it that was found for one that left it open: whoever approves what waits, or finds it in the list, has read where it
    /// goes, and "the other node" may be another one by then.
    /// </summary>
    public OperationRequest Named => Type.IsMove() ? Request with { Target = Member.Node.Name } : Request;

    /// <summary>As the audit names it.</summary>
    public string AuditTarget => Type.IsOfPair() ? History.AuditTarget.Pair(Pair.Name) : History.AuditTarget.NodeOfPair(Member.Node.Name, Pair.Name);

    /// <summary>Finds what the request names.</summary>
    /// <returns>The target, or null with the <paramref name="problem"/>.</returns>
    public static OperationTarget? Resolve(FleetSnapshot fleet, OperationRequest request, out SubmitResult? problem)
    {
        problem = Check(request);
        if (problem is not null || FindPair(fleet, request, out problem) is not { } pair)
        {
            return null;
        }

        var name = request.Type switch
        {
            OperationType.Switchover => request.Target ?? OtherNode(pair, out problem),
            OperationType.Failback => PreferredNode(pair, request, out problem),
            OperationType.ForcePromote => request.Target,
            OperationType.SetFailback => pair.PreferredNode ?? pair.Members.FirstOrDefault()?.Node.Name,
            _ => request.Node,
        };
        if (name is null)
        {
            return null;
        }

        var field = request.Type.IsOfPair() ? "target" : "node";
        var member = pair.Members.FirstOrDefault(m => string.Equals(m.Node.Name, name, StringComparison.OrdinalIgnoreCase));
        if (member is null && Claimants.Problem(pair, name, field, request) is { } stranger)
        {
            problem = stranger;
            return null;
        }

        var claims = member is null ? Claimants.Find(pair, name)! : null;
        var shared = claims?.Prefixes ?? pair.Prefixes;
        if (request.Prefix is { } wanted && !shared.Contains(wanted))
        {
            problem = Invalid("prefix", $"{(claims is null ? $"The pair '{pair.Name}' does not share {wanted}; it shares" : $"{claims.Node} does not claim {wanted} of '{pair.Name}'; it claims")} {string.Join(", ", shared)}.");
            return null;
        }

        var prefixes = request.Prefix is { } one ? [one] : shared;
        var target = new OperationTarget { Request = request, Fleet = fleet, Pair = pair, Member = member ?? Claimants.ViewOf(fleet, claims!), OfClaimant = member is null, Prefixes = prefixes, Deadline = request.Deadline ?? DefaultDeadline };
        problem = prefixes.Length == 0 ? Invalid(field, $"The pair '{pair.Name}' shares no prefix.") : NothingToDo(target);
        return problem is null ? target : null;
    }

    /// <summary>The same target as the fleet is now; null: its pair, its node or one of its prefixes is no more.</summary>
    public OperationTarget? In(FleetSnapshot fleet)
    {
        if (fleet.Pairs.FirstOrDefault(p => p.Id == Pair.Id) is not { } pair)
        {
            return null;
        }

        var member = pair.Members.FirstOrDefault(m => m.Node.Name == Member.Node.Name);
        var claims = member is null && OfClaimant ? Claimants.Find(pair, Member.Node.Name) : null;
        var shared = claims?.Prefixes ?? pair.Prefixes;
        return (member is not null || claims is not null) && !Prefixes.Except(shared).Any()
            ? this with { Fleet = fleet, Pair = pair, Member = member ?? Claimants.ViewOf(fleet, claims!), OfClaimant = member is null }
            : null;
    }

    /// <summary>What is wrong with the times that it names; null: nothing.</summary>
    public static SubmitResult.Invalid? ProblemOfTimes(OperationRequest request, DateTimeOffset now)
    {
        var (start, end) = (request.StartAt, request.WindowEndsAt);
        return start is { } at && (at <= now || at > now + LongestAhead) ? Invalid("startAt", "Write a time later than now, and within 30 days.")
            : end is { } ends && (start is not { } begins || ends <= begins || ends > begins + LongestWindow) ? Invalid("windowEndsAt", "Write a time after startAt, by 24 h at most.")
            : null;
    }

    private static SubmitResult.Invalid? Check(OperationRequest request)
    {
        var problems = ImmutableDictionary.CreateBuilder<string, string>();
        if (!Enum.IsDefined(request.Type))
        {
            problems["type"] = "There is no such operation.";
        }

        if (request.Deadline is { } deadline && (deadline < ShortestDeadline || deadline > LongestDeadline))
        {
            problems["deadlineSeconds"] = "A deadline is 1 to 600 seconds.";
        }

        if (request.Type.IsOfPair() ? request.Pair is null : request.Node is null)
        {
            problems[request.Type.IsOfPair() ? "pair" : "node"] = "It has to be named.";
        }

        if (request.Type == OperationType.SetFailback && ProblemOf(request.Failback) is { } wrong)
        {
            problems["failback"] = wrong;
        }

        if (request.ExpiresIn is { } lasts && (request.Type != OperationType.Drain || lasts < Freezes.FreezeTarget.Shortest || lasts > Freezes.FreezeTarget.Longest))
        {
            problems["expiresInSeconds"] = request.Type == OperationType.Drain ? $"A drain that ends by itself lasts {Freezes.FreezeTarget.Shortest.TotalSeconds:0} to {Freezes.FreezeTarget.Longest.TotalSeconds:0} seconds." : "Only a freeze and a drain end by themselves.";
        }

        if (request.Type == OperationType.ForcePromote && request.Target is null)
        {
            problems["target"] = "Name the node that is to be primary.";
        }

        if (request.Type == OperationType.ResetSession && request.Neighbor is null)
        {
            problems["neighbor"] = "Name the session's neighbor, as the node reports it.";
        }

        if (request.Type == OperationType.SetRole && request.Role is null)
        {
            problems["role"] = "Say which role: primary or secondary.";
        }

        if (request.OverrideRules.FirstOrDefault(r => !SafetyRules.Ids.Contains(r)) is { } unknown)
        {
            problems["overrideRules"] = $"'{unknown}' is no rule; rules are {string.Join(", ", SafetyRules.Ids)}.";
        }

        return problems.Count == 0 ? null : new SubmitResult.Invalid(problems.ToImmutable());
    }

    private static string? ProblemOf(Failback? failback) => failback switch
    {
        null => "Say which policy: immediate, after-stable, manual or sticky.",
        _ when !Enum.IsDefined(failback.Policy) => "There is no such policy.",
        { Policy: FailbackPolicy.AfterStable } when failback.StableFor < TimeSpan.FromSeconds(1) || failback.StableFor > Failback.Longest => $"stableSeconds is 1 to {Failback.Longest.TotalSeconds:0}.",
        _ => null,
    };

    private static PairView? FindPair(FleetSnapshot fleet, OperationRequest request, out SubmitResult? problem)
    {
        problem = null;
        if (request.Pair is { } name)
        {
            var pair = fleet.FindPair(name);
            problem = pair is null ? new SubmitResult.NotFound($"No pair is called '{name}'.") : null;
            return pair;
        }

        if (fleet.FindNode(request.Node!) is not { } node)
        {
            problem = new SubmitResult.NotFound($"No node is called '{request.Node}'.");
            return null;
        }

        var of = Claimants.PairFor(fleet, node.Name, request);
        problem = of is null ? Invalid("node", $"'{node.Name}' is of no pair: there is nobody who could take over.") : null;
        return of;
    }

    private static string? OtherNode(PairView pair, out SubmitResult? problem)
    {
        var others = pair.Members.Where(m => m.Node.Name != pair.ActiveNode).ToList();
        problem = pair.ActiveNode is null
            ? Invalid("target", "Which node is active is not known, so 'the other one' means nothing: name the node that is to be active.")
            : others.Count != 1 ? Invalid("target", $"The pair '{pair.Name}' has {pair.Members.Length} nodes: name the one that is to be active.") : null;
        return problem is null ? others[0].Node.Name : null;
    }

    private static string? PreferredNode(PairView pair, OperationRequest request, out SubmitResult? problem)
    {
        problem = pair.PreferredNode is null
            ? Invalid("target", $"The pair '{pair.Name}' has no preferred node to fail back to: switch over to the node that is to be active.")
            : request.Target is { } target && !string.Equals(target, pair.PreferredNode, StringComparison.OrdinalIgnoreCase)
            ? Invalid("target", $"A failback goes to the preferred node {pair.PreferredNode}; switch over to move the addresses to {target}.")
            : null;
        return problem is null ? pair.PreferredNode : null;
    }

    private static SubmitResult.Invalid? NothingToDo(OperationTarget target)
    {
        var node = target.Member.Node;
        if (target.Type == OperationType.ResetSession)
        {
            return node.Sessions.Any(s => s.Neighbor == target.Request.Neighbor)
                ? null
                : Invalid("neighbor", $"{node.Name} reports no session with '{target.Request.Neighbor}'; it has {(node.Sessions.IsEmpty ? "none" : string.Join(", ", node.Sessions.Select(s => s.Neighbor)))}.");
        }

        if (target.Type == OperationType.SetFailback)
        {
            return NothingToTell(target.Pair, target.Request.Failback!);
        }

        var field = target.Type.IsMove() || target.Type == OperationType.ForcePromote ? "target" : "node";
        bool Has(MemberView member, Role role) => target.Prefixes.All(p =>
            member.Find(p) is { } view && view.AssignedRole == role && view.ReportedRole == role);
        var already = target.Type switch
        {
            OperationType.Drain when node is { AssignedDrained: true, Drained: true } => "is drained already",
            OperationType.Undrain when node is { AssignedDrained: false, Drained: false } => "is not drained",
            OperationType.Undrain when target.Request.Automatic && !node.AssignedDrained => "is drained by an order on the node itself only",
            OperationType.SetRole when Has(target.Member, target.Request.Role!.Value) => "has that role already",
            OperationType.ForcePromote when Has(target.Member, Role.Primary) && !target.Others.Any(o => OperationPlanner.MayBecomePrimary(o, target.Prefixes)) => "is primary already, and no other node may be",
            OperationType.Switchover or OperationType.Failback when Has(target.Member, Role.Primary) && target.Others.All(o => target.Prefixes.All(p => o.Find(p) is not { AssignedRole: Role.Primary })) => "is active already",
            _ => null,
        };
        return already is null ? null : Invalid(field, $"{node.Name} {already}.");
    }

    private static SubmitResult.Invalid? NothingToTell(PairView pair, Failback failback)
    {
        var told = OperationPlanner.ToTellFailback(pair).ToList();
        return told.Count == 0
            ? Invalid("failback", $"No agent of '{pair.Name}' that is connected keeps a failback policy: update them first. Until then a primary that returns announces as primary at once.")
            : pair.FailbackIsSet && pair.Failback == failback && told.TrueForAll(m => m.Prefixes.All(p => p.Failback == failback))
            ? Invalid("failback", $"The failback policy of '{pair.Name}' is {FailbackWords.Short(failback)} already.")
            : null;
    }

    private static SubmitResult.Invalid Invalid(string field, string problem) => new(ImmutableDictionary<string, string>.Empty.Add(field, problem));
}
