using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Life;

/// <summary>What an operator of a route server does to our session by hand.</summary>
public sealed class RefreshAndResetTests : DataCenterTest
{
    // GoBGP keeps what it received and asks nobody.
    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    public async Task AskedForEverythingAgain_RoutesArriveAndTheSessionIsTheSame(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind);
        var server = center.RouteServers[0];
        Agent.Start(center, "a", "--primary");
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        var session = await server.SessionAsync("a", Cancellation);
        var before = await server.TrafficAsync("a", Cancellation);

        await server.RefreshAsync("a", Cancellation);

        await Eventually.SeeAsync("both families again", c => server.TrafficAsync("a", c), now => now.Updates >= before.Updates + 2, Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        Assert.Equal(session, await server.SessionAsync("a", Cancellation));
        Assert.Equal(0, await center.WithdrawalsAsync("a", Cancellation));
    }

    // GoBGP takes nobody for 30 s after it; coming back to a route server that refused is what RouteServerRestartTests are about.
    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    public async Task ResetByHand_LogSaysByWhom_AndTheNextSessionHasEveryRoute(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind);
        var server = center.RouteServers[0];
        var agent = Agent.Start(center, "a", "--primary");
        var session = Assert.Single(await center.EstablishedAsync("a", Cancellation));
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        await server.ResetAsync("a", Cancellation);

        await agent.SayAsync("the neighbor says Cease/Administrative Reset", Cancellation);
        await Eventually.SeeAsync("another session", c => server.SessionAsync("a", c), s => s.Established && s.Identity != session, Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
    }
}
