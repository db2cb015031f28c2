using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FailoverHub.Browser.Tests;

/// <summary>Pictures of alerts.</summary>
public sealed partial class ScreenshotTests
{
    /// <summary>Alerts in each of their states, and the pages around them, on a screen and on a telephone.</summary>
    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Alerts(ColorScheme scheme)
    {
        // Any disk has less room than that: what each of these rules finds begins at once.
        string[] rules = ["Disk of the hub below nine tenths", "Disk of the hub, told twice", "Disk of the hub, known", "Disk of the hub", "Disk of the hub, and a name that is as long as names of rules may be: no more"];
        var page = await OperatorAsync("/alerts/maintenance", height: 1000, scheme: scheme);
        await Expect(page.GetByTestId("empty-state").Or(page.GetByTestId("maintenance-windows").First)).ToBeVisibleAsync();
        await SaveBothAsync(page, "maintenance-empty", scheme);
        await page.GotoAsync(new Uri(Trial.HubUrl, "/settings/alert-rules").AbsoluteUri);
        await page.GetByTestId("change-degraded-pair").ClickAsync();
        await page.GetByTestId("rule-raise").FillAsync("0");
        await page.GetByTestId("rule-resolve").FillAsync("0");
        await page.GetByTestId("save-rule").ClickAsync();
        foreach (var rule in rules)
        {
            await Expect(page.GetByTestId("rule-form")).ToHaveCountAsync(0);
            await page.GetByTestId("new-rule").ClickAsync();
            await page.GetByTestId("rule-name").FillAsync(rule);
            await page.GetByTestId("rule-kind").SelectOptionAsync("HubDisk");
            await page.GetByTestId("rule-threshold").FillAsync("90");
            await page.GetByTestId("rule-raise").FillAsync("0");
            await page.GetByTestId("rule-resolve").FillAsync("0");
            await page.GetByTestId("save-rule").ClickAsync();
        }

        await Expect(page.GetByTestId("rule-form")).ToHaveCountAsync(0);
        await page.GetByTestId("change-degraded-pair").ClickAsync();
        await SaveBothAsync(page, "alert-rules", scheme);
        var window = await Trial.Api.PlanMaintenanceAsync(Pair.Name, "Kernel update on node-b", Cancelled);
        await Trial.Api.StartOnNodeAsync("node-b", new { type = "drain", reason = "Kernel update" }, Cancelled);
        await page.GotoAsync(new Uri(Trial.HubUrl, "/alerts").AbsoluteUri);
        await Expect(page.Locator("[data-testid=alert-row][data-rule=degraded-pair]").GetByTestId("alert-quiet")).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await ActAsync(page, rules[0], "acknowledge", "A larger disk is on its way, and comes on Thursday");
        await ActAsync(page, rules[1], "shelve", "Told by the rule before");
        await Expect(page.GetByTestId("alert-shelf")).ToBeVisibleAsync();
        await SaveBothAsync(page, "alerts", scheme);
        await page.GotoAsync(new Uri(Trial.HubUrl, "/").AbsoluteUri);
        await Expect(page.GetByTestId($"pair-card-{Pair.Name}").GetByTestId("card-maintenance")).ToBeVisibleAsync();
        await SaveBothAsync(page, "overview-maintenance", scheme);
        await page.GotoAsync(new Uri(Trial.HubUrl, PairPath).AbsoluteUri);
        await Expect(page.GetByTestId("maintenance-banner")).ToBeVisibleAsync();
        await Expect(page.GetByTestId("pair-alert-list").GetByTestId("alert-row").First).ToBeVisibleAsync();
        await SaveBothAsync(page, "pair-maintenance", scheme);
        await page.GotoAsync(new Uri(Trial.HubUrl, "/alerts").AbsoluteUri);
        await page.Locator("[data-testid=alert-row]", new() { HasText = rules[0] }).GetByTestId("alert-open").ClickAsync();
        await Expect(page.GetByText("Who was told")).ToBeVisibleAsync();
        await SaveBothAsync(page, "alert", scheme);
        await page.GotoAsync(new Uri(Trial.HubUrl, "/alerts/maintenance").AbsoluteUri);
        await page.GetByTestId("plan-maintenance").ClickAsync();
        await page.GetByTestId("maintenance-when").SelectOptionAsync("later");
        await Expect(page.GetByTestId("maintenance-row").First).ToBeVisibleAsync();
        await SaveBothAsync(page, "maintenance", scheme);
        await page.GotoAsync(new Uri(Trial.HubUrl, "/settings/alert-channels").AbsoluteUri);
        await page.GetByTestId("first-channel").Or(page.GetByTestId("new-channel")).ClickAsync();
        await Expect(page.GetByTestId("channel-form")).ToBeVisibleAsync();
        await SaveBothAsync(page, "alert-channels", scheme);

        // As it was for the tests after this one.
        await Trial.Api.EndMaintenanceAsync(window, "The pictures are drawn", Cancelled);
        await Trial.Api.StartOnNodeAsync("node-b", new { type = "undrain", reason = "The pictures are drawn" }, Cancelled);
        await page.GotoAsync(new Uri(Trial.HubUrl, "/settings/alert-rules").AbsoluteUri);
        foreach (var rule in rules)
        {
            var row = page.Locator("[data-testid=rules] tr", new() { Has = page.GetByText(rule, new() { Exact = true }) });
            await row.GetByRole(AriaRole.Button).ClickAsync();
            await page.GetByTestId("remove-rule").ClickAsync();
            await page.GetByTestId("remove-rule-sure").ClickAsync();
            await Expect(row).ToHaveCountAsync(0);
        }

        await page.GotoAsync(new Uri(Trial.HubUrl, "/alerts?tab=history").AbsoluteUri);
        await Expect(page.GetByTestId("alert-row").Nth(4)).ToBeVisibleAsync();
        await SaveBothAsync(page, "alerts-history", scheme);
    }

    private static async Task ActAsync(IPage page, string rule, string action, string reason)
    {
        await page.Locator("[data-testid=alert-row]", new() { Has = page.GetByText(rule, new() { Exact = true }) }).GetByTestId(action).ClickAsync();
        await page.GetByTestId("alert-reason").FillAsync(reason);
        await page.GetByTestId("alert-submit").ClickAsync();
        await Expect(page.GetByTestId("alert-dialog")).ToHaveCountAsync(0);
    }

    private static async Task SaveBothAsync(IPage page, string name, ColorScheme scheme)
    {
        await SaveAsync(page, name, scheme);
        await page.SetViewportSizeAsync(390, 1400);
        await SaveAsync(page, $"{name}-narrow", scheme);
        await page.SetViewportSizeAsync(1280, 1000);
    }
}
