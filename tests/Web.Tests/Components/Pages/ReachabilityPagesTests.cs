using System.Collections.Immutable;
using System.Threading.Channels;
using Bunit;
using FailoverHub.Web.Access;
using FailoverHub.Web.Components.Pages.Reachability;
using FailoverHub.Web.Components.Shared.Charts;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Tests.Components.Charts;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Components.Pages;

[Trait("Kind", "Hub")]
public sealed class ReachabilityPagesTests : DashboardTest, IAsyncLifetime
{
    private WholeHub _hub = null!;

    public async ValueTask InitializeAsync()
    {
        _hub = await WholeHub.StartAsync();
        Services.AddSingleton(_hub.Get<FailoverHub.Web.Reachability.Targets.TargetList>());
        Services.AddSingleton(_hub.Get<FailoverHub.Web.History.AuditLog>());
        Services.AddScoped<PageGate>();
        Services.AddScoped<TargetDesk>();
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        await _hub.DisposeAsync();
    }

    [Fact]
    public void List_ShowsWhatDoesNotAnswerFirst_AndWhatIsUnknownAsNotCurrent()
    {
        Reachability.Others = [Target("good", ReachabilityState.Reachable), Target("gone", ReachabilityState.Unreachable), Target("dark", ReachabilityState.Unknown)];

        var page = RenderPage<ReachabilityPage>();

        Assert.Equal(["target:gone", "target:dark", "target:good"], page.FindAll("[data-testid=target-row]").Select(r => r.GetAttribute("data-target")));
        Assert.Contains("not-current", page.Find("[data-target='target:dark']").ClassName, StringComparison.Ordinal);
        Assert.Equal("/reachability/target:gone", page.Find("[data-target='target:gone'] a").GetAttribute("href"));
    }

    [Theory]
    [InlineData("?q=GO", "target:gone target:good")]
    [InlineData("?q=198.51", "target:gone target:dark target:good")]
    [InlineData("?state=Unknown", "target:dark")]
    [InlineData("?state=no-such", "target:gone target:dark target:good")]
    [InlineData("?kind=Shared", "")]
    public void Filter_InTheUrl_IsWhatIsShown(string query, string found)
    {
        Reachability.Others = [Target("good", ReachabilityState.Reachable), Target("gone", ReachabilityState.Unreachable), Target("dark", ReachabilityState.Unknown)];
        Services.GetRequiredService<NavigationManager>().NavigateTo("/reachability" + query);

        var page = RenderPage<ReachabilityPage>();

        Assert.Equal(found, string.Join(' ', page.FindAll("[data-testid=target-row]").Select(r => r.GetAttribute("data-target"))));
    }

