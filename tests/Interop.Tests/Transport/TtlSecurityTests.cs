using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Transport;

/// <summary>GTSM (RFC 5082): both send with a TTL of 255, and what comes from too far away is not heard.</summary>
public sealed class TtlSecurityTests : DataCenterTest
{
    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task BothSidesOn_SessionCarriesEveryRoute(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind, new RouteServerOptions { TtlSecurity = 2 });

        Agent.Start(center, "a", "--primary", "--ttl-security", "2");

        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
    }

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task OnlyOurs_WhatTheDaemonSaysIsDropped(RouteServerKind kind)
    {
        // It listens with a TTL of 255, so that the connection comes up, and then speaks with 16.
        var center = await StartOneAsync(kind);
        var capture = await Capture.StartAsync(center, Cancellation);

        var agent = Agent.Start(center, "a", "--primary", "--ttl-security", "2");

        await capture.StopAfterAsync($"bgp.type == 1 && ipv6.src == {center.RouteServers[0].Address} && ipv6.hlim == 16", 1, Cancellation);
        Assert.Contains("open-sent", await agent.StatusAsync(Cancellation), StringComparison.OrdinalIgnoreCase);
        Assert.False((await center.RouteServers[0].SessionAsync("a", Cancellation)).Established);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
    }

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task OnlyTheirs_OurPacketsAreDropped(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind, new RouteServerOptions { TtlSecurity = 2 });

        var agent = Agent.Start(center, "a", "--primary");

        // BIRD and GoBGP hear nothing of us at all; FRR listens to everybody until it has our OPEN.
        await Eventually.SeeAsync(
            "a connection that failed",
            agent.LogAsync,
            log => log.Contains("no session with ", StringComparison.Ordinal) || log.Contains(" lost after ", StringComparison.Ordinal),
            Cancellation);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
    }

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    public async Task ARouterBetween_IsOneHopTooFarForOne_AndNearEnoughForTwo(RouteServerKind kind)
    {
        var center = await StartAsync(new DataCenterOptions { Kind = kind, Count = 1, RouterBetween = true, Servers = new RouteServerOptions { TtlSecurity = 2 } });

        // What comes has passed one router: its TTL is 254.
        var tooNear = Agent.Start(center, "a", "--primary", "--ttl-security", "1");
        await tooNear.SayAsync("an answer from more than 1 hop away", Cancellation);
        Assert.False((await center.RouteServers[0].SessionAsync("a", Cancellation)).Established);
        await tooNear.TerminateAsync(Cancellation);

        Agent.Start(center, "b", "--primary", "--ttl-security", "2");
        await center.SeeRoutesAsync("b", Expected.All(Addresses.Primary), Cancellation);
    }
}
