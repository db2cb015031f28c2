using FailoverHub.Browser.Tests.Trial;
using Microsoft.Playwright;

namespace FailoverHub.Browser.Tests;

/// <summary>
/// A test with browsers: begins with a calm pair, and leaves a picture of every open page behind when it fails
/// (<c>TestResults/browser/NAME.png</c>).
/// </summary>
public abstract class BrowserTest(TrialRun trial) : IAsyncLifetime
{
    private readonly List<IPage> _pages = [];

    /// <summary>Ends with the test.</summary>
    protected static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private protected TrialRun Trial { get; } = trial;

    private protected PairView Pair { get; private set; } = null!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => Pair = await Calm.EnsureAsync(Trial, Cancelled);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        var failed = TestContext.Current.TestState?.Result == TestResult.Failed;
        foreach (var (page, number) in _pages.Select((page, number) => (page, number)))
        {
            if (failed)
            {
                var name = TestContext.Current.TestMethod?.MethodName ?? "unknown";
                await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Places.Results, $"{name}-{number}.png"), FullPage = true });
            }

            await page.Context.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>A browser that nobody has signed in.</summary>
    protected async Task<IPage> StrangerAsync(int width = 1280, int height = 900, ColorScheme scheme = ColorScheme.Light) =>
        await OpenAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = width, Height = height }, ColorScheme = scheme });

    /// <summary>A signed-in browser of its own, on the page <paramref name="path"/>.</summary>
    /// <param name="path">Where to go.</param>
    /// <param name="width">Of the window, CSS pixels.</param>
    /// <param name="height">Of the window, CSS pixels.</param>
    /// <param name="scheme">What the person prefers.</param>
    /// <param name="prepare">Done with the page before it goes there.</param>
    protected async Task<IPage> OperatorAsync(string path, int width = 1280, int height = 900, ColorScheme scheme = ColorScheme.Light, Action<IPage>? prepare = null)
    {
        var page = await OpenAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height },
            ColorScheme = scheme,
            StorageState = await Trial.SignedInStateAsync(Cancelled),
        });
        prepare?.Invoke(page);
        await page.GotoAsync(new Uri(Trial.HubUrl, path).AbsoluteUri);
        return page;
    }

    /// <summary>Path of the pair's page.</summary>
    protected string PairPath => $"/pairs/{Uri.EscapeDataString(Pair.Name)}";

    /// <summary>Presses a command's button, gives the reason, and sends it off.</summary>
    protected static async Task CommandAsync(ILocator button, string reason)
    {
        var page = button.Page;
        await button.ClickAsync();
        await page.GetByTestId("confirm-reason").FillAsync(reason);
        await page.GetByTestId("confirm-submit").ClickAsync();
    }

    private async Task<IPage> OpenAsync(BrowserNewContextOptions options)
    {
        var context = await Trial.Browser.NewContextAsync(options);
        var page = await context.NewPageAsync();
        _pages.Add(page);
        return page;
    }
}
