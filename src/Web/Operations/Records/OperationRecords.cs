using System.Collections.Immutable;
using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Planning;

namespace FailoverHub.Web.Operations.Records;

/// <summary>What has to be seen of one node, at which revision of its intent.</summary>
internal sealed record WantedOfNode(string Node, long Revision, bool Drained, ImmutableSortedDictionary<string, Role> Roles, ImmutableArray<IPNetwork> MustAnnounce)
{
    /// <summary>It ends a drain that was ordered on the node itself, too.</summary>
    public bool LiftLocalDrain { get; init; }

    /// <summary>Prefixes that have to be primary now: what holds them back is not as wanted.</summary>
    public ImmutableSortedSet<string> AtOnce { get; init; } = [];

    /// <summary>Failback policies that have to be reported; a prefix that is not here may have any.</summary>
    public ImmutableSortedDictionary<string, Failback> Failback { get; init; } = IntentFacts.NoFailback;

    /// <summary>What the node was before; null: not known, or nothing that could be taken back.</summary>
    public NodeWanted? Before { get; init; }

    public static WantedOfNode Of(NodeWanted wanted, long revision, ImmutableArray<IPNetwork> mustAnnounce) =>
        new(wanted.Node, revision, wanted.Drained, wanted.Roles, mustAnnounce) { LiftLocalDrain = wanted.LiftLocalDrain, AtOnce = wanted.AtOnce };

    /// <summary>What the node was told.</summary>
    public NodeWanted Told => new() { Node = Node, Drained = Drained, Roles = Roles, Failback = Failback, AtOnce = AtOnce, LiftLocalDrain = LiftLocalDrain };

    public static WantedOfNode Of(PlannedStep step, long revision) => Of(step.Wanted, revision, step.MustAnnounce) with
    {
        Before = step.Before,
        Failback = step.MustKeepFailback ? step.Wanted.Failback : IntentFacts.NoFailback,
    };
}

