using Bunit;
using FailoverHub.Web.Components.Pages.History.Stories;
using FailoverHub.Web.Components.Pages.Operations;
using FailoverHub.Web.Components.Pages.Operations.Listing;
using FailoverHub.Web.Components.Pages.Pairs;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Components.Fakes;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Components.Pages;

/// <summary>Operations as the pages show them: filters in the URL, what waits on its pair, what the rules said.</summary>
public sealed class OperationPagesTests : DashboardTest
{
    [Fact]
    public void Query_BecomesTheFilterAndTheAddressOfThePage()
    {
        var query = new OperationQuery { Text = "kernel update", Pair = "web", Type = "switchover", State = "not-succeeded", Actor = "alice" };

        var filter = query.ToFilter(name => name + "-id");

        Assert.Equal(("web-id", OperationType.Switchover, "alice"), (filter.PairId, filter.Type, filter.Actor));
        Assert.Equal([OperationStatus.Failed, OperationStatus.TimedOut, OperationStatus.Refused, OperationStatus.Cancelled], filter.Statuses);
        Assert.Equal("/operations?q=kernel%20update&pair=web&type=switchover&state=not-succeeded&actor=alice", query.ToUrl());
        Assert.Equal("/operations", new OperationQuery().ToUrl());
        Assert.Empty(new OperationQuery { State = "no-such", Type = "no-such" }.ToFilter(name => name).Statuses);
    }

    [Fact]
    public void WhatWaitsForASecondPerson_StandsOnItsPairAlsoWhileSomethingElseRuns()
    {
        PairView pair = Make.Pair("web", PairState.Healthy, "x", "node-a", Make.Node("node-a", Role.Primary), Make.Node("node-b", Role.Secondary));
        Fleet.Publish(Fresh(pair));
        Operations.Known.Add(Make.Operation("op-waits") with { PairId = pair.Id, Status = OperationStatus.PendingApproval, FinishedAt = null, Outcome = null });

        var page = RenderPage<PairPage>(("Name", "web"));
        Assert.Equal("op-waits", page.Find("[data-testid=operation-panel]").GetAttribute("data-operation"));

        Operations.Publish(Make.Operation("op-runs") with { PairId = pair.Id, Status = OperationStatus.Running, FinishedAt = null, Outcome = null, RequestedAt = Make.Operation("op-waits").RequestedAt.AddMinutes(1) });
        page.WaitForAssertion(() => Assert.Equal(["op-waits", "op-runs"], page.FindAll("[data-testid=operation-panel]").Select(panel => panel.GetAttribute("data-operation"))));
    }

    /// <summary>One that waits for its time is not hidden by one that runs.</summary>
    [Fact]
    public void BulkDrains_ThatWaitOrRun_StandOnThePageOfTheDataCenter()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        OperationView waits = Make.Operation("op-waits") with { Type = OperationType.BulkDrain, PairId = "*", Status = OperationStatus.Queued, ScheduledFor = Make.At.AddHours(1), FinishedAt = null, Outcome = null };
        Operations.Known.Add(waits);

        var page = RenderPage<FailoverHub.Web.Components.Pages.Operations.Bulk.BulkDrainPage>();
        page.WaitForAssertion(() => Assert.Equal(["op-waits"], page.FindAll("[data-testid=operation-panel]").Select(panel => panel.GetAttribute("data-operation"))));
        Operations.Publish(waits with { Id = "op-runs", Status = OperationStatus.Running, ScheduledFor = null, RequestedAt = waits.RequestedAt.AddMinutes(1) });

