using FailoverHub.Browser.Tests.Trial;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FailoverHub.Browser.Tests;

/// <summary>What somebody orders on a node itself, as the hub shows it: as it is, and in the audit.</summary>
public sealed class LocalCommandTests(TrialRun trial) : BrowserTest(trial)
{
    [Fact]
    public async Task DrainOnTheNode_IsShownAsSuchAndAudited_AndTheHubCanLiftIt()
    {
        var reason = $"disk swap, run {Guid.NewGuid():N}";
        var page = await OperatorAsync(PairPath);
        var nodeA = page.GetByTestId("member-node-a");

        await Trial.OnNodeAsync("node-a", Cancelled, "drain", "--reason", reason);

        var drained = nodeA.GetByTestId("member-drained");
        await Expect(drained).ToHaveAttributeAsync("data-locally", "true", new() { Timeout = 30_000 });
        await Expect(drained).ToContainTextAsync("on the node itself");
        await Expect(page.GetByTestId("active-node")).ToHaveAttributeAsync("data-node", "node-b");
        Assert.Equal("node-b", await SharedAddressClient.AskAsync(Trial.SharedAddress, Cancelled));

        // Who sits at the hub may end it; the dialog says what that is.
        await nodeA.GetByTestId("action-undrain").ClickAsync();
        await Expect(page.GetByTestId("confirm-dialog")).ToContainTextAsync("ordered on the node itself");
        await page.GetByTestId("confirm-reason").FillAsync("the disk is in");
        await page.GetByTestId("confirm-submit").ClickAsync();
        await Expect(drained).ToHaveAttributeAsync("data-drained", "false", new() { Timeout = 30_000 });

        await page.GotoAsync(new Uri(Trial.HubUrl, "/audit").AbsoluteUri);
        var entry = page.GetByTestId("audit-row").Filter(new LocatorFilterOptions { HasText = reason });
        await Expect(entry).ToHaveCountAsync(1, new() { Timeout = 30_000 });
        await Expect(entry).ToHaveAttributeAsync("data-action", "local-command");
        await Expect(entry).ToContainTextAsync("on node-a, locally");
        await Expect(entry).ToContainTextAsync("drain this node");
    }

    [Fact]
    public async Task CommandsWhileTheHubIsAway_ReachItsAuditOnceItIsBack()
    {
        var reason = $"nobody at the hub, run {Guid.NewGuid():N}";
        await Trial.KillAsync("hub", Cancelled);
        await Trial.OnNodeAsync("node-b", Cancelled, "drain", "--reason", reason);
        await Trial.OnNodeAsync("node-b", Cancelled, "undrain", "--reason", reason);
        await Trial.StartComponentAsync("hub", Cancelled);

        await Waiting.UntilAsync(
            async () => await Trial.Api.PairAsync(Cancelled) is null ? 0 : (await Trial.Api.AuditAsync(Cancelled)).Count(entry => (string?)entry!["reason"] == reason),
            count => count == 2,
            "both commands are in the audit",
            Cancelled);

        var entries = (await Trial.Api.AuditAsync(Cancelled)).Where(entry => (string?)entry!["reason"] == reason).ToList();
        Assert.All(entries, entry => Assert.EndsWith(" on node-b, locally", (string?)entry!["actor"], StringComparison.Ordinal));
        Assert.All(entries, entry => Assert.True((DateTimeOffset)entry!["happenedAt"]! < (DateTimeOffset)entry["at"]!));
    }
}
