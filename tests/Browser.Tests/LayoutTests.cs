using System.Collections.Concurrent;
using FailoverHub.Browser.Tests.Trial;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FailoverHub.Browser.Tests;

/// <summary>Every page: loads whole, says nothing to the console, and fits a telephone.</summary>
public sealed class LayoutTests(TrialRun trial) : BrowserTest(trial)
{
    private const string PairPage = "(pair)";

    public static TheoryData<string> Pages => ["/", PairPage, "/nodes", "/nodes/node-a", "/operations", "/alerts", "/alerts?tab=history", "/alerts/maintenance", "/settings/alert-rules", "/settings/alert-channels", "/events", "/audit"];

    [Theory]
    [MemberData(nameof(Pages))]
    [InlineData("/reachability")]
    [InlineData(TargetPage)]
    public async Task Page_LoadsWholeAndWithoutErrors(string path)
    {
        var problems = new ConcurrentQueue<string>();
        var page = await OperatorAsync(Resolve(path), prepare: page => Listen(page, problems));

        await AssertLiveAsync(page);

        Assert.Equal("", string.Join('\n', problems));
    }

    [Fact]
    public async Task SignInPage_LoadsWholeAndWithoutErrors()
    {
        var problems = new ConcurrentQueue<string>();
        var page = await StrangerAsync();
        Listen(page, problems);

        await page.GotoAsync(await Trial.NewSignInLinkAsync(Cancelled));
        await Expect(page.Locator("#sign-in")).ToBeVisibleAsync();

        Assert.Equal("", string.Join('\n', problems));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    [InlineData("/reachability")]
    [InlineData(TargetPage)]
    public async Task Page_390PixelsWide_DoesNotScrollSideways(string path)
    {
        var page = await OperatorAsync(Resolve(path), width: 390, height: 844);
        await AssertLiveAsync(page);

        var excess = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");

        Assert.True(excess <= 0, $"{path} is {excess} pixels wider than a telephone.");
    }

    [Theory]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    [InlineData(360, ColorScheme.Light)]
    [InlineData(360, ColorScheme.Dark)]
    public async Task Menu_OfATelephone_CutsNoWordAlsoWhenItIsUnfolded(int width, ColorScheme scheme)
    {
        var page = await OperatorAsync("/", width, height: 844, scheme: scheme);
        await AssertLiveAsync(page);
        Assert.Equal("", await CutWordsAsync(page));

        await page.GetByTestId("nav-more").ClickAsync();
        await Expect(page.Locator("nav .rest a").First).ToBeVisibleAsync();

        Assert.Equal("", await CutWordsAsync(page));
        await page.Locator("nav a[href='/reachability']").ClickAsync();
        await Expect(page.Locator("nav .rest a").First).ToBeHiddenAsync();
    }

    // A word is cut when it is wider than its entry, or its entry hides a part of it.
    private static Task<string> CutWordsAsync(IPage page) => page.EvaluateAsync<string>(
        """
        () => [...document.querySelectorAll('nav[aria-label=Main] li')].filter(li => li.offsetParent && li.getClientRects().length)
          .filter(li => { const word = li.querySelector('span:not(.alert-badge)').getBoundingClientRect(), box = li.getBoundingClientRect();
            return word.left < box.left || word.right > box.right || word.bottom > innerHeight || li.firstElementChild.scrollWidth > li.firstElementChild.clientWidth; })
          .map(li => li.innerText).join(', ')
        """);

    private void Listen(IPage page, ConcurrentQueue<string> problems)
    {
        page.Response += (_, response) =>
        {
            if (response.Status >= 400)
            {
                problems.Enqueue($"{response.Status} {response.Url}");
            }
        };
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(Trial.HubUrl.AbsoluteUri, StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal))
            {
                problems.Enqueue($"asked somebody else: {request.Url}");
            }
        };
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
            {
                problems.Enqueue($"{message.Text} ({message.Location})");
            }
        };
        page.PageError += (_, error) => problems.Enqueue(error);
    }

    /// <summary>The page is interactive, not just drawn by the server: its clock of the hub beats.</summary>
    private static async Task AssertLiveAsync(IPage page)
    {
        await Expect(page.Locator("h1").First).ToBeVisibleAsync();
        await Expect(page.GetByTestId("hub-beat")).ToBeVisibleAsync();
        await page.WaitForFunctionAsync("window.Blazor !== undefined");
    }

    private const string TargetPage = "(target)";

    private string Resolve(string path) => path switch { PairPage => PairPath, TargetPage => $"/reachability/{Trial.SharedAddress}/32", _ => path };
}
