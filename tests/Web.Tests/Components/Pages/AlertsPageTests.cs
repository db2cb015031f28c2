using Bunit;
using FailoverHub.Web.Access;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Maintenance;
using FailoverHub.Web.Components.Layout;
using FailoverHub.Web.Components.Pages.Alerts;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Components.Pages;

/// <summary>What is wrong as a person sees it: the worst first, what is taken on and kept quiet below, and a word for each.</summary>
[Trait("Kind", "Hub")]
public sealed class AlertsPageTests : DashboardTest, IAsyncLifetime
{
    private readonly FakeAlerts _alerts = new();
    private WholeHub _hub = null!;

    public async ValueTask InitializeAsync()
    {
        // Refusals of the gate are audited: that needs a real room behind it.
        _hub = await WholeHub.StartAsync();
        Services.AddSingleton<IAlerts>(_alerts);
        Services.AddSingleton(_hub.Get<AuditLog>());
        Services.AddSingleton(_hub.Get<MaintenanceDesk>());
        Services.AddScoped<PageGate>();
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        await _hub.DisposeAsync();
    }

    [Fact]
    public void Active_StandsWithSeveritySubjectAndStateInWordsWhatNeedsNobodyBelow()
    {
        _alerts.Publish(
            FakeAlerts.Make("a3") with { Acknowledged = new AlertAcknowledgement("alice", Make.At, "I am on it") },
            FakeAlerts.Make("a2") with { QuietBecause = "frozen by bob until 15:00" },
            FakeAlerts.Make("a1", EventSeverity.Warning));

        var page = RenderPage<AlertsPage>();

        Assert.Equal(["a1", "a3", "a2"], page.FindAll("[data-testid=alert-row]").Select(r => r.GetAttribute("data-alert")));
        Assert.Equal(["Needs somebody", "Acknowledged", "Kept quiet"], page.FindAll("[data-testid=alert-state]").Select(s => s.TextContent.Trim()));
        Assert.Contains("I am on it", page.Find("[data-testid=alert-acknowledged]").TextContent, StringComparison.Ordinal);
        Assert.All(page.FindAll("[data-testid=alert-since] .not-printed"), since => Assert.Equal("2026-11-22 14:00:00", since.TextContent));
        Assert.Contains("frozen by bob", page.Find("[data-testid=alert-quiet]").TextContent, StringComparison.Ordinal);
        Assert.Equal(["/alerts/a1", "/pairs/web"], page.FindAll("[data-testid=alert-row]")[0].QuerySelectorAll("a").Select(a => a.GetAttribute("href")));
    }

