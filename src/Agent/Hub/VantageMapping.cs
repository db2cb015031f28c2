using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Vantage;
using FailoverHub.Protos.V1;

namespace FailoverHub.Agent.Hub;

/// <summary>What a hub wants asked, and what came of it, on the stream. Nothing is judged here: <see cref="PlanReading"/> does that.</summary>
internal static class VantageMapping
{
    /// <summary>Characters of an error.</summary>
    private const int LongestError = 200;

    /// <summary>Characters of a problem.</summary>
    private const int LongestProblem = 500;

    /// <summary>Of a plan that is too long as many tasks more are kept as may be told to be too many.</summary>
    public static AskedPlan Plan(ProbePlan plan) => new(plan.Revision, [.. plan.Tasks.Take(PlanReading.MostTasks + PlanReading.MostProblems).Select(Task)]);

    public static AgentMessage Batch(VantageBatch batch)
    {
        var message = new ProbeBatch { PlanRevision = batch.Revision, Dropped = (uint)batch.Dropped, MadeUs = Microseconds(batch.MadeAt) };
        foreach (var finding in batch.Findings)
        {
            message.Results.Add(new Protos.V1.ProbeResult
            {
                Task = finding.Task,
                AgeUs = Microseconds(batch.MadeAt - finding.SentAt),
                Answered = finding.RoundTrip is not null,
                RoundTripUs = (uint)Math.Min(Microseconds(finding.RoundTrip ?? TimeSpan.Zero), uint.MaxValue),
                Error = Printable.Shortened(finding.Error, LongestError),
            });
        }

        foreach (var problem in batch.Problems)
        {
            message.Problems.Add(new ProbeProblem { Task = problem.Task, Text = Printable.Shortened(problem.Text, LongestProblem) });
        }

        return new AgentMessage { Probes = message };
    }

    private static AskedTask Task(ProbeTask task) => new(task.Id, task.Address, task.IntervalMs, task.TimeoutMs, task.WayCase switch
    {
        ProbeTask.WayOneofCase.Icmp => new AskedWay.Icmp(),
        ProbeTask.WayOneofCase.Tcp => new AskedWay.Tcp(task.Tcp.Port),
        ProbeTask.WayOneofCase.Http => new AskedWay.Http(task.Http.Url)
        {
            Statuses = [.. task.Http.Statuses.Select(range => new Checks.StatusRange((int)Math.Min(range.First, int.MaxValue), (int)Math.Min(range.Last, int.MaxValue)))],
            BodyPattern = task.Http.BodyPattern,
            TrustAnyCertificate = task.Http.TrustAnyCertificate,
            CertificateDays = task.Http.CertificateDays,
        },
        _ => null,
    });

    private static ulong Microseconds(TimeSpan time) => (ulong)Math.Max(0, time.Ticks / TimeSpan.TicksPerMicrosecond);
}
