using FailoverHub.Browser.Tests.Trial;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FailoverHub.Browser.Tests;

/// <summary>People with accounts, in a real browser: the temporary password, the app, the passkey, and what a role does not see.</summary>
public sealed class AccountTests(TrialRun trial) : BrowserTest(trial)
{
    private const string Password = "correct horse battery";

    // Passkeys belong to a host name; an address has none.
    private Uri HubByName => new UriBuilder(Trial.HubUrl) { Host = "localhost" }.Uri;

    [Fact]
    public async Task Passkey_MadeOnTheAccountPage_SignsInWithoutAPassword()
    {
        var page = await StrangerAsync();
        await WithAuthenticatorAsync(page);
        await FirstSignInAsync(page, "pat", "Viewer");
        await page.GotoAsync(new Uri(HubByName, "/account").AbsoluteUri);
        await page.GetByTestId("passkey-name").FillAsync("laptop");
        await page.GetByTestId("passkey-password").FillAsync(Password);
        await page.GetByTestId("add-passkey").ClickAsync();
        await Expect(page.GetByTestId("account-done")).ToBeVisibleAsync();
        await Expect(page.GetByTestId("remove-passkey-laptop")).ToBeVisibleAsync();
        await page.GetByTestId("user-menu").ClickAsync();
        await page.GetByTestId("sign-out").ClickAsync();

        await page.Locator("#passkey-sign-in").ClickAsync();

        await Expect(page.GetByTestId($"pair-card-{Pair.Name}")).ToBeVisibleAsync();
        await page.GetByTestId("user-menu").ClickAsync();
        await Expect(page.GetByText("pat", new() { Exact = true })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Viewer_SeesThePairButNeitherButtonsNorAuditNorSettings()
    {
        var page = await StrangerAsync();
        await FirstSignInAsync(page, "vera", "Viewer");

        await page.GotoAsync(new Uri(HubByName, PairPath).AbsoluteUri);

        await Expect(page.GetByTestId("action-switchover").Or(page.GetByTestId("action-failback")).First).ToBeDisabledAsync();
        await Expect(page.GetByText("Needs the role Operator").First).ToBeVisibleAsync();
        await Expect(page.GetByTestId("tab-audit")).ToHaveCountAsync(0);
        await page.GotoAsync(new Uri(HubByName, "/settings/users").AbsoluteUri);
        await Expect(page.GetByText("Your role does not allow this page")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task User_LockedByAnAdmin_LosesTheOpenPageAtOnce()
    {
        var page = await StrangerAsync();
        await FirstSignInAsync(page, "lou", "Operator");
        var admin = await OperatorAsync("/settings/users");
        await admin.GetByTestId("change-lou").ClickAsync();
        await admin.GetByTestId("lock").ClickAsync();
        await admin.GetByTestId("lock-sure").ClickAsync();

        await Expect(admin.GetByTestId("user-lou")).ToContainTextAsync("Locked");
        await Expect(page.GetByText("to see this page.")).ToBeVisibleAsync();
        await Expect(page.GetByTestId("user-menu")).ToHaveCountAsync(0);
    }

    private async Task FirstSignInAsync(IPage page, string name, string role)
    {
        var temporary = await Trial.NewUserAsync(name, role, Cancelled);
        await page.GotoAsync(new Uri(HubByName, "/sign-in").AbsoluteUri);
        await page.Locator("#name").FillAsync(name);
        await page.Locator("#password").FillAsync(temporary);
        await page.Locator("#password-sign-in").ClickAsync();
        await page.Locator("#password").FillAsync(Password);
        await page.Locator("#again").FillAsync(Password);
        await page.Locator("#new-password").ClickAsync();
        await Expect(page.GetByTestId($"pair-card-{Pair.Name}")).ToBeVisibleAsync();
    }

    private static async Task WithAuthenticatorAsync(IPage page)
    {
        var devtools = await page.Context.NewCDPSessionAsync(page);
        await devtools.SendAsync("WebAuthn.enable");
        await devtools.SendAsync("WebAuthn.addVirtualAuthenticator", new Dictionary<string, object>
        {
            ["options"] = new Dictionary<string, object>
            {
                ["protocol"] = "ctap2",
                ["transport"] = "internal",
                ["hasResidentKey"] = true,
                ["hasUserVerification"] = true,
                ["isUserVerified"] = true,
                ["automaticPresenceSimulation"] = true,
            },
        });
    }
}
