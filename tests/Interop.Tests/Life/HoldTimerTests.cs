using System.Globalization;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Life;

/// <summary>A route server that wants a shorter hold time than we offer gets it, and it holds for both sides.</summary>
public sealed class HoldTimerTests : DataCenterTest
{
    private static readonly RouteServerOptions ThreeSeconds = new() { HoldTime = 3 };

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task NegotiatedDownToThreeSeconds_KeepalivesFollow_AndACutIsNoticedAfterThem(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind, ThreeSeconds);
        var server = center.RouteServers[0];
        var capture = await Capture.StartAsync(center, Cancellation);
        var agent = Agent.Start(center, "a", "--primary");
        var session = Assert.Single(await center.EstablishedAsync("a", Cancellation));

        Assert.Equal(3, (await server.TrafficAsync("a", Cancellation)).HoldTime);
        await agent.SayAsync("established: hold 3 s", Cancellation);

        // Ten keepalives on one session: more than three hold times.
        const string ours = "bgp.type == 4";
        await capture.StopAfterAsync($"{ours} && ipv6.src == {Addresses.Node("a")}", 12, Cancellation);
        Assert.Equal(session, (await server.SessionAsync("a", Cancellation)).Identity);
        var times = (await capture.FieldsAsync($"{ours} && ipv6.src == {Addresses.Node("a")}", ["frame.time_relative"], Cancellation))
            .Select(packet => double.Parse(packet[0][0], CultureInfo.InvariantCulture)).ToList();
        // A third of the hold time; with the 9 s that we offered it would be 3 s.
        Assert.InRange((times[^1] - times[1]) / (times.Count - 2), 0.5, 2);

        await center.CutAsync("a", Cancellation);
        await agent.SayAsync("nothing was heard from the neighbor for 3 s", Cancellation);
        await Eventually.SeeAsync("the loss on the other side", c => server.SessionAsync("a", c), s => !s.Established, Cancellation);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);

        await center.MendAsync("a", Cancellation);
        await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
    }

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task DaemonStandsStillForLongerThanTheHoldTime_SessionEndsAndReturnsWhenItGoesOn(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind, ThreeSeconds);
        var server = center.RouteServers[0];
        var agent = Agent.Start(center, "a", "--primary");
        var session = Assert.Single(await center.EstablishedAsync("a", Cancellation));
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        await server.Process.SignalAsync("STOP", Cancellation);
        await agent.SayAsync("nothing was heard from the neighbor for 3 s", Cancellation);
        await server.Process.SignalAsync("CONT", Cancellation);

        await Eventually.SeeAsync("another session", c => server.SessionAsync("a", c), s => s.Established && s.Identity != session, Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
    }
}
