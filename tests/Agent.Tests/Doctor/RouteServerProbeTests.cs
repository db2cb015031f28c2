using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Doctor;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Tests.Doctor;

public sealed class RouteServerProbeTests : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly PausingTime _time = new();

    public RouteServerProbeTests() => _listener.Start();

    public void Dispose() => _listener.Dispose();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SpeaksFirst_IsARouteServerThatKnowsUs_AndHearsNothingFromUs()
    {
        var dialling = DialAsync();
        using var accepted = await _listener.AcceptSocketAsync(Cancellation);
        await accepted.SendAsync(new byte[] { 0xff, 0xff }, Cancellation);

        Assert.Equal(DialOutcome.Greeted, (await dialling).Outcome);
        Assert.Equal(0, await accepted.ReceiveAsync(new byte[1], Cancellation));
    }

    [Fact]
    public async Task ClosesAtOnce_DoesNotKnowUs()
    {
        var dialling = DialAsync();
        (await _listener.AcceptSocketAsync(Cancellation)).Dispose();

        Assert.Equal(DialOutcome.Closed, (await dialling).Outcome);
    }

    [Fact]
    public async Task ResetsAtOnce_DoesNotKnowUs()
    {
        var dialling = DialAsync();
        var accepted = await _listener.AcceptSocketAsync(Cancellation);
        accepted.LingerState = new LingerOption(true, 0);
        accepted.Dispose();

        Assert.Equal(DialOutcome.Closed, (await dialling).Outcome);
    }

    [Fact]
    public async Task SaysNothing_IsWaitedForNoLongerThanThePatience()
    {
        var dialling = DialAsync();
        using var accepted = await _listener.AcceptSocketAsync(Cancellation);
        await _time.Pauses.FirstAsync<TimeSpan>(pause => pause == RouteServerProbe.ListenPatience);

        _time.Advance(RouteServerProbe.ListenPatience);

        Assert.Equal(DialOutcome.Silent, (await dialling).Outcome);
    }

    [Fact]
    public async Task NobodyListens_IsRefused()
    {
        _listener.Stop();

        Assert.Equal((DialOutcome.Refused, "connection refused"), await DialAsync());
    }

    private Task<(DialOutcome Outcome, string Words)> DialAsync() => RouteServerProbe.DialAsync(
        new PeerOptions
        {
            Neighbor = new NeighborEndpoint(IPAddress.Loopback, ((IPEndPoint)_listener.LocalEndpoint).Port),
            Session = new SessionOptions { LocalAs = 65001, PeerAs = 65000, RouterId = new RouterId(1), HoldTime = new HoldTime(9) },
        },
        _time,
        Cancellation);
}
