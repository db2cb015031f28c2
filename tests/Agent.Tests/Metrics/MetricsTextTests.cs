using System.Diagnostics;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Metrics;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Speaker;
using FailoverHub.Agent.Speaker.Metering;
using FailoverHub.Agent.Tests.Node;
using FailoverHub.Agent.Vantage;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Session.Diagnostics;

namespace FailoverHub.Agent.Tests.Metrics;

public sealed class MetricsTextTests
{
    private readonly NodeUnderTest _node = new NodeUnderTest().Start(NodeUnderTest.Shared, NodeUnderTest.Other);

    [Fact]
    public void Page_TellsTheNode()
    {
        _node.Establish(NodeUnderTest.First).Give(new NodeEvent.AddressesChanged([NodeUnderTest.Other]));

        var page = Read(View());

        Assert.Equal(1, page("failoverhub_sessions", "established"));
        Assert.Equal(1, page("failoverhub_sessions", "idle"));
        Assert.Equal(1, page("failoverhub_session_up", "192.0.2.1"));
        Assert.Equal(0, page("failoverhub_session_up", "192.0.2.2"));
        Assert.Equal(1, page("failoverhub_prefixes_announced", "primary"));
        Assert.Equal(0, page("failoverhub_prefixes_announced", "secondary"));
        Assert.Equal(1, page("failoverhub_prefixes_withdrawn", "address-missing"));
        Assert.Equal(7, page("failoverhub_journal_waiting", ""));
        Assert.Equal(0, page("failoverhub_intent_revision", ""));
        Assert.Equal(0, page("failoverhub_drained", ""));
        Assert.Equal(1.5, page("process_cpu_seconds_total", ""));
    }

    [Fact]
    public void Intent_ItsRevisionAndTheDrain_AreTold()
    {
        _node.BothUp().Keep(NodeUnderTest.Intent(12, drained: true));

        var page = Read(View());

        Assert.Equal(12, page("failoverhub_intent_revision", ""));
        Assert.Equal(1, page("failoverhub_drained", ""));
        Assert.Equal(2, page("failoverhub_prefixes_withdrawn", "drained"));
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public void Hub_StandAlone_HasNoFamilyOfItsOwn(bool? connected, int? value)
    {
        var samples = ExpositionParser.Parse(MetricsText.Of(View() with { HubConnected = connected }));

        Assert.Equal(value, (int?)samples.SingleOrDefault(sample => sample.Name == "failoverhub_hub_connected")?.Value);
    }

    [Fact]
    public void Check_WhateverItIsCalled_HasOneVerdict()
    {
        var name = "say \"hi\"\\\nnow";
        var probe = new ProbeOptions.Tcp("127.0.0.1", 80);
        _node.Reconfigure(settings => settings with { Checks = [new CheckOptions { Name = name, Probe = probe }] });

        var verdicts = ExpositionParser.Parse(MetricsText.Of(View())).Where(sample => sample.Name == "failoverhub_check_verdict").ToList();

        Assert.All(verdicts, verdict => Assert.Equal(name, verdict.Labels["check"]));
        Assert.Equal("unknown", Assert.Single(verdicts, verdict => verdict.Value == 1).Labels["verdict"]);
    }

    [Fact]
    public void Messages_AreCountedByTypeAndDirection()
    {
        var page = ExpositionParser.Parse(MetricsText.Of(View()));

        Assert.Equal(3, Count("sent", "update"));
        Assert.Equal(90, Count("received", "keepalive"));
        Assert.Equal(3, Count("received", "route_refresh"));
        Assert.Equal(0, Count("sent", "notification"));

        double Count(string direction, string type) => page.Single(sample =>
            sample.Name == "failoverhub_session_messages_total" && sample.Labels["direction"] == direction && sample.Labels["type"] == type).Value;
    }

    [Fact]
    public void Lateness_IsAHistogramInSeconds()
    {
        var page = ExpositionParser.Parse(MetricsText.Of(View()));
        var buckets = page.Where(sample => sample.Name == "failoverhub_keepalive_lateness_seconds_bucket").ToDictionary(sample => sample.Labels["le"], sample => sample.Value);

        Assert.Equal(1, buckets["0.000125"]);
        Assert.Equal(1, buckets["0.001"]);
        Assert.Equal(2, buckets["0.002"]);
        Assert.Equal(3, buckets["+Inf"]);
        Assert.Equal(10_000.0016, page.Single(sample => sample.Name == "failoverhub_keepalive_lateness_seconds_sum").Value, 6);
    }

    [Fact]
    public void WhatItAsksForItsHub_IsCountedByWhatCameOfIt_AndNothingIsSaidWhereItMayNot()
    {
        var page = Read(View() with { Vantage = Asked });

        Assert.Equal(12, page("failoverhub_probing_targets", ""));
        Assert.Equal(1, page("failoverhub_probing_problems", ""));
        Assert.Equal(90, page("failoverhub_probing_probes_total", "answered"));
        Assert.Equal(9, page("failoverhub_probing_probes_total", "lost"));
        Assert.Equal(1, page("failoverhub_probing_probes_total", "not_sent"));
        Assert.Equal(5, page("failoverhub_probing_dropped_results_total", ""));
        Assert.Equal(0.25, page("failoverhub_probing_lateness_seconds_sum", ""));
        Assert.Equal(100, page("failoverhub_probing_lateness_seconds_count", ""));
        Assert.Equal(0.02, page("failoverhub_probing_lateness_worst_seconds", ""));
        Assert.DoesNotContain("failoverhub_probing", MetricsText.Of(View()), StringComparison.Ordinal);
    }

    /// <summary>A second opinion, of Prometheus' own tool, where it is installed (Debian: prometheus).</summary>
    [Fact]
    public void Page_IsWhatPrometheusReads_AndItsLinterHasNothingToSay()
    {
        var page = MetricsText.Of(View() with { HubConnected = true, Vantage = Asked });

        Assert.NotEmpty(ExpositionParser.Parse(page));
        if ((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "promtool")).FirstOrDefault(File.Exists) is { } promtool)
        {
            Assert.Equal((0, ""), Run(promtool, page));
        }
    }

