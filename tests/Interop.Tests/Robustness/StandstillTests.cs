using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Robustness;

/// <summary>The agent gets no processor for a while, or hardly any.</summary>
public sealed class StandstillTests : DataCenterTest
{
    private static readonly TimeSpan AMinute = TimeSpan.FromMinutes(1);

    // With the last keepalive up to 3 s before it, this leaves 4 s of the hold time of 9 to a machine that does much else.
    private static readonly TimeSpan LessThanTheHoldTime = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task BothCoresSaturatedForAMinute_NoSessionIsLost()
    {
        var center = await StartAsync(RouteServerKind.Bird);
        var agent = Agent.Start(center, "a", "--primary");
        var sessions = await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        for (var busy = 0; busy < 2 * Environment.ProcessorCount; busy++)
        {
            center.Sandbox.Spawn($"saturated-{busy}", Addresses.NodeNetwork("a"), ["sh", "-c", "while :; do :; done"]);
        }

        await Eventually.StaysAsync("the sessions", AMinute, c => center.IdentitiesAsync("a", c), now => now.SequenceEqual(sessions), Cancellation);

        Assert.DoesNotContain(" lost after ", await agent.LogAsync(Cancellation), StringComparison.Ordinal);
        Assert.Equal(0, await center.WithdrawalsAsync("a", Cancellation));
    }

    [Fact]
    public async Task SuspendedForLessThanTheHoldTime_NoSessionIsLost()
    {
        var center = await StartAsync(RouteServerKind.Bird);
        var agent = Agent.Start(center, "a", "--primary");
        var sessions = await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        await agent.Process.SignalAsync("STOP", Cancellation);
        await Eventually.StaysAsync("the sessions", LessThanTheHoldTime, c => center.IdentitiesAsync("a", c), now => now.SequenceEqual(sessions), Cancellation);
        await agent.Process.SignalAsync("CONT", Cancellation);

        await Eventually.StaysAsync("the sessions", TimeSpan.FromSeconds(10), c => center.IdentitiesAsync("a", c), now => now.SequenceEqual(sessions), Cancellation);
        Assert.DoesNotContain(" lost after ", await agent.LogAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SuspendedForLongerThanTheHoldTime_IsLost_AndReturnsWithEveryRoute()
    {
        var center = await StartAsync(new DataCenterOptions { Kind = RouteServerKind.Bird, Servers = new RouteServerOptions { HoldTime = 3 } });
        var agent = Agent.Start(center, "a", "--primary");
        var sessions = await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        await agent.Process.SignalAsync("STOP", Cancellation);
        foreach (var server in center.RouteServers)
        {
            await Eventually.SeeAsync("the end of the session", c => server.SessionAsync("a", c), session => !session.Established, Cancellation);
        }

        await agent.Process.SignalAsync("CONT", Cancellation);

        var now = await center.EstablishedAsync("a", Cancellation);
        Assert.All(sessions.Zip(now), pair => Assert.NotEqual(pair.First, pair.Second));
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        await agent.SayAsync(" lost after ", Cancellation);
    }
}
