using Bunit;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Maintenance;
using FailoverHub.Web.Components.Pages.Nodes;
using FailoverHub.Web.Components.Pages.Overview;
using FailoverHub.Web.Components.Pages.Pairs;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Components.Pages;

public sealed class PairPageTests : DashboardTest
{
    [Fact]
    public void Overview_NoPairs_TeachesHowToStartAnAgent()
    {
        var page = RenderPage<OverviewPage>();

        Assert.Contains("failoverhub-agent run --node node-a --primary", page.Find("[data-testid=no-pairs]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void Overview_APairChanges_IsShownWithoutReload()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        var page = RenderPage<OverviewPage>();
        Assert.Equal("Healthy", page.Find("[data-testid=pair-card-web]").GetAttribute("data-state"));

        Fleet.Publish(Fresh(Make.HealthyPair() with { State = PairState.NoAnnouncer, ActiveNode = null }));

        page.WaitForAssertion(() => Assert.Equal("NoAnnouncer", page.Find("[data-testid=pair-card-web]").GetAttribute("data-state")), Safety);
    }

    [Fact]
    public void Maintenance_OfThePairOrOneOfItsNodes_StandsOnPairAndOverviewWithItsEndAndWho()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        DateTimeOffset now = DateTimeOffset.UtcNow;
        MaintenanceWindow ofPair = FakeMaintenance.Window(MaintenanceScope.Pair, "WEB", now);
        MaintenanceWindow over = FakeMaintenance.Window(MaintenanceScope.Node, "node-a", now) with { EndedAt = now.AddMinutes(-1) };
        Maintenance.Publish(ofPair, over, FakeMaintenance.Window(MaintenanceScope.Pair, "other", now));
        var pair = RenderPage<PairPage>(("Name", "web"));
        var overview = Render<OverviewPage>();

        var banner = Assert.Single(pair.FindAll("[data-testid=maintenance-banner]"));
        Assert.Contains("Maintenance of pair WEB for another", banner.TextContent, StringComparison.Ordinal);
        Assert.Contains("by ann", banner.TextContent, StringComparison.Ordinal);
        Assert.Contains("new kernel", banner.TextContent, StringComparison.Ordinal);
        Assert.Matches("^Maintenance of pair WEB until .+, by ann[.]$", Assert.Single(overview.FindAll("[data-testid=card-maintenance]")).TextContent.Trim());
        Assert.Empty(overview.FindAll("[data-testid=maintenance-banner]"));

        Maintenance.Publish(FakeMaintenance.Window(MaintenanceScope.All, "", now, by: "bob"));

        pair.WaitForAssertion(() => Assert.Contains("Maintenance of everything", pair.Find("[data-testid=maintenance-banner]").TextContent, StringComparison.Ordinal), Safety);
        overview.WaitForAssertion(() => Assert.Contains("by bob", overview.Find("[data-testid=maintenance-banner]").TextContent, StringComparison.Ordinal), Safety);
        Assert.Empty(overview.FindAll("[data-testid=card-maintenance]"));
    }

    [Fact]
    public void Alerts_OfThePair_StandOnPairAndOverviewWithWhoHasThemAndUntilWhen()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        DateTimeOffset now = DateTimeOffset.UtcNow;
        Alert open = FakeAlerts.Make("a1") with { RaisedAt = now.AddMinutes(-3) };
        ActiveAlerts.Publish(
            open,
            open with { Id = "a2", RuleName = "Degraded pair", Shelf = new AlertShelf("ann", now, now.AddHours(1), "known") },
            open with { Id = "a3", RuleName = "Failed over", Acknowledged = new AlertAcknowledgement("bob", now.AddMinutes(-4), "on it") },
            open with { Id = "a4", RuleName = "Probes lost", QuietBecause = "maintenance of pair web by ann until 2026-11-22 16:00 UTC" },
            open with { Id = "b1", Pair = "other" });
        var pair = RenderPage<PairPage>(("Name", "web"));
        var overview = Render<OverviewPage>();

        Assert.Equal("4", pair.Find("[data-testid=pair-alert-list]").GetAttribute("data-count"));
        Assert.Contains("Nobody is told: maintenance of pair web by ann until 2026-11-22 16:00 UTC.", pair.Find("[data-alert=a4] [data-testid=alert-quiet]").TextContent, StringComparison.Ordinal);
        Assert.Equal("/alerts/maintenance", pair.Find("[data-alert=a4] [data-testid=alert-quiet] a").GetAttribute("href"));
        Assert.Matches("needs you, since 3", overview.Find("[data-testid=card-alert][data-alert=a1]").TextContent);
        Assert.Contains("shelved by ann until ", overview.Find("[data-testid=card-alert][data-alert=a2]").TextContent, StringComparison.Ordinal);
        Assert.Contains("acknowledged by bob 4", overview.Find("[data-testid=card-alert][data-alert=a3]").TextContent, StringComparison.Ordinal);
        Assert.Contains("1 more", overview.Find("[data-testid=pair-card-web]").TextContent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(AnswerMarkKind.Split, "tone-critical", "Two nodes answer.")]
    [InlineData(AnswerMarkKind.Forged, "tone-critical", "Somebody answers who is no node.")]
    [InlineData(AnswerMarkKind.Elsewhere, "tone-warning", "Another node answers.")]
    public void WrongAnswers_AreAMarkOnThePair_BesideItsState(AnswerMarkKind kind, string tone, string title)
    {
        var mark = new AnswerMark(kind, "What is wrong.", Make.At);
        var pair = Make.HealthyPair() with { Answers = [new AnswerView(System.Net.IPNetwork.Parse("203.0.113.10/32"), null, Make.At, 61, mark)] };
        Fleet.Publish(Fresh(pair));

        var note = RenderPage<PairPage>(("Name", "web")).Find("[data-testid=answer-mark]");
        var card = Render<PairCard>(p => p.Add(c => c.Now, Make.At).Add(c => c.Pair, pair)).Find("[data-testid=card-answer-mark]");

        Assert.Contains(tone, note.ClassName, StringComparison.Ordinal);
        Assert.Contains($"{title} What is wrong.", note.TextContent, StringComparison.Ordinal);
        Assert.Equal((kind.ToString(), "What is wrong."), (card.GetAttribute("data-kind"), card.TextContent.Trim()));
    }

    [Fact]
    public void ObservedNode_IsShownWithTheAgeOfItsAnswer()
    {
        Fleet.Publish(Fresh(Make.HealthyPair() with { ActiveNodeBasis = ActiveNodeBasis.Observed, ActiveObservedAt = DateTimeOffset.UtcNow.AddSeconds(-2) }));

        Assert.Matches(@"\(observed [0-9]+ s ago\)", RenderPage<PairPage>(("Name", "web")).Find("[data-testid=active-node]").TextContent);
    }

    [Fact]
    public void Overview_SilentNode_IsGreyWithTheAgeOfItsLastWord()
    {
        var card = Render<PairCard>(p => p
            .Add(c => c.Now, Make.At)
            .Add(c => c.Pair, Make.Pair("web", PairState.Degraded, "node-b is silent.", "node-a", Make.Node("node-a", Role.Primary), Make.Node("node-b", Role.Secondary, NodeLink.Stale, Make.At.AddSeconds(-14)))));

        Assert.Contains("not-current", card.Find("[data-testid=member-node-b]").ClassName, StringComparison.Ordinal);
        Assert.Contains("last heard 14 s ago", card.Find("[data-testid=member-node-b-link]").TextContent, StringComparison.Ordinal);
        Assert.DoesNotContain("not-current", card.Find("[data-testid=member-node-a]").ClassName ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ActiveNodeThatIsNotKnown_IsSaidWithTheReason(bool overview)
    {
        Fleet.Publish(Fresh(Make.Pair("web", PairState.Degraded, "x", null, Make.Node("node-a", Role.Primary, NodeLink.Stale), Make.Node("node-b", Role.Secondary))));

        var word = overview ? RenderPage<OverviewPage>().Find("[data-testid=active-node]") : RenderPage<PairPage>(("Name", "web")).Find("[data-testid=active-node]");

        Assert.Equal("active node: not known, because node-a is silent", word.TextContent.TrimEnd('.'), ignoreCase: true);
        Assert.Equal("", word.GetAttribute("data-node"));
    }

    [Fact]
    public void Pair_RolesAndReachability_StandBesideEachOther()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        Reachability.Publish(Make.Target(ReachabilityState.Reachable, Make.Samples(30)));

        var page = RenderPage<PairPage>(("Name", "web"));

        var nodeA = page.Find("[data-testid=member-node-a]");
        Assert.Equal("primary", nodeA.QuerySelector("[data-testid=assigned-role]")!.GetAttribute("data-role"));
        Assert.Equal("primary", nodeA.QuerySelector("[data-testid=reported-role]")!.GetAttribute("data-role"));
        Assert.Equal("Connected", nodeA.QuerySelector("[data-testid=member-node-a-link]")!.GetAttribute("data-link"));
        Assert.NotEmpty(page.FindAll("[data-testid=reachability-bar]"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ProberThatHangs_LeavesNoVerdictOnAnOpenPage(bool overview)
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        Reachability.Publish(Make.Target(ReachabilityState.Reachable, Make.Samples(30)));
        var page = overview ? RenderPage<OverviewPage>() : RenderPage<PairPage>(("Name", "web"));
        Assert.Equal("Reachable", page.Find("[data-testid=reachability-now]").GetAttribute("data-state"));

        Reachability.Age(Make.Target(ReachabilityState.Unknown, Make.Samples(30)));

        page.WaitForAssertion(() => Assert.Equal("Unknown", page.Find("[data-testid=reachability-now]").GetAttribute("data-state")), Safety);
    }

    [Fact]
    public void Pair_ARuleForbidsIt_TheButtonIsDisabledAndTheRuleStandsBesideIt()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        Operations.OnPreview = request => request.Type == OperationType.Switchover
            ? Make.Preview(false, Make.Rule("SR-03", "TargetReady", false, message: "node-b is silent.", remedy: "Bring it back."))
            : Make.Preview();

        var page = RenderPage<PairPage>(("Name", "web"));

        Assert.True(page.Find("[data-testid=action-switchover]").HasAttribute("disabled"));
        Assert.Equal("SR-03 TargetReady: node-b is silent. Bring it back.", page.Find("[data-testid=action-switchover-why]").TextContent);
        Assert.False(page.Find("[data-testid=action-drain]").HasAttribute("disabled"));
    }

    [Fact]
    public void Pair_AnOperationStartedElsewhere_IsFollowedLive()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        var page = RenderPage<PairPage>(("Name", "web"));
        Assert.Empty(page.FindAll("[data-testid=operation-panel]"));

        Operations.Publish(Make.Operation());
        page.WaitForAssertion(() => Assert.Equal("Running", page.Find("[data-testid=operation-step-2]").GetAttribute("data-status")), Safety);

        Operations.Publish(Make.Operation(status: OperationStatus.Succeeded));
        page.WaitForAssertion(() => Assert.Equal("node-b answers for 203.0.113.10.", page.Find("[data-testid=operation-outcome]").TextContent), Safety);
    }

    [Fact]
    public void Pair_OperationOfAnotherPair_IsNotShown()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        var page = RenderPage<PairPage>(("Name", "web"));

        Operations.Publish(Make.Operation() with { PairId = "id-mail" });
        Fleet.Publish(Fresh(Make.HealthyPair() with { State = PairState.Degraded }));

        page.WaitForAssertion(() => Assert.Equal("Degraded", page.Find("[data-testid=pair-state]").GetAttribute("data-state")), Safety);
        Assert.Empty(page.FindAll("[data-testid=operation-panel]"));
    }

    [Fact]
    public void Pair_TheHubNoLongerRenewsTheFleet_SaysSo()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()) with { At = DateTimeOffset.UtcNow.AddSeconds(-30) });

        var page = RenderPage<PairPage>(("Name", "web"));

        Assert.Contains("Nothing here is current.", page.Find("[data-testid=old-picture]").TextContent, StringComparison.Ordinal);
        Assert.NotNull(page.Find("[data-testid=pair-state]").Closest(".not-current"));
        Assert.All(page.FindAll("button[data-testid^=action-]"), button => Assert.True(button.HasAttribute("disabled"), button.OuterHtml));
        Assert.Contains("picture of the fleet is old", page.Find("[data-testid=action-switchover-why]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void Nodes_TheHubNoLongerRenewsTheFleet_NothingIsInColour()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()) with { At = DateTimeOffset.UtcNow.AddSeconds(-30) });

        var page = RenderPage<NodesPage>();

        Assert.NotEmpty(page.FindAll("[data-testid=old-picture]"));
        Assert.All(page.FindAll("[data-testid=node-row] .link"), link => Assert.NotNull(link.Closest(".not-current")));
    }

    [Fact]
    public async Task Pair_PageIsLeft_LetsGoOfEveryStream()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        var page = RenderPage<PairPage>(("Name", "web"));
        Assert.True(Fleet.Changes.Listeners > 0 && Operations.Changes.Listeners > 0 && Reachability.Changes.Listeners > 0);

        await DisposeComponentsAsync();

        Assert.Equal((0, 0, 0), (Fleet.Changes.Listeners, Operations.Changes.Listeners, Reachability.Changes.Listeners));
    }
}
