using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Records;
using FailoverHub.Web.Operations.Rules;

namespace FailoverHub.Web.Operations.Freezes;

/// <summary>A request to freeze or to unfreeze whose names have been found in the fleet, and what the rules say to it. Pure.</summary>
internal sealed record FreezeTarget
{
    public static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    public required OperationRequest Request { get; init; }

    /// <summary>Id of the pair, or <see cref="FreezeFacts.All"/>.</summary>
    public required string Scope { get; init; }

    /// <summary>"web", "all pairs".</summary>
    public required string Name { get; init; }

    public required FleetSnapshot Fleet { get; init; }

    /// <summary>The pair; null: all.</summary>
    public required PairView? Pair { get; init; }

    /// <summary>What is in force now for just this scope; null: nothing.</summary>
    public required FreezeFacts? Now { get; init; }

    /// <summary>When a freeze would end.</summary>
    public DateTimeOffset Until => Fleet.At + (Request.ExpiresIn ?? Shortest);

    public string AuditTarget => Pair is null ? "all pairs" : History.AuditTarget.Pair(Name);

    public string Title => Request.Type == OperationType.Unfreeze ? $"Unfreeze {Name}" : $"Freeze {Name} until {Time(Until)}";

    private string Effect => Request.Type == OperationType.Unfreeze
        ? $"No traffic moves now. Operations are possible again{(Pair is not null && Pair.Freeze is { OfAll: true } ? " when all pairs are unfrozen too" : "")}, and nodes fail back by their policy again."
        : $"No traffic moves. Until {Time(Until)} no operation is begun on {(Pair is null ? "any pair" : Name)} and nothing fails back by itself; nodes still fail over when one of them is lost.";

    /// <summary>Finds what the request names.</summary>
    /// <returns>The target, or null with the <paramref name="problem"/>.</returns>
    public static FreezeTarget? Resolve(FleetState state, OperationRequest request, out SubmitResult? problem)
    {
        problem = null;
        var fleet = state.Snapshot;
        var pair = request.Pair is null or FreezeFacts.All ? null : fleet.FindPair(request.Pair);
        if (request.Pair is null)
        {
            problem = Invalid("pair", "It has to be named.");
        }
        else if (pair is null && request.Pair != FreezeFacts.All)
        {
            problem = new SubmitResult.NotFound($"No pair is called '{request.Pair}'.");
        }
        else if (request.Type == OperationType.Freeze && (request.ExpiresIn is not { } lasts || lasts < Shortest || lasts > Longest))
        {
            problem = Invalid("expiresInSeconds", string.Create(CultureInfo.InvariantCulture, $"A freeze has an end: say in how many seconds, {Shortest.TotalSeconds:0} to {Longest.TotalSeconds:0}."));
        }
        else if (request.OverrideRules.FirstOrDefault(r => !SafetyRules.Ids.Contains(r)) is { } unknown)
        {
            problem = Invalid("overrideRules", $"'{unknown}' is no rule; rules are {string.Join(", ", SafetyRules.Ids)}.");
        }

        if (problem is not null)
        {
            return null;
        }

        var target = new FreezeTarget
        {
            Request = request,
            Scope = pair?.Id ?? FreezeFacts.All,
            Name = pair?.Name ?? "all pairs",
            Fleet = fleet,
            Pair = pair,
            Now = state.Facts.Freezes.FirstOrDefault(f => f.Scope == (pair?.Id ?? FreezeFacts.All) && f.Until > fleet.At),
        };
        if (request.Type == OperationType.Unfreeze && target.Now is null)
        {
            problem = Invalid("pair", pair?.Freeze is { OfAll: true } ? "It is frozen with all pairs: unfreeze all pairs." : pair is null ? "Not all pairs are frozen." : $"{target.Name} is not frozen.");
            return null;
        }

        return target;
    }

    public OperationPreview Preview() => new()
    {
        Rules = Pair is null ? [SafetyRules.ReasonRequired(Request)] : [SafetyRules.ExpectedRevision(Request, Pair), SafetyRules.ReasonRequired(Request)],
        Steps = [Request.Type == OperationType.Unfreeze ? "Give the nodes their failback policies back" : "Tell the nodes to hold failback until an operator says so, those that are away when they come back"],
        TrafficEffect = Effect,
        OutagePossible = false,
        ApiCall = $"POST /api/v1/{(Pair is null ? "" : $"pairs/{Uri.EscapeDataString(Name)}/")}operations\n{OperationRecords.ToRequestJson(Request)}",
    };

    internal static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC";

    private static SubmitResult.Invalid Invalid(string field, string what) => new(ImmutableDictionary<string, string>.Empty.Add(field, what));
}
