using System.Collections.Immutable;
using Bunit;
using FailoverHub.Web.Components.Pages.History;
using FailoverHub.Web.Components.Pages.Nodes;
using FailoverHub.Web.Components.Pages.Operations;
using FailoverHub.Web.Components.Pages.Overview;
using FailoverHub.Web.Components.Pages.Pairs;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Components.Pages;

/// <summary>What nodes keep for themselves, as the pages show it: holds with their countdown, local drains, checks, configurations.</summary>
public sealed class HeldBackPagesTests : DashboardTest
{
    private static readonly ImmutableArray<string> Newer = ["journal", "failback", "local-commands"];

    private static NodeView Held(double? seconds, FailbackPolicy policy = FailbackPolicy.AfterStable, NodeLink link = NodeLink.Connected) => Make.Node("node-a", Role.Secondary, link) with
    {
        Capabilities = Newer,
        Prefixes =
        [
            Make.PrefixOn(Role.Primary, Role.Secondary) with
            {
                Failback = Failback.Of(policy, TimeSpan.FromSeconds(60)),
                Hold = new FailbackHold(seconds is { } s ? TimeSpan.FromSeconds(s) : null, "It returned after a start of the agent."),
            },
        ],
    };

    private static CheckView Check(Health verdict, string? output) => new()
    {
        Name = "web",
        Kind = "http",
        Verdict = verdict,
        VerdictFor = TimeSpan.FromSeconds(5),
        LastRunAgo = TimeSpan.FromSeconds(1),
        LastRunTook = TimeSpan.FromMilliseconds(12),
        LastOutput = output,
        Consequence = "demote",
        Prefixes = [],
    };

    private IRenderedComponent<PageFrame> PairWith(NodeView nodeA)
    {
        Fleet.Publish(Fresh(Make.Pair("web", PairState.FailedOver, "x", "node-b", nodeA, Make.Node("node-b", Role.Secondary))));
        return RenderPage<PairPage>(("Name", "web"));
    }

    [Fact]
    public void HeldPrimary_ShowsTheCountdownOfTheNewestSnapshotAndOffersToFailBackNow()
    {
        var page = PairWith(Held(41.2));
        Assert.Equal("42 s", page.Find("[data-testid=failback-countdown]").TextContent);
        Assert.Equal("Fail back now", page.Find("[data-testid=failback-now]").TextContent.Trim());
        Assert.Empty(page.FindAll("[data-testid=action-failback]"));

        Fleet.Publish(Fresh(Make.Pair("web", PairState.FailedOver, "x", "node-b", Held(40.9), Make.Node("node-b", Role.Secondary))));

        page.WaitForAssertion(() => Assert.Equal("41 s", page.Find("[data-testid=failback-countdown]").TextContent), Safety);
    }

    [Fact]
    public void HeldPrimary_WithSeveralPrefixes_CountsToTheLastAndNamesThemAll()
    {
        var node = Held(41.2);
        var other = Make.PrefixOn(Role.Primary, Role.Secondary, System.Net.IPNetwork.Parse("2001:db8:e001:1b8c::/64")) with { Failback = node.Prefixes[0].Failback, Hold = new FailbackHold(TimeSpan.FromSeconds(50), "x") };

        var note = PairWith(node with { Prefixes = [node.Prefixes[0], other] }).Find("[data-testid=failback-hold]");

        Assert.Equal("50", note.GetAttribute("data-remaining"));
        Assert.Contains("203.0.113.10/32, 2001:db8:e001:1b8c::/64", note.TextContent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Rights.View, true)]
    [InlineData(Rights.View | Rights.Operate, false)]
    public void FailbackPolicy_OnlyAnOperatorChangesIt(Rights rights, bool disabled)
    {
        PairView pair = Make.HealthyPair();

        var line = Render<FailbackLine>(p => p.Add(l => l.Pair, pair).Add(l => l.Command, PairCommand.SetFailbackOf(pair, Operations)).AddCascadingValue(Somebody with { Rights = rights }));

        Assert.Equal(disabled, line.Find("[data-testid=action-set-failback]").HasAttribute("disabled"));
        Assert.Equal("Change failback", line.Find("[data-testid=action-set-failback]").TextContent);
        Assert.Equal(disabled, line.FindAll("[data-testid=failback-why]").Any(why => why.TextContent.StartsWith("Needs the role Operator", StringComparison.Ordinal)));
    }

