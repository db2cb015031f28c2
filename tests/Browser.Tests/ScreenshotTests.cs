using FailoverHub.Browser.Tests.Trial;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FailoverHub.Browser.Tests;

/// <summary>
/// Draws the pictures of the documentation, and so that they can be drawn. Into <c>TestResults/browser/images</c>, or into the folder
/// (from the repository's root) that <c>FAILOVERHUB_SCREENSHOTS</c> names.
/// </summary>
public sealed class ScreenshotTests(TrialRun trial) : BrowserTest(trial)
{
    private static readonly string Folder = Directory.CreateDirectory(Path.Combine(
        Places.Root,
        Environment.GetEnvironmentVariable("FAILOVERHUB_SCREENSHOTS") ?? Path.Combine(Places.Results, "images"))).FullName;

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Overview(ColorScheme scheme)
    {
        var page = await OperatorAsync("/", height: 860, scheme: scheme);
        await Expect(page.GetByTestId($"pair-card-{Pair.Name}")).ToBeVisibleAsync();

        await SaveAsync(page, "overview", scheme);
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task PairAfterASwitchover(ColorScheme scheme)
    {
        var page = await OperatorAsync(PairPath, height: 1180, scheme: scheme);
        await CommandAsync(page.GetByTestId("action-switchover"), "Kernel update on node-a");
        await Expect(page.GetByTestId("operation-panel")).ToHaveAttributeAsync("data-status", "Succeeded", new() { Timeout = 30_000 });
        await Expect(page.GetByTestId("confirm-dialog")).ToHaveCountAsync(0);
        await Expect(page.GetByTestId("active-node")).ToHaveAttributeAsync("data-node", "node-b");

        await SaveAsync(page, "pair", scheme);
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 390)]
    [InlineData(ColorScheme.Dark, 390)]
    public async Task Reachability(ColorScheme scheme, int width)
    {
        string size = width < 600 ? "-narrow" : "";
        var page = await OperatorAsync("/reachability", width, 860, scheme);
        await Expect(page.GetByTestId("target-row").First).ToBeVisibleAsync();
        await SaveAsync(page, $"reachability{size}", scheme);

        await page.GotoAsync(new Uri(Trial.HubUrl, $"/reachability/{Trial.SharedAddress}/32?range=1h").AbsoluteUri);
        await Expect(page.GetByTestId("smoke")).ToBeVisibleAsync();
        await SaveAsync(page, $"target{size}", scheme);

        await page.GotoAsync(new Uri(Trial.HubUrl, PairPath).AbsoluteUri);
        await page.GetByRole(AriaRole.Tab, new() { Name = "Outages" }).ClickAsync();
        await page.GetByRole(AriaRole.Tab, new() { Name = "Outages" }).ScrollIntoViewIfNeededAsync();
        await SaveAsync(page, $"outages{size}", scheme);
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Drill(ColorScheme scheme)
    {
        var cancelled = TestContext.Current.CancellationToken;
        var before = await Trial.Api.NewestDrillAsync(cancelled);
        var page = await OperatorAsync(PairPath, height: 1180, scheme: scheme);
        await CommandAsync(page.GetByTestId("action-drill"), "Monthly drill");
        var drill = await Waiting.UntilAsync(() => Trial.Api.NewestDrillAsync(cancelled), found => found is { Status: not ("Running" or "Queued") } && found.Value.Id != before?.Id, "the drill has ended", cancelled);

        await page.GotoAsync(new Uri(Trial.HubUrl, $"/operations/{drill!.Value.Id}").AbsoluteUri);
        await Expect(page.GetByTestId("drill-report")).ToHaveAttributeAsync("data-passed", "true");

        await SaveAsync(page, "drill", scheme);
    }

    private static async Task SaveAsync(IPage page, string name, ColorScheme scheme)
    {
        await page.EvaluateAsync("document.fonts.ready");
        await page.Mouse.MoveAsync(0, 0);
        var path = Path.Combine(Folder, $"{name}-{(scheme == ColorScheme.Dark ? "dark" : "light")}.png");
        var picture = await page.ScreenshotAsync(new PageScreenshotOptions { Path = path, Animations = ScreenshotAnimations.Disabled });
        Assert.NotEmpty(picture);
    }
}
