using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;
using FailoverHub.Protos.V1;

namespace FailoverHub.Interop.Tests.Robustness;

/// <summary>The wall clock jumps: timers are monotonic, so nobody notices but whoever reads the times.</summary>
public sealed class ClockTests : DataCenterTest
{
    private static readonly RouteServerOptions ThreeSeconds = new() { HoldTime = 3 };
    private static readonly TimeSpan TwoHoldTimes = TimeSpan.FromSeconds(6);

    [Fact]
    public async Task ClockJumpsADayEitherWay_SessionsAndRoutesStay_AndIntentsAreObeyed()
    {
        var center = await StartOneAsync(RouteServerKind.Bird, ThreeSeconds);
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        var clock = await Clock.StartAsync(center, "+0", Cancellation);
        var agent = Agent.StartIn(clock.Environment, center, "a", "--primary", "--hub", ScriptedHub.Url);
        var sessions = await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        var revision = 0ul;
        foreach (var days in (int[])[1, -1, 0])
        {
            await clock.SetAsync($"{days:+0;-0;+0}d", Cancellation);
            await hub.ReportAsync($"a clock {days} days off", report => Math.Abs((DateTimeOffset.FromUnixTimeMilliseconds(report.TakenAtUnixMs) - TimeProvider.System.GetUtcNow()).TotalDays - days) < 0.1, Cancellation);

            await Eventually.StaysAsync("the session", TwoHoldTimes, c => center.IdentitiesAsync("a", c), now => now.SequenceEqual(sessions), Cancellation);
            var role = days == 1 ? Role.Secondary : Role.Primary;
            var answer = await hub.IntendAsync(++revision, drained: false, Addresses.Shared.ToDictionary(prefix => prefix, _ => role), Cancellation);
            Assert.Equal(IntentResult.Types.Outcome.Applied, answer.Outcome);
            await center.SeeRoutesAsync("a", Expected.All(days == 1 ? Addresses.Secondary : Addresses.Primary), Cancellation);
        }

        // The next start is a day before this one: what it tells comes after it all the same.
        await clock.SetAsync("-1d", Cancellation);
        await agent.KillAsync(Cancellation);
        agent.StartAgain();
        Assert.Equal(3ul, (await hub.HelloAsync(2, Cancellation)).IntentRevision);
        await center.EstablishedAsync("a", Cancellation);
        await Eventually.SeeAsync("both starts in the journal", _ => Task.FromResult(hub.Journal.Select(told => told.Boot).Distinct().Count()), boots => boots == 2, Cancellation);
        hub.JournalHasNoGap();
    }
}
