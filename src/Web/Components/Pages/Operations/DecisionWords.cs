using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Components.Pages.Operations;

/// <summary>What follows when an operation is ended by somebody. Pure.</summary>
internal static class DecisionWords
{
    /// <summary>"It does not begin: nothing was sent, and no traffic moves."</summary>
    /// <param name="operation">As it stands.</param>
    public static string EffectOfEnding(OperationView operation) => operation switch
    {
        { IsWaiting: true, Type: OperationType.Undrain } => $"It does not begin: {operation.Node} stays drained until somebody undrains it.",
        { Status: OperationStatus.PendingApproval or OperationStatus.Queued } => "It does not begin: nothing was sent, and no traffic moves.",
        { Type: OperationType.BulkDrain } => "It stops after the node that is being drained now. What is drained already stays drained.",
        { Type: OperationType.Drill } => "It stops, and the addresses go back at once if they have moved. Open TCP connections break once more then.",
        { Type: OperationType.Switchover or OperationType.Failback } => "It stops, and what was done is taken back. Addresses that have moved already move back, and open TCP connections break once more.",
        { Type: OperationType.ResetSession } => "It stops. A session that was ended already comes up again by itself.",
        _ => "It stops, and what was done is taken back.",
    };
}
