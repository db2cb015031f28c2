using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests;

/// <summary>The data center of these tests does what the platform does, with a speaker that is not ours. Read a failure here before any other.</summary>
public sealed class ControlSpeakerTests : DataCenterTest
{
    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task AnotherSpeaker_WholeLife_IsSeenByTheDaemon(RouteServerKind kind)
    {
        var center = await StartAsync(kind);
        var speaker = new ControlSpeaker(center.Sandbox, "a");

        await speaker.StartAsync(Addresses.Primary, Cancellation);
        var sessions = await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        foreach (var server in center.RouteServers)
        {
            var routes = await server.RoutesAsync(Cancellation);
            Assert.All(routes, route => Expected.AsThePlatformWantsIt(route, "a"));
        }

        await speaker.ChangeCommunityAsync(Addresses.Secondary, Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Secondary), Cancellation);
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));
        Assert.Equal(0, await center.WithdrawalsAsync("a", Cancellation));

        await speaker.WithdrawAsync(Cancellation);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));
        Assert.Equal(4 * Addresses.Shared.Length, await center.WithdrawalsAsync("a", Cancellation));

        await speaker.ShutDownAsync("good night from the control", Cancellation);
        foreach (var server in center.RouteServers)
        {
            var session = await Eventually.SeeAsync(
                $"the end of the session on {server.Name}", c => server.SessionAsync("a", c), s => !s.Established && s.LastError.Length > 0, Cancellation);
            Assert.Contains("good night from the control", session.LastError, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task TwoOtherSpeakers_RolesExchanged_DaemonFollowsTheCommunity(RouteServerKind kind)
    {
        var center = await StartAsync(kind);
        var a = new ControlSpeaker(center.Sandbox, "a");
        var b = new ControlSpeaker(center.Sandbox, "b");

        await a.StartAsync(Addresses.Primary, Cancellation);
        await b.StartAsync(Addresses.Secondary, Cancellation);
        await center.SeeRoutesAsync("b", Expected.All(Addresses.Secondary), Cancellation);
        await center.SeeBestAsync("a", Addresses.Shared, Cancellation);

        await a.ChangeCommunityAsync(Addresses.Secondary, Cancellation);
        await b.ChangeCommunityAsync(Addresses.Primary, Cancellation);
        await center.SeeBestAsync("b", Addresses.Shared, Cancellation);

        // Routes that go with their session are no withdrawals: so these can be told apart.
        await b.ShutDownAsync("no withdrawal before", Cancellation);
        await center.SeeBestAsync("a", Addresses.Shared, Cancellation);
        await center.SeeRoutesAsync("b", Expected.Nothing, Cancellation);
        Assert.Equal(0, await center.WithdrawalsAsync("b", Cancellation));
    }
}