/// <summary>The one place where operations meet their rows and the JSON in them.</summary>
internal static class OperationRecords
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        // For people who read the audit; it is never put into HTML unescaped.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static OperationEntity ToEntity(OperationView view, long number, IEnumerable<WantedOfNode> wanted)
    {
        var entity = new OperationEntity
        {
            Id = view.Id,
            Number = number,
            Type = view.Type,
            PairId = view.PairId,
            PairName = view.PairName,
            Node = view.Node,
            Title = view.Title,
            Status = view.Status,
            Reason = view.Reason,
            Actor = view.Actor,
            RequestedAtMs = view.RequestedAt.ToUnixTimeMilliseconds(),
            StepsJson = "[]",
            WantedJson = ToJson(wanted),
            ScheduledForMs = view.ScheduledFor?.ToUnixTimeMilliseconds(),
            WindowEndsMs = view.WindowEndsAt?.ToUnixTimeMilliseconds(),
            ApprovedBy = view.ApprovedBy,
            RulesJson = ToJson(view.Rules),
        };
        Update(entity, view);
        return entity;
    }

    public static string ToJson(IEnumerable<WantedOfNode> wanted) => JsonSerializer.Serialize(wanted.Select(ToRow), Json);

    /// <summary>What the rules said when it was let in.</summary>
    public static string ToJson(ImmutableArray<RuleResult> rules) =>
        JsonSerializer.Serialize(rules.Select(r => new RuleRow(r.RuleId, r.Name, r.Passed, r.Overridden, r.CanOverride, r.Message, r.Remedy, r.HttpStatus)), Json);

    /// <summary>Takes over what changes while it runs.</summary>
    public static void Update(OperationEntity entity, OperationView view)
    {
        entity.Status = view.Status;
        entity.Outcome = view.Outcome;
        entity.FinishedAtMs = view.FinishedAt?.ToUnixTimeMilliseconds();
        entity.RequestJson = view.IsFinished ? null : entity.RequestJson;
        entity.ApprovalEndsMs = view.ApprovalEndsAt?.ToUnixTimeMilliseconds();
        entity.StepsJson = JsonSerializer.Serialize(view.Steps.Select(s => new StepRow(s.Title, s.Status.ToString(), s.StartedAt?.ToUnixTimeMilliseconds(), s.FinishedAt?.ToUnixTimeMilliseconds(), s.Detail)), Json);
    }

    public static OperationView ToView(OperationEntity entity) => new()
    {
        Id = entity.Id,
        Type = entity.Type,
        PairId = entity.PairId,
        PairName = entity.PairName,
        Node = entity.Node,
        Title = entity.Title,
        Status = entity.Status,
        Outcome = entity.Outcome,
        Reason = entity.Reason,
        Actor = entity.Actor,
        RequestedAt = DateTimeOffset.FromUnixTimeMilliseconds(entity.RequestedAtMs),
        FinishedAt = Time(entity.FinishedAtMs),
        ScheduledFor = Time(entity.ScheduledForMs),
        WindowEndsAt = Time(entity.WindowEndsMs),
        ApprovalEndsAt = Time(entity.ApprovalEndsMs),
        ApprovedBy = entity.ApprovedBy,
        Rules = [.. Read<RuleRow>(entity.RulesJson ?? "[]").Select(r => new RuleResult { RuleId = r.Id, Name = r.Name, Passed = r.Passed, Overridden = r.Overridden, CanOverride = r.CanOverride, Message = r.Message, Remedy = r.Remedy, HttpStatus = r.Status })],
        Steps = [.. Read<StepRow>(entity.StepsJson).Select(s => new OperationStep(s.Title, Enum.Parse<StepStatus>(s.Status), Time(s.StartedAtMs), Time(s.FinishedAtMs), s.Detail))],
    };

    public static ImmutableArray<WantedOfNode> WantedOf(OperationEntity entity) =>
        [.. Read<WantedRow>(entity.WantedJson).Select(w => new WantedOfNode(
            w.Node,
            w.Revision,
            w.Drained,
            RolesOf(w.Roles),
            [.. w.MustAnnounce.Select(p => IPNetwork.Parse(p))])
        {
            LiftLocalDrain = w.LiftLocalDrain,
            AtOnce = [.. w.AtOnce ?? []],
            Failback = FailbackOf(w.Failback),
            Before = w.Before is { } before ? new NodeWanted { Node = w.Node, Drained = before.Drained, Roles = RolesOf(before.Roles), Failback = FailbackOf(before.Failback), AtOnce = [.. before.AtOnce ?? []] } : null,
        })];

    /// <summary>For the audit: what each node should be.</summary>
    public static string ToAuditJson(IEnumerable<NodeWanted> nodes) =>
        JsonSerializer.Serialize(
            nodes.ToDictionary(n => n.Node, n => new
            {
                n.Drained,
                Roles = n.Roles.ToDictionary(r => r.Key, r => Word(r.Value)),
                Failback = n.Failback.ToDictionary(f => f.Key, f => FailbackWords.Short(f.Value)),
                n.LiftLocalDrain,
            }),
            Json);

    /// <summary>
    /// For the audit: a request that names nothing in the fleet, or makes no sense. Whoever sent it is known and his calls are counted by the
    /// API; what he wrote is cut where the audit cuts every field.
    /// </summary>
    public static AuditDraft ToAuditDraft(OperationRequest request, Actor actor, SubmitResult problem) => new()
    {
        Actor = actor,
        Action = Enum.IsDefined(request.Type) ? TypeWord(request.Type) : "unknown operation",
        Target = request is { Pair: { } pair } ? AuditTarget.Pair(pair) : request is { Node: { } node } ? AuditTarget.Node(node) : "nothing",
        Reason = request.Reason,
        Outcome = problem switch
        {
            SubmitResult.Forbidden forbidden => $"refused, not allowed: {forbidden.Why}",
            SubmitResult.NotFound notFound => $"refused, not found: {notFound.What}",
            SubmitResult.Invalid invalid => $"refused, invalid: {string.Join("; ", invalid.Problem.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}: {p.Value}"))}",
            _ => throw new InvalidOperationException($"{problem.GetType().Name} is no answer to a request that makes no sense."),
        },
    };

    /// <summary>For the preview: the body of the equivalent API call.</summary>
    public static string ToRequestJson(OperationRequest request)
    {
        var body = new Dictionary<string, object?> { ["type"] = TypeWord(request.Type), ["reason"] = request.Reason ?? "" };
        Add(body, "prefix", request.Prefix?.ToString());
        Add(body, "role", request.Role is { } role ? Word(role) : null);
        Add(body, "failback", request.Failback is { } failback ? new { policy = FailbackWords.Policy(failback.Policy), stableSeconds = (int)failback.StableFor.TotalSeconds } : null);
        Add(body, "target", request.Target);
        Add(body, "dataCenter", request.DataCenter);
        Add(body, "neighbor", request.Neighbor);
        Add(body, "expiresInSeconds", request.ExpiresIn is { } expires ? (long)expires.TotalSeconds : null);
        Add(body, "startAt", request.StartAt?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture));
        Add(body, "windowEndsAt", request.WindowEndsAt?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture));
        Add(body, "deadlineSeconds", request.Deadline is { } deadline ? (int)deadline.TotalSeconds : null);
        Add(body, "expectedRevision", request.ExpectedRevision);
        Add(body, "overrideRules", request.OverrideRules.Length > 0 ? request.OverrideRules : null);
        return JsonSerializer.Serialize(body, Json);
    }

    /// <summary>The word of the API and the audit.</summary>
    public static string TypeWord(OperationType type) => type switch
    {
        OperationType.Switchover => "switchover",
        OperationType.SetRole => "set-role",
        OperationType.Drain => "drain",
        OperationType.Failback => "failback",
        OperationType.SetFailback => "set-failback",
        OperationType.ForcePromote => "force-promote",
        OperationType.ResetSession => "reset-session",
        OperationType.Freeze => "freeze",
        OperationType.Unfreeze => "unfreeze",
        OperationType.BulkDrain => "bulk-drain",
        OperationType.Drill => "drill",
        _ => "undrain",
    };

    private static WantedRow ToRow(WantedOfNode w) => new(
        w.Node,
        w.Revision,
        w.Drained,
        ToRow(w.Roles),
        [.. w.MustAnnounce.Select(p => p.ToString())],
        w.Before is { } before ? new BeforeRow(before.Drained, ToRow(before.Roles), ToRow(before.Failback), [.. before.AtOnce]) : null,
        w.LiftLocalDrain,
        ToRow(w.Failback),
        [.. w.AtOnce]);

    private static Dictionary<string, string> ToRow(ImmutableSortedDictionary<string, Role> roles) => roles.ToDictionary(r => r.Key, r => r.Value.ToString());

    private static ImmutableSortedDictionary<string, Role> RolesOf(Dictionary<string, string> roles) =>
        roles.ToImmutableSortedDictionary(r => r.Key, r => Enum.Parse<Role>(r.Value), StringComparer.Ordinal);

    private static Dictionary<string, string> ToRow(ImmutableSortedDictionary<string, Failback> failback) =>
        failback.ToDictionary(f => f.Key, f => FleetRecords.ToText(f.Value));

    // Null: written by an earlier version, as what is to be so at once may be.
    private static ImmutableSortedDictionary<string, Failback> FailbackOf(Dictionary<string, string>? failback) =>
        IntentFacts.NoFailback.SetItems((failback ?? []).Select(f => KeyValuePair.Create(f.Key, FleetRecords.ToFailback(f.Value))));

    private static string Word(Role role) => role == Role.Primary ? "primary" : "secondary";

    private static void Add(Dictionary<string, object?> body, string name, object? value)
    {
        if (value is not null)
        {
            body[name] = value;
        }
    }

    private static DateTimeOffset? Time(long? ms) => ms is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;

    private static List<T> Read<T>(string json) => JsonSerializer.Deserialize<List<T>>(json, Json) ?? [];

    private sealed record StepRow(string Title, string Status, long? StartedAtMs, long? FinishedAtMs, string? Detail);

    private sealed record RuleRow(string Id, string Name, bool Passed, bool Overridden, bool CanOverride, string Message, string? Remedy, int Status);

    private sealed record WantedRow(string Node, long Revision, bool Drained, Dictionary<string, string> Roles, List<string> MustAnnounce, BeforeRow? Before, bool LiftLocalDrain = false, Dictionary<string, string>? Failback = null, List<string>? AtOnce = null);

    private sealed record BeforeRow(bool Drained, Dictionary<string, string> Roles, Dictionary<string, string>? Failback = null, List<string>? AtOnce = null);
}
