using FailoverHub.Agent.Node;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Tests.Speaker.Scripted;

/// <summary>Messages that are wrong, or come at the wrong time.</summary>
public sealed class MessageScriptTests : ScriptedTest
{
    [Theory]
    [InlineData(SessionState.OpenSent)]
    [InlineData(SessionState.OpenConfirm)]
    [InlineData(SessionState.Established)]
    public async Task BadMarker_EndsIt(SessionState at)
    {
        var connection = await InAsync(at);
        var message = Octets.Message(Octets.KeepaliveType);
        message[15] = 0xfe;

        await connection.SendAsync(message);

        await WeEndItAsync(connection, "01 01", "a message does not begin with the marker (Message Header Error/Connection Not Synchronized)");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(6)]
    [InlineData(255)]
    public async Task UnknownType_EndsIt_AndIsShownWhichOne(byte type)
    {
        var connection = await EstablishedAsync();

        await connection.SendAsync(Octets.Message(type, 1, 2, 3));

        await WeEndItAsync(connection, $"01 03 {type:x2}", $"there is no message type {type} (Message Header Error/Bad Message Type)");
    }

    // The body never comes: the header is enough to know.
    [Theory]
    [InlineData(Octets.OpenType, 28, "001c")]
    [InlineData(Octets.OpenType, 4097, "1001")]
    [InlineData(Octets.UpdateType, 22, "0016")]
    [InlineData(Octets.UpdateType, 4097, "1001")]
    [InlineData(Octets.NotificationType, 20, "0014")]
    [InlineData(Octets.NotificationType, 4097, "1001")]
    [InlineData(Octets.KeepaliveType, 18, "0012")]
    [InlineData(Octets.KeepaliveType, 20, "0014")]
    [InlineData(Octets.RouteRefreshType, 22, "0016")]
    [InlineData(Octets.RouteRefreshType, 24, "0018")]
    [InlineData(Octets.UpdateType, 0, "0000")]
    [InlineData(Octets.UpdateType, 65535, "ffff")]
    public async Task LengthThatTheTypeCannotHave_EndsIt_AndIsShown(byte type, int length, string data)
    {
        var connection = await EstablishedAsync();

        await connection.SendAsync(Octets.Header(type, length));

        await WeEndItAsync(connection, $"01 02 {data}", $"a message of type {type} says that it is {length} octets long (Message Header Error/Bad Message Length)");
    }

    [Theory]
    [InlineData(SessionState.OpenSent, Octets.KeepaliveType, "05 01 04", "the neighbor sent Keepalive in state OpenSent (Finite State Machine Error/Unexpected Message in OpenSent State)")]
    [InlineData(SessionState.OpenSent, Octets.UpdateType, "05 01 02", "the neighbor sent Update in state OpenSent (Finite State Machine Error/Unexpected Message in OpenSent State)")]
    [InlineData(SessionState.OpenSent, Octets.RouteRefreshType, "05 01 05", "the neighbor sent RouteRefresh in state OpenSent (Finite State Machine Error/Unexpected Message in OpenSent State)")]
    [InlineData(SessionState.OpenConfirm, Octets.OpenType, "05 02 01", "the neighbor sent Open in state OpenConfirm (Finite State Machine Error/Unexpected Message in OpenConfirm State)")]
    [InlineData(SessionState.OpenConfirm, Octets.UpdateType, "05 02 02", "the neighbor sent Update in state OpenConfirm (Finite State Machine Error/Unexpected Message in OpenConfirm State)")]
    [InlineData(SessionState.OpenConfirm, Octets.RouteRefreshType, "05 02 05", "the neighbor sent RouteRefresh in state OpenConfirm (Finite State Machine Error/Unexpected Message in OpenConfirm State)")]
    [InlineData(SessionState.Established, Octets.OpenType, "05 03 01", "the neighbor sent Open in state Established (Finite State Machine Error/Unexpected Message in Established State)")]
    public async Task MessageThatTheStateDoesNotHave_EndsIt_AndItsTypeIsShown(SessionState at, byte type, string notification, string words)
    {
        var connection = await InAsync(at);

        await connection.SendAsync(type switch
        {
            Octets.OpenType => Octets.Open(),
            Octets.UpdateType => Octets.Announce(0, 1),
            Octets.RouteRefreshType => Octets.RouteRefresh(1, 1),
            _ => Octets.Keepalive,
        });

        await WeEndItAsync(connection, notification, words);
    }

    [Fact]
    public async Task RouteRefresh_BringsTheRoutesAgain()
    {
        Start();
        var connection = await OpenConfirmAsync();
        await connection.SendAsync(Octets.Keepalive);
        var first = await connection.ReadAsync(Octets.UpdateType, "An UPDATE");

        await connection.SendAsync(Octets.RouteRefresh(1, 1));

        Assert.Equal(first, await connection.ReadAsync(Octets.UpdateType, "An UPDATE"));
        Assert.Equal(SessionState.Established, (await DiagnosticsAsync()).State);
    }

    [Fact]
    public async Task RouteRefreshOfAFamilyThatWasNotAgreedOn_IsIgnored()
    {
        var connection = await EstablishedAsync();

        await connection.SendAsync([.. Octets.RouteRefresh(2, 1), .. Octets.RouteRefresh(16388, 71)]);

        var diagnostics = await UntilAsync(peer => peer.Session.Received.RouteRefresh == 2);
        Assert.Equal((SessionState.Established, 1), (diagnostics.State, diagnostics.Session.Sent.Update));
    }

    [Fact]
    public async Task UpdateThatCannotBeRead_EndsIt()
    {
        var connection = await EstablishedAsync();

        // The withdrawn routes say that they are longer than the message.
        await connection.SendAsync(Octets.Message(Octets.UpdateType, 0, 200, 0, 0));

        Assert.StartsWith("03 01", await connection.ReadNotificationAsync(), StringComparison.Ordinal);
        var (state, error) = await FailureAsync();
        Assert.Equal((SessionState.Idle, (byte)3, (byte)1), (state, error.Code, error.Subcode));
    }

    [Fact]
    public async Task UpdateThatIsMalformed_IsToldOnceInTenMinutesWithItsPrefixes_AndTheSessionGoesOn()
    {
        var connection = await EstablishedAsync();
        var malformed = Octets.Announce(1, 7);
        // The value of ORIGIN.
        malformed[19 + 4 + 3] = 9;

        await connection.SendAsync([.. malformed, .. malformed, .. malformed]);

        var diagnostics = await UntilAsync(peer => peer.Session.MalformedUpdates == 3);
        Assert.Equal(SessionState.Established, diagnostics.State);
        var told = Assert.Single(News.Seen.OfType<NodeEvent.UpdateMalformed>());
        Assert.Equal(Peer.Endpoint, told.Neighbor);
        Assert.StartsWith("ORIGIN", told.Problem, StringComparison.Ordinal);
        Assert.EndsWith("(1.0.1.0/24 1.0.2.0/24 1.0.3.0/24 1.0.4.0/24 1.0.5.0/24 ...)", told.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BytesBehindANotification_BelongToNobody()
    {
        var connection = await EstablishedAsync();

        await connection.SendAsync([.. Octets.Notification(6, 3), .. new byte[500], .. Octets.Notification(1, 1)]);

        await NeighborEndedItAsync(SessionState.Idle, "the neighbor says Cease/Peer De-configured", 6, 3);
        Assert.Empty(await connection.ReadRestAsync());
        Assert.Single(News.Seen.OfType<NodeEvent.SessionFailed>());
    }
}
