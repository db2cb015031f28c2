using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Components.Shared.Status;

/// <summary>A status as it is shown.</summary>
/// <param name="Tone">Shape and colour.</param>
/// <param name="Word">What it is called.</param>
public readonly record struct StatusWord(StatusTone Tone, string Word)
{
    /// <summary>Class that sets the tone's colour.</summary>
    public string CssClass => Tone switch
    {
        StatusTone.Good => "tone-good",
        StatusTone.Notice => "tone-notice",
        StatusTone.Warning => "tone-warning",
        StatusTone.Critical => "tone-critical",
        StatusTone.Off => "tone-off",
        _ => "tone-unknown",
    };
}

/// <summary>The one place where states become words and tones. Red is kept for what needs a person now.</summary>
internal static class StatusWords
{
    public static StatusWord Of(PairState state) => state switch
    {
        PairState.Healthy => new(StatusTone.Good, "Healthy"),
        PairState.Degraded => new(StatusTone.Warning, "Degraded"),
        PairState.FailedOver => new(StatusTone.Warning, "Failed over"),
        PairState.Switching => new(StatusTone.Notice, "Switching"),
        PairState.DualPrimary => new(StatusTone.Critical, "Dual primary"),
        PairState.NoAnnouncer => new(StatusTone.Critical, "No announcer"),
        PairState.Frozen => new(StatusTone.Off, "Frozen"),
        PairState.Maintenance => new(StatusTone.Off, "Maintenance"),
        _ => new(StatusTone.Unknown, "Unknown"),
    };

    public static StatusWord Of(NodeLink link) => link switch
    {
        NodeLink.Connected => new(StatusTone.Good, "Connected"),
        NodeLink.Stale => new(StatusTone.Unknown, "Stale"),
        NodeLink.Offline => new(StatusTone.Unknown, "Offline"),
        NodeLink.NeverSeen => new(StatusTone.Unknown, "Never seen"),
        NodeLink.Revoked => new(StatusTone.Off, "Revoked"),
        _ => new(StatusTone.Unknown, "Unknown"),
    };

    public static StatusWord Of(Health health) => health switch
    {
        Health.Healthy => new(StatusTone.Good, "Healthy"),
        Health.Unhealthy => new(StatusTone.Warning, "Unhealthy"),
        _ => new(StatusTone.Off, "No checks"),
    };

    public static StatusWord Of(BgpSessionState state) => state switch
    {
        BgpSessionState.Established => new(StatusTone.Good, "Established"),
        BgpSessionState.Idle => new(StatusTone.Warning, "Idle"),
        BgpSessionState.Connect => new(StatusTone.Warning, "Connect"),
        BgpSessionState.Active => new(StatusTone.Warning, "Active"),
        BgpSessionState.OpenSent => new(StatusTone.Notice, "OpenSent"),
        BgpSessionState.OpenConfirm => new(StatusTone.Notice, "OpenConfirm"),
        _ => new(StatusTone.Unknown, "Unknown"),
    };

    public static StatusWord Of(ReachabilityState state) => state switch
    {
        ReachabilityState.Reachable => new(StatusTone.Good, "Answers"),
        ReachabilityState.Unreachable => new(StatusTone.Critical, "No answer"),
        _ => new(StatusTone.Unknown, "Not probed"),
    };

    public static StatusWord Of(OperationStatus status) => status switch
    {
        OperationStatus.PendingApproval => new(StatusTone.Notice, "Waiting for approval"),
        OperationStatus.Queued => new(StatusTone.Notice, "Queued"),
        OperationStatus.Running => new(StatusTone.Notice, "Running"),
        OperationStatus.Succeeded => new(StatusTone.Good, "Succeeded"),
        OperationStatus.Failed => new(StatusTone.Critical, "Failed"),
        OperationStatus.Refused => new(StatusTone.Warning, "Refused"),
        OperationStatus.TimedOut => new(StatusTone.Critical, "Timed out"),
        OperationStatus.Cancelled => new(StatusTone.Off, "Cancelled"),
        _ => new(StatusTone.Unknown, "Outcome unknown"),
    };

    public static StatusWord Of(StepStatus status) => status switch
    {
        StepStatus.Running => new(StatusTone.Notice, "Running"),
        StepStatus.Succeeded => new(StatusTone.Good, "Done"),
        StepStatus.Failed => new(StatusTone.Critical, "Failed"),
        StepStatus.Skipped => new(StatusTone.Off, "Skipped"),
        _ => new(StatusTone.Unknown, "Pending"),
    };

    public static StatusWord Of(EventSeverity severity) => severity switch
    {
        EventSeverity.Critical => new(StatusTone.Critical, "Critical"),
        EventSeverity.Warning => new(StatusTone.Warning, "Warning"),
        _ => new(StatusTone.Off, "Info"),
    };

    /// <summary>Accepted or refused, from the words that the audit keeps.</summary>
    public static StatusWord OfOutcome(string outcome) =>
        outcome.StartsWith("refused", StringComparison.OrdinalIgnoreCase) ? new(StatusTone.Warning, "Refused")
        : outcome.StartsWith("accepted", StringComparison.OrdinalIgnoreCase) ? new(StatusTone.Good, "Accepted")
        : new(StatusTone.Off, outcome);

    public static string Of(OperationType type) => type switch
    {
        OperationType.Switchover => "Switchover",
        OperationType.SetRole => "Set role",
        OperationType.Drain => "Drain",
        OperationType.Undrain => "Undrain",
        OperationType.Failback => "Failback",
        OperationType.Drill => "Drill",
        OperationType.SetFailback => "Set failback",
        _ => type.ToString(),
    };

    public static string Of(Role? role) => role switch
    {
        Role.Primary => "primary",
        Role.Secondary => "secondary",
        _ => "none",
    };

    public static string Of(WithdrawnReason? reason) => reason switch
    {
        WithdrawnReason.Drained => "drained",
        WithdrawnReason.Unhealthy => "unhealthy",
        WithdrawnReason.AddressMissing => "address missing",
        WithdrawnReason.NotAssigned => "no role assigned",
        WithdrawnReason.Stopping => "agent stopping",
        _ => "withdrawn",
    };

    public static string Of(ActiveNodeBasis basis) => basis switch
    {
        ActiveNodeBasis.Observed => "observed",
        ActiveNodeBasis.Inferred => "inferred",
        _ => "not known",
    };
}
