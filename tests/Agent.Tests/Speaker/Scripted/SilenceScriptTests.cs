using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Tests.Speaker.Scripted;

/// <summary>Neighbors that say nothing, little, or listen to nothing.</summary>
public sealed class SilenceScriptTests : ScriptedTest
{
    [Fact]
    public async Task SilentAfterTheConnect_IsLeftAfterFourMinutes()
    {
        var connection = await OpenSentAsync();

        Pass(TimeSpan.FromSeconds(239.9));
        Assert.Equal(SessionState.OpenSent, (await DiagnosticsAsync()).State);
        Pass(TimeSpan.FromSeconds(0.1));

        await WeEndItAsync(connection, "04 00", "nothing was heard from the neighbor for 240 s (Hold Timer Expired)");
    }

    [Theory]
    [InlineData(9)]
    [InlineData(3)]
    public async Task SilentAfterItsOpen_IsLeftAfterTheHoldTime(ushort holdTime)
    {
        var connection = await OpenConfirmAsync(Octets.Open(holdTime: holdTime));

        Pass(TimeSpan.FromSeconds(holdTime - 0.1));
        Assert.Equal(SessionState.OpenConfirm, (await DiagnosticsAsync()).State);
        await connection.ReadAsync(Octets.KeepaliveType, "A KEEPALIVE");
        Pass(TimeSpan.FromSeconds(0.1));

        await WeEndItAsync(connection, "04 00", $"nothing was heard from the neighbor for {holdTime} s (Hold Timer Expired)");
    }

    [Fact]
    public async Task SilentOnceEstablished_IsLeftAfterTheHoldTime_AndHearsOurKeepalivesUntilThen()
    {
        var connection = await EstablishedAsync();
        for (var second = 3; second <= 6; second += 3)
        {
            Pass(TimeSpan.FromSeconds(3));
            await connection.ReadAsync(Octets.KeepaliveType, "A KEEPALIVE");
        }

        Pass(TimeSpan.FromSeconds(3));

        await WeEndItAsync(connection, "04 00", "nothing was heard from the neighbor for 9 s (Hold Timer Expired)");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(18)]
    [InlineData(30)]
    public async Task HalfAMessageAndThenSilence_IsSilence(int octets)
    {
        var connection = await EstablishedAsync();
        await connection.SendAsync(Octets.Announce(0, 5)[..octets]);

        Pass(TimeSpan.FromSeconds(8.9));
        await connection.ReadAsync(Octets.KeepaliveType, "A KEEPALIVE");
        Pass(TimeSpan.FromSeconds(0.1));

        await WeEndItAsync(connection, "04 00", "nothing was heard from the neighbor for 9 s (Hold Timer Expired)");
    }

    [Fact]
    public async Task HalfAMessageAndTheRestInSingleOctets_IsAMessage()
    {
        var connection = await OpenSentAsync();
        var open = Octets.Open();
        await connection.SendAsync(open[..12]);
        await connection.SendSinglyAsync(open[12..]);
        await connection.ReadAsync(Octets.KeepaliveType, "A KEEPALIVE");

        await connection.SendSinglyAsync([.. Octets.Keepalive, .. Octets.Announce(0, 3), .. Octets.RouteRefresh(1, 1)]);

        await connection.ReadAsync(Octets.UpdateType, "An UPDATE");
        await connection.ReadAsync(Octets.UpdateType, "The UPDATE that was asked for again");
        var received = (await DiagnosticsAsync()).Session.Received;
        Assert.Equal((1, 1, 1, 1), (received.Open, received.Keepalive, received.Update, received.RouteRefresh));
    }

    [Fact]
    public async Task KeepaliveInTheLastMoment_KeepsIt()
    {
        var connection = await EstablishedAsync();

        for (var count = 2; count <= 6; count++)
        {
            Pass(TimeSpan.FromSeconds(8.9));
            await connection.SendAsync(Octets.Keepalive);
            await UntilAsync(peer => peer.Session.Received.Keepalive == count);
        }

        Assert.Equal(SessionState.Established, (await DiagnosticsAsync()).State);
    }

