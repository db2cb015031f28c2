using FailoverHub.Browser.Tests.Trial;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FailoverHub.Browser.Tests;

/// <summary>A drill that somebody calls off. One that goes to its end is in <see cref="ScreenshotTests"/>, report and print.</summary>
public sealed class DrillTests(TrialRun trial) : BrowserTest(trial)
{
    [Fact]
    public async Task CalledOffWhileItMeasures_TheAddressComesBackAtOnce_AndEveryBrowserAndTheAuditShowIt()
    {
        var reason = $"the shop is busy, run {Guid.NewGuid():N}";
        var page = await OperatorAsync(PairPath);
        await CommandAsync(page.GetByTestId("action-drill"), "Monthly drill");
        await Expect(page.GetByTestId("operation-step-3")).ToHaveAttributeAsync("data-status", "Running", Patient());
        Assert.Equal("node-b", Trial.Lab.Holder);
        var drill = (await Trial.Api.NewestDrillAsync(Cancelled))!.Value.Id;

        var other = await OperatorAsync($"/operations/{drill}");
        await other.GetByTestId("operation-cancel").ClickAsync();
        await other.GetByTestId("decision-reason").FillAsync(reason);
        await other.GetByTestId("decision-send").ClickAsync();

        await Expect(other.GetByTestId("operation-panel")).ToHaveAttributeAsync("data-status", "Cancelled", Patient());
        await Expect(other.GetByTestId("operation-outcome")).ToContainTextAsync("the addresses are back");
        await Expect(other.GetByTestId("drill-report")).ToHaveAttributeAsync("data-passed", "false");
        await Expect(page.GetByTestId("active-node")).ToHaveAttributeAsync("data-node", "node-a", Patient());
        Assert.Equal("node-a", Trial.Lab.Holder);
        Assert.Equal("node-a", await SharedAddressClient.AskAsync(Trial.SharedAddress, Cancelled));

        var entry = Assert.Single(await Trial.Api.AuditAsync(Cancelled), line => (string?)line!["reason"] == reason);
        Assert.Equal(("cancel", drill), ((string?)entry!["action"], (string?)entry["correlationId"]));
    }

    private static LocatorAssertionsToHaveAttributeOptions Patient() => new() { Timeout = 60_000 };
}
