using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverHub.Agent.Tests.Speaker;

/// <summary>What the sockets say of output that nobody takes reaches the session, which ends for it (RFC 9687).</summary>
public sealed class SendHoldTests
{
    [Fact]
    public async Task NeighborThatReadsNoMore_IsLeftWhenTheSendHoldTimeIsOver()
    {
        var news = new Signal<NodeEvent>();
        await using var router = new FakeRouter(holdSeconds: 0, readsNoMoreOnceEstablished: true);
        var speaker = new BgpSpeaker(
            [
                new PeerOptions
                {
                    Neighbor = router.Endpoint,
                    // Without a hold time it is the SendHoldTimer alone that can end the session.
                    Session = new SessionOptions
                    {
                        LocalAs = 65001,
                        PeerAs = 65000,
                        RouterId = new RouterId(0x7f00000b),
                        HoldTime = new HoldTime(0),
                        SendHoldTime = TimeSpan.FromMilliseconds(200),
                    },
                    NewSocket = static family => new Socket(family, SocketType.Stream, ProtocolType.Tcp) { SendBufferSize = 4096 },
                },
            ],
            occurred =>
            {
                news.Add(occurred);
                return true;
            },
            TimeProvider.System,
            NullLogger<BgpSpeaker>.Instance);
        // Half a megabyte of routes: more than both kernels' buffers, less than what may wait.
        speaker.SetAdvertisements(1, [.. Enumerable.Range(0, 100_000).Select(Route)]);
        speaker.Start();

        var failed = await news.FirstAsync<NodeEvent.SessionFailed>();

        Assert.Equal((8, 0, false), (failed.Error.Code, failed.Error.Subcode, failed.Error.FromPeer));
        speaker.Stop("test over");
        await speaker.Ended;
        speaker.Dispose();
    }

    private static Advertisement Route(int number) => new()
    {
        Prefix = new IPNetwork(new IPAddress([10, (byte)(number >> 16), (byte)(number >> 8), (byte)number]), 32),
        Communities = ImmutableArray.Create(FakeRouter.Primary),
    };
}
