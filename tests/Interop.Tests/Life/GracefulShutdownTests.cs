using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;
using FailoverHub.Protos.V1;

namespace FailoverHub.Interop.Tests.Life;

/// <summary>Graceful shutdown (RFC 8326): before routes are withdrawn, everybody is told to prefer others.</summary>
public sealed class GracefulShutdownTests : DataCenterTest
{
    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task Drained_DaemonSeesGracefulShutdownFirst_ThenTheWithdrawal(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind);
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        // Long enough to be seen on a machine with much else to do.
        Agent.Start(center, "a", "--primary", "--hub", ScriptedHub.Url, "--graceful-shutdown", "5");
        var sessions = await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);

        await hub.IntendAsync(1, drained: true, Addresses.Shared.ToDictionary(prefix => prefix, _ => Role.Primary), Cancellation);

        await center.SeeRoutesAsync("a", Expected.All($"{Addresses.Primary} 65535:0"), Cancellation);
        Assert.Equal(0, await center.WithdrawalsAsync("a", Cancellation));
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));
        Assert.Equal(Addresses.Shared.Length, await center.WithdrawalsAsync("a", Cancellation));
    }
}
