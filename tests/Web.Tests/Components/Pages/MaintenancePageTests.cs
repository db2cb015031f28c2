using Bunit;
using FailoverHub.Web.Access;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Maintenance;
using FailoverHub.Web.Components.Layout;
using FailoverHub.Web.Components.Pages.Alerts;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Components.Pages;

/// <summary>Windows as a person plans and ends them, over the real room and a real database.</summary>
[Trait("Kind", "Hub")]
public sealed class MaintenancePageTests : DashboardTest, IAsyncLifetime
{
    private WholeHub _hub = null!;

    private static CancellationToken Stop => Xunit.TestContext.Current.CancellationToken;

    private MaintenanceDesk Desk => _hub.Get<MaintenanceDesk>();

    public async ValueTask InitializeAsync()
    {
        _hub = await WholeHub.StartAsync();
        _hub.Fleet.Publish(Make.Fleet(Make.HealthyPair()));
        Fleet.Publish(Make.Fleet(Make.HealthyPair()));
        Services.AddSingleton(Desk).AddSingleton<IAlerts>(new FakeAlerts()).AddSingleton(_hub.Get<AuditLog>());
        Services.AddScoped<PageGate>();
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        await _hub.DisposeAsync();
    }

    [Fact]
    public void Window_PlannedAndEndedBeforeItsTime()
    {
        var page = RenderPage<MaintenancePage>();
        Assert.Contains("No maintenance is planned", page.Find("[data-testid=empty-state]").TextContent, StringComparison.Ordinal);
        On(page, "plan-maintenance", e => e.Click());
        page.WaitForElement("[data-testid=maintenance-form]", Safety);
        Assert.True(page.Find("[data-testid=maintenance-submit]").HasAttribute("disabled"));
        On(page, "maintenance-target", e => e.Change("web"));
        On(page, "maintenance-until", e => e.Input(Later(TimeSpan.FromHours(2))));
        On(page, "maintenance-reason", e => e.Input("Kernel update"));
        page.WaitForAssertion(() => Assert.False(page.Find("[data-testid=maintenance-submit]").HasAttribute("disabled")), Safety);
        page.Find("[data-testid=maintenance-form]").Submit();

        page.WaitForAssertion(() => Assert.Equal(("web", "Kernel update"), (Desk.Standing.Single().Target, Desk.Standing.Single().Reason)), Safety);
        page.WaitForElement("[data-testid=maintenance-change]", Safety);
        On(page, "maintenance-change", e => e.Click());
        page.WaitForElement("[data-testid=maintenance-end-reason]", Safety);
        On(page, "maintenance-end-reason", e => e.Input("It went quicker"));
        page.WaitForAssertion(() => Assert.False(page.Find("[data-testid=maintenance-end]").HasAttribute("disabled")), Safety);
        On(page, "maintenance-end", e => e.Click());

        page.WaitForAssertion(() => Assert.Empty(Desk.Standing), Safety);
        page.WaitForAssertion(() => Assert.Contains("ended early", page.Find("[data-testid=maintenance-row]").TextContent, StringComparison.Ordinal), Safety);
    }

    [Fact]
    public void Times_AreReadInTheZoneThatTheyAreShownIn()
    {
        var tokyo = TimeZoneInfo.FindSystemTimeZoneById("Asia/Tokyo");
        DateTimeOffset until = TimeProvider.System.GetUtcNow().AddHours(5);
        MaintenanceRequest? planned = null;
        var form = Render<MaintenanceForm>(p => p.AddCascadingValue(DisplayPreferences.Default with { Zone = tokyo, LocalZone = tokyo })
            .Add(f => f.Now, TimeProvider.System.GetUtcNow()).Add(f => f.OnPlan, request => planned = request));
        Assert.Contains("Until, Asia/Tokyo", form.Markup, StringComparison.Ordinal);
        form.Find("[data-testid=maintenance-scope]").Change(nameof(MaintenanceScope.All));
        form.Find("[data-testid=maintenance-until]").Input(TimeZoneInfo.ConvertTime(until, tokyo).ToString("yyyy-MM-ddTHH:mm", System.Globalization.CultureInfo.InvariantCulture));
        form.Find("[data-testid=maintenance-reason]").Input("Kernel update");

        form.Find("[data-testid=maintenance-form]").Submit();

        Assert.InRange((until - planned!.To).TotalMinutes, 0, 1);
        Assert.Equal((MaintenanceScope.All, null, null), (planned.Scope, planned.Target, planned.From));
    }

    [Fact]
    public async Task Planned_IsRemovedAfterASecondPress()
    {
        await PlanAsync(TimeSpan.FromHours(1));
        var page = RenderPage<MaintenancePage>();
        page.WaitForAssertion(() => Assert.Contains("Planned", page.Find("[data-testid=maintenance-state]").TextContent, StringComparison.Ordinal), Safety);

        On(page, "maintenance-change", e => e.Click());
        page.WaitForElement("[data-testid=maintenance-remove]", Safety);
        On(page, "maintenance-remove", e => e.Click());

        page.WaitForAssertion(() => Assert.Empty(Desk.Standing), Safety);
        page.WaitForElement("[data-testid=empty-state]", Safety);
    }

    [Fact]
    public async Task SignedOutMeanwhile_NothingIsDone()
    {
        await PlanAsync(TimeSpan.FromHours(1));
        var page = RenderPage<MaintenancePage>();
        On(page, "maintenance-change", e => e.Click());
        page.WaitForElement("[data-testid=maintenance-remove]", Safety);
        SignedIn = false;

        On(page, "maintenance-remove", e => e.Click());

        page.WaitForElement("[data-testid=maintenance-problem]", Safety);
        Assert.Single(Desk.Standing);
    }

    private static string Later(TimeSpan span) => TimeProvider.System.GetUtcNow().Add(span).ToString("yyyy-MM-ddTHH:mm", System.Globalization.CultureInfo.InvariantCulture);

    private async Task PlanAsync(TimeSpan ahead)
    {
        DateTimeOffset from = TimeProvider.System.GetUtcNow() + ahead;
        Assert.IsType<MaintenanceResult.Done>(await Desk.PlanAsync(new MaintenanceRequest { Scope = MaintenanceScope.Pair, Target = "web", From = from, To = from.AddHours(1), Reason = "Kernel update" }, WholeHub.Tester, Stop));
    }
}
