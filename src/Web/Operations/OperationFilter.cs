using System.Collections.Immutable;

namespace FailoverHub.Web.Operations;

/// <summary>Which operations are asked for; what is null or empty is not filtered by.</summary>
public sealed record OperationFilter
{
    /// <summary>All of them.</summary>
    public static OperationFilter All { get; } = new();

    /// <summary>Id of a pair.</summary>
    public string? PairId { get; init; }

    /// <summary>Of this type.</summary>
    public OperationType? Type { get; init; }

    /// <summary>In one of these states.</summary>
    public ImmutableArray<OperationStatus> Statuses { get; init; } = [];

    /// <summary>Asked for by this actor, in any case of letters.</summary>
    public string? Actor { get; init; }

    /// <summary>Words that title, reason or outcome contain, each of them, in any case of letters.</summary>
    public string? Text { get; init; }

    /// <summary>Of one pair.</summary>
    public static OperationFilter OfPair(string? pairId) => new() { PairId = pairId };

    /// <summary>The words of <see cref="Text"/>.</summary>
    public ImmutableArray<string> Words => [.. (Text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];

    /// <summary>Whether it is asked for; the store asks the database the same.</summary>
    public bool Has(OperationView operation) =>
        (PairId is null || operation.PairId == PairId)
        && (Type is null || operation.Type == Type)
        && (Statuses.IsEmpty || Statuses.Contains(operation.Status))
        && (Actor is null || string.Equals(operation.Actor, Actor, StringComparison.OrdinalIgnoreCase))
        && Words.All(word => operation.Title.Contains(word, StringComparison.OrdinalIgnoreCase) || operation.Reason.Contains(word, StringComparison.OrdinalIgnoreCase) || operation.Outcome?.Contains(word, StringComparison.OrdinalIgnoreCase) == true);
}
