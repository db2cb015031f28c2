using FailoverHub.Protos.V1;
using FailoverHub.Web.Reachability.Vantages;

namespace FailoverHub.Web.Agents;

/// <summary>Where probes that nodes send for the hub meet our own types. Nothing here is refused with the stream: what makes no sense is left out and counted.</summary>
internal static class ProbeMapping
{
    /// <summary>Results of one batch that are looked at.</summary>
    public const int MostResults = 2_000;

    // A machine that has been up for three thousand years.
    private const ulong LatestMadeUs = 100_000_000_000_000_000;
    private const int LongestError = 200;
    private const int LongestProblem = 300;

    // Longer than anything that is taken, and no overflow.
    private static readonly TimeSpan Forever = TimeSpan.FromHours(1);

    public static HubMessage ToMessage(VantagePlan plan)
    {
        var message = new ProbePlan { Revision = plan.Revision };
        message.Tasks.AddRange(plan.Tasks.Select(ToTask));
        return new HubMessage { ProbePlan = message };
    }

    public static VantageBatch Parse(ProbeBatch batch) => new(
        [.. batch.Results.Take(MostResults).Select(ToResult)],
        [.. batch.Problems.Take(VantageAssignment.MostTasks).Select(p => new VantageProblem(p.Task, AgentText.Clean(p.Text, LongestProblem) is { Length: > 0 } text ? text : "it says not why"))],
        batch.Dropped,
        Math.Max(0, batch.Results.Count - MostResults),
        batch.MadeUs is > 0 and < LatestMadeUs ? TimeSpan.FromMicroseconds((long)batch.MadeUs) : null);

    private static VantageResult ToResult(ProbeResult result) => new(
        result.Task,
        Span(result.AgeUs),
        result.Answered ? Span(result.RoundTripUs) : null,
        !result.Answered && AgentText.Clean(result.Error, LongestError).Trim() is { Length: > 0 } error ? error : null);

    private static TimeSpan Span(ulong microseconds) => microseconds < (ulong)Forever.TotalMicroseconds ? TimeSpan.FromMicroseconds((long)microseconds) : Forever;

    private static ProbeTask ToTask(VantageTask task)
    {
        var message = new ProbeTask
        {
            Id = task.Id,
            Address = task.Address?.ToString() ?? "",
            IntervalMs = (uint)task.Interval.TotalMilliseconds,
            TimeoutMs = (uint)task.Timeout.TotalMilliseconds,
        };
        switch (task.Way)
        {
            case VantageWay.Icmp:
                message.Icmp = new IcmpEcho();
                break;
            case VantageWay.Tcp tcp:
                message.Tcp = new TcpConnect { Port = (uint)tcp.Port };
                break;
            case VantageWay.Http { Target: var target }:
                message.Http = new HttpGet
                {
                    Url = target.Url!.AbsoluteUri,
                    BodyPattern = target.Draft.BodyPattern ?? "",
                    TrustAnyCertificate = target.Draft.TrustAnyCertificate,
                    CertificateDays = (uint)(target.Draft.CertificateDays ?? 0),
                };
                message.Http.Statuses.AddRange(target.Statuses.Select(s => new StatusRange { First = (uint)s.First, Last = (uint)s.Last }));
                break;
            default:
                throw new InvalidOperationException($"No message for {task.Way.GetType().Name}.");
        }

        return message;
    }
}
