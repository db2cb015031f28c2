using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;
using FailoverHub.Protos.V1;

namespace FailoverHub.Interop.Tests.Life;

/// <summary>An address that comes and goes on a real interface: its route must not flap for ever.</summary>
public sealed class FlappingAddressTests : DataCenterTest
{
    // Four losses in a row are enough; on a machine with much else to do they are so far apart that it takes some more.
    private const int MostLosses = 20;

    [Fact]
    public async Task ComesAndGoes_IsHeldBackAfterAWhile_UntilAnOperatorSaysSomething()
    {
        var center = await StartOneAsync(RouteServerKind.Frr);
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        var agent = Agent.Start(center, "a", [], "--primary", "--hub", ScriptedHub.Url);
        var announced = Expected.These([Addresses.SharedIpv4], Addresses.Primary);
        var sessions = await center.EstablishedAsync("a", Cancellation);
        var losses = 0;
        while (!(await agent.LogAsync(Cancellation)).Contains($"{Addresses.SharedIpv4} damped", StringComparison.Ordinal))
        {
            await center.SeeRoutesAsync("a", announced, Cancellation);
            Assert.True(++losses <= MostLosses, "It flaps for ever.");
            await AddressAsync(center, "del");
            await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
            if (!(await agent.LogAsync(Cancellation)).Contains($"{Addresses.SharedIpv4} damped", StringComparison.Ordinal))
            {
                await AddressAsync(center, "add");
            }
        }

        Assert.True(losses > 3, $"Held back after {losses} losses already.");
        await AddressAsync(center, "add");
        await hub.ReportAsync("the address there and nothing announced", report => report.Prefixes.Any(prefix => prefix is { AddressPresent: true, Announced: false, WithdrawnReason: WithdrawnReason.Unhealthy }), Cancellation);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);

        await hub.IntendAsync(1, drained: false, new Dictionary<string, Role> { [Addresses.SharedIpv4] = Role.Secondary }, Cancellation);

        await center.SeeRoutesAsync("a", Expected.These([Addresses.SharedIpv4], Addresses.Secondary), Cancellation);
        await agent.SayAsync($"{Addresses.SharedIpv4} no longer damped", Cancellation);
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));
    }

    private static Task AddressAsync(DataCenter center, string verb) =>
        center.Sandbox.ScriptAsync($"ip -n {Addresses.NodeNetwork("a")} addr {verb} {Addresses.SharedIpv4} dev lo", Cancellation);
}
