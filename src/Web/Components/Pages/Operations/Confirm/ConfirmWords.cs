using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Components.Pages.Operations.Confirm;

/// <summary>What the confirm dialog says. Pure.</summary>
internal static class ConfirmWords
{
    /// <summary>The button: verb and object, "Move 203.0.113.10 to node-b".</summary>
    public static string Button(OperationRequest request, PairView? pair) =>
        request.StartAt is null ? Act(request, pair) : $"Schedule: {Act(request, pair)}";

    private static string Act(OperationRequest request, PairView? pair)
    {
        string addresses = Addresses(request.Prefix is { } prefix ? [prefix] : [.. pair?.Prefixes ?? []]);
        return request.Type switch
        {
            OperationType.Failback => $"Move {addresses} back to {pair?.PreferredNode}",
            OperationType.SetFailback => $"Set it to {(request.Failback is { } failback ? FailbackWords.Short(failback) : "another policy")}",
            OperationType.Switchover => $"Move {addresses} to {request.Target ?? "the other node"}",
            OperationType.Drain => $"Drain {request.Node}",
            OperationType.Undrain => $"Undrain {request.Node}",
            OperationType.ForcePromote => $"Force {request.Target} to be primary",
            OperationType.Freeze => $"Freeze {Subject(request, pair)}",
            OperationType.Unfreeze => $"Unfreeze {Subject(request, pair)}",
            OperationType.ResetSession => $"Reset the session with {request.Neighbor}",
            OperationType.Drill => $"Move {addresses} to {request.Target ?? "the other node"} and back",
            OperationType.BulkDrain => "Drain them one after the other",
            _ => $"Make {request.Node} {(request.Role == Role.Primary ? "primary" : "secondary")} for {addresses}",
        };
    }

    public static string Title(OperationRequest request, PairView? pair) => request.Type switch
    {
        OperationType.Failback => $"Fail {Subject(request, pair)} back to {pair?.PreferredNode}",
        OperationType.SetFailback => $"Change the failback policy of {Subject(request, pair)}",
        OperationType.Switchover => $"Switch {Subject(request, pair)} over to {request.Target ?? "the other node"}",
        OperationType.Drain => $"Drain {request.Node}",
        OperationType.Undrain => $"Undrain {request.Node}",
        OperationType.ForcePromote => $"Force {request.Target} to be primary of {Subject(request, pair)}",
        OperationType.Freeze => $"Freeze {Subject(request, pair)}",
        OperationType.Unfreeze => $"Unfreeze {Subject(request, pair)}",
        OperationType.ResetSession => $"Reset a session of {request.Node}",
        OperationType.Drill => $"Drill a failover of {Subject(request, pair)}",
        OperationType.BulkDrain => $"Drain the {(request.Role == Role.Primary ? "primary" : "secondary")} nodes of {Subject(request, pair)}",
        _ => $"Set the role of {request.Node} in {Subject(request, pair)}",
    };

    /// <summary>What it is about, in words: what somebody types who accepts an outage.</summary>
    public static string Subject(OperationRequest request, PairView? pair) => pair?.Name ?? (request.Type == OperationType.BulkDrain ? $"data center {request.DataCenter}" : "all pairs");

    /// <summary>It can be asked for now and begin later. A freeze begins when it is asked for.</summary>
    public static bool MayWait(OperationType type) => type is not (OperationType.Freeze or OperationType.Unfreeze or OperationType.Drill);

    /// <summary>Why the button cannot be pressed yet, or null.</summary>
    public static string? Missing(OperationPreview? preview, string reason, bool typedRight, string pairName)
    {
        if (preview is null)
        {
            return "Nothing to do.";
        }

        RuleResult? blocking = CommandGate.Blocking(preview).FirstOrDefault();
        return blocking is { CanOverride: true } ? $"{blocking.RuleId} {blocking.Name} stands in the way: tick it to set it aside."
            : blocking is not null ? $"{blocking.RuleId} {blocking.Name} stands in the way."
            : reason.Trim().Length < ReasonMinimum ? "Say why first: at least 3 characters."
            : preview.OutagePossible && !typedRight ? $"Type {pairName} to confirm."
            : null;
    }

    /// <summary>Fewest characters of a reason (SR-14).</summary>
    public const int ReasonMinimum = 3;

    private static string Addresses(IPNetwork[] prefixes) => prefixes switch
    {
        [var only] => Address(only),
        [var first, var second] => $"{Address(first)} and {Address(second)}",
        _ => $"{prefixes.Length} addresses",
    };

    private static string Address(IPNetwork prefix) =>
        prefix.PrefixLength == (prefix.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 32 : 128)
            ? prefix.BaseAddress.ToString()
            : prefix.ToString();
}
