using System.Globalization;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Components.Pages.Operations;

/// <summary>
/// The request behind an operation that waits, so that whoever decides about it sees what it would do now. An operation does not carry its request: it is found again
/// by the title, which names all that it is about, and taken only if it would have exactly that title. Pure.
/// </summary>
internal static class WaitingRequest
{
    /// <summary>What was asked for, to be asked anew; null: the title does not say enough.</summary>
    /// <param name="operation">What waits.</param>
    /// <param name="pair">Its pair as it is now; null: there is none any more, or it is about more than one.</param>
    public static OperationRequest? Of(OperationView operation, PairView? pair) => Candidates(operation, pair)
        .Where(candidate => candidate.Title == operation.Title)
        .Select(candidate => candidate.Request with { Reason = operation.Reason, OverrideRules = [.. operation.Rules.Where(rule => rule.Overridden).Select(rule => rule.RuleId)] })
        .FirstOrDefault();

    private static IEnumerable<(string Title, OperationRequest Request)> Candidates(OperationView operation, PairView? pair)
    {
        string? node = operation.Node;
        var request = new OperationRequest { Type = operation.Type };
        return operation.Type switch
        {
            OperationType.Switchover => Each(operation, pair).Select(part => ($"Switch {part.What} over to {node}", request with { Pair = operation.PairId, Target = node, Prefix = part.Prefix })),
            OperationType.Failback => Each(operation, pair).Select(part => ($"Fail {part.What} back to {node}", request with { Pair = operation.PairId, Target = node, Prefix = part.Prefix })),
            OperationType.ForcePromote => Each(operation, pair).Select(part => ($"Force {node} to be primary for {part.What}", request with { Pair = operation.PairId, Target = node, Prefix = part.Prefix })),
            OperationType.SetRole => Each(operation, pair).SelectMany(part => Enum.GetValues<Role>().SelectMany(role => Roles(operation, part.What, request with { Node = node, Role = role, Prefix = part.Prefix }))),
            OperationType.Drain => [($"Drain {node}", request with { Node = node }), ($"Drain {node}, which is no node of {operation.PairName}", request with { Pair = operation.PairId, Node = node })],
            OperationType.Undrain => [($"Undrain {node}", request with { Node = node })],
            OperationType.ResetSession => [($"Reset the session of {node} with {Last(operation)}", request with { Node = node, Neighbor = Last(operation) })],
            OperationType.SetFailback => Policies(operation).Select(failback => ($"Set the failback policy of {operation.PairName} to {FailbackWords.Short(failback)}", request with { Pair = operation.PairId, Failback = failback })),
            OperationType.Drill => [($"Drill of {operation.PairName}: over to {node} and back to {Last(operation)}", request with { Pair = operation.PairId, Target = node })],
            OperationType.BulkDrain when operation.PairName.Split(' ') is ["data", "center", var id] => Enum.GetValues<Role>().Select(role =>
                (string.Create(CultureInfo.InvariantCulture, $"Drain {operation.Steps.Length} {Word(role)} nodes of {operation.PairName}, one after the other"), request with { DataCenter = id, Role = role })),
            _ => [],
        };
    }

    // All that the pair shares, or one of its prefixes.
    private static IEnumerable<(string What, IPNetwork? Prefix)> Each(OperationView operation, PairView? pair) =>
        [(operation.PairName, null), .. (pair?.Prefixes ?? []).Select(prefix => ($"{prefix} of {operation.PairName}", (IPNetwork?)prefix))];

    private static IEnumerable<(string Title, OperationRequest Request)> Roles(OperationView operation, string what, OperationRequest request) =>
    [
        ($"Make {request.Node} {Word(request.Role!.Value)} for {what}", request),
        ($"Make {request.Node} {Word(request.Role!.Value)} for {what}, of which it is no node", request with { Pair = operation.PairId }),
    ];

    private static IEnumerable<Failback> Policies(OperationView operation)
    {
        string[] words = operation.Title.Split(' ');
        TimeSpan stable = words is [.., var seconds, "s"] && int.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out int known) ? TimeSpan.FromSeconds(known) : TimeSpan.Zero;
        return Enum.GetValues<FailbackPolicy>().Select(policy => Failback.Of(policy, stable));
    }

    private static string Last(OperationView operation) => operation.Title[(operation.Title.LastIndexOf(' ') + 1)..];

    private static string Word(Role role) => role == Role.Primary ? "primary" : "secondary";
}
