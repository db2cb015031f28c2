using System.Net.Sockets;
using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Speaker;
using FailoverHub.Agent.Speaker.Sockets;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Tests.Speaker;

public sealed class PeerSocketTests
{
    // A neighbor that does not want us resets the connection that its kernel has just accepted.
    [Fact]
    public async Task ResetRightAfterTheDial_OurAddressIsKnownAllTheSame()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var options = new PeerOptions
        {
            Neighbor = new NeighborEndpoint(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndpoint).Port),
            Session = new SessionOptions { LocalAs = 65001, PeerAs = 65000, RouterId = new RouterId(1) },
        };
        var (socket, problem) = PeerSocket.Dial(options);
        Assert.Null(problem);
        using (socket)
        {
            using var accepted = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
            Assert.True(socket!.Socket.Poll(TimeSpan.FromSeconds(30), SelectMode.SelectWrite));
            Assert.Null(socket.FinishDial(options));

            accepted.LingerState = new LingerOption(true, 0);
            accepted.Close();
            Assert.True(socket.Socket.Poll(TimeSpan.FromSeconds(30), SelectMode.SelectRead));

            Assert.Equal((IPAddress.Loopback, IPAddress.Loopback), socket.Addresses(options));
        }
    }
}
