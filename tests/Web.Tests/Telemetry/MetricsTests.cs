using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FailoverHub.Web.Access;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Data.Postgres;

namespace FailoverHub.Web.Tests.Telemetry;

[Collection(OneHubInTheProcess.Name)]
[Trait("Kind", "Hub")]
public sealed partial class MetricsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_AskedByNobody_AreRefused()
    {
        await using WholeHub hub = await WholeHub.StartAsync();

        using HttpResponseMessage answer = await hub.Browser().GetAsync("/metrics", Stop);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task Metrics_TellTheFleetByStateWithEveryWordThereIs()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        hub.Fleet.Publish(Make.Fleet(Make.HealthyPair("web"), Make.HealthyPair("db") with { State = PairState.Degraded }));

        PrometheusText read = await ScrapeAsync(hub);

        Assert.Equal(1, read.Value("failoverhub_pairs", ("state", "Healthy")));
        Assert.Equal(1, read.Value("failoverhub_pairs", ("state", "Degraded")));
        Assert.Equal(0, read.Value("failoverhub_pairs", ("state", "NoAnnouncer")));
        Assert.Equal(4, read.Value("failoverhub_nodes", ("link", "Connected")));
        Assert.Equal(16, read.Value("failoverhub_bgp_sessions", ("state", "Established")));
        Assert.Equal(0, read.Value("failoverhub_writer_lost_total"));
        Assert.Equal(!TestDatabases.OnPostgres, read.Value("failoverhub_database_size_bytes") > 0);
    }

    [Fact]
    public async Task Metrics_CountRulesThatRefuseAndOperationsThatEnd()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        Assert.Equal(0, (await ScrapeAsync(hub)).Value("failoverhub_rule_refusals_total", ("rule", "SR-03")));

        await hub.Get<AuditLog>().WriteAsync(new AuditDraft { Actor = WholeHub.Tester, Action = "switchover", Target = "pair web", Outcome = "refused: SR-03 TargetReady: not ready; SR-14 ReasonRequired: none" }, Stop);
        await NamesWithAsync(hub, "failoverhub_operation_duration_seconds_bucket");
        PrometheusText read = await ScrapeAsync(hub);

        Assert.Equal(1, read.Value("failoverhub_operations_total", ("type", "switchover"), ("outcome", "Succeeded")));
        Assert.Equal(1, read.Value("failoverhub_rule_refusals_total", ("rule", "SR-03")));
        Assert.Equal(1, read.Value("failoverhub_rule_refusals_total", ("rule", "SR-14")));
        Assert.Equal(1, read.Value("failoverhub_audit_entries_total", ("outcome", "refused")));
    }

    [Fact]
    public async Task Names_FollowTheRulesOfPrometheusAndNoLabelIsANodeOrAPair()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        hub.Fleet.Publish(Make.Fleet(Make.HealthyPair("web")));

        PrometheusText read = await ScrapeAsync(hub);

        Assert.All(read.Types.Where(t => t.Key.StartsWith("failoverhub_", StringComparison.Ordinal)), family =>
        {
            Assert.Equal(family.Value == "counter", family.Key.EndsWith("_total", StringComparison.Ordinal));
            Assert.DoesNotContain("milliseconds", family.Key, StringComparison.Ordinal);
        });
        Assert.All(read.Samples.Where(s => s.Name.StartsWith("failoverhub_", StringComparison.Ordinal)), s =>
            Assert.DoesNotContain(s.Labels.Values, v => v.Contains("node-a", StringComparison.Ordinal) || v == "web"));
    }

    /// <summary>Whoever names a metric that is not there draws an empty picture, or waits for an alert that never comes.</summary>
    [Fact]
    public async Task DashboardAndAlerts_NameOnlyMetricsThatExist()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        hub.Get<HistoryChanges>().WasJournalled(TimeSpan.FromSeconds(1));
        await NamesWithAsync(hub, "failoverhub_operation_duration_seconds_bucket");
        await NamesWithAsync(hub, "failoverhub_fleet_publish_duration_seconds_bucket");
        HashSet<string> known = await NamesWithAsync(hub, "http_server_request_duration_seconds_bucket");
        string docs = Path.Combine(Repository(), "docs");
        string[] files = [.. Directory.GetFiles(Path.Combine(docs, "grafana"), "*.json"), .. Directory.GetFiles(Path.Combine(docs, "prometheus"), "*.rules.yaml")];
        int named = 0;

        foreach (string file in files)
        {
            foreach (string metric in MetricName().Matches(await File.ReadAllTextAsync(file, Stop)).Select(m => m.Value).Distinct())
            {
                Assert.True(known.Contains(metric), $"{Path.GetFileName(file)} names {metric}, which the hub does not have");
                named++;
            }
        }

        Assert.True(files.Length >= 2 && named >= 20, $"{named} names in {files.Length} files");
        Assert.All(files.Where(f => f.EndsWith(".json", StringComparison.Ordinal)), f => Assert.NotNull(JsonNode.Parse(File.ReadAllText(f))!["panels"]));
    }

    /// <summary>An operation is counted by a task of its own: asks until that has happened.</summary>
    private static async Task<HashSet<string>> NamesWithAsync(WholeHub hub, string name)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            safety.Token.ThrowIfCancellationRequested();

            // Told again and again, because the counting may only just begin; it is counted once.
            hub.Operations.Publish(Make.Operation(status: OperationStatus.Succeeded));
            HashSet<string> names = [.. (await ScrapeAsync(hub)).Samples.Select(s => s.Name)];
            if (names.Contains(name))
            {
                return names;
            }
        }
    }

    private static async Task<PrometheusText> ScrapeAsync(WholeHub hub)
    {
        using HttpResponseMessage answer = await (await hub.ScriptAsync(ApiScope.Read)).GetAsync("/metrics", Stop);
        string text = await answer.Content.ReadAsStringAsync(Stop);
        Assert.True(answer.IsSuccessStatusCode, text);
        return PrometheusText.Parse(text);
    }

    private static string Repository()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "FailoverHub.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("The tests do not run inside the repository.");
    }

    [GeneratedRegex(@"\b(?:failoverhub|dotnet|kestrel|http_server)_[a-z0-9_]+\b")]
    private static partial Regex MetricName();
}
