using System.Diagnostics;
using System.Text.RegularExpressions;
using FailoverHub.Browser.Tests.Trial;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FailoverHub.Browser.Tests;

/// <summary>What an operator does, and what two browsers, the audit and the traffic show of it.</summary>
public sealed partial class OperationTests(TrialRun trial) : BrowserTest(trial)
{
    [Fact]
    public async Task Overview_HealthyPair_ShowsBothNodesAndWhichIsActive()
    {
        var page = await OperatorAsync("/");
        var card = page.GetByTestId($"pair-card-{Pair.Name}");

        await Expect(card).ToHaveAttributeAsync("data-state", "Healthy");
        await Expect(card.GetByTestId("active-node")).ToHaveAttributeAsync("data-node", "node-a");
        await Expect(card.GetByTestId("member-node-a")).ToContainTextAsync("4/4");
        await Expect(card.GetByTestId("member-node-b")).ToContainTextAsync("4/4");
        await Expect(card.GetByTestId("member-node-b-link")).ToHaveAttributeAsync("data-link", "Connected");
    }

    [Fact]
    public async Task Switchover_WithAReason_MovesTheTrafficAndIsSeenEverywhere()
    {
        var reason = $"kernel update on node-a, run {Guid.NewGuid():N}";
        await using var probes = new ProbeStream(Trial.SharedAddress);
        Assert.Equal("node-a", await SharedAddressClient.AskAsync(Trial.SharedAddress, Cancelled));
        var other = await OperatorAsync("/");
        await Expect(other.GetByTestId("active-node")).ToHaveAttributeAsync("data-node", "node-a");
        await other.EvaluateAsync("window.notReloaded = true");
        var page = await OperatorAsync(PairPath);

        await page.GetByTestId("action-switchover").ClickAsync();
        await Expect(page.GetByTestId("confirm-effect")).ToContainTextAsync(Trial.SharedAddress);
        await Expect(page.GetByTestId("confirm-submit")).ToBeDisabledAsync();
        await page.GetByTestId("confirm-reason").FillAsync(reason);
        var sent = Stopwatch.GetTimestamp();
        await page.GetByTestId("confirm-submit").ClickAsync();

        // Live, step by step, in the place where it was started.
        var panel = page.GetByTestId("operation-panel");
        await Expect(panel).ToHaveAttributeAsync("data-status", "Succeeded", Patient());
        Figures.Note("switchover: click to Succeeded on the page", Stopwatch.GetElapsedTime(sent));
        var steps = panel.GetByTestId(StepName());
        Assert.NotEqual(0, await steps.CountAsync());
        foreach (var step in await steps.AllAsync())
        {
            await Expect(step).ToHaveAttributeAsync("data-status", Finished());
        }

        await Expect(page.GetByTestId("active-node")).ToHaveAttributeAsync("data-node", "node-b");

        // In another browser, without a reload.
        await Expect(other.GetByTestId("active-node")).ToHaveAttributeAsync("data-node", "node-b");
        Assert.True(await other.EvaluateAsync<bool>("window.notReloaded === true"));

        // In the traffic, over UDP and TCP.
        Figures.Note("switchover: click to first answer of node-b", await probes.UntilAnsweredByAsync("node-b", sent, Cancelled));
        Assert.Equal("node-b", await SharedAddressClient.AskAsync(Trial.SharedAddress, Cancelled));
        Assert.Equal("node-b", Trial.Lab.Holder);

        // In the audit, with the reason.
        await page.GotoAsync(new Uri(Trial.HubUrl, "/audit").AbsoluteUri);
        var entry = page.GetByTestId("audit-row").Filter(new LocatorFilterOptions { HasText = reason });
        await Expect(entry).ToHaveCountAsync(1);
        await Expect(entry).ToHaveAttributeAsync("data-action", "switchover");
        Assert.Contains(await Trial.Api.AuditAsync(Cancelled), line => (string?)line!["reason"] == reason);
    }

    [Fact]
    public async Task DrainTheActiveNode_TheOtherAnswers_AndUndrainBringsItBack()
    {
        var page = await OperatorAsync(PairPath);
        var nodeA = page.GetByTestId("member-node-a");

        await CommandAsync(nodeA.GetByTestId("action-drain"), "disk swap on node-a");
        await Expect(nodeA.GetByTestId("member-drained")).ToHaveAttributeAsync("data-drained", "true", new() { Timeout = 30_000 });
        await Expect(page.GetByTestId("active-node")).ToHaveAttributeAsync("data-node", "node-b");
        await Expect(nodeA.GetByTestId("member-sessions")).ToContainTextAsync("4/4");
        Assert.Equal("node-b", await SharedAddressClient.AskAsync(Trial.SharedAddress, Cancelled));
        await Expect(nodeA.GetByTestId("action-undrain")).ToBeEnabledAsync();

        await CommandAsync(nodeA.GetByTestId("action-undrain"), "disk swapped");
        await Expect(nodeA.GetByTestId("member-drained")).ToHaveAttributeAsync("data-drained", "false", new() { Timeout = 30_000 });
        await Expect(nodeA.GetByTestId("action-drain")).ToBeEnabledAsync();
    }

    [Fact]
    public async Task DrainTheLastAnnouncer_IsRefusedWithItsRule()
    {
        await Trial.Api.StartOnNodeAsync("node-b", new { type = "drain", reason = "one node only" }, Cancelled);
        var page = await OperatorAsync(PairPath);
        await Expect(page.GetByTestId("member-node-b").GetByTestId("member-drained")).ToHaveAttributeAsync("data-drained", "true", new() { Timeout = 30_000 });

        var drain = page.GetByTestId("member-node-a").GetByTestId("action-drain");
        await Expect(page.GetByTestId("member-node-a").GetByTestId("action-drain-why")).ToContainTextAsync("SR-01");
        if (await drain.IsEnabledAsync())
        {
            await drain.ClickAsync();
            await page.GetByTestId("confirm-reason").FillAsync("take everything down");
            await Expect(page.GetByTestId("rule-SR-01")).ToHaveAttributeAsync("data-passed", "false");
            await Expect(page.GetByTestId("confirm-submit")).ToBeDisabledAsync();
        }

        Assert.Equal("node-a", Trial.Lab.Holder);
    }

    private static LocatorAssertionsToHaveAttributeOptions Patient() => new() { Timeout = 30_000 };

    [GeneratedRegex("^operation-step-[0-9]+$")]
    private static partial Regex StepName();

    [GeneratedRegex("^(Succeeded|Skipped)$")]
    private static partial Regex Finished();
}
