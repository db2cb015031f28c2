using Bunit;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Components.Layout;
using FailoverHub.Web.Tests.Components.Fakes;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;

namespace FailoverHub.Web.Tests.Components.Pages;

public sealed class NavRailTests : DashboardTest
{
    public NavRailTests() => Services.AddSingleton<IAlerts>(new FakeAlerts());

    [Theory]
    [InlineData("/", "Overview")]
    [InlineData("/nodes/web-1", "Nodes")]
    [InlineData("/settings/users", "Settings")]
    [InlineData("/settings/tokens", "Settings")]
    [InlineData("/settings/retention", "Settings")]
    public void TheEntryOfThePageIsMarked_AlsoWhereItOpensAnotherPageOfItsSection(string path, string entry)
    {
        Services.GetRequiredService<NavigationManager>().NavigateTo(path);

        var rail = Render<NavRail>(p => p.AddCascadingValue(Somebody with { Rights = Rights.View | Rights.Audit | Rights.Administer }));

        Assert.Equal([entry], rail.FindAll("a.active").Select(link => link.TextContent.Trim()));
        Assert.Equal("page", rail.Find("a.active").GetAttribute("aria-current"));
    }

    [Fact]
    public void More_UnfoldsTheRestAndSaysSoAndFoldsItAwayOnceSomethingWasChosen()
    {
        var rail = Render<NavRail>(p => p.AddCascadingValue(Somebody with { Rights = Rights.View | Rights.Audit | Rights.Administer }));
        Assert.Equal("false", rail.Find("[data-testid=nav-more]").GetAttribute("aria-expanded"));

        rail.Find("[data-testid=nav-more]").Click();
        rail.WaitForAssertion(() => Assert.Equal("true", rail.Find("[data-testid=nav-more]").GetAttribute("aria-expanded")), Safety);
        Services.GetRequiredService<NavigationManager>().NavigateTo("/events");

        rail.WaitForAssertion(() => Assert.Equal("false", rail.Find("[data-testid=nav-more]").GetAttribute("aria-expanded")), Safety);
        Assert.Contains("active", rail.Find("[data-testid=nav-more]").ClassName, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_HasTheKeyOfEveryEntry()
    {
        var page = RenderPage<NavRail>();

        await page.InvokeAsync(() => Services.GetRequiredService<IDialogService>().ShowAsync<HelpDialog>("Keyboard"));

        string[] keys = [.. page.FindAll("[data-jump]").Select(link => link.GetAttribute("data-jump")!)];
        Assert.Contains("r", keys);
        page.WaitForAssertion(() => Assert.Equal(keys, page.FindAll(".keys dt").Select(key => key.TextContent).Where(key => key.StartsWith("g ", StringComparison.Ordinal)).Select(key => key[2..])), Safety);
    }

    [Theory]
    [InlineData("/events?kind=role-changed&q=a", "/sign-in?returnUrl=%2Fevents%3Fkind%3Drole-changed%26q%3Da")]
    [InlineData("/", "/sign-in?returnUrl=%2F")]
    public void SigningInAgain_LeadsBackToThePage(string path, string link)
    {
        Services.GetRequiredService<NavigationManager>().NavigateTo(path);

        Assert.Equal(link, Render<NotYourPage>(p => p.Add(n => n.IsSignedIn, false)).Find("[data-testid=sign-in-again]").GetAttribute("href"));
    }

    [Fact]
    public void WhoMayNotGoSomewhereDoesNotSeeTheWay()
    {
        var rail = Render<NavRail>(p => p.AddCascadingValue(Somebody with { Rights = Rights.View }));

        Assert.DoesNotContain(rail.FindAll("a"), link => link.TextContent.Trim() is "Audit" or "Settings");
    }
}
