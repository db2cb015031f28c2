using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Operations.Rules;

namespace FailoverHub.Web.Operations.Bulk;

/// <summary>The nodes that a bulk drain is about: of each pair in a data center the one that has a role. Pure.</summary>
internal sealed record BulkTarget
{
    public required OperationRequest Request { get; init; }

    /// <summary>The fleet in which its nodes were found.</summary>
    public required FleetSnapshot Fleet { get; init; }

    /// <summary>By the name of the pair.</summary>
    public required ImmutableArray<(string Pair, string Node)> Nodes { get; init; }

    /// <summary>Nodes that have the role for some of their prefixes and another one for the rest: draining them would do more than was asked for, so they are left out, and named.</summary>
    public ImmutableArray<(string Pair, string Node)> LeftOut { get; init; } = [];

    public string Name => $"data center {Request.DataCenter}";

    public string Title => string.Create(CultureInfo.InvariantCulture, $"Drain {Nodes.Length} {(Request.Role == Role.Primary ? "primary" : "secondary")} nodes of {Name}, one after the other");

    /// <summary>Finds what the request names.</summary>
    /// <returns>The target, or null with the <paramref name="problem"/>.</returns>
    public static BulkTarget? Resolve(FleetSnapshot fleet, OperationRequest request, out SubmitResult? problem)
    {
        problem = null;
        var problems = ImmutableDictionary.CreateBuilder<string, string>();
        if (string.IsNullOrEmpty(request.DataCenter))
        {
            problems["dataCenter"] = "Name the data center.";
        }

        if (request.Role is null)
        {
            problems["role"] = "Say which node of each pair: the primary or the secondary.";
        }

        if (request.ExpiresIn is not null)
        {
            problems["expiresInSeconds"] = "A bulk drain ends when somebody undrains its nodes.";
        }

        if (request.OverrideRules.FirstOrDefault(r => r != "SR-13") is { } other)
        {
            problems["overrideRules"] = $"Only SR-13 can be overridden here; who wants to override '{other}' drains that node alone.";
        }

        var members = fleet.Pairs.SelectMany(p => p.Members.Where(m => m.Node.DataCenter == request.DataCenter && !m.Node.AssignedDrained && m.Prefixes.Length > 0).Select(m => (p.Id, Pair: p.Name, Member: m))).ToList();
        var nodes = members.Where(m => m.Member.Prefixes.All(v => v.AssignedRole == request.Role)).DistinctBy(m => m.Id).Select(m => (m.Pair, m.Member.Node.Name)).ToImmutableArray();
        var leftOut = members.Where(m => m.Member.Prefixes.Any(v => v.AssignedRole == request.Role) && !m.Member.Prefixes.All(v => v.AssignedRole == request.Role)).Select(m => (m.Pair, m.Member.Node.Name)).ToImmutableArray();
        if (problems.Count == 0 && nodes.IsEmpty)
        {
            problems["dataCenter"] = $"No pair of data center {request.DataCenter} has such a node that is not drained.{Named(leftOut)}";
        }

        if (problems.Count > 0)
        {
            problem = new SubmitResult.Invalid(problems.ToImmutable());
            return null;
        }

        return new BulkTarget { Request = request, Fleet = fleet, Nodes = nodes, LeftOut = leftOut };
    }

    /// <summary>What would happen. Of what begins later only the rules that look at the request itself count now, and those that it sets aside: the others are asked then.</summary>
    public OperationPreview Preview(OperationLimits limits, TimeSpan hubUptime) => new()
    {
        Rules =
        [
            .. Later ? ImmutableArray<RuleResult>.Empty : [HubStartupGrace(Fleet, Request, limits, hubUptime)],
            .. NeedsApproval(limits) ? [ApprovalRules.Announced(Request)] : ImmutableArray<RuleResult>.Empty,
            .. BulkLimit(limits) is var limit && Later && limit.Blocks ? ImmutableArray<RuleResult>.Empty : [limit],
            SafetyRules.ReasonRequired(Request),
        ],
        Steps = [.. Nodes.Select(n => $"Drain {n.Node} (pair {n.Pair})")],
        TrafficEffect = (Request.Role == Role.Primary
            ? "One pair after the other: the addresses of each move to its other node. Open TCP connections break. It stops at the first that fails."
            : "No traffic moves. While they are drained their pairs have no standby. It stops at the first that fails.") + Named(LeftOut),
        OutagePossible = Request.OverrideRules.Length > 0,
        NeedsApproval = NeedsApproval(limits),
        ApiCall = $"POST /api/v1/operations\n{OperationRecords.ToRequestJson(Request)}",
    };

    /// <summary>The operation that it is, with nothing begun.</summary>
    public OperationView ToView(OperationPreview preview, Actor actor, DateTimeOffset now) => new()
    {
        Id = Guid.CreateVersion7().ToString("N"),
        Type = OperationType.BulkDrain,
        PairId = FreezeFacts.All,
        PairName = Name,
        Node = null,
        Title = Title,
        Status = OperationStatus.Queued,
        Outcome = null,
        Reason = Request.Reason!,
        Actor = actor.Name,
        RequestedAt = now,
        FinishedAt = null,
        Steps = [.. preview.Steps.Select(t => new OperationStep(t, StepStatus.Pending, null, null, null))],
        Rules = preview.Rules,
    };

    private bool Later => Request.StartAt is not null;

    private static string Named(ImmutableArray<(string Pair, string Node)> leftOut) => leftOut.IsEmpty
        ? ""
        : $" Left out, because their prefixes have different roles: {string.Join(", ", leftOut.Select(n => $"{n.Node} (pair {n.Pair})"))}. Drain each of them alone.";

    /// <summary>SR-08: of a data center that has not been heard yet it is not known which nodes these are.</summary>
    public static RuleResult HubStartupGrace(FleetSnapshot fleet, OperationRequest request, OperationLimits limits, TimeSpan hubUptime) =>
        MomentRules.HubStartupGrace(request, fleet.Pairs.SelectMany(p => p.Members).Select(m => m.Node).Where(n => n.DataCenter == request.DataCenter), limits, hubUptime);

    // Once for all of its nodes: each of their drains may move an address.
    private static bool NeedsApproval(OperationLimits limits) => limits.TwoPerson != TwoPersonPolicy.Off;

    /// <summary>SR-13: whoever drains many at once has looked at how many.</summary>
    private RuleResult BulkLimit(OperationLimits limits)
    {
        var rule = new Rule(Request, "SR-13", nameof(BulkLimit), 409, CanOverride: true);
        var count = Nodes.Length.ToString(CultureInfo.InvariantCulture);
        return Nodes.Length <= limits.BulkMost
            ? rule.Pass($"It drains {count} nodes, {limits.BulkMost.ToString(CultureInfo.InvariantCulture)} at most.")
            : rule.Fail($"It would drain {count} nodes, more than {limits.BulkMost.ToString(CultureInfo.InvariantCulture)} at once.", "Drain them in parts, or override SR-13.");
    }
}
