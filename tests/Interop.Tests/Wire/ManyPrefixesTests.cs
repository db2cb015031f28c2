using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;
using FailoverHub.Protos.V1;

namespace FailoverHub.Interop.Tests.Wire;

/// <summary>Ten thousand prefixes go over as three do: what the daemon has is what was wanted, to the last one.</summary>
public sealed class ManyPrefixesTests : DataCenterTest
{
    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task TenThousand_AnnouncedThenInTheOtherRoleThenDrained_DaemonAgreesEachTime(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind, new RouteServerOptions { ManyPrefixes = true });
        var prefixes = Addresses.Many(10_000);
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        // Without a role it announces nothing until it is told.
        Agent.Start(center, "a", prefixes, "--hub", ScriptedHub.Url);
        var sessions = await center.EstablishedAsync("a", Cancellation);

        await hub.IntendAsync(1, drained: false, prefixes.ToDictionary(p => p, _ => Role.Primary), Cancellation);
        await center.SeeRoutesAsync("a", Expected.These(prefixes, Addresses.Primary), Cancellation);

        await hub.IntendAsync(2, drained: false, prefixes.ToDictionary(p => p, _ => Role.Secondary), Cancellation);
        await center.SeeRoutesAsync("a", Expected.These(prefixes, Addresses.Secondary), Cancellation);

        await hub.IntendAsync(3, drained: true, prefixes.ToDictionary(p => p, _ => Role.Secondary), Cancellation);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));

        // And the hub hears of each of them, each time.
        await Eventually.SeeAsync(
            "the hub has heard of every withdrawal", _ => Task.FromResult(hub.Journal.Count(told => told.Entry.Kind == "withdrawn")), count => count >= prefixes.Count, Cancellation);
        hub.JournalHasNoGap();
        foreach (var happened in new[] { "announced", "role-changed", "withdrawn" })
        {
            Assert.Equal(prefixes.Order(StringComparer.Ordinal), hub.Journal.Where(told => told.Entry.Kind == happened).Select(told => told.Entry.Prefix).Order(StringComparer.Ordinal));
        }
    }
}