    [Fact]
    public void Targets_ThatAreMany_AreShownUpToABoundAndCounted()
    {
        Reachability.Others = [.. Enumerable.Range(0, 5_000).Select(i => Target($"t{i}", ReachabilityState.Reachable))];

        var page = RenderPage<ReachabilityPage>();

        Assert.Equal(ReachabilityQuery.Most, page.FindAll("[data-testid=target-row]").Count);
        Assert.Contains("100 of 5000", page.Find("[data-testid=more-targets]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void LostVantagePoint_IsShownWithItsAge_AndItsTargetsAreNotCalledLost()
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        var lost = new VantageStanding { Id = "id-c", Name = "node-c", Targets = ["target:shop"], OnlyTheHub = 1, LastToldAt = now.AddSeconds(-70), Trouble = VantageTrouble.LinkDown, Since = now.AddSeconds(-65) };
        Reachability.Standings = [lost, lost with { Id = "id-d", Name = "node-d", Trouble = null, Since = null, OnlyTheHub = 0, LastToldAt = now }];
        Reachability.Others = [Target("shop", ReachabilityState.Reachable) with { LostVantages = [lost] }];

        var list = RenderPage<ReachabilityPage>();
        var target = Render<TargetPage>(p => p.Add(t => t.Id, "target:shop"));

        Assert.Equal("node-c is lost as a vantage point: its link to the hub is down. It asked 1 target for the hub; only the hub asks it now.", list.Find("[data-testid=vantage-lost]").TextContent.Trim());
        Assert.Equal("Reachable", list.Find("[data-testid=target-row]").GetAttribute("data-state"));
        Assert.Matches("^hub\\s*node-c lost for 1 m", list.Find("[data-testid=seen-from]").TextContent.Trim());
        Assert.Equal("LinkDown", list.Find("[data-vantage=node-c]").GetAttribute("data-trouble"));
        Assert.Contains("not-current", list.Find("[data-vantage=node-c]").ClassName, StringComparison.Ordinal);
        Assert.Contains("1 m", list.Find("[data-vantage=node-c]").TextContent, StringComparison.Ordinal);
        Assert.Contains("Asks", list.Find("[data-vantage=node-d]").TextContent, StringComparison.Ordinal);
        Assert.Contains("node-c asked it too and is lost for 1 m", target.Find("[data-testid=vantage-gone]").TextContent, StringComparison.Ordinal);
        Assert.Contains("What it does from there is not known", target.Find("[data-testid=vantage-gone]").TextContent, StringComparison.Ordinal);
    }

    /// <summary>Nothing is published any more: what the hub knows has grown old without that.</summary>
    [Fact]
    public void ProberThatHangs_TakesTheGreenFromOpenPages()
    {
        Reachability.Others = [Target("shop", ReachabilityState.Reachable)];
        var list = RenderPage<ReachabilityPage>();
        var target = Render<TargetPage>(p => p.Add(t => t.Id, "target:shop"));
        Assert.Equal("Reachable", list.Find("[data-testid=target-row]").GetAttribute("data-state"));

        Reachability.Others = [Target("shop", ReachabilityState.Unknown)];

        list.WaitForAssertion(() => Assert.Equal("Unknown", list.Find("[data-testid=target-row]").GetAttribute("data-state")), Safety);
        target.WaitForAssertion(() => Assert.Equal("Unknown", target.Find("[data-testid=target-state]").GetAttribute("data-state")), Safety);
    }

    [Fact]
    public void OutageChart_HasABarForEachVantagePointOfEachMove_AndNamesThem()
    {
        OutageRecord hub = Outage("hub", "hub", 2);
        OutageRecord[] outages = [hub, Outage("id-c", "node-c", 3), hub with { At = Make.At.AddMinutes(-5) }];

        var chart = Render<OutageChart>(p => p.Add(c => c.Outages, [.. outages]).Add(c => c.Now, Make.At));
        var table = Render<OutageFiguresTable>(p => p.Add(c => c.Outages, [.. outages[..2]]).Add(c => c.Now, Make.At));

        Assert.Equal(("2", "3"), (chart.Find("figure").GetAttribute("data-moves"), chart.Find("figure").GetAttribute("data-bars")));
        Assert.Equal(["hub", "hub", "node-c"], chart.FindAll("rect").Select(r => r.GetAttribute("data-vantage")));
        Assert.Contains("probes from node-c were lost, the first at", chart.FindAll("rect")[2].TextContent, StringComparison.Ordinal);
        Assert.StartsWith("2 moves seen from the hub and node-c", chart.Find("svg").GetAttribute("aria-label"), StringComparison.Ordinal);
        Assert.Equal(["hub", "node-c"], table.FindAll("tbody tr").Select(r => r.GetAttribute("data-vantage")));
        string row = table.FindAll("tbody tr")[1].TextContent;
        Assert.All(["node-c", "203.0.113.10/32", "2.00 to 3.00 s", "3 of 40", "0.10 s"], part => Assert.Contains(part, row, StringComparison.Ordinal));
        Assert.Equal(["2026-11-22 14:00:00.000 UTC", "2026-11-22 14:00:03.000 UTC"], table.FindAll("tbody tr")[1].QuerySelectorAll(".printed").Select(t => t.TextContent));
    }

    private static OutageRecord Outage(string id, string name, int seconds) => new()
    {
        At = Make.At,
        Pair = "web",
        Prefix = "203.0.113.10/32",
        Vantage = id,
        VantageName = name,
        Kind = MoveKind.Failover,
        OperationId = null,
        From = "node-a",
        To = "node-b",
        Figures = new OutageFigures(40, seconds, Make.At, Make.At.AddSeconds(seconds), TimeSpan.FromSeconds(seconds), false, TimeSpan.FromMilliseconds(100)) { Shortest = TimeSpan.FromSeconds(seconds - 1) },
    };

    [Fact]
    public void Target_WithARangeInTheUrl_ShowsThatTimeAndItsFigures()
    {
        Reachability.Others = [Target("shop", ReachabilityState.Reachable)];
        TimeSpan? asked = null;
        Reachability.Chart = (from, to, _) =>
        {
            asked = to - from;
            return SmokeScaleTests.Chart(SmokeScaleTests.Point(0, 10), SmokeScaleTests.Point(1, 12), SmokeScaleTests.Point(4, 11));
        };
        Services.GetRequiredService<NavigationManager>().NavigateTo("/reachability/target:shop?range=7d");

        var page = RenderPage<TargetPage>(("Id", "target:shop"));

        page.WaitForAssertion(() => Assert.Equal("2", page.Find("[data-testid=smoke]").GetAttribute("data-runs")), Safety);
        Assert.Equal(TimeSpan.FromDays(7), asked);
        Assert.Equal("true", page.Find("[data-testid=range-7d]").GetAttribute("aria-current"));
        Assert.Equal("/reachability/target:shop?range=24h", page.Find("[data-testid=range-24h]").GetAttribute("href"));
        Assert.Equal("Reachable", page.Find("[data-testid=target-state]").GetAttribute("data-state"));
    }

    [Fact]
    public void Target_ThatIsNotProbedAnyMore_SaysSoAndShowsItsPast()
    {
        var page = RenderPage<TargetPage>(("Id", "203.0.113.99/32"));

        page.WaitForAssertion(() => Assert.Contains("Nobody probed it in this time", page.Find("[data-testid=no-probes]").TextContent, StringComparison.Ordinal), Safety);
        Assert.Contains("It is not probed now", page.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public void Bar_OfALongerTime_HasAShapeForEachThatCanBe()
    {
        var bar = Render<AnswerBar>(p => p.Add(b => b.Now, Make.At).Add(b => b.Chart, SmokeScaleTests.Chart(SmokeScaleTests.Point(0, 10), SmokeScaleTests.Point(1, 12), SmokeScaleTests.Point(5, null))));

        Assert.Equal(["up 14", "some 20", "down 26"], bar.FindAll("rect").Select(r => $"{r.ClassName} {r.GetAttribute("height")}"));
    }

    [Fact]
    public void Chart_NamesItsZone_AndItsLossesStandInATableToo()
    {
        ReachabilityChart chart = SmokeScaleTests.Chart(SmokeScaleTests.Point(0, 10), SmokeScaleTests.Point(1, 12), SmokeScaleTests.Point(5, null));

        var band = Render<SmokeBand>(p => p.Add(b => b.Now, Make.At).Add(b => b.Chart, chart));
        var table = Render<LossTable>(p => p.Add(b => b.Now, Make.At).Add(b => b.Chart, chart));

        Assert.Equal("times in UTC", band.Find("[data-testid=axis-zone]").TextContent);
        Assert.Equal(["60 of 60 (100 %)", "3 of 60 (5 %)"], table.FindAll("tbody tr").Select(r => r.QuerySelectorAll("td")[1].TextContent));
        Assert.Equal(["14:05:00.000", "14:01:00.000"], table.FindAll("tbody tr .not-printed").Select(t => t.TextContent));
        Assert.Empty(Render<LossTable>(p => p.Add(b => b.Now, Make.At).Add(b => b.Chart, SmokeScaleTests.Chart(SmokeScaleTests.Point(0, 10)))).FindAll("details"));
    }

    [Theory]
    [InlineData("203.0.113.10/32", "7d", null, "/reachability/203.0.113.10/32?range=7d")]
    [InlineData("2001:db8::/64", null, "node-a", "/reachability/2001:db8::/64?vantage=node-a")]
    [InlineData("target:a b", null, null, "/reachability/target:a%20b")]
    public void Url_OfATarget_KeepsItsSlashAndColons(string id, string? range, string? vantage, string url) => Assert.Equal(url, ReachabilityQuery.UrlOf(id, range, vantage));

    [Fact]
    public void Target_ThatANodeAsksToo_ShowsBothAndInWhatTheyDiffer()
    {
        Reachability.Others = [Seen("shop", "node-c", ReachabilityState.Unreachable, ReachabilityState.Reachable)];
        Reachability.Vantages = [new("hub", "hub"), new("id-c", "node-c")];

        var page = RenderPage<TargetPage>(("Id", "target:shop"));

        page.WaitForAssertion(() => Assert.Equal(["hub Unreachable", "node-c Reachable"], page.FindAll("[data-testid=vantage-now]").Select(r => $"{r.GetAttribute("data-vantage")} {r.GetAttribute("data-state")}")), Safety);
        Assert.Equal("Answers node-c, not the hub.", page.Find("[data-testid=difference]").TextContent.Trim());
        Assert.Equal("/reachability/target:shop?range=1h&vantage=node-c", page.Find("[data-testid=vantage-node-c]").GetAttribute("href"));
        Assert.Equal("true", page.Find("[data-testid=vantage-hub]").GetAttribute("aria-current"));
    }

    [Fact]
    public void Target_SeenFromANodeByTheUrl_ShowsThatNodesChart()
    {
        Reachability.Others = [Target("shop", ReachabilityState.Reachable)];
        Reachability.Vantages = [new("hub", "hub"), new("id-c", "node-c")];
        Services.GetRequiredService<NavigationManager>().NavigateTo("/reachability/target:shop?vantage=node-c");

        var page = RenderPage<TargetPage>(("Id", "target:shop"));

        page.WaitForAssertion(() => Assert.Equal("true", page.Find("[data-testid=vantage-node-c]").GetAttribute("aria-current")), Safety);
        Assert.Equal("id-c", Reachability.AskedFrom);
        Assert.Equal("/reachability/target:shop?range=24h&vantage=node-c", page.Find("[data-testid=range-24h]").GetAttribute("href"));
    }

    /// <summary>A long range is read slowly; somebody presses another one meanwhile.</summary>
    [Fact]
    public async Task Target_WhoseSlowChartComesAfterAnotherOneWasChosen_ShowsTheOneThatWasChosen()
    {
        // The page reads anew by itself after ten seconds: here time stands still.
        Services.AddSingleton<TimeProvider>(new FakeTimeProvider(Make.At));
        var charts = new SlowCharts();
        Services.AddSingleton<IReachabilityHistory>(charts);
        NavigationManager navigation = Services.GetRequiredService<NavigationManager>();
        Reachability.Others = [Target("shop", ReachabilityState.Reachable)];
        navigation.NavigateTo("/reachability/target:shop?range=400d");
        var page = RenderPage<TargetPage>(("Id", "target:shop"));
        SlowCharts.Reading slow = await charts.NextAsync();

        await page.InvokeAsync(() => navigation.NavigateTo("/reachability/target:shop?range=6h"));
        SlowCharts.Reading quick = await charts.NextAsync();
        await page.InvokeAsync(() => quick.Come(SmokeScaleTests.Chart(SmokeScaleTests.Point(0, 10), SmokeScaleTests.Point(4, 11))));
        page.WaitForAssertion(() => Assert.Equal("2", page.Find("[data-testid=smoke]").GetAttribute("data-points")), Safety);
        await page.InvokeAsync(() => slow.Come(SmokeScaleTests.Chart(SmokeScaleTests.Point(0, 10))));
        await page.InvokeAsync(() => { });

        Assert.Equal((TimeSpan.FromDays(400), TimeSpan.FromHours(6)), (slow.Length, quick.Length));
        Assert.Equal("6h", page.Find("[data-testid=target-page]").GetAttribute("data-range"));
        Assert.Equal("2", page.Find("[data-testid=smoke]").GetAttribute("data-points"));
    }

    [Fact]
    public async Task Target_WhoseVantagePointIsChanged_DoesNotShowTheOldChartMeanwhile()
    {
        // The page reads anew by itself after ten seconds: here time stands still.
        Services.AddSingleton<TimeProvider>(new FakeTimeProvider(Make.At));
        var charts = new SlowCharts();
        Services.AddSingleton<IReachabilityHistory>(charts);
        NavigationManager navigation = Services.GetRequiredService<NavigationManager>();
        Reachability.Others = [Target("shop", ReachabilityState.Reachable)];
        navigation.NavigateTo("/reachability/target:shop");
        var page = RenderPage<TargetPage>(("Id", "target:shop"));
        SlowCharts.Reading first = await charts.NextAsync();
        await page.InvokeAsync(() => first.Come(SmokeScaleTests.Chart(SmokeScaleTests.Point(0, 10))));
        page.WaitForElement("[data-testid=smoke]", Safety);

        await page.InvokeAsync(() => navigation.NavigateTo("/reachability/target:shop?vantage=node-c"));
        SlowCharts.Reading second = await charts.NextAsync();

        page.WaitForAssertion(() => Assert.Contains("Reading…", page.Find("[data-testid=target-chart]").TextContent, StringComparison.Ordinal), Safety);
        Assert.Empty(page.FindAll("[data-testid=smoke]"));
        await page.InvokeAsync(() => second.Come(SmokeScaleTests.Chart(SmokeScaleTests.Point(0, 10), SmokeScaleTests.Point(4, 11))));
        page.WaitForAssertion(() => Assert.Equal("2", page.Find("[data-testid=smoke]").GetAttribute("data-points")), Safety);
    }

    [Fact]
    public void Target_RemovePressedTwice_IsStillThere_UntilTheOtherButtonIsPressed()
    {
        Reachability.Others = [Target("shop", ReachabilityState.Reachable)];
        var page = RenderPage<TargetPage>(("Id", "target:shop"));
        page.WaitForElement("[data-testid=remove-target]", Safety);

        On(page, "remove-target", e => e.Click());
        On(page, "remove-target", e => e.Click());

        Assert.Contains("shop is not asked any more", page.Find("[data-testid=remove-target-step]").TextContent, StringComparison.Ordinal);
        Assert.Empty(page.FindAll("[role=alert]"));
        On(page, "remove-target-sure", e => e.Click());
        page.WaitForElement("[role=alert]", Safety);
    }

    [Fact]
    public void Target_ThatOnlyTheHubAsks_SaysWhy()
    {
        Reachability.Others = [Target("shop", ReachabilityState.Reachable) with { WhyOnlyTheHub = "Only the hub asks it: no connected node offers itself as a further vantage point." }];

        var page = RenderPage<TargetPage>(("Id", "target:shop"));

        page.WaitForAssertion(() => Assert.Contains("no connected node", page.Find("[data-testid=only-the-hub]").TextContent, StringComparison.Ordinal), Safety);
        Assert.Empty(page.FindAll("[data-testid=chart-vantages]"));
    }

    [Fact]
    public void List_OfTargetsThatNodesAskToo_OffersEachOfThem()
    {
        Reachability.Others = [Seen("shop", "node-c", ReachabilityState.Reachable, ReachabilityState.Unreachable), Seen("mail", "node-d", ReachabilityState.Reachable, ReachabilityState.Reachable)];

        var page = RenderPage<ReachabilityPage>();

        Assert.Equal(["hub", "node-c", "node-d"], page.FindAll("[data-testid=filter-vantage] option").Select(o => o.GetAttribute("value")));
        Assert.Equal(["hub, node-d", "hub, node-c"], page.FindAll("[data-testid=seen-from]").Select(c => c.TextContent));
    }

    [Fact]
    public void List_SeenFromANode_HasWhatThatNodeAsksAsItSeesIt()
    {
        Reachability.Others = [Seen("shop", "node-c", ReachabilityState.Reachable, ReachabilityState.Unreachable), Seen("mail", "node-d", ReachabilityState.Reachable, ReachabilityState.Reachable)];
        Services.GetRequiredService<NavigationManager>().NavigateTo("/reachability?vantage=node-c");

        var page = RenderPage<ReachabilityPage>();

        Assert.Equal(["target:shop Unreachable"], page.FindAll("[data-testid=target-row]").Select(r => $"{r.GetAttribute("data-target")} {r.GetAttribute("data-state")}"));
        Assert.Equal("node-c", page.Find("[data-testid=filter-vantage]").GetAttribute("value"));
    }

    [Fact]
    public void List_SeenFromANodeThatAsksNothing_SaysSo()
    {
        Reachability.Others = [Target("shop", ReachabilityState.Reachable)];
        Services.GetRequiredService<NavigationManager>().NavigateTo("/reachability?vantage=node-x");

        var page = RenderPage<ReachabilityPage>();

        Assert.Equal("node-x asks nothing now.", page.Find("[data-testid=nothing-found]").TextContent);
    }

    private static ProbedTarget Seen(string name, string node, ReachabilityState hub, ReachabilityState further) => Target(name, hub) with
    {
        Recent = [.. Target(name, hub).Recent, .. Target(name, hub).Recent],
        Further = [new VantagePoint { Id = $"id-{node[^1]}", Name = node, State = further, Recent = Target(name, further).Recent, Problem = null }],
    };

    private static ProbedTarget Target(string name, ReachabilityState state) => new()
    {
        Id = $"target:{name}",
        Kind = ProbedKind.Named,
        Label = name,
        Prefix = null,
        Address = "198.51.100.7",
        Method = ProbeMethod.Icmp,
        Port = null,
        Way = "ICMP",
        Pair = null,
        Interval = TimeSpan.FromSeconds(1),
        State = state,
        Recent = [new ProbeSample(Make.At, state == ReachabilityState.Unreachable ? null : TimeSpan.FromMilliseconds(2), state == ReachabilityState.Unreachable ? "no answer" : null)],
        Problem = null,
    };

    /// <summary>Charts that come when the test says so, in the order that it says.</summary>
    private sealed class SlowCharts : IReachabilityHistory
    {
        private readonly Channel<Reading> _asked = Channel.CreateUnbounded<Reading>();

        /// <summary>The next chart that is asked for.</summary>
        public async Task<Reading> NextAsync() => await _asked.Reader.ReadAsync(Xunit.TestContext.Current.CancellationToken).AsTask().WaitAsync(Safety, Xunit.TestContext.Current.CancellationToken);

        public Task<ReachabilityChart> ReadAsync(string target, string vantage, DateTimeOffset from, DateTimeOffset to, TimeSpan step, CancellationToken cancellationToken)
        {
            var reading = new Reading(to - from);
            _asked.Writer.TryWrite(reading);
            return reading.Chart;
        }

        public Task<ImmutableArray<VantageName>> VantagesAsync(string target, CancellationToken cancellationToken) =>
            Task.FromResult<ImmutableArray<VantageName>>([new("hub", "hub"), new("id-c", "node-c")]);

        public Task<IReadOnlyList<ProbeSample>> SamplesAsync(string target, string vantage, DateTimeOffset from, DateTimeOffset to, int limit, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<ProbeSample>>([]);

        internal sealed class Reading(TimeSpan length)
        {
            private readonly TaskCompletionSource<ReachabilityChart> _chart = new();

            public TimeSpan Length => length;

            public Task<ReachabilityChart> Chart => _chart.Task;

            public void Come(ReachabilityChart chart) => _chart.SetResult(chart);
        }
    }
}