    [Fact]
    public async Task Maintenance_ThatIsInForce_StandsAboveTheAlerts()
    {
        DateTimeOffset until = TimeProvider.System.GetUtcNow().AddHours(1);
        Assert.IsType<MaintenanceResult.Done>(await _hub.Get<MaintenanceDesk>().PlanAsync(new MaintenanceRequest { Scope = MaintenanceScope.All, To = until, Reason = "New switches" }, WholeHub.Tester, Xunit.TestContext.Current.CancellationToken));

        var page = RenderPage<AlertsPage>();

        Assert.Contains("Maintenance of everything until", page.Find("[data-testid=maintenance-banner]").TextContent, StringComparison.Ordinal);
        Assert.Contains("New switches", page.Find("[data-testid=maintenance-banner]").TextContent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a1", true)]
    [InlineData("a0", false)]
    public void Page_OfOneAlert_ShowsItAndWhoWasToldActiveOrOver(string id, bool isActive)
    {
        _alerts.Publish(FakeAlerts.Make());
        _alerts.Over.Add(FakeAlerts.Make("a0") with { ResolvedAt = Make.At.AddMinutes(5), ResolvedText = "It is as it should be again." });

        var page = RenderPage<AlertPage>(("Id", id));

        page.WaitForAssertion(() => Assert.Equal([id], page.FindAll("[data-testid=alert-row]").Select(r => r.GetAttribute("data-alert"))), Safety);
        Assert.Equal(isActive ? 1 : 0, page.FindAll("[data-testid=acknowledge]").Count);
        Assert.Contains("Nobody was told", page.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_OfAnAlertThatIsNotThere_SaysSo()
    {
        var page = RenderPage<AlertPage>(("Id", "none"));

        page.WaitForAssertion(() => Assert.Contains("There is no such alert", page.Find("[data-testid=empty-state]").TextContent, StringComparison.Ordinal), Safety);
    }

    [Fact]
    public void NothingWrong_TeachesWhatWouldStandHere()
    {
        var page = RenderPage<AlertsPage>();

        Assert.Contains("Nothing is wrong", page.Find("[data-testid=empty-state]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void NewAlert_AppearsByItself()
    {
        var page = RenderPage<AlertsPage>();

        _alerts.Publish(FakeAlerts.Make());

        page.WaitForElement("[data-testid=alert-row]", Safety);
    }

    [Fact]
    public void Acknowledge_AsksWhatIsBeingDoneAndSendsIt()
    {
        _alerts.Publish(FakeAlerts.Make());
        var page = RenderPage<AlertsPage>();

        On(page, "acknowledge", e => e.Click());
        page.WaitForElement("[data-testid=alert-dialog]", Safety);
        Assert.True(page.Find("[data-testid=alert-submit]").HasAttribute("disabled"));
        On(page, "alert-reason", e => e.Input("Driving there"));
        page.WaitForAssertion(() => Assert.False(page.Find("[data-testid=alert-submit]").HasAttribute("disabled")), Safety);
        On(page, "alert-submit", e => e.Click());

        page.WaitForAssertion(() => Assert.Empty(page.FindAll("[data-testid=alert-dialog]")), Safety);
        (string id, AlertChangeRequest change, _) = Assert.Single(_alerts.Asked);
        Assert.Equal(("a1", new AlertChangeRequest.Acknowledge("Driving there")), (id, change));
    }

    [Fact]
    public void Shelve_ForAWhileWithAReason()
    {
        _alerts.Publish(FakeAlerts.Make());
        var page = RenderPage<AlertsPage>();

        On(page, "shelve", e => e.Click());
        page.WaitForElement("[data-testid=alert-shelf-minutes]", Safety);
        On(page, "alert-shelf-minutes", e => e.Change("240"));
        On(page, "alert-reason", e => e.Input("Parts are on their way"));
        page.WaitForAssertion(() => Assert.False(page.Find("[data-testid=alert-submit]").HasAttribute("disabled")), Safety);
        On(page, "alert-submit", e => e.Click());

        page.WaitForAssertion(() => Assert.Equal(new AlertChangeRequest.Shelve(TimeSpan.FromHours(4), "Parts are on their way"), Assert.Single(_alerts.Asked).Change), Safety);
    }

    [Fact]
    public void Refusal_IsSaidInTheDialog()
    {
        _alerts.Publish(FakeAlerts.Make());
        _alerts.OnChange = (_, _) => new AlertResult.TooLate("alice has taken it on already.");
        var page = RenderPage<AlertsPage>();
        On(page, "acknowledge", e => e.Click());
        page.WaitForElement("[data-testid=alert-reason]", Safety);
        On(page, "alert-reason", e => e.Input("Driving there"));
        page.WaitForAssertion(() => Assert.False(page.Find("[data-testid=alert-submit]").HasAttribute("disabled")), Safety);
        On(page, "alert-submit", e => e.Click());

        page.WaitForAssertion(() => Assert.Contains("alice has taken it on already.", page.Find("[data-testid=alert-refusal]").TextContent, StringComparison.Ordinal), Safety);
    }

    [Fact]
    public void SignedOutMeanwhile_NothingIsDone()
    {
        _alerts.Publish(FakeAlerts.Make());
        var page = RenderPage<AlertsPage>();
        On(page, "acknowledge", e => e.Click());
        page.WaitForElement("[data-testid=alert-reason]", Safety);
        On(page, "alert-reason", e => e.Input("Driving there"));
        SignedIn = false;
        page.WaitForAssertion(() => Assert.False(page.Find("[data-testid=alert-submit]").HasAttribute("disabled")), Safety);
        On(page, "alert-submit", e => e.Click());

        page.WaitForElement("[data-testid=alert-refusal]", Safety);
        Assert.Empty(_alerts.Asked);
    }

    [Fact]
    public void FilterAndTab_AreInTheUrl()
    {
        _alerts.Publish(FakeAlerts.Make(), FakeAlerts.Make("a2", EventSeverity.Warning) with { Pair = "db", About = "pair db" });
        _alerts.Over.Add(FakeAlerts.Make("a0") with { ResolvedAt = Make.At.AddMinutes(5), ResolvedText = "It is as it should be again." });
        Services.GetRequiredService<NavigationManager>().NavigateTo("/alerts?severity=critical");
        var page = RenderPage<AlertsPage>();

        Assert.Equal(["a1"], page.FindAll("[data-testid=alert-row]").Select(r => r.GetAttribute("data-alert")));
        On(page, "filter-pair", e => e.Change("db"));
        Assert.EndsWith("/alerts?severity=critical&pair=db", Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal);
        Services.GetRequiredService<NavigationManager>().NavigateTo("/alerts?tab=history");

        page.WaitForAssertion(() => Assert.Equal(["a0"], page.FindAll("[data-testid=alert-row]").Select(r => r.GetAttribute("data-alert"))), Safety);
        Assert.Empty(page.FindAll("[data-testid=acknowledge]"));
    }

    [Fact]
    public async Task History_OfAnotherFilter_IsNotWhatTheFilterBeforeHasFound()
    {
        var slow = new SlowAlerts();
        slow.Over.Add(FakeAlerts.Make("a0") with { ResolvedAt = Make.At.AddMinutes(5), ResolvedText = "It is as it should be again." });
        Services.AddSingleton<IAlerts>(slow);
        NavigationManager navigation = Services.GetRequiredService<NavigationManager>();
        navigation.NavigateTo("/alerts?tab=history");
        var page = RenderPage<AlertsPage>();
        page.WaitForElement("[data-testid=alert-row]", Safety);

        slow.Ready = new TaskCompletionSource();
        await page.InvokeAsync(() => navigation.NavigateTo("/alerts?tab=history&pair=db"));

        page.WaitForElement("[data-testid=reading]", Safety);
        Assert.Empty(page.FindAll("[data-testid=alert-row]"));
        await page.InvokeAsync(slow.Ready.SetResult);
        page.WaitForAssertion(() => Assert.Contains("No alert matches", page.Find("[data-testid=empty-state]").TextContent, StringComparison.Ordinal), Safety);
    }

    [Fact]
    public void History_ReadBackwards_StandsStillAndSaysThatSomethingHasEnded()
    {
        _alerts.Publish(FakeAlerts.Make("b1"));
        _alerts.Over.AddRange(Enumerable.Range(100, 80).Select(i => FakeAlerts.Make($"a{i}") with { ResolvedAt = Make.At.AddMinutes(5), ResolvedText = "It is as it should be again." }));
        Services.GetRequiredService<NavigationManager>().NavigateTo("/alerts?tab=history");
        var page = RenderPage<AlertsPage>();
        page.WaitForElement("[data-testid=load-older]", Safety);
        On(page, "load-older", e => e.Click());
        page.WaitForAssertion(() => Assert.Equal(80, page.FindAll("[data-testid=alert-row]").Count), Safety);

        _alerts.Over.Add(FakeAlerts.Make("b1") with { ResolvedAt = Make.At.AddMinutes(6), ResolvedText = "It is as it should be again." });
        _alerts.Publish();

        page.WaitForElement("[data-testid=newer-wait]", Safety);
        Assert.Equal(80, page.FindAll("[data-testid=alert-row]").Count);
        On(page, "newer-wait", e => e.Click());
        page.WaitForAssertion(() => Assert.Equal("b1", page.FindAll("[data-testid=alert-row]")[0].GetAttribute("data-alert")), Safety);
        Assert.Empty(page.FindAll("[data-testid=newer-wait]"));
    }

    [Fact]
    public void Badge_CountsWhatNeedsSomebody()
    {
        var page = RenderPage<AlertBadge>();
        Assert.Empty(page.FindAll("[data-testid=alert-badge]"));

        _alerts.Publish(FakeAlerts.Make(), FakeAlerts.Make("a2"), FakeAlerts.Make("a3") with { Acknowledged = new AlertAcknowledgement("alice", Make.At, "on it") });

        page.WaitForAssertion(() => Assert.Equal("2", page.Find("[data-testid=alert-badge]").TextContent), Safety);
    }

    [Fact]
    public void Query_ComesBackAsItWasWritten()
    {
        var query = new AlertQuery { IsHistory = true, Text = "no answer", Severity = "warning", Pair = "web", Node = "node-a" };

        Assert.Equal("/alerts?tab=history&q=no%20answer&severity=warning&pair=web&node=node-a", query.ToUrl());
        Assert.Equal("/alerts", new AlertQuery().ToUrl());
        Assert.False(query.IsEmpty);
        Assert.True(new AlertQuery { IsHistory = true }.IsEmpty);
    }
}
