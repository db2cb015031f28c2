using System.Collections.Immutable;
using System.Text.RegularExpressions;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Records;

namespace FailoverHub.Web.Operations.Drills;

/// <summary>A rehearsed failover and failback: what would be moved where, and back. Pure.</summary>
internal sealed partial record DrillTarget
{
    /// <summary>Places of the steps.</summary>
    public const int Preflight = 0, FailOver = 1, MeasureThere = 2, FailBack = 3, MeasureBack = 4;

    private const string BackTo = "Fail back to ";

    public required OperationRequest Request { get; init; }

    public required PairView Pair { get; init; }

    /// <summary>The node that the addresses visit.</summary>
    public required string Away { get; init; }

    /// <summary>The node that is active before it, to which the addresses return.</summary>
    public required string Home { get; init; }

    public string Title => $"Drill of {Pair.Name}: over to {Away} and back to {Home}";

    public ImmutableArray<string> Steps =>
    [
        "Look before: does every address answer",
        $"Fail over to {Away}",
        "Measure the failover",
        BackTo + Home,
        "Measure the failback",
    ];

    /// <summary>Finds what the request names, and its way there, as the switchover that it is.</summary>
    /// <returns>The target, or null with the <paramref name="problem"/>.</returns>
    public static (DrillTarget Drill, OperationTarget There)? Resolve(FleetSnapshot fleet, OperationRequest request, out SubmitResult? problem)
    {
        if (request.StartAt is not null || request.WindowEndsAt is not null)
        {
            problem = Invalid("startAt", "A drill begins at once: somebody should be there to see it.");
            return null;
        }

        if (request.Prefix is not null)
        {
            problem = Invalid("prefix", "A drill moves all that the pair shares.");
            return null;
        }

        if (OperationTarget.Resolve(fleet, request with { Type = OperationType.Switchover }, out problem) is not { } there)
        {
            return null;
        }

        if (there.Pair.ActiveNode is not { } home)
        {
            problem = Invalid("pair", "Which node is active is not known, so there is no way back.");
            return null;
        }

        if (there.Pair.Members.All(m => m.Node.Name != home))
        {
            problem = Invalid("pair", $"{home} answers on its addresses and is no node of the pair, so there is no way back: find out why it does first.");
            return null;
        }

        return (new DrillTarget { Request = request, Pair = there.Pair, Away = there.Member.Node.Name, Home = home }, there);
    }

    /// <summary>One that an earlier run of the hub began: it goes on between the nodes that it was begun with, whatever the fleet would choose now.</summary>
    /// <param name="pair">The pair as it is now.</param>
    /// <param name="request">As it was asked for.</param>
    /// <param name="begun">The drill as it stands.</param>
    /// <returns>Null: its record is not that of a drill.</returns>
    public static DrillTarget? Resume(PairView pair, OperationRequest request, OperationView begun) =>
        begun is { Type: OperationType.Drill, Node: { } away, Steps.Length: > MeasureBack } && begun.Steps[FailBack].Title is var back && back.StartsWith(BackTo, StringComparison.Ordinal)
            ? new DrillTarget { Request = request, Pair = pair, Away = away, Home = back[BackTo.Length..] }
            : null;

    /// <summary>What would happen, out of what the rules say to the way there: the way back is asked for when it is its turn.</summary>
    public OperationPreview Preview(OperationPreview there) => there with
    {
        Steps = Steps,
        TrafficEffect = $"{there.TrafficEffect} When that has been measured it moves back to {Home}, and open TCP connections break once more.",
        ApiCall = $"POST /api/v1/pairs/{Uri.EscapeDataString(Pair.Name)}/operations\n{OperationRecords.ToRequestJson(Request)}",
    };

    /// <summary>Whether the home node, and no other, is primary for everything again, as it is wanted and as it is reported.</summary>
    /// <param name="pair">The pair as it is.</param>
    public bool IsHome(PairView pair) => pair.Members.All(m => m.Prefixes.All(p => m.Node.Name == Home
        ? p is { AssignedRole: Role.Primary, ReportedRole: Role.Primary }
        : p.AssignedRole != Role.Primary)) && pair.Members.Any(m => m.Node.Name == Home && m.Node.IsFresh && m.Prefixes.Length == pair.Prefixes.Length);

    /// <summary>One of the two moves, as it is asked for.</summary>
    /// <param name="to">Where to.</param>
    /// <param name="drill">The drill, as it stands.</param>
    public OperationRequest Move(string to, OperationView drill) => new()
    {
        Type = OperationType.Switchover,
        Pair = Pair.Id,
        Target = to,
        Reason = drill.Reason,
        Deadline = Request.Deadline,
        OverrideRules = Request.OverrideRules,
        ApprovedBy = drill.ApprovedBy,
        PartOf = drill.Id,
    };

    /// <summary>What moved of the two, out of all switchovers of the pair since the drill began, oldest first: meanwhile the pair has no other.</summary>
    /// <param name="since">Those switchovers.</param>
    /// <returns>The way there, and the newest way back; null: it never began.</returns>
    public (OperationView? There, OperationView? Back) MovesOf(IEnumerable<OperationView> since)
    {
        var all = since.ToList();
        return (all.Find(m => m.Node == Away), all.FindLast(m => m.Node == Home));
    }

    /// <summary>The operation that it is, with nothing begun.</summary>
    public OperationView ToView(OperationPreview preview, Actor actor, DateTimeOffset now) => new()
    {
        Id = Guid.CreateVersion7().ToString("N"),
        Type = OperationType.Drill,
        PairId = Pair.Id,
        PairName = Pair.Name,
        Node = Away,
        Title = Title,
        Status = OperationStatus.Queued,
        Outcome = null,
        Reason = Request.Reason!,
        Actor = actor.Name,
        RequestedAt = now,
        FinishedAt = null,
        Steps = [.. Steps.Select(t => new OperationStep(t, StepStatus.Pending, null, null, null))],
        Rules = preview.Rules,
    };

    /// <summary>What a step says of the operation that it was.</summary>
    public static string OfOperation(OperationView move) => $"Operation {move.Id}: {move.Outcome}";

    /// <summary>The operation that a step was; null: it was none, or never began.</summary>
    public static string? OperationOf(OperationStep step) => step.Detail is { } detail && Named().Match(detail) is { Success: true } match ? match.Groups[1].Value : null;

    private static SubmitResult.Invalid Invalid(string field, string problem) => new(ImmutableDictionary<string, string>.Empty.Add(field, problem));

    [GeneratedRegex(@"\AOperation ([0-9a-zA-Z]+): ", RegexOptions.CultureInvariant)]
    private static partial Regex Named();
}
