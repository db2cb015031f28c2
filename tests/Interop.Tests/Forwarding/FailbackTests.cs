using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Protos.V1;

namespace FailoverHub.Interop.Tests.Forwarding;

/// <summary>A primary was killed and returns: when the client comes back to it is what its failback policy says, and nothing is lost either way.</summary>
public sealed class FailbackTests : ForwardingTest
{
    // A route that would move does so within some tenths of a second.
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task Immediate_TheClientIsBackAtOnce()
    {
        var agent = await FallenAsync("immediate");

        agent.StartAgain();
        await SeeAtAsync("a");

        await NothingLostAsync("aba");
    }

    [Fact]
    public async Task AfterStable_TheClientIsBackAfterThatTimeAndNotBefore()
    {
        var stable = TimeSpan.FromSeconds(4);
        var agent = await FallenAsync("after-stable", more: ["--failback-stable", "4"]);

        var started = Now;
        agent.StartAgain();
        await SeeAtAsync("a", started);

        var pings = await NothingLostAsync("aba");
        Assert.True(pings.MovedAfter(started, "a") >= stable, $"Back {pings.MovedAfter(started, "a")} after its start.");
    }

    [Fact]
    public async Task Manual_TheClientIsBackWhenAnOperatorSaysSo()
    {
        var agent = await FallenAsync("manual");

        agent.StartAgain();
        await Center.SeeRoutesAsync("a", Expected.These(Prefixes, Addresses.Secondary), Cancellation);
        await StaysAtAsync("b", LongEnough);
        await HubOf("a").IntendAsync(1, drained: false, Roles(Role.Primary), Cancellation, atOnce: true);
        await SeeAtAsync("a");

        await NothingLostAsync("aba");
    }

    [Fact]
    public async Task Manual_TheClientIsBackAfterFailbackOnTheLocalSocket()
    {
        var agent = await FallenAsync("manual");

        agent.StartAgain();
        await Center.SeeRoutesAsync("a", Expected.These(Prefixes, Addresses.Secondary), Cancellation);
        await agent.OrderAsync(["failback", "--reason", "a test"], Cancellation);
        await SeeAtAsync("a");

        await NothingLostAsync("aba");
    }

    [Fact]
    public async Task Sticky_WithBothAsPrimary_TheClientStaysWhereItIs()
    {
        var agent = await FallenAsync("sticky", roleOfB: "--primary");

        agent.StartAgain();
        await Center.SeeRoutesAsync("a", Expected.These(Prefixes, Addresses.Primary), Cancellation);
        await StaysAtAsync("b", LongEnough);

        await NothingLostAsync("ab");
    }

    // Node a was primary and is dead now; the client is at node b.
    private async Task<Agent> FallenAsync(string policy, string roleOfB = "--secondary", params string[] more)
    {
        await StartFabricAsync();
        await StartHubAsync("a");
        var agent = StartNode("a", ["--primary", "--hub", ScriptedHub.Url, "--failback", policy, .. more]);
        // Of two primaries a route server keeps the one that it had first.
        await Center.SeeRoutesAsync("a", Expected.These(Prefixes, Addresses.Primary), Cancellation);
        StartNode("b", roleOfB);
        await SteadyAtAAsync(roleOfB == "--primary" ? Addresses.Primary : Addresses.Secondary);

        await agent.KillAsync(Cancellation);
        await SeeAtAsync("b");
        return agent;
    }

    private async Task<PingLog> NothingLostAsync(string answerers)
    {
        var pings = await StopPingsAsync();
        Assert.Equal(0, pings.Lost);
        Assert.All(pings.Answerers(0), nodes => Assert.Equal(answerers, nodes));
        return pings;
    }
}
