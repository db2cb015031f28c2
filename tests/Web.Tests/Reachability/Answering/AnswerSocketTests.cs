using System.Net;
using System.Net.Sockets;
using FailoverHub.Web.Reachability.Answering;

namespace FailoverHub.Web.Tests.Reachability.Answering;

/// <summary>Real sockets on loopback.</summary>
public sealed class AnswerSocketTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.203.113.10", 64)]
    [InlineData("127.203.113.10", 17)]
    [InlineData("::1", 64)]
    [InlineData("::1", 17)]
    public async Task Datagram_ComesWithItsSenderAndItsTtl(string address, int ttl)
    {
        using AnswerSocket socket = AnswerSocket.Open();
        using var node = new UdpClient(new IPEndPoint(IPAddress.Parse(address), 0)) { Client = { Ttl = (short)ttl } };
        Assert.Null(socket.Send([1, 2, 3], (IPEndPoint)node.Client.LocalEndPoint!));
        UdpReceiveResult asked = await node.ReceiveAsync(Stop);

        await node.SendAsync(asked.Buffer.Concat(asked.Buffer).ToArray(), asked.RemoteEndPoint, Stop);
        await socket.WaitAsync(Stop);
        ReceivedDatagram? received = socket.TryReceive();

        Assert.Equal([1, 2, 3, 1, 2, 3], received!.Value.Octets);
        Assert.Equal((IPAddress.Parse(address), ttl), (received.Value.From, received.Value.Ttl));
        Assert.Null(socket.TryReceive());
    }

    [Fact]
    public async Task LongAndEmptyDatagrams_AreTaken_AndTheNextOneComesThrough()
    {
        using AnswerSocket socket = AnswerSocket.Open();
        using var node = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var port = new IPEndPoint(IPAddress.Loopback, socket.Port);
        await node.SendAsync(new byte[2_000], port, Stop);
        await node.SendAsync(Array.Empty<byte>(), port, Stop);
        await node.SendAsync(new byte[] { 7 }, port, Stop);

        var lengths = new List<int>();
        while (lengths.Count < 3)
        {
            await socket.WaitAsync(Stop);
            while (socket.TryReceive() is { } datagram)
            {
                lengths.Add(datagram.Octets.Length);
            }
        }

        Assert.Equal([IdentityDatagram.LongestAnswer + 1, 0, 1], lengths);
    }
}
