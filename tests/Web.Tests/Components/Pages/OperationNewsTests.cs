using Bunit;
using FailoverHub.Web.Components.Live;
using FailoverHub.Web.Components.Pages.Nodes;
using FailoverHub.Web.Components.Pages.Overview;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Components.Pages;

/// <summary>What is set going stays in sight where it was started, until it has ended and a minute longer; also what others set going.</summary>
public sealed class OperationNewsTests : DashboardTest
{
    private static OperationView Standing(OperationStatus status, string id = "op-1") => Make.Operation(id, status) with
    {
        RequestedAt = DateTimeOffset.UtcNow,
        FinishedAt = status is OperationStatus.Failed or OperationStatus.Succeeded ? DateTimeOffset.UtcNow : null,
        Outcome = status == OperationStatus.Failed ? "node-b did not take it." : null,
    };

    [Fact]
    public void Card_KeepsWhatWaitsAndWhatHasJustEndedWithItsWord()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        var page = RenderPage<OverviewPage>();

        Operations.Publish(Standing(OperationStatus.PendingApproval));
        page.WaitForAssertion(() => Assert.Contains("a second person has to approve it", page.Find("[data-testid=card-operation]").TextContent, StringComparison.Ordinal), Safety);

        Operations.Publish(Standing(OperationStatus.Running));
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll("[data-testid=running-operation]")), Safety);
        Assert.Empty(page.FindAll("[data-testid=card-operation]"));

        Operations.Publish(Standing(OperationStatus.Failed));
        page.WaitForAssertion(() => Assert.Equal("Failed", page.Find("[data-testid=card-operation]").GetAttribute("data-status")), Safety);
        Assert.Contains("node-b did not take it.", page.Find("[data-testid=card-operation]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void Card_OfAPageThatIsOpenedLater_HasThemToo()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        Operations.Publish(Standing(OperationStatus.PendingApproval));
        Operations.Publish(Standing(OperationStatus.Failed, "op-2"));
        Operations.Publish(Make.Operation("op-3", OperationStatus.Succeeded));

        var page = RenderPage<OverviewPage>();

        Assert.Equal(["PendingApproval", "Failed"], page.FindAll("[data-testid=card-operation]").Select(line => line.GetAttribute("data-status")));
    }

    [Fact]
    public void PageOfANode_FollowsWhatOthersDoToItAndNotWhatIsDoneToAnother()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        Operations.Publish(Standing(OperationStatus.Running));
        Operations.Publish(Standing(OperationStatus.Running, "op-2") with { Node = "node-a" });
        var page = RenderPage<NodePage>(("Name", "node-b"));
        Assert.Equal("op-1", Assert.Single(page.FindAll("[data-testid=operation-panel]")).GetAttribute("data-operation"));

        Operations.Publish(Standing(OperationStatus.Failed));
        page.WaitForAssertion(() => Assert.Equal("node-b did not take it.", page.Find("[data-testid=operation-outcome]").TextContent), Safety);

        On(page, "operation-dismiss", button => button.Click());
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("[data-testid=operation-panel]")), Safety);
    }

    [Fact]
    public void News_EndAMinuteAfterTheOperationButNotWhatIsStillFollowed()
    {
        var news = new OperationNews();
        OperationView ended = Make.Operation("op-1", OperationStatus.Succeeded);
        news.Take(ended);
        news.Take(Make.Operation("op-2"));

        news.Forget(ended.FinishedAt!.Value + OperationNews.Lasts, kept: "op-1");
        Assert.Equal(["op-2", "op-1"], news.Where(_ => true).Select(operation => operation.Id));

        news.Forget(ended.FinishedAt!.Value + OperationNews.Lasts);
        Assert.Equal(["op-2"], news.Where(_ => true).Select(operation => operation.Id));
    }

    [Fact]
    public void News_WhatWasAnnouncedMeanwhileIsNewerThanWhatWasRead()
    {
        var news = new OperationNews();
        news.Take(Make.Operation("op-1", OperationStatus.Succeeded));

        news.TakeRead(Make.Operation("op-1"));

        Assert.Equal(OperationStatus.Succeeded, Assert.Single(news.Where(_ => true)).Status);
    }
}
