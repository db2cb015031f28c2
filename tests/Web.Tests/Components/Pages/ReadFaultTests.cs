using Bunit;
using Bunit.TestDoubles;
using FailoverHub.Web.Components.Layout;
using FailoverHub.Web.Components.Live;
using FailoverHub.Web.Components.Pages.Overview;
using FailoverHub.Web.Components.Pages.Pairs;
using FailoverHub.Web.Tests.Components.Fakes;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Components.Pages;

/// <summary>A database that is away for a moment takes no page off the screen, and nothing it shows is taken for new.</summary>
public sealed class ReadFaultTests : DashboardTest
{
    private static readonly IOException Away = new("the server closed the connection");

    [Fact]
    public void DatabaseGoesAway_WhatWasReadStaysWithANote_AndIsReadAgainByItself()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        History.Append(Make.Event(1, text: "before"));
        var page = RenderPage<OverviewPage>();
        Assert.Empty(page.FindAll("[data-testid=read-fault]"));

        History.Fault = Away;
        History.Append(Make.Event(2, text: "meanwhile"));

        page.WaitForAssertion(() => Assert.Contains("the server closed the connection", page.Find("[data-testid=read-fault]").TextContent, StringComparison.Ordinal), Safety);
        Assert.Contains("The oldest was read at ", page.Find("[data-testid=read-fault-age]").TextContent, StringComparison.Ordinal);
        Assert.Contains("before", page.Find("[data-testid=latest-events]").TextContent, StringComparison.Ordinal);
        Assert.NotEmpty(page.FindAll("[data-testid=pair-card-web]"));

        // Nothing else is announced: it is read again without that.
        History.Fault = null;

        page.WaitForAssertion(() => Assert.Contains("meanwhile", page.Find("[data-testid=latest-events]").TextContent, StringComparison.Ordinal), Safety);
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("[data-testid=read-fault]")), Safety);
    }

    [Fact]
    public void DatabaseIsAwayWhenThePageIsOpened_ThePresentIsThereAndThePastFollows()
    {
        Fleet.Publish(Fresh(Make.HealthyPair()));
        History.Append(Make.Event(1, text: "before"));
        History.Fault = Away;

        var page = RenderPage<PairPage>(("Name", "web"));

        Assert.Equal("Healthy", page.Find("[data-testid=pair-state]").GetAttribute("data-state"));
        Assert.Contains("Reading…", page.Markup, StringComparison.Ordinal);
        Assert.DoesNotContain("No event yet.", page.Markup, StringComparison.Ordinal);
        page.WaitForAssertion(() => Assert.Equal("Some of it has not been read yet.", page.Find("[data-testid=read-fault-age]").TextContent), Safety);

        History.Fault = null;

        page.WaitForAssertion(() => Assert.Contains("before", page.Find("[data-testid=events]").TextContent, StringComparison.Ordinal), Safety);
    }

    [Fact]
    public async Task PageIsLeftWhileTheDatabaseIsAway_ItsFaultGoesWithIt()
    {
        var faults = new ReadFaults();
        History.Fault = Away;
        Render<LatestEvents>(p => p.AddCascadingValue(faults));
        Assert.NotNull(faults.Oldest);

        await DisposeComponentsAsync();

        Assert.Null(faults.Oldest);
    }

    [Fact]
    public void Oldest_IsWhatWasNeverRead_ThenWhatWasReadFirst()
    {
        var faults = new ReadFaults();
        Action first = () => { };
        Action second = () => throw new InvalidOperationException();
        Action third = () => _ = 1;

        faults.Keep(this, first, new ReadFault(Make.At, "first"));
        faults.Keep(this, second, new ReadFault(Make.At.AddSeconds(-1), "second"));
        Assert.Equal("second", faults.Oldest?.Why);

        faults.Keep(this, third, new ReadFault(null, "third"));
        Assert.Equal("third", faults.Oldest?.Why);

        faults.DropAll(this);
        Assert.Null(faults.Oldest);
    }

    [Fact]
    public void PageThatStopped_IsLoadedAgainWhereItWas()
    {
        var navigation = Services.GetRequiredService<BunitNavigationManager>();
        navigation.NavigateTo("/events?kind=role-changed");

        Render<PageStopped>().Find("[data-testid=load-again]").Click();

        NavigationHistory loaded = navigation.History.First();
        Assert.EndsWith("/events?kind=role-changed", loaded.Uri, StringComparison.Ordinal);
        Assert.True(loaded.Options.ForceLoad);
    }
}