    [Fact]
    public async Task NeighborReadsNothing_IsLeftWhenTheSendHoldTimeIsOver_AndFindsTheReasonBehindTheRoutes()
    {
        await UseAsync(new ScriptedPeer(receiveBuffer: 2048));
        Start(
            options => options with { NewSocket = family => new Socket(family, SocketType.Stream, ProtocolType.Tcp) { SendBufferSize = 2048 } },
            [.. Enumerable.Range(0, 20_000).Select(Route)]);
        var connection = await OpenConfirmAsync();
        await connection.SendAsync(Octets.Keepalive);
        await UntilAsync(peer => peer.Session.OutputBlockedSince is not null);

        // It goes on talking, so it is not the hold time that ends it: twice that, from the last octet on that its kernel took.
        var passed = TimeSpan.Zero;
        var diagnostics = await DiagnosticsAsync();
        for (var count = 2; diagnostics.State == SessionState.Established; count++)
        {
            Assert.InRange(passed, TimeSpan.Zero, TimeSpan.FromMinutes(2));
            passed += TimeSpan.FromSeconds(3);
            Pass(TimeSpan.FromSeconds(3));
            await connection.SendAsync(Octets.Keepalive);
            diagnostics = await UntilAsync(peer => peer.Session.Received.Keepalive == count || peer.State != SessionState.Established);
        }

        Assert.InRange(passed, TimeSpan.FromSeconds(18), TimeSpan.FromMinutes(2));
        var (state, error) = await FailureAsync();
        Assert.Equal(
            (SessionState.Idle, "the neighbor took nothing of what we sent for 18 s (Send Hold Timer Expired)", false, (byte)8, (byte)0),
            (state, error.Text, error.FromPeer, error.Code, error.Subcode));
        Assert.Equal([8, 0], (await connection.ReadOnToAsync(Octets.NotificationType))[19..]);
    }

    [Fact]
    public async Task MoreWaitsThanMayWait_IsOurDoingAndNotTheNeighbors()
    {
        await UseAsync(new ScriptedPeer(receiveBuffer: 2048));
        Start(options => options with { OutputLimit = 1000 }, [.. Enumerable.Range(0, 20_000).Select(Route)]);
        var connection = await OpenConfirmAsync();

        await connection.SendAsync(Octets.Keepalive);

        var (state, error) = await FailureAsync();
        Assert.Equal((SessionState.Idle, false), (state, error.FromPeer));
        Assert.StartsWith("the neighbor reads too slowly", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NeighborReadsALittleNowAndThen_AndNeverAWholeMessage_IsLeftAllTheSame()
    {
        await UseAsync(new ScriptedPeer(receiveBuffer: 2048));
        Start(
            options => options with
            {
                NewSocket = family => new Socket(family, SocketType.Stream, ProtocolType.Tcp) { SendBufferSize = 2048 },
                Session = options.Session with { ExtendedMessages = true },
            },
            [.. Enumerable.Range(0, 20_000).Select(Route)]);
        var connection = await OpenConfirmAsync(Octets.Open(capabilities: [.. Octets.Capabilities, 6, 0]));
        await connection.SendAsync(Octets.Keepalive);
        await UntilAsync(peer => peer.Session.OutputBlockedSince is not null);

        // Two messages wait, of up to 65535 octets; it reads 2 KiB of them every three seconds, and the kernels take as much again.
        var passed = TimeSpan.Zero;
        var diagnostics = await DiagnosticsAsync();
        for (var count = 2; diagnostics.State == SessionState.Established; count++)
        {
            Assert.InRange(passed, TimeSpan.Zero, TimeSpan.FromSeconds(21));
            await connection.ReadOctetsAsync(2048);
            passed += TimeSpan.FromSeconds(3);
            Pass(TimeSpan.FromSeconds(3));
            await connection.SendAsync(Octets.Keepalive);
            diagnostics = await UntilAsync(peer => peer.Session.Received.Keepalive == count || peer.State != SessionState.Established);
        }

        var (_, error) = await FailureAsync();
        Assert.Equal((false, (byte)8, (byte)0), (error.FromPeer, error.Code, error.Subcode));
    }

    private static Advertisement Route(int number) => new()
    {
        Prefix = new IPNetwork(new IPAddress([10, (byte)(number >> 16), (byte)(number >> 8), (byte)number]), 32),
        Communities = ImmutableArray.Create(FakeRouter.Primary),
    };
}
