using FailoverHub.Browser.Tests.Trial;
using static Microsoft.Playwright.Assertions;

namespace FailoverHub.Browser.Tests;

/// <summary>A node of the real trial is drained, its pair is degraded, and somebody takes the alert on.</summary>
public sealed class AlertTests(TrialRun trial) : BrowserTest(trial)
{
    [Fact]
    public async Task Alert_RaisedTakenOnAndOver_IsSeenInEveryOpenBrowser()
    {
        var rule = await OperatorAsync("/settings/alert-rules");
        await rule.GetByTestId("change-degraded-pair").ClickAsync();
        await rule.GetByTestId("rule-raise").FillAsync("0");
        await rule.GetByTestId("rule-resolve").FillAsync("0");
        await rule.GetByTestId("save-rule").ClickAsync();
        await Expect(rule.GetByTestId("rule-form")).ToHaveCountAsync(0);
        var other = await OperatorAsync("/nodes");
        var page = await OperatorAsync("/alerts");

        await Trial.Api.StartOnNodeAsync("node-b", new { type = "drain", reason = "To see it degraded" }, Cancelled);
        var row = page.Locator("[data-testid=alert-row][data-rule=degraded-pair]");
        await Expect(row).ToHaveCountAsync(1, new() { Timeout = 30_000 });
        await Expect(other.GetByTestId("alert-badge")).ToBeVisibleAsync();
        await row.GetByTestId("acknowledge").ClickAsync();
        await page.GetByTestId("alert-reason").FillAsync("Kernel update on node-b");
        await page.GetByTestId("alert-submit").ClickAsync();

        await Expect(row.GetByTestId("alert-acknowledged")).ToContainTextAsync("Kernel update on node-b");
        await Expect(row.GetByTestId("alert-state")).ToContainTextAsync("Acknowledged");
        await Trial.Api.StartOnNodeAsync("node-b", new { type = "undrain", reason = "It is done" }, Cancelled);
        await Expect(row).ToHaveCountAsync(0, new() { Timeout = 60_000 });
        await page.GetByTestId("tab-history").ClickAsync();
        await Expect(row.First).ToContainTextAsync("Over");
    }
}
