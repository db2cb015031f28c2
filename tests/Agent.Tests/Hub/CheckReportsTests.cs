using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Hub;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Agent.Speaker;
using FailoverHub.Agent.Tests.Node;
using Wire = FailoverHub.Protos.V1;

namespace FailoverHub.Agent.Tests.Hub;

/// <summary>What the hub is told of health checks.</summary>
public sealed class CheckReportsTests
{
    private static readonly DateTimeOffset _at = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly CheckOptions _check = new()
    {
        Name = "web",
        Probe = new ProbeOptions.Http(new Uri("https://127.0.0.1/health")),
        Consequence = HealthConsequence.Demote,
        Prefixes = [NodeUnderTest.Shared],
    };

    [Fact]
    public void Check_IsReportedWithItsLastRun_AndAShortOutput()
    {
        var report = CheckReports.Of(new CheckReading(_check, Health.Unhealthy, _at, 0, new CheckRun(_at.AddSeconds(9), new ProbeResult(false, new string('x', 1000), TimeSpan.FromMilliseconds(12.7))), 47));

        Assert.Equal(("web", "https", Wire.Health.Unhealthy, "demote", "203.0.113.10/32"), (report.Name, report.Kind, report.Verdict, report.Consequence, Assert.Single(report.Prefixes)));
        Assert.Equal((_at.ToUnixTimeMilliseconds(), _at.AddSeconds(9).ToUnixTimeMilliseconds(), 12u), (report.VerdictSinceUnixMs, report.LastRunUnixMs, report.LastRunMs));
        Assert.Equal(200, report.LastOutput.Length);
        Assert.EndsWith("x...", report.LastOutput, StringComparison.Ordinal);
    }

    [Fact]
    public void CheckThatHasNotRun_SaysSo()
    {
        var report = CheckReports.Of(new CheckReading(_check, Health.Unknown, null, 0, null, 0));

        Assert.Equal((Wire.Health.Unspecified, 0L, 0L, ""), (report.Verdict, report.VerdictSinceUnixMs, report.LastRunUnixMs, report.LastOutput));
    }

    [Fact]
    public void NodeAndPrefix_CarryTheirHealth()
    {
        var node = new NodeUnderTest(settings => settings with { Checks = [_check] }).Start(NodeUnderTest.Shared);
        Assert.Equal(Wire.Health.Unspecified, Report(node).Health);

        node.Give(new NodeEvent.HealthChanged(_check, Health.Unhealthy, "refused"));

        Assert.Equal(Wire.Health.Unhealthy, Report(node).Health);
        Assert.Equal(Wire.Health.Unhealthy, Assert.Single(Report(node).Prefixes).Health);
    }

    private static Wire.NodeReport Report(NodeUnderTest node) => HubMapping.Report(node.State, _ => PeerMetrics.None, 1, new Moment(node.Now, _at)).Report;
}
