using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Life;

/// <summary>What is ordered on the node itself, as told by route servers that are not ours: on the same sessions, without a hub, and over a kill -9.</summary>
/// <param name="kind">Of the route servers.</param>
/// <param name="prefersOlder">Between two equal routes they keep the one that they had; else the lower router id wins, which is node a's.</param>
public abstract class LocalCommandContract(RouteServerKind kind, bool prefersOlder) : DataCenterTest
{
    [Fact]
    public async Task DrainAndRole_ByLocalCommand_OnTheSameSessions_AndTheDrainOutlivesAKill()
    {
        var center = await StartAsync(kind);
        var agent = Agent.Start(center, "a", "--primary");
        var sessions = await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        var role = await agent.OrderAsync(["role", "secondary", "--reason", "a test"], Cancellation);
        Assert.EndsWith($"{Addresses.Shared.Length} prefixes announced as secondary instead of primary; written on 4 of 4 established sessions\n", role, StringComparison.Ordinal);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Secondary), Cancellation);
        Assert.Equal(0, await center.WithdrawalsAsync("a", Cancellation));

        await agent.OrderAsync(["drain"], Cancellation);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));

        await agent.KillAsync(Cancellation);
        agent.StartAgain();
        await center.EstablishedAsync("a", Cancellation);
        await agent.SayAsync("nothing announced (drained)", Cancellation);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);

        await agent.OrderAsync(["undrain"], Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Secondary), Cancellation);
        await agent.OrderAsync(["role", "default"], Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
    }

    [Fact]
    public async Task ReturnedPrimary_UnderManual_IsSecondary_UntilAnOperatorFailsBack()
    {
        var center = await StartAsync(kind);
        var a = Agent.Start(center, "a", "--primary", "--failback", "manual");
        Agent.Start(center, "b", "--secondary");
        await center.SeeRoutesAsync("b", Expected.All(Addresses.Secondary), Cancellation);
        await center.SeeBestAsync("a", Addresses.Shared, Cancellation);

        await a.KillAsync(Cancellation);
        await center.SeeBestAsync("b", Addresses.Shared, Cancellation);
        a.StartAgain();
        await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Secondary), Cancellation);

        // Two secondaries are equal, and what becomes of the traffic is the route servers' own choice: docs/adr/0009.
        await center.SeeBestAsync(prefersOlder ? "b" : "a", Addresses.Shared, Cancellation);
        Assert.Contains("FAILBACK HELD until an operator fails back", await a.StatusAsync(Cancellation), StringComparison.Ordinal);

        await a.OrderAsync(["failback"], Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        await center.SeeBestAsync("a", Addresses.Shared, Cancellation);
    }
}

public sealed class LocalCommandGoTests() : LocalCommandContract(RouteServerKind.GoBgp, prefersOlder: true);

public sealed class LocalCommandFrrTests() : LocalCommandContract(RouteServerKind.Frr, prefersOlder: true);

public sealed class LocalCommandBirdTests() : LocalCommandContract(RouteServerKind.Bird, prefersOlder: false);
