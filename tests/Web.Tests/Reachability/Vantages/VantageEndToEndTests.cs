using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Access;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Reachability.Storage;
using FailoverHub.Web.Reachability.Vantages;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Reachability.Vantages;

/// <summary>The whole hub and nodes' streams: a plan goes out, what is told of it is kept, shown beside the hub's own view, and gone with its stream.</summary>
[Trait("Kind", "Hub")]
public sealed class VantageEndToEndTests : IAsyncDisposable
{
    private const string Prefix = "203.0.113.10/32";
    private const string Url = "/api/v1/reachability/203.0.113.10";

    private readonly ScriptedProbe _probe = new();
    private readonly List<IAsyncDisposable> _open = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable one in Enumerable.Reverse(_open))
        {
            await one.DisposeAsync();
        }
    }

    [Fact]
    public async Task NodeBesideThePair_IsAskedAndWhatItSeesStandsBesideTheHubsView()
    {
        WholeHub hub = await StartAsync();
        FakeAgent node = await AskerAsync(hub, "node-c");
        ProbePlan plan = await node.ReceivePlanAsync(p => p.Tasks.Count > 0);
        ProbeTask task = Assert.Single(plan.Tasks);

        await node.SendAsync(Batch(plan, Answered(task, 0.4)));
        JsonNode seen = await UntilAsync(hub, t => t.State == ReachabilityState.Reachable && Point(t, "node-c")?.State == ReachabilityState.Reachable);
        JsonNode alone = await GetAsync(hub, Url + $"?vantage=node-c&from={DateTimeOffset.UtcNow.AddHours(-2):yyyy-MM-ddTHH:mm:ssZ}");
        JsonNode samples = await GetAsync(hub, Url + "/samples?vantage=node-c");

        Assert.Equal(("203.0.113.10", ProbeTask.WayOneofCase.Icmp, 900u), (task.Address, task.WayCase, task.TimeoutMs));
        Assert.Equal(["hub", "node-c"], seen["vantagePoints"]!.AsArray().Select(v => (string?)v!["name"]));
        Assert.Equal(0.4, (double?)Point(seen, "node-c")!["roundTripMs"]);
        Assert.Null(seen["difference"]);
        Assert.Null(seen["whyOnlyTheHub"]);
        Assert.Equal(("node-c", "Reachable", "node-c"), ((string?)alone["vantagePoint"], (string?)alone["state"], (string?)alone["chart"]!["vantagePoint"]));
        Assert.Equal(1, (int?)alone["chart"]!["whole"]!["sent"]);
        Assert.Single(samples["items"]!.AsArray());
    }

    [Fact]
    public async Task AddressThatAnswersTheNodeAndNotTheHub_IsSaidToBeSo_AndTheOtherWayRound()
    {
        WholeHub hub = await StartAsync();
        FakeAgent node = await AskerAsync(hub, "node-c");
        await UntilAsync(hub, t => t.State == ReachabilityState.Reachable);
        await node.ReceivePlanAsync(p => p.Tasks.Count > 0);

        _probe.Answers = false;
        JsonNode notTheHub = await UntilAsync(hub, t => t.Difference == "Answers node-c, not the hub.", () => TellAsync(node, answered: true));
        _probe.Answers = true;
        JsonNode notTheNode = await UntilAsync(hub, t => t.Difference == "Answers the hub, not node-c.", () => TellAsync(node, answered: false));

        Assert.Equal("Unreachable", (string?)notTheHub["state"]);
        Assert.Equal("Reachable", (string?)notTheNode["state"]);
    }

    [Fact]
    public async Task StreamThatEnds_TakesItsVantagePointWithItAndAnotherNodeIsAskedInItsPlace()
    {
        WholeHub hub = await StartAsync();
        FakeAgent first = await AskerAsync(hub, "node-c");
        ProbePlan plan = await first.ReceivePlanAsync(p => p.Tasks.Count > 0);
        await first.SendAsync(Batch(plan, Answered(plan.Tasks[0], 1)));
        await UntilAsync(hub, t => Point(t, "node-c")?.State == ReachabilityState.Reachable);

        await first.DisposeAsync();
        JsonNode without = await UntilAsync(hub, t => Point(t, "node-c") is null && t.WhyOnlyTheHub is not null);
        FakeAgent second = await AskerAsync(hub, "node-d");

        Assert.Equal("Only the hub asks it: no connected node offers itself as a further vantage point.", (string?)without["whyOnlyTheHub"]);
        Assert.Equal("203.0.113.10", Assert.Single((await second.ReceivePlanAsync(p => p.Tasks.Count > 0)).Tasks).Address);
    }

    [Fact]
    public async Task StreamThatEnds_IsAnEventAndAnAlertOfItsOwn_AndTheAddressStaysReachable()
    {
        WholeHub hub = await StartAsync();
        await ShortenRuleAsync(hub);
        FakeAgent node = await AskerAsync(hub, "node-c");
        ProbePlan plan = await node.ReceivePlanAsync(p => p.Tasks.Count > 0);
        await node.SendAsync(Batch(plan, Answered(plan.Tasks[0], 1)));
        await UntilAsync(hub, t => Point(t, "node-c")?.State == ReachabilityState.Reachable);

        await node.DisposeAsync();
        JsonNode shown = await UntilAsync(hub, t => t is { LostVantages: [{ Name: "node-c" }], State: ReachabilityState.Reachable });
        JsonNode lost = (await GetAsync(hub, "/api/v1/vantage-points"))["items"]![0]!;
        Alert alert = await AlertAsync(hub, a => a is { Kind: AlertKind.VantageLost, Node: "node-c" });
        EventRecord told = await EventAsync(hub, EventKinds.VantageLost);
        FakeAgent again = await AskerAsync(hub, "node-c");
        ProbePlan anew = await again.ReceivePlanAsync(p => p.Tasks.Count > 0);
        await again.SendAsync(Batch(anew, Answered(anew.Tasks[0], 1)));
        EventRecord back = await EventAsync(hub, EventKinds.VantageBack);

        Assert.Equal(("Reachable", "node-c"), ((string?)shown["state"], (string?)shown["lostVantagePoints"]![0]!["name"]));
        Assert.Equal(("node-c", "link-down", Prefix), ((string?)lost["name"], (string?)lost["trouble"], (string?)lost["targets"]![0]));
        Assert.StartsWith("node-c is lost as a vantage point: its link to the hub is down.", alert.Text, StringComparison.Ordinal);
        Assert.Equal(("node-c", alert.Text), (told.Node, told.Text));
        Assert.StartsWith("node-c is there again as a vantage point, ", back.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(hub.Get<IAlerts>().Current.Active, a => a.Kind is AlertKind.AddressLost or AlertKind.ProbeLoss);
    }

    // Real time passes in a whole hub: the alert need not wait for longer than the event.
    private static async Task ShortenRuleAsync(WholeHub hub)
    {
        AlertSettings settings = hub.Get<AlertSettings>();
        AlertRule rule = settings.Rules.Single(r => r.Kind == AlertKind.VantageLost);
        Assert.IsType<SettingResult<AlertRule>.Done>(await settings.ChangeAsync(rule with { RaiseAfter = TimeSpan.Zero }, rule.Revision, WholeHub.Tester, Stop));
    }

    private static async Task<Alert> AlertAsync(WholeHub hub, Func<Alert, bool> holds)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        await foreach (AlertsNow now in hub.Get<IAlerts>().WatchAsync(safety.Token))
        {
            if (now.Active.FirstOrDefault(holds) is { } found)
            {
                return found;
            }
        }

        throw new TimeoutException("There was no such alert.");
    }

    private static async Task<EventRecord> EventAsync(WholeHub hub, string kind)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        await foreach (var _ in hub.Get<IHistory>().WatchAsync(safety.Token))
        {
            if ((await hub.Get<IHistory>().EventsAsync(new HistoryFilter { Kind = kind }, null, 1, Stop)).Items is [var found, ..])
            {
                return found;
            }
        }

        throw new TimeoutException($"There was no event of the kind {kind}.");
    }

    [Fact]
    public async Task PairWithNobodyBesideIt_IsAskedByTheHubAloneAndThePageSaysWhy()
    {
        WholeHub hub = await StartAsync(pairAsks: true);

        JsonNode alone = await UntilAsync(hub, t => t.WhyOnlyTheHub?.Contains("every node that offers itself has this address", StringComparison.Ordinal) == true);

        Assert.Equal(["hub"], alone["vantagePoints"]!.AsArray().Select(v => (string?)v!["name"]));
    }

    [Fact]
    public async Task NodeThatMakesThingsUp_IsCountedKeepsItsStreamAndHarmsNobody()
    {
        WholeHub hub = await StartAsync();
        FakeAgent liar = await AskerAsync(hub, "node-c");
        ProbePlan plan = await liar.ReceivePlanAsync(p => p.Tasks.Count > 0);
        uint task = plan.Tasks[0].Id;
        VantageStreams streams = hub.Get<VantageStreams>();

        await liar.SendAsync(Batch(plan, [.. Enumerable.Range(0, 5_000).Select(i => new ProbeResult { Task = (uint)i + 1_000 })]));
        await liar.SendAsync(Batch(plan, new ProbeResult { Task = task, AgeUs = ulong.MaxValue }, new ProbeResult { Task = task, Answered = true, RoundTripUs = uint.MaxValue }));
        for (int i = 0; i < 3; i++)
        {
            await liar.SendAsync(Batch(plan, [.. Enumerable.Range(0, 1_000).Select(_ => new ProbeResult { Task = task, Error = "\u001b[31m" })]));
        }

        await liar.ReportAsync(r => r.Drained = true);
        await hub.UntilAsync(s => s.FindNode("node-c") is { Link: NodeLink.Connected, Drained: true });
        JsonNode shown = await UntilAsync(hub, t => Point(t, "node-c") is { Recent.IsEmpty: false });

        Assert.Equal((2_000, 1, 1), (streams.Refused(VantageRefusal.Task), streams.Refused(VantageRefusal.Age), streams.Refused(VantageRefusal.Nonsense)));
        Assert.InRange(streams.Refused(VantageRefusal.Pace), 3_000 + 3_000 - VantageIntake.Burst - 60, 3_000 + 3_000 - VantageIntake.Burst);
        Assert.DoesNotContain('\u001b', (string)Point(shown, "node-c")!["error"]!);
    }

    [Fact]
    public async Task NodeThatIsNoVantagePoint_IsAskedNothingAndNothingIsTakenFromIt()
    {
        WholeHub hub = await StartAsync();
        FakeAgent old = await ConnectAsync(hub, "node-c", asks: false);
        FakeAgent asker = await AskerAsync(hub, "node-d");
        await asker.ReceivePlanAsync(p => p.Tasks.Count > 0);

        await old.SendAsync(new AgentMessage { Probes = new ProbeBatch { PlanRevision = 1, Results = { new ProbeResult { Task = 1, Answered = true, RoundTripUs = 1 } } } });
        await old.ReportAsync(r => r.Drained = true);
        await hub.UntilAsync(s => s.FindNode("node-c") is { Drained: true });

        Assert.Equal(0, hub.Get<VantageStreams>().Taken);
        Assert.Equal(["node-d"], hub.Get<VantageStreams>().Current.Keys);
    }

    [Fact]
    public async Task Metrics_TellWhatNodesAreAskedAndWhatOfItWasTaken()
    {
        WholeHub hub = await StartAsync();
        FakeAgent node = await AskerAsync(hub, "node-c");
        ProbePlan plan = await node.ReceivePlanAsync(p => p.Tasks.Count > 0);
        await node.SendAsync(Batch(plan, Answered(plan.Tasks[0], 1), new ProbeResult { Task = 99 }));
        await UntilAsync(hub, t => Point(t, "node-c")?.State == ReachabilityState.Reachable);
        HttpClient script = await hub.ScriptAsync(ApiScope.Read);

        string text = await script.GetStringAsync("/metrics", Stop);

        Assert.All(
            (string[])["failoverhub_vantage_nodes", "failoverhub_vantage_tasks", "failoverhub_vantage_results_total", "failoverhub_vantage_lost_total", "failoverhub_vantage_refused_total"],
            name => Assert.Contains(name, text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Move_IsMeasuredFromTheNodeToo()
    {
        WholeHub hub = await StartAsync();
        FakeAgent node = await AskerAsync(hub, "node-c");
        ProbePlan plan = await node.ReceivePlanAsync(p => p.Tasks.Count > 0);
        await node.SendAsync(Batch(plan, Answered(plan.Tasks[0], 1)));
        await UntilAsync(hub, t => Point(t, "node-c")?.State == ReachabilityState.Reachable);
        hub.Get<ProbeSampleStore>().HandOver();
        await hub.Get<HubWriter>().FlushAsync(Stop);
        ImmutableArray<VantageName> from = await hub.Get<IReachabilityHistory>().VantagesAsync(Prefix, Stop);
        var record = new OutageRecord
        {
            At = DateTimeOffset.UtcNow,
            Pair = "web",
            Prefix = Prefix,
            Vantage = from[^1].Id,
            VantageName = from[^1].Name,
            Kind = MoveKind.Failover,
            OperationId = null,
            From = "web-1",
            To = "web-2",
            Figures = OutageFigures.Of(await hub.Get<IReachabilityHistory>().SamplesAsync(Prefix, from[^1].Id, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1), 10, Stop)),
        };
        hub.Get<HubWriter>().Enqueue(new AddOutages([record]));
        await hub.Get<HubWriter>().FlushAsync(Stop);

        JsonNode told = await GetAsync(hub, "/api/v1/pairs/web/outages");

        Assert.Equal(["hub", "node-c"], from.Select(v => v.Name));
        Assert.Equal(("node-c", 1), ((string?)told["items"]![0]!["vantageName"], (int?)told["items"]![0]!["sent"]));
    }

    private async Task<WholeHub> StartAsync(bool pairAsks = false)
    {
        WholeHub hub = await WholeHub.StartAsync(builder =>
        {
            WholeHub.WithRealOperations(builder);
            builder.Services.AddSingleton<IReachability>(p => p.GetRequiredService<ReachabilityView>());
            builder.Services.AddSingleton<IProbedTargets>(p => p.GetRequiredService<ReachabilityView>());
            builder.Services.AddSingleton<IProbe>(_probe);
        });
        _open.Add(hub);
        await ConnectAsync(hub, "web-1", pairAsks, ProtoRole.Primary);
        await ConnectAsync(hub, "web-2", pairAsks, ProtoRole.Secondary);
        await hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
        return hub;
    }

    private Task<FakeAgent> AskerAsync(WholeHub hub, string name) => ConnectAsync(hub, name, asks: true);

    private async Task<FakeAgent> ConnectAsync(WholeHub hub, string name, bool asks, ProtoRole? role = null)
    {
        NodeReport state = role is { } shares ? FakeAgent.State(shares) : new NodeReport { Health = Protos.V1.Health.Healthy };
        FakeAgent agent = await FakeAgent.ConnectAsync($"{hub.AgentUrl}", name, state, asks: asks);
        _open.Add(agent);
        await agent.ReportAsync();
        return agent;
    }

    private static ProbeResult Answered(ProbeTask task, double milliseconds) => new() { Task = task.Id, AgeUs = 20_000, Answered = true, RoundTripUs = (uint)(milliseconds * 1_000) };

    private static AgentMessage Batch(ProbePlan plan, params ProbeResult[] results) => new() { Probes = new ProbeBatch { PlanRevision = plan.Revision, Results = { results } } };

    private static VantagePoint? Point(ProbedTarget target, string name) => target.Further.FirstOrDefault(v => v.Name == name);

    private static JsonNode? Point(JsonNode target, string name) => target["vantagePoints"]!.AsArray().FirstOrDefault(v => (string?)v!["name"] == name);

    private static async Task<JsonNode> GetAsync(WholeHub hub, string url) => (await (await hub.ScriptAsync(ApiScope.Read)).GetFromJsonAsync<JsonNode>(url, Stop))!;

    /// <summary>Looks at the address as often as it is shown anew until it is so, then asks the API for it. The bound only ends a test that hangs.</summary>
    private static async Task<JsonNode> UntilAsync(WholeHub hub, Func<ProbedTarget, bool> holds, Func<Task>? before = null)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        await foreach (ImmutableArray<ProbedTarget> all in hub.Get<IProbedTargets>().WatchAsync(safety.Token))
        {
            if (all.FirstOrDefault(t => t.Id == Prefix) is { } target && holds(target))
            {
                return await GetAsync(hub, Url);
            }

            await (before?.Invoke() ?? Task.CompletedTask);
        }

        throw new TimeoutException($"It did not become so: {await GetAsync(hub, Url)}");
    }

    /// <summary>The first target that a node is asked has the number 1, and keeps it over its plans.</summary>
    private static Task TellAsync(FakeAgent node, bool answered) =>
        node.SendAsync(new AgentMessage { Probes = new ProbeBatch { PlanRevision = 1, Results = { new ProbeResult { Task = 1, AgeUs = 20_000, Answered = answered, RoundTripUs = 400 } } } });

    private sealed class ScriptedProbe : IProbe
    {
        public volatile bool Answers = true;

        public ProbeMethod Method => ProbeMethod.Icmp;

        public int? Port => null;

        public string? ProblemFor(IPAddress address) => null;

        public Task<ProbeReply> SendAsync(IPAddress address, TimeSpan timeout, CancellationToken cancellationToken) =>
            // The machine's gateway answers all the while: the hub is not cut off.
            Task.FromResult(Answers || address.ToString() != "203.0.113.10" ? ProbeReply.Answered(TimeSpan.FromMilliseconds(1)) : ProbeReply.Failed("no answer within 900 ms"));
    }
}
