using System.Diagnostics;
using FailoverHub.Browser.Tests.Trial;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FailoverHub.Browser.Tests;

/// <summary>Processes that end without a word. The wanted time is a second; the bound here is for a loaded machine.</summary>
public sealed class KilledProcessTests(TrialRun trial) : BrowserTest(trial)
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task ActiveAgentKilled_AddressMovesAndThePageShowsIt_AndAStartBringsItBack()
    {
        await using var probes = new ProbeStream(Trial.SharedAddress);
        var page = await OperatorAsync(PairPath);
        var nodeA = page.GetByTestId("member-node-a");
        await Expect(nodeA).ToHaveAttributeAsync("data-fresh", "true");
        await probes.UntilAnsweredByAsync("node-a", Stopwatch.GetTimestamp(), Cancelled);

        var killed = Stopwatch.GetTimestamp();
        var dead = Trial.KillAsync("node-a", Cancelled);

        var seen = SeenAsync();
        var moved = await probes.UntilAnsweredByAsync("node-b", killed, Cancelled);
        var shown = await seen;
        Figures.Note("kill -9 of the active agent: first answer of node-b", moved);
        Figures.Note("kill -9 of the active agent: page shows node-a gone", shown);
        Assert.InRange(moved, TimeSpan.Zero, Bound);
        Assert.InRange(shown, TimeSpan.Zero, Bound);

        // The hub has only silence, which is no withdrawal: where the address is it learns from nobody, and says so.
        await Expect(page.GetByTestId("pair-state")).Not.ToHaveAttributeAsync("data-state", "Healthy");
        await Expect(page.GetByTestId("active-node")).ToHaveAttributeAsync("data-node", "");
        await Expect(page.GetByTestId("active-node")).ToContainTextAsync("not known, because node-a is silent");
        Assert.Equal("node-b", await SharedAddressClient.AskAsync(Trial.SharedAddress, Cancelled));

        await dead;
        await Trial.StartComponentAsync("node-a", Cancelled);
        await Expect(nodeA).ToHaveAttributeAsync("data-fresh", "true", new() { Timeout = 30_000 });
        await Expect(nodeA.GetByTestId("member-sessions")).ToContainTextAsync("4/4", new() { Timeout = 30_000 });

        async Task<TimeSpan> SeenAsync()
        {
            await nodeA.And(page.Locator("[data-fresh=false]")).WaitForAsync(new LocatorWaitForOptions { Timeout = 30_000 });
            return Stopwatch.GetElapsedTime(killed);
        }
    }

    [Fact]
    public async Task HubKilled_TrafficDoesNotNotice_AndARestartedHubShowsThePairAgain()
    {
        await using var probes = new ProbeStream(Trial.SharedAddress);
        await probes.UntilAnsweredByAsync("node-a", Stopwatch.GetTimestamp(), Cancelled);
        var began = Stopwatch.GetTimestamp();

        await Trial.KillAsync("hub", Cancelled);
        await Trial.StartComponentAsync("hub", Cancelled);
        await Calm.EnsureAsync(Trial, Cancelled);

        await probes.UntilAnsweredByAsync("node-a", Stopwatch.GetTimestamp(), Cancelled);
        Assert.InRange(Trial.Lab.HolderSince, DateTimeOffset.MinValue, DateTimeOffset.UtcNow - Stopwatch.GetElapsedTime(began));
        var page = await OperatorAsync("/");
        await Expect(page.GetByTestId($"pair-card-{Pair.Name}")).ToHaveAttributeAsync("data-state", "Healthy");
    }
}
