using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Checks;

/// <summary>How a check stands: for showing. What it decides goes to the node as an event.</summary>
/// <param name="Check">As it is configured.</param>
/// <param name="Verdict">Unknown: none yet.</param>
/// <param name="VerdictSince">UTC; null without a verdict of its own.</param>
/// <param name="Contrary">The last results in a row that speak against the verdict.</param>
/// <param name="LastRun">Null: it has not run yet.</param>
/// <param name="Runs">So far.</param>
internal sealed record CheckReading(CheckOptions Check, Health Verdict, DateTimeOffset? VerdictSince, int Contrary, CheckRun? LastRun, long Runs);

/// <summary>One run of a check.</summary>
/// <param name="At">When it began, UTC.</param>
/// <param name="Result">What came of it.</param>
internal sealed record CheckRun(DateTimeOffset At, ProbeResult Result);
