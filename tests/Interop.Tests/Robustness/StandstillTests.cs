using System.Diagnostics;
using System.Globalization;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Robustness;

/// <summary>The agent gets no processor for a while, or hardly any.</summary>
public sealed class StandstillTests : DataCenterTest
{
    private static readonly TimeSpan AMinute = TimeSpan.FromMinutes(1);

    private const double HoldTime = 9;

    // A silence that was longer than this because the machine does much else tells nothing about the agent.
    private const double LongestSilence = 8.75;
    private const int MostAttempts = 5;

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

    /// <summary>
    /// When it wakes up, its own time is over as well, for the neighbor's last keepalive that it has read: those that lie in the socket count, and its own must
    /// leave before anything else is done.
    /// </summary>
    /// <param name="suspended">Seconds.</param>
    /// <param name="earliest">Since the route server had its last keepalive, in seconds.</param>
    /// <param name="latest">Likewise.</param>
    [Theory]
    [InlineData(5, 2.0, 3.0)]
    [InlineData(6, 1.3, 2.3)]
    [InlineData(7, 0.4, 1.4)]
    [InlineData(8, 0.0, 0.4)]
    public async Task SuspendedForLessThanTheHoldTime_NoSessionIsLost(int suspended, double earliest, double latest)
    {
        var center = await StartOneAsync(RouteServerKind.Bird);
        var agent = Agent.Start(center, "a", "--primary");
        await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        var process = await agent.Process.StartedAsync(Cancellation);

        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            var sessions = await center.EstablishedAsync("a", Cancellation);
            var watch = new Stopwatch();
            var silent = await Eventually.SeeAsync(
                "the right moment after a keepalive",
                c =>
                {
                    watch.Restart();
                    return SilentAsync(center, c);
                },
                seconds => seconds >= earliest && seconds <= latest,
                Cancellation);
            await center.Sandbox.ScriptAsync($"kill -STOP {process}; sleep {suspended}; kill -CONT {process}", Cancellation);
            silent += watch.Elapsed.TotalSeconds;
            await agent.Process.SignalAsync("CONT", Cancellation);
            if (silent > LongestSilence)
            {
                continue;
            }

            await Eventually.StaysAsync("the sessions", TimeSpan.FromSeconds(10), c => center.IdentitiesAsync("a", c), now => now.SequenceEqual(sessions), Cancellation);
            return;
        }

        Assert.Fail($"This machine never suspended the agent for {suspended} s within {LongestSilence} s of its last keepalive.");
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

    // Since the last keepalive, in seconds: "Hold timer: 6.345/9".
    private static async Task<double> SilentAsync(DataCenter center, CancellationToken cancellation)
    {
        var timer = (await center.RouteServers[0].DescribeAsync("a", cancellation)).Split('\n').Single(line => line.Contains("Hold timer:", StringComparison.Ordinal));
        return HoldTime - double.Parse(timer.Split(':')[1].Split('/')[0], CultureInfo.InvariantCulture);
    }
}