    /// <summary>What changes each second would be read aloud each second.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(-30)]
    public void WhatIsToldAloudByItself_HasNoFigureThatTicks(int seconds)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        NodeView node = Held(42) with { Refusal = "Its certificate was revoked.", RefusedAt = now.AddSeconds(-3), CloneSign = "Two machines use the certificate of node-a.", CloneSignAt = now.AddSeconds(-3) };
        PairView pair = Make.Pair("web", PairState.FailedOver, "x", "node-b", node, Make.Node("node-b", Role.Secondary)) with { Freeze = new FreezeView(now.AddMinutes(9), "ann", "works", false) };
        Fleet.Publish(Fresh(pair) with { At = now.AddSeconds(seconds), Freeze = new FreezeView(now.AddMinutes(9), "ann", "works", true) });
        Maintenance.Publish(FakeMaintenance.Window(FailoverHub.Web.Alerts.Maintenance.MaintenanceScope.All, "", now));

        const string Aloud = "[role=status], [role=alert]";
        string[] told =
        [
            .. RenderPage<PairPage>(("Name", "web")).FindAll(Aloud)
                .Concat(Render<OverviewPage>().FindAll(Aloud))
                .Concat(Render<NodePage>(p => p.Add(node => node.Name, "node-a")).FindAll(Aloud))
                .Concat(Render<NodesPage>().FindAll(Aloud))
                .Select(region => region.TextContent),
        ];

