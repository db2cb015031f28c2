using System.Collections.Immutable;
using Bunit;
using FailoverHub.Web.Components.Pages.Pairs;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Components.Pages;

public sealed class ConfirmDialogTests : DashboardTest
{
    [Fact]
    public void Switchover_WithAReason_IsSentWithTheRevisionThatWasSeenAndWhoAsked()
    {
        var page = Open("action-switchover");
        Assert.Contains("Open TCP connections break.", page.Find("[data-testid=confirm-effect]").TextContent, StringComparison.Ordinal);
        Assert.Equal("Move 203.0.113.10 to node-b", page.Find("[data-testid=confirm-submit]").TextContent.Trim());
        Assert.True(page.Find("[data-testid=confirm-submit]").HasAttribute("disabled"));

        // Somebody else changes the pair meanwhile: what is sent still names what this operator saw.
        Fleet.Publish(Fresh(Make.HealthyPair() with { Revision = 9 }));
        On(page, "confirm-reason", element => element.Input("Kernel update"));
        On(page, "confirm-submit", element => element.Click());

        page.WaitForAssertion(() => Assert.Single(Operations.Submitted), Safety);
        (OperationRequest request, Actor actor) = Operations.Submitted[0];
        Assert.Equal((OperationType.Switchover, "id-web", "node-b", "Kernel update", 7L), (request.Type, request.Pair, request.Target, request.Reason, request.ExpectedRevision));
        Assert.Equal(Somebody, actor);
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("[data-testid=confirm-dialog]")), Safety);
    }

    [Fact]
    public void OutagePossible_ThePairsNameHasToBeTyped()
    {
        Operations.OnPreview = _ => Make.Preview(outage: true);
        var page = Open("action-drain");

        On(page, "confirm-reason", element => element.Input("Disk replaced"));
        Assert.True(page.Find("[data-testid=confirm-submit]").HasAttribute("disabled"));
        On(page, "confirm-typed", element => element.Input("wed"));
        Assert.True(page.Find("[data-testid=confirm-submit]").HasAttribute("disabled"));
        On(page, "confirm-typed", element => element.Input("web"));
        Assert.False(page.Find("[data-testid=confirm-submit]").HasAttribute("disabled"));
    }

    [Fact]
    public void ABlockingRule_IsSetAsideOnlyWhenTicked_AndNamedInTheRequest()
    {
        Operations.OnPreview = request => Make.Preview(false, Make.Rule("SR-01", "AtLeastOneAnnouncer", false, canOverride: true, remedy: "Bring node-b back first.") with { Overridden = request.OverrideRules.Contains("SR-01") });
        var page = Open("action-drain");
        On(page, "confirm-reason", element => element.Input("Disk replaced"));
        Assert.Contains("Bring node-b back first.", page.Find("[data-testid=rule-SR-01]").TextContent, StringComparison.Ordinal);
        Assert.True(page.Find("[data-testid=confirm-submit]").HasAttribute("disabled"));

        On(page, "override-SR-01", element => element.Change(true));
        On(page, "confirm-submit", element => element.Click());

        page.WaitForAssertion(() => Assert.Equal(["SR-01"], Assert.Single(Operations.Submitted).Request.OverrideRules), Safety);
    }

    [Fact]
    public void ARuleThatCannotBeSetAside_OffersNoTick()
    {
        var page = Open("action-drain");
        Operations.OnPreview = _ => Make.Preview(false, Make.Rule("SR-05", "OneInFlight", false, remedy: "Wait until it has ended."));

        On(page, "confirm-reason", element => element.Input("Disk replaced"));

        Assert.Empty(page.FindAll("[data-testid=override-SR-05]"));
        Assert.True(page.Find("[data-testid=confirm-submit]").HasAttribute("disabled"));
    }

    [Fact]
    public void Refused_StaysOpenAndSaysTheRule()
    {
        Operations.OnSubmit = _ => new SubmitResult.Refused(Make.Preview(false, Make.Rule("SR-04", "ExpectedRevision", false, message: "The pair has changed since.")));
        var page = Open("action-switchover");

        On(page, "confirm-reason", element => element.Input("Kernel update"));
        On(page, "confirm-submit", element => element.Click());

        page.WaitForAssertion(() => Assert.Contains("SR-04 ExpectedRevision: The pair has changed since.", page.Find("[data-testid=confirm-refusal]").TextContent, StringComparison.Ordinal), Safety);
    }

    [Fact]
    public void AuditCannotBeWritten_SaysThatNothingWasDone()
    {
        Operations.OnSubmit = _ => new SubmitResult.Unavailable("The audit could not be written: disk full.");
        var page = Open("action-switchover");

        On(page, "confirm-reason", element => element.Input("Kernel update"));
        On(page, "confirm-submit", element => element.Click());

        page.WaitForAssertion(() => Assert.Equal("Nothing was done. The audit could not be written: disk full.", page.Find("[data-testid=confirm-refusal]").TextContent.Trim()), Safety);
    }

    /// <summary>The hub is asked all the same, without any rights: it refuses, and keeps in the audit what was tried.</summary>
    [Fact]
    public void SessionThatEndedSinceThePageWasLoaded_IsRefusedByTheHub()
    {
        Operations.OnSubmit = _ => new SubmitResult.Forbidden("Setting operations going needs the role Operator.");
        var page = Open("action-switchover");
        On(page, "confirm-reason", element => element.Input("Kernel update"));
        SignedIn = false;

        On(page, "confirm-submit", element => element.Click());

        page.WaitForAssertion(() => Assert.Contains("not signed in any more", page.Find("[data-testid=confirm-refusal]").TextContent, StringComparison.Ordinal), Safety);
        Assert.Equal(Rights.None, Assert.Single(Operations.Submitted).Actor.Rights);
    }

    [Fact]
    public void SetRole_ChoosesTheRoleThatTheNodeDoesNotHave()
    {
        var page = Open("action-set-role");

        On(page, "role-primary", element => element.Change("on"));
        Assert.Equal("Make node-a primary for 203.0.113.10", page.Find("[data-testid=confirm-submit]").TextContent.Trim());
        On(page, "role-secondary", element => element.Change("on"));
        Assert.Equal("Make node-a secondary for 203.0.113.10", page.Find("[data-testid=confirm-submit]").TextContent.Trim());
    }

    [Fact]
    public void Later_IsSentWithItsTimeAndItsWindow_AndTheButtonSaysSo()
    {
        var page = Open("action-switchover");
        On(page, "confirm-reason", element => element.Input("Kernel update"));

        On(page, "start-when", element => element.Change("later"));
        On(page, "start-at", element => element.Input("2099-01-02T03:04"));
        On(page, "start-window", element => element.Change("60"));
        Assert.Equal("Schedule: Move 203.0.113.10 to node-b", page.Find("[data-testid=confirm-submit]").TextContent.Trim());
        On(page, "confirm-submit", element => element.Click());

        page.WaitForAssertion(() => Assert.Single(Operations.Submitted), Safety);
        OperationRequest request = Operations.Submitted[0].Request;
        Assert.Equal((new DateTimeOffset(2099, 1, 2, 3, 4, 0, TimeSpan.Zero), new DateTimeOffset(2099, 1, 2, 4, 4, 0, TimeSpan.Zero)), (request.StartAt, request.WindowEndsAt));
    }

    [Fact]
    public void Later_WithoutATime_NeverBeginsNow()
    {
        Operations.OnProblem = request => request.StartAt is { } at && at < DateTimeOffset.UtcNow ? new SubmitResult.Invalid(new Dictionary<string, string> { ["startAt"] = "Write a time later than now." }.ToImmutableDictionary()) : null;
        var page = Open("action-switchover");
        On(page, "confirm-reason", element => element.Input("Kernel update"));
        On(page, "start-when", element => element.Change("later"));

        On(page, "start-at", element => element.Input(""));

        Assert.Contains("Write a time later than now.", page.Find("[data-testid=confirm-dialog]").TextContent, StringComparison.Ordinal);
        Assert.True(page.Find("[data-testid=confirm-submit]").HasAttribute("disabled"));
        On(page, "start-when", element => element.Change(""));
        Assert.False(page.Find("[data-testid=confirm-submit]").HasAttribute("disabled"));
        Assert.Equal("Move 203.0.113.10 to node-b", page.Find("[data-testid=confirm-submit]").TextContent.Trim());
    }

    [Fact]
    public void AFreezeBeginsWhenItIsAskedFor()
    {
        var page = Open("action-freeze");

        Assert.Empty(page.FindAll("[data-testid=start-when]"));
    }

    private IRenderedComponent<PageFrame> Open(string action)
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        var page = RenderPage<PairPage>(("Name", "web"));
        On(page, action, element => element.Click());
        page.WaitForElement("[data-testid=confirm-reason]", Safety);
        return page;
    }
}
