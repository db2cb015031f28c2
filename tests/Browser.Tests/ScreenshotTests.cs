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
        var page = await OperatorAsync("/", height: 720, scheme: scheme);
        await Expect(page.GetByTestId($"pair-card-{Pair.Name}")).ToBeVisibleAsync();

        await SaveAsync(page, "overview", scheme, wholePage: false);
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task PairPage(ColorScheme scheme)
    {
        var page = await OperatorAsync(PairPath, scheme: scheme);
        await Expect(page.GetByTestId("member-node-b").GetByTestId("member-sessions")).ToContainTextAsync("4/4");

        await SaveAsync(page, "pair", scheme, wholePage: true);
    }

    private static async Task SaveAsync(IPage page, string name, ColorScheme scheme, bool wholePage)
    {
        await page.EvaluateAsync("document.fonts.ready");
        var path = Path.Combine(Folder, scheme == ColorScheme.Dark ? $"{name}-dark.png" : $"{name}.png");
        var picture = await page.ScreenshotAsync(new PageScreenshotOptions { Path = path, FullPage = wholePage });
        Assert.NotEmpty(picture);
    }
}
