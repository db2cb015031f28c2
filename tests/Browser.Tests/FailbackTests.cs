using System.Globalization;
using FailoverHub.Browser.Tests.Trial;
using static Microsoft.Playwright.Assertions;

namespace FailoverHub.Browser.Tests;

/// <summary>What the real agents keep for themselves, as an operator sees it.</summary>
public sealed class FailbackTests(TrialRun trial) : BrowserTest(trial)
{
    [Fact]
    public async Task ReturnedPrimary_IsHeldBackWithACountdown_AndFailsBackWhenAskedTo()
    {
        await SetAsync("after-stable", 300);
        var page = await OperatorAsync(PairPath);
        await Expect(page.GetByTestId("failback-policy")).ToContainTextAsync("after 300 s");

        await Trial.KillAsync("node-a", Cancelled);
        await Trial.StartComponentAsync("node-a", Cancelled);

        // It is back, announces as secondary, and the traffic stays where it is.
        var hold = page.GetByTestId("failback-hold");
        await Expect(hold).ToBeVisibleAsync(new() { Timeout = 30_000 });
        var before = await RemainingAsync();
        await Expect(hold).Not.ToHaveAttributeAsync("data-remaining", before.ToString(CultureInfo.InvariantCulture), new() { Timeout = 30_000 });
        Assert.InRange(await RemainingAsync(), 1, before - 1);
        await Expect(page.GetByTestId("pair-state")).ToHaveAttributeAsync("data-state", "FailedOver", new() { Timeout = 30_000 });
        await Expect(page.GetByTestId("active-node")).ToHaveAttributeAsync("data-node", "node-b");
        Assert.Equal("node-b", await SharedAddressClient.AskAsync(Trial.SharedAddress, Cancelled));

        await CommandAsync(page.GetByTestId("failback-now"), "it is well, and it is night");
        await Expect(page.GetByTestId("operation-panel")).ToHaveAttributeAsync("data-status", "Succeeded", new() { Timeout = 30_000 });
        await Expect(hold).ToHaveCountAsync(0);
        await Expect(page.GetByTestId("active-node")).ToHaveAttributeAsync("data-node", "node-a");
        Assert.Equal("node-a", await SharedAddressClient.AskAsync(Trial.SharedAddress, Cancelled));

        async Task<int> RemainingAsync() => int.Parse((await hold.GetAttributeAsync("data-remaining"))!, CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task ManualPolicy_SetOnThePage_MakesAReturnedPrimaryWaitForThePerson()
    {
        await SetAsync("immediate", null);
        var page = await OperatorAsync(PairPath);
        await page.GetByTestId("action-set-failback").ClickAsync();
        await page.GetByTestId("policy-manual").CheckAsync();
        await page.GetByTestId("confirm-reason").FillAsync("night shift decides");
        await page.GetByTestId("confirm-submit").ClickAsync();
        await Expect(page.GetByTestId("operation-panel")).ToHaveAttributeAsync("data-status", "Succeeded", new() { Timeout = 30_000 });
        await Expect(page.GetByTestId("failback-policy")).ToHaveAttributeAsync("data-policy", "manual");

        await Trial.KillAsync("node-a", Cancelled);
        await Trial.StartComponentAsync("node-a", Cancelled);

        await Expect(page.GetByTestId("failback-hold")).ToContainTextAsync("Waits for you", new() { Timeout = 30_000 });
        Assert.Equal("node-b", await SharedAddressClient.AskAsync(Trial.SharedAddress, Cancelled));
        await SetAsync("immediate", null);
        await Expect(page.GetByTestId("failback-hold")).ToHaveCountAsync(0, new() { Timeout = 30_000 });
    }

    private async Task SetAsync(string policy, int? seconds)
    {
        var id = await Trial.Api.StartOnPairAsync(Pair.Name, new { type = "set-failback", failback = new { policy, stableSeconds = seconds }, reason = "for this test" }, Cancelled);
        await Waiting.UntilAsync(() => Trial.Api.OperationStatusAsync(id, Cancelled), status => status == "Succeeded", $"the policy is {policy}", Cancelled);
    }
}
