using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Life;

/// <summary>A route server dies and comes back while the node is busy with something else.</summary>
public sealed class RouteServerRestartTests : DataCenterTest
{
    private const int Prefixes = 2000;

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task OneOfFourKilledAndStartedUnderLoad_ReturnsWithEveryRoute_AndTheOthersNoticeNothing(RouteServerKind kind)
    {
        var center = await StartAsync(new DataCenterOptions { Kind = kind, Servers = new RouteServerOptions { ManyPrefixes = true } });
        var prefixes = Addresses.Many(Prefixes);
        var all = Expected.These(prefixes, Addresses.Primary);
        Agent.Start(center, "a", prefixes, "--primary");
        var sessions = await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", all, Cancellation);
        center.KeepEveryCoreBusy();

        var killed = center.RouteServers[1];
        await killed.Process.KillAsync(Cancellation);
        await killed.StartAsync(Cancellation);

        await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", all, Cancellation);
        var now = await center.IdentitiesAsync("a", Cancellation);
        Assert.All((int[])[0, 2, 3], other => Assert.Equal(sessions[other], now[other]));
    }
}
