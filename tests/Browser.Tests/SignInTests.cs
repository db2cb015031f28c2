using FailoverHub.Browser.Tests.Trial;
using static Microsoft.Playwright.Assertions;

namespace FailoverHub.Browser.Tests;

/// <summary>The one-time link.</summary>
public sealed class SignInTests(TrialRun trial) : BrowserTest(trial)
{
    [Fact]
    public async Task Link_SignsInOnceAndIsRefusedTheSecondTime()
    {
        var link = await Trial.NewSignInLinkAsync(Cancelled);
        var first = await StrangerAsync();
        await first.GotoAsync(link);
        await first.Locator("#sign-in").ClickAsync();
        await Expect(first.GetByTestId($"pair-card-{Pair.Name}")).ToBeVisibleAsync();

        var second = await StrangerAsync();
        await second.GotoAsync(link);
        await second.Locator("#sign-in").ClickAsync();

        await Expect(second.GetByRole(Microsoft.Playwright.AriaRole.Alert)).ToContainTextAsync("used already");
        await Expect(second.GetByTestId("pair-cards")).ToHaveCountAsync(0);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/audit")]
    public async Task NotSignedIn_EveryPage_LeadsToTheSignIn(string path)
    {
        var page = await StrangerAsync();

        await page.GotoAsync(new Uri(Trial.HubUrl, path).AbsoluteUri);

        await Expect(page.GetByText("failoverhub sign-in-link")).ToBeVisibleAsync();
        await Expect(page.GetByTestId("pair-cards")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task SignedOut_ThePagesAreClosedAgain()
    {
        var page = await StrangerAsync();
        await page.GotoAsync(await Trial.NewSignInLinkAsync(Cancelled));
        await page.Locator("#sign-in").ClickAsync();
        await page.GetByTestId("user-menu").ClickAsync();
        await page.GetByTestId("sign-out").ClickAsync();
        await Expect(page.GetByText("failoverhub sign-in-link")).ToBeVisibleAsync();

        await page.GotoAsync(Trial.HubUrl.AbsoluteUri);

        await Expect(page.GetByText("failoverhub sign-in-link")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task SignedOut_PageThatIsOpenInAnotherTab_ShowsNothingAnyMore()
    {
        var page = await StrangerAsync();
        await page.GotoAsync(await Trial.NewSignInLinkAsync(Cancelled));
        await page.Locator("#sign-in").ClickAsync();
        var other = await page.Context.NewPageAsync();
        await other.GotoAsync(Trial.HubUrl.AbsoluteUri);
        await Expect(other.GetByTestId($"pair-card-{Pair.Name}")).ToBeVisibleAsync();

        await page.GetByTestId("user-menu").ClickAsync();
        await page.GetByTestId("sign-out").ClickAsync();

        await Expect(other.GetByText("to see this page.")).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await Expect(other.GetByTestId($"pair-card-{Pair.Name}")).ToHaveCountAsync(0);
        await Expect(other.GetByTestId("user-menu")).ToHaveCountAsync(0);
    }
}
