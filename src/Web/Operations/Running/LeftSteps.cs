namespace FailoverHub.Web.Operations.Running;

/// <summary>
/// Steps that were under way when a hub ended, of an operation that was settled later: nothing of what has ended is under way any more. When they were
/// really over nobody saw, so their end is that of the settling. Pure.
/// </summary>
internal static class LeftSteps
{
    private const string SeenLater = "It was seen when the nodes were back.";
    private const string NeverSeen = "The hub ended before it was seen.";

    /// <summary>Nobody saw when it was over: its <see cref="OperationStep.FinishedAt"/> says when that was settled.</summary>
    public static bool EndsUnseen(OperationStep step) => step.Detail is SeenLater or NeverSeen;

    /// <summary>The step, ended with its operation.</summary>
    /// <param name="step">One that was under way.</param>
    /// <param name="ended">How the operation has ended.</param>
    /// <param name="now">When.</param>
    public static OperationStep Ended(OperationStep step, OperationStatus ended, DateTimeOffset now) =>
        TakingBack.IsStep(step) ? step with { Status = StepStatus.Failed, FinishedAt = now, Detail = "Not confirmed." }
        : ended == OperationStatus.Succeeded ? step with { Status = StepStatus.Succeeded, FinishedAt = now, Detail = step.Detail ?? SeenLater }
        : step with { Status = StepStatus.Failed, FinishedAt = now, Detail = step.Detail ?? NeverSeen };
}