    private static VantageReading Asked => new()
    {
        Targets = 12,
        Revision = 7,
        Problems = [new VantageProblem(3, "no route")],
        Answered = 90,
        Lost = 9,
        NotSent = 1,
        Dropped = 5,
        Begun = 100,
        Lateness = TimeSpan.FromMilliseconds(250),
        WorstLateness = TimeSpan.FromMilliseconds(20),
    };

    private MetricsView View()
    {
        var late = default(LatenessHistogram);
        late.Add(TimeSpan.FromMicroseconds(100));
        late.Add(TimeSpan.FromMicroseconds(1500));
        late.Add(TimeSpan.FromSeconds(10_000));
        return new MetricsView
        {
            Version = "0.1.0",
            Node = _node.State,
            Now = new Moment(_node.Now, DateTimeOffset.UnixEpoch),
            Peers =
            [
                new PeerDiagnostics
                {
                    Neighbor = NodeUnderTest.First,
                    ReadAt = DateTimeOffset.UnixEpoch,
                    Now = _node.Now,
                    Session = new SessionDiagnostics
                    {
                        State = SessionState.Established,
                        Since = TimeSpan.Zero,
                        Reason = "",
                        Sent = new MessageCounts { Open = 1, Update = 3 },
                        Received = new MessageCounts { Keepalive = 90, RouteRefresh = 1, RefreshMarks = 2 },
                    },
                    Trace = [],
                    Metrics = PeerMetrics.None,
                    KeepaliveLateness = late,
                },
            ],
            JournalWaiting = 7,
            Process = new ProcessFacts(TimeSpan.FromSeconds(1.5), 12 << 20, DateTimeOffset.UnixEpoch.AddYears(57), 30),
        };
    }

    // A sample by its family and the value of its last label; empty: it has none.
    private static Func<string, string, double> Read(MetricsView view)
    {
        var samples = ExpositionParser.Parse(MetricsText.Of(view));
        return (name, label) => samples.Single(sample => sample.Name == name && (sample.Labels.Count == 0 ? "" : sample.Labels.Values.Last()) == label).Value;
    }

    private static (int Code, string Said) Run(string promtool, string page)
    {
        using var process = Process.Start(new ProcessStartInfo(promtool, ["check", "metrics"]) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.StandardInput.Write(page);
        process.StandardInput.Close();
        var said = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, said);
    }
}