        Assert.Contains("All pairs are frozen", told);
        Assert.Contains("Maintenance of everything", told);
        Assert.DoesNotContain(told, text => System.Text.RegularExpressions.Regex.IsMatch(text, "[0-9] (s|min|h)\\b|just now"));
    }

    [Fact]
    public void HeldPrimary_OfANodeThatIsSilent_IsNotShownAsCounting() =>
        Assert.Empty(PairWith(Held(null, link: NodeLink.Offline)).FindAll("[data-testid=failback-hold]"));

    [Fact]
    public void HeldPrimary_OfAPictureThatIsOld_IsNotShownAsCounting()
    {
        Fleet.Publish(Make.Fleet(Make.Pair("web", PairState.FailedOver, "x", "node-b", Held(42), Make.Node("node-b", Role.Secondary))) with { At = Make.At });

        Assert.Empty(RenderPage<PairPage>(("Name", "web")).FindAll("[data-testid=failback-hold]"));
    }

    [Fact]
    public void ManualHold_WaitsForWhoeverReadsIt()
    {
        var page = PairWith(Held(null, FailbackPolicy.Manual));

        Assert.Contains("Waits for you", page.Find("[data-testid=failback-hold]").TextContent, StringComparison.Ordinal);
        On(page, "failback-now", button => button.Click());
        page.WaitForAssertion(() => Assert.Contains("Fail web back to node-a", page.Markup, StringComparison.Ordinal), Safety);
    }

    [Fact]
    public void Overview_HeldPrimary_SaysWhenItFailsBack()
    {
        var card = Render<PairCard>(p => p.Add(c => c.Now, Make.At).Add(c => c.Pair, Make.Pair("web", PairState.FailedOver, "x", "node-b", Held(125), Make.Node("node-b", Role.Secondary))));

        Assert.Contains("fails back in 2 min 05 s", card.Find("[data-testid=member-node-a]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void FailbackPolicy_ThatNobodyHasSet_IsTheDefaultAndNodesThatKeepAnotherAreNamed()
    {
        var nodeA = Make.Node("node-a", Role.Primary) with { Capabilities = Newer, Prefixes = [Make.PrefixOn(Role.Primary, Role.Primary) with { Failback = Failback.Of(FailbackPolicy.Immediate, default) }] };

        var line = PairWith(nodeA).Find("[data-testid=failback-policy]");

        Assert.Equal("after-stable", line.GetAttribute("data-policy"));
        Assert.Contains("after 60 s without a break (default)", line.TextContent, StringComparison.Ordinal);
        Assert.Contains("node-a now: at once", line.TextContent, StringComparison.Ordinal);
        Assert.Contains("node-b now: at once: its agent keeps no policy", line.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void FailbackPolicy_IsChangedInADialogThatBeginsWithWhatIsWanted()
    {
        var page = PairWith(Held(42));
        On(page, "action-set-failback", button => button.Click());
        page.WaitForElement("[data-testid=policy-after-stable]", Safety);
        Assert.True(page.Find("[data-testid=policy-after-stable]").HasAttribute("checked"));

        On(page, "stable-seconds", field => field.Input("90"));
        On(page, "confirm-reason", field => field.Input("kernel update"));
        On(page, "confirm-submit", button => button.Click());

        page.WaitForAssertion(() => Assert.Single(Operations.Submitted), Safety);
        Assert.Equal((OperationType.SetFailback, Failback.Of(FailbackPolicy.AfterStable, TimeSpan.FromSeconds(90))), (Operations.Submitted[0].Request.Type, Operations.Submitted[0].Request.Failback));
    }

    [Theory]
    [InlineData(true, false, "yes, on the node itself")]
    [InlineData(true, true, "yes, by the hub and on the node itself")]
    [InlineData(false, true, "yes")]
    public void Drain_SaysWhoOrderedIt(bool locally, bool assigned, string words)
    {
        var page = PairWith(Make.Node("node-a", null) with { LocallyDrained = locally, AssignedDrained = assigned });

        var drained = page.Find("[data-testid=member-drained]");
        Assert.Equal((words, locally ? "true" : "false"), (drained.TextContent.Replace("Drained", "", StringComparison.Ordinal).Trim(), drained.GetAttribute("data-locally")));
    }

    [Theory]
    [InlineData("aa11", "AA11", true)]
    [InlineData("aa11", "bb22", false)]
    [InlineData("aa11", null, false)]
    [InlineData(null, null, false)]
    public void NodesOnOnePhysicalHost_AreMarkedOnThePairsPage(string? first, string? second, bool marked)
    {
        Fleet.Publish(Fresh(Make.Pair("web", PairState.Healthy, "x", "node-a", Make.Node("node-a", Role.Primary) with { Host = first }, Make.Node("node-b", Role.Secondary) with { Host = second })));

        var notes = RenderPage<PairPage>(("Name", "web")).FindAll("[data-testid=same-host]");

        Assert.Equal(marked ? 1 : 0, notes.Count);
        Assert.All(notes, note => Assert.Contains("node-a and node-b run on one physical host (aa11)", note.TextContent, StringComparison.Ordinal));
    }

    [Fact]
    public void Node_ShowsItsChecksWhatTheySaidAndThatItsConfigurationWasNotTaken()
    {
        var node = Make.Node("node-a", Role.Primary) with { Health = Health.Unhealthy, Checks = [Check(Health.Unhealthy, "HTTP 503"), Check(Health.Unknown, null) with { Name = "new" }], ConfigurationProblem = "checks[2].name", AddressProblem = "203.0.113.11/32 stays on lo" };
        Fleet.Publish(Fresh(Make.Pair("web", PairState.Degraded, "x", "node-a", node, Make.Node("node-b", Role.Secondary))));

        var page = RenderPage<NodePage>(("Name", "node-a"));

        Assert.Equal(["Unhealthy", "Unknown"], page.FindAll("[data-testid=check-row]").Select(row => row.GetAttribute("data-verdict")));
        Assert.Contains("HTTP 503", page.Find("[data-testid=check-output]").TextContent, StringComparison.Ordinal);
        Assert.Contains("demotes to secondary", page.Find("[data-testid=check-row]").TextContent, StringComparison.Ordinal);
        Assert.Contains("web: HTTP 503", page.Find("[data-testid=node-health]").TextContent, StringComparison.Ordinal);
        Assert.Contains("checks[2].name", page.Find("[data-testid=configuration-problem]").TextContent, StringComparison.Ordinal);
        Assert.Contains("203.0.113.11/32 stays on lo", page.Find("[data-testid=address-problem]").TextContent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, true, false, "refuses to be drained and to be made secondary by the hub; commands on the node itself are obeyed")]
    [InlineData(true, false, true, "refuses to be made primary by the hub; commands on the node itself are obeyed")]
    [InlineData(true, true, true, null)]
    public void Node_SaysWhatItsConfigurationKeepsFromTheHub(bool drain, bool promote, bool demote, string? words)
    {
        Fleet.Publish(Fresh(Make.Pair("web", PairState.Healthy, "x", "node-a", Make.Node("node-a", Role.Primary) with { Limits = new IntentLimits(drain, promote, demote) }, Make.Node("node-b", Role.Secondary))));

        Assert.Equal(words, RenderPage<NodePage>(("Name", "node-a")).FindAll("[data-testid=node-limits]").SingleOrDefault()?.TextContent);
    }

    [Fact]
    public void SilentNode_ItsFiguresAreThoseOfItsLastReport()
    {
        Fleet.Publish(Fresh(Make.Pair("web", PairState.Degraded, "x", "node-b", Make.Node("node-a", Role.Primary, NodeLink.Stale), Make.Node("node-b", Role.Secondary))));

        var sessions = RenderPage<NodePage>(("Name", "node-a")).Find("[data-testid=node-sessions]");

        Assert.Equal("4 of 4 established at its last report", sessions.TextContent);
        Assert.Contains("not-current", sessions.ClassName, StringComparison.Ordinal);
    }

    [Fact]
    public void PageOfANode_TheHubNoLongerRenewsTheFleet_OffersNoReset()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()) with { At = DateTimeOffset.UtcNow.AddSeconds(-30) });

        var page = RenderPage<NodePage>(("Name", "node-a"));

        Assert.NotEmpty(page.FindAll("[data-testid=old-picture]"));
        Assert.All(page.FindAll("[data-testid=action-reset-session]"), button => Assert.True(button.HasAttribute("disabled")));
        Assert.Contains("picture of the fleet is old", page.Find("[data-testid=reset-why]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void Node_WithoutChecks_SaysWhatThatMeans()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));

        Assert.Contains("No check is configured", RenderPage<NodePage>(("Name", "node-a")).Find("[data-testid=checks]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void Prefix_SaysWhatHoldsItBack()
    {
        var view = Make.PrefixOn(Role.Primary, null) with { WithdrawnReason = WithdrawnReason.Unhealthy, Damped = true, LocalRole = Role.Secondary };
        var table = Render<PrefixTable>(p => p.Add(t => t.Prefixes, [view]).Add(t => t.Node, Make.Node("node-a", Role.Primary) with { Checks = [Check(Health.Unhealthy, "HTTP 503")] }));

        var text = table.Find("[data-testid=prefix-row]").TextContent;
        Assert.Contains("came and went too often", text, StringComparison.Ordinal);
        Assert.Contains("check 'web' fails (HTTP 503)", text, StringComparison.Ordinal);
        Assert.Contains("made secondary on the node itself", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Audit_OfALocalCommand_SaysWhenItHappenedAndWhatItWas()
    {
        var table = Render<AuditTable>(p => p.Add(t => t.Now, Make.At).Add(t => t.Entries,
        [
            Make.AuditEntry(1, "local-command", "accepted: root (uid 0) told this node to drain this node, drained") with { HappenedAt = Make.At.AddHours(-3) },
        ]));

        var row = table.Find("[data-testid=audit-row]").TextContent;
        Assert.Contains("11:00:00", row, StringComparison.Ordinal);
        Assert.Contains("told this node to drain", row, StringComparison.Ordinal);
        Assert.Contains("Accepted", row, StringComparison.Ordinal);
    }

    [Fact]
    public void Commands_WhenTheOtherNodeIsActive_OfferToFailBack()
    {
        var pair = Make.Pair("web", PairState.FailedOver, "x", "node-b", Make.Node("node-a", Role.Secondary), Make.Node("node-b", Role.Primary));

        Assert.Equal(["action-failback", "action-drill"], PairCommand.For(pair, new FakeOperations()).Where(c => c.Node is null).Select(c => c.TestId));
    }
}
