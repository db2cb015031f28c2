namespace FailoverHub.Interop.Tests.Forwarding;

/// <summary>The service of the primary fails while its agent and its sessions live: without a health check the client would lose everything.</summary>
public sealed class HealthTests : ForwardingTest
{
    // Two runs that fail, the first within an interval and the second within a fast one; the rest is for a machine that has other things to do.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(8);

    private const string Healthy = "/run/healthy";

    // With the consequence withdraw, the default. Demoted it would be one of two secondaries, and which of them gets the traffic is the route servers' choice:
    // FRR keeps the one that it had, so the client would stay with the service that fails.
    [Fact]
    public async Task ServiceFailsAndRecovers_TheClientIsAtTheStandbyAfterTwoChecks_AndLosesNothingOnTheWayBack()
    {
        await StartFabricAsync();
        await Center.Sandbox.WriteAsync(Healthy, "", Cancellation);
        await Center.Sandbox.WriteAsync(
            "/run/a.json",
            $$"""
            { "checks": [ { "name": "service", "command": { "run": ["/usr/bin/test", "-e", "{{Healthy}}"] },
                            "interval": 0.5, "fastInterval": 0.2, "fall": 2, "rise": 2 } ] }
            """,
            Cancellation);
        StartNode("a", "--primary", "--config", "/run/a.json");
        StartNode("b", "--secondary");
        await SteadyAtAAsync();

        Service("a").IsBroken = true;
        await Center.Sandbox.ScriptAsync($"rm {Healthy}", Cancellation);
        await SeeAtAsync("b");
        var repaired = Now;
        Service("a").IsBroken = false;
        await Center.Sandbox.WriteAsync(Healthy, "", Cancellation);
        await SeeAtAsync("a");

        var pings = await StopPingsAsync();
        Assert.InRange(pings.Outage, TimeSpan.FromMilliseconds(1), Bound);
        Assert.Equal(0, pings.LostAfter(repaired));
        Assert.All(pings.Answerers(0), nodes => Assert.Equal("aba", nodes));
    }
}
