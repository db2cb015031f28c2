using System.Diagnostics;
using System.Text.Json;
using Microsoft.Playwright;

namespace FailoverHub.Bench.Load;

/// <summary>The dashboard in a real Chromium: the page of one node, in which each mark is stamped as soon as it is in the document; or the overview.</summary>
internal sealed class OpenPage : IAsyncDisposable
{
    // Milliseconds of the wall clock, which both processes read from the same kernel.
    private const string Watch = """
        () => {
          window.seen = {};
          const look = () => { for (const m of document.body.innerText.matchAll(/mark \d+;/g)) { window.seen[m[0]] ??= performance.timeOrigin + performance.now(); } };
          new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
        }
        """;

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly IPage _page;

    private OpenPage(IPlaywright playwright, IBrowser browser, IPage page) => (_playwright, _browser, _page) = (playwright, browser, page);

    public Marks Marks { get; } = new();

    /// <summary>Debian's Chromium, or what FAILOVERHUB_CHROMIUM says; null: there is none.</summary>
    public static string? Chromium { get; } = Environment.GetEnvironmentVariable("FAILOVERHUB_CHROMIUM")
        ?? new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists);

    /// <summary>Signs in and opens it.</summary>
    public static async Task<OpenPage> StartAsync(HubProcess hub, string path, string shows, CancellationToken stop)
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Chromium,
            ChromiumSandbox = false,
            Args = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
        var page = await browser.NewPageAsync();
        page.SetDefaultTimeout(60_000);
        await page.GotoAsync(await hub.SignInLinkAsync(stop));
        await page.Locator("#sign-in").ClickAsync();
        await page.WaitForURLAsync(url => !url.Contains("sign-in", StringComparison.Ordinal));
        await page.GotoAsync(hub.Url + path);
        await page.Locator(shows).First.WaitForAsync();
        await page.EvaluateAsync(Watch);
        return new OpenPage(playwright, browser, page);
    }

    /// <summary>Takes over what the page has stamped.</summary>
    public async Task CollectAsync()
    {
        var (wall, here) = (TimeProvider.System.GetUtcNow(), Stopwatch.GetTimestamp());
        var seen = JsonDocument.Parse(await _page.EvaluateAsync<string>("() => JSON.stringify(window.seen)")).RootElement;
        foreach (var mark in seen.EnumerateObject())
        {
            var ago = wall - DateTimeOffset.UnixEpoch - TimeSpan.FromMilliseconds(mark.Value.GetDouble());
            Marks.Seen(mark.Name, here - (long)(ago.TotalSeconds * Stopwatch.Frequency));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