        page.WaitForAssertion(() => Assert.Equal(["op-runs", "op-waits"], page.FindAll("[data-testid=operation-panel]").Select(panel => panel.GetAttribute("data-operation"))));
    }

    /// <summary>A report is kept: the hour alone would say nothing next year, and nothing in another zone.</summary>
    [Fact]
    public void DrillReport_SaysOnWhichDayAndInWhichZone()
    {
        string[] steps = ["Look before: does every address answer", "Fail over to node-b", "Measure the failover", "Fail back to node-a", "Measure the failback"];
        Operations.Known.Add(Make.Operation("op-1", OperationStatus.Failed) with { Type = OperationType.Drill, Title = "Drill of web", Steps = [.. steps.Select(title => new OperationStep(title, StepStatus.Skipped, null, null, null))] });

        var report = Render<DrillReportPanel>(parameters => parameters.Add(panel => panel.DrillId, "op-1"));

        report.WaitForAssertion(() => Assert.Equal("2026-11-22 14:00:00.000 UTC", report.Find("[data-testid=drill-asked-at]").TextContent), Safety);
    }

    [Fact]
    public void List_SaysWhenItWasAskedForOnTheClockToo()
    {
        var table = Render<OperationTable>(parameters => parameters.Add(t => t.Operations, [Make.Operation()]).Add(t => t.Now, Make.At.AddMinutes(5)));

        Assert.Equal("14:00:00.000", table.Find("[data-testid=asked-at] .not-printed").TextContent);
    }

    [Fact]
    public async Task List_WhileItIsRead_DoesNotSayThatNothingWasSetGoing()
    {
        var slow = new SlowOperations();
        Services.AddSingleton<IOperations>(slow);

        var page = RenderPage<OperationsPage>();

        Assert.Equal("Reading…", page.Find("[data-testid=reading]").TextContent);
        Assert.Empty(page.FindAll("[data-testid=empty-state]"));
        await page.InvokeAsync(slow.Ready.SetResult);
        page.WaitForElement("[data-testid=empty-state]", Safety);
        Assert.Empty(page.FindAll("[data-testid=reading]"));
    }

    [Fact]
    public async Task Story_WhileItIsRead_DoesNotSayThatThereIsNoEvent()
    {
        var slow = new SlowHistory();
        Services.AddSingleton<IHistory>(slow);

        var story = Render<OperationStory>(parameters => parameters.Add(component => component.OperationId, "op-1").AddCascadingValue(Somebody));

        Assert.Equal(2, story.FindAll("[data-testid=reading]").Count);
        Assert.DoesNotContain("No event yet.", story.Markup, StringComparison.Ordinal);
        await story.InvokeAsync(slow.Ready.SetResult);
        story.WaitForAssertion(() => Assert.Contains("No event yet.", story.Markup, StringComparison.Ordinal), Safety);
        Assert.Contains("No entry.", story.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public void Rules_StandWithTheOperationWithWhatTheySaw()
    {
        OperationView operation = Make.Operation("op-1") with { Rules = [Make.Rule("SR-01", "AtLeastOneAnnouncer", passed: true), Make.Rule("SR-02", "NoDualPrimary", passed: false, remedy: "Wait.") with { Overridden = true }] };

        var shown = Render<RuleResults>(parameters => parameters.Add(component => component.Operation, operation));

        Assert.Contains("allowed", shown.Find("[data-testid=rule-SR-01]").TextContent, StringComparison.Ordinal);
        Assert.Contains("set aside", shown.Find("[data-testid=rule-SR-02]").TextContent, StringComparison.Ordinal);
        Assert.EndsWith("As it should be.Wait.", shown.Find("[data-testid=rule-SR-02]").TextContent.Trim(), StringComparison.Ordinal);
    }

    /// <summary>Who approves is told what whoever asked was told, as it is now, and types what he typed.</summary>
    [Fact]
    public void SecondPerson_SeesWhatHappensToTrafficAndWhatTheRulesSayNow_BeforeHeApproves()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        Operations.OnPreview = request => request is { Type: OperationType.Switchover, Pair: "id-web", Target: "node-b" }
            ? Make.Preview(outage: true, Make.Rule("SR-03", "TargetReady", passed: false, message: "node-b is silent.", remedy: "Bring it back."), Make.Rule("SR-05", "OneAtATime", passed: true))
            : throw new InvalidOperationException("Something else was asked for.");
        var bar = Decide(Make.Operation("op-1", OperationStatus.PendingApproval), Rights.View | Rights.Approve);
        Assert.Empty(bar.FindAll("[data-testid=decision-effect]"));

        bar.Find("[data-testid=operation-approve]").Click();

        Assert.Contains("203.0.113.10 moves from node-a to node-b. Open TCP connections break.", bar.Find("[data-testid=decision-effect]").TextContent, StringComparison.Ordinal);
        Assert.All(["SR-03 TargetReady", "node-b is silent.", "Bring it back."], words => Assert.Contains(words, bar.Find("[data-testid=rule-SR-03]").TextContent, StringComparison.Ordinal));
        Assert.Empty(bar.FindAll("[type=checkbox]"));
        bar.Find("[data-testid=decision-reason]").Input("I have looked at it");
        Assert.True(bar.Find("[data-testid=decision-send]").HasAttribute("disabled"));
        bar.Find("[data-testid=decision-typed]").Input("web");
        bar.Find("[data-testid=decision-send]").Click();
        bar.WaitForAssertion(() => Assert.Equal([("op-1", "I have looked at it")], Operations.Cancelled), Safety);
    }

    [Theory]
    [InlineData(OperationType.Switchover, OperationStatus.PendingApproval, "It does not begin: nothing was sent, and no traffic moves.")]
    [InlineData(OperationType.Switchover, OperationStatus.Running, "It stops, and what was done is taken back. Addresses that have moved already move back, and open TCP connections break once more.")]
    [InlineData(OperationType.BulkDrain, OperationStatus.Running, "It stops after the node that is being drained now. What is drained already stays drained.")]
    public void WhoeverCancels_IsToldWhatFollows(OperationType type, OperationStatus status, string said)
    {
        var bar = Decide(Make.Operation("op-1", status) with { Type = type }, Rights.View | Rights.Operate);

        bar.Find("[data-testid=operation-cancel]").Click();

        Assert.Equal(said, bar.Find("[data-testid=decision-effect]").TextContent);
    }

    [Fact]
    public void WhatSomebodyElseHasDecidedMeanwhile_IsNotAskedAboutAnyMore()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        var bar = Decide(Make.Operation("op-1", OperationStatus.PendingApproval), Rights.View | Rights.Approve | Rights.Operate);
        bar.Find("[data-testid=operation-approve]").Click();

        bar.Render(parameters => parameters.Add(component => component.Operation, Make.Operation("op-1")));

        Assert.Empty(bar.FindAll("[data-testid=decision-send]"));
        Assert.NotEmpty(bar.FindAll("[data-testid=operation-cancel]"));
    }

    private IRenderedComponent<DecisionBar> Decide(OperationView operation, Rights rights) =>
        Render<DecisionBar>(parameters => parameters.Add(component => component.Operation, operation).AddCascadingValue(Somebody with { Name = "bob", Rights = rights }));

    [Theory]
    [InlineData(Rights.View, false)]
    [InlineData(Rights.View | Rights.Operate, false)]
    [InlineData(Rights.View | Rights.Audit, true)]
    public void TheAuditOfAnOperation_IsForThoseWhoMayReadTheAudit(Rights rights, bool shown)
    {
        Operations.Known.Add(Make.Operation("op-1"));
        History.Append(Make.AuditEntry(1, operation: "op-1"));

        var story = Render<OperationStory>(parameters => parameters.Add(component => component.OperationId, "op-1").AddCascadingValue(Somebody with { Rights = rights }));

        story.WaitForAssertion(() => Assert.Contains("Events of this operation", story.Markup, StringComparison.Ordinal), Safety);
        Assert.Equal(shown, story.FindAll("h2").Any(title => title.TextContent == "Audit"));
        Assert.Equal(shown, story.Markup.Contains("alice", StringComparison.Ordinal) || story.Markup.Contains("accepted", StringComparison.Ordinal));
    }
}
