using Bunit;
using FailoverHub.Web.Components.Pages.History.Stories;
using FailoverHub.Web.Components.Pages.Operations;
using FailoverHub.Web.Components.Pages.Operations.Listing;
using FailoverHub.Web.Components.Pages.Pairs;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Components.Fakes;

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

    [Fact]
    public void Rules_StandWithTheOperationWithWhatTheySaw()
    {
        OperationView operation = Make.Operation("op-1") with { Rules = [Make.Rule("SR-01", "AtLeastOneAnnouncer", passed: true), Make.Rule("SR-02", "NoDualPrimary", passed: false, remedy: "Wait.") with { Overridden = true }] };

        var shown = Render<RuleResults>(parameters => parameters.Add(component => component.Operation, operation));

        Assert.Contains("allowed", shown.Find("[data-testid=rule-SR-01]").TextContent, StringComparison.Ordinal);
        Assert.Contains("set aside", shown.Find("[data-testid=rule-SR-02]").TextContent, StringComparison.Ordinal);
    }

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
