using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Protos.V1;

namespace FailoverHub.Agent.Hub;

/// <summary>Health checks on the stream to the hub.</summary>
internal static class CheckReports
{
    // A report is sent each second; the whole output is in the status of the agent.
    private const int LongestOutput = 200;

    public static CheckReport Of(CheckReading reading)
    {
        var report = new CheckReport
        {
            Name = reading.Check.Name,
            Kind = reading.Check.Probe.Kind,
            Verdict = ToWire(reading.Verdict),
            VerdictSinceUnixMs = reading.VerdictSince?.ToUnixTimeMilliseconds() ?? 0,
            LastRunUnixMs = reading.LastRun?.At.ToUnixTimeMilliseconds() ?? 0,
            LastRunMs = (uint)Math.Clamp(reading.LastRun?.Result.Took.TotalMilliseconds ?? 0, 0, uint.MaxValue),
            LastOutput = Printable.Shortened(reading.LastRun?.Result.Text ?? "", LongestOutput),
            Consequence = reading.Check.Consequence.Word(),
        };
        report.Prefixes.AddRange(reading.Check.Prefixes.Select(prefix => prefix.ToString()));
        return report;
    }

    public static Protos.V1.Health ToWire(Node.Prefixes.Health health) => health switch
    {
        Node.Prefixes.Health.Healthy => Protos.V1.Health.Healthy,
        Node.Prefixes.Health.Unhealthy => Protos.V1.Health.Unhealthy,
        _ => Protos.V1.Health.Unspecified,
    };
}
