using FailoverHub.Browser.Tests.Trial;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FailoverHub.Browser.Tests;

/// <summary>
/// Draws the pictures of the documentation, and so that they can be drawn. Into <c>TestResults/browser/images</c>, or into the folder
/// (from the repository's root) that <c>FAILOVERHUB_SCREENSHOTS</c> names.
/// </summary>
public sealed partial class ScreenshotTests(TrialRun trial) : BrowserTest(trial)
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

    /// <summary>One drill, for it takes most of a minute: on the pair's page while it measures, then its report as it is read and as it is printed.</summary>
    [Fact]
    public async Task Drill()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var before = await Trial.Api.NewestDrillAsync(cancelled);
        var page = await OperatorAsync(PairPath, height: 1180, scheme: ColorScheme.Light);
        await CommandAsync(page.GetByTestId("action-drill"), "Monthly drill");
        await Expect(page.GetByTestId("operation-step-3")).ToHaveAttributeAsync("data-status", "Running", new() { Timeout = 30_000 });
        await SaveAsync(page, "drill-pair", ColorScheme.Light);

        // Who comes while it measures sees the drill, not the move that was last.
        foreach (var (width, scheme) in new[] { (1280, ColorScheme.Dark), (390, ColorScheme.Light) })
        {
            var later = await OperatorAsync(PairPath, width, 1180, scheme);
            await Expect(later.GetByTestId("operation-panel").GetByRole(AriaRole.Heading)).ToContainTextAsync("Drill of");
            await SaveAsync(later, width < 600 ? "drill-pair-narrow" : "drill-pair", scheme);
        }

        var drill = await Waiting.UntilAsync(() => Trial.Api.NewestDrillAsync(cancelled), found => found is { Status: not ("Running" or "Queued") } && found.Value.Id != before?.Id, "the drill has ended", cancelled);
        foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            foreach (int width in new[] { 1280, 390 })
            {
                var report = await OperatorAsync($"/operations/{drill!.Value.Id}", width, 1180, scheme);
                await Expect(report.GetByTestId("drill-report")).ToHaveAttributeAsync("data-passed", "true");
                await Expect(report.GetByTestId("drill-report").Locator(".figure").First).ToBeVisibleAsync();
                await SaveAsync(report, width < 600 ? "drill-narrow" : "drill", scheme, whole: true);
                if (width > 600)
                {
                    await report.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Print, ColorScheme = scheme });
                    await SaveAsync(report, "drill-printed", scheme, whole: true);
                }
            }
        }
    }

    private static async Task SaveAsync(IPage page, string name, ColorScheme scheme, bool whole = false)
    {
        await page.EvaluateAsync("document.fonts.ready");
        await page.Mouse.MoveAsync(0, 0);
        var path = Path.Combine(Folder, $"{name}-{(scheme == ColorScheme.Dark ? "dark" : "light")}.png");
        var picture = await page.ScreenshotAsync(new PageScreenshotOptions { Path = path, FullPage = whole, Animations = ScreenshotAnimations.Disabled });
        Assert.NotEmpty(picture);
    }
}
