using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Checks.Probes;

namespace FailoverHub.Agent.Tests.Checks;

public sealed class TcpProbeTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    [InlineData("::1")]
    public async Task SomebodyListens_IsGood_AndNobody_IsBad(string host)
    {
        // Nobody else is to get the port when the listener is gone.
        using var reserved = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        reserved.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        using var listener = new TcpListener(IPAddress.IPv6Any, ((IPEndPoint)reserved.LocalEndPoint!).Port);
        listener.Server.DualMode = true;
        listener.Start();
        var options = new ProbeOptions.Tcp(host, ((IPEndPoint)listener.LocalEndpoint).Port);

        Assert.Equal(ProbeResult.Fine("connected"), await RunAsync(options));

        using var connection = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, await connection.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken));
        listener.Stop();
        Assert.Equal(ProbeResult.Bad("connection refused: nobody listens there"), await RunAsync(options));
    }

    [Fact]
    public async Task NameThatIsNone_IsBad() =>
        Assert.Equal(ProbeResult.Bad("its name cannot be resolved"), await RunAsync(new ProbeOptions.Tcp("no-such-host.invalid", 80)));

    private static Task<ProbeResult> RunAsync(ProbeOptions.Tcp options)
    {
        var probe = new TcpProbe(options);
        return probe.RunAsync(TestContext.Current.CancellationToken);
    }
}
