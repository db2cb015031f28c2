using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Tests.Speaker.Scripted;

/// <summary>
/// NOTIFICATIONs of every code and subcode that IANA has assigned, and some that it has not: each is shown in words, none is answered
/// (RFC 4271 6.4), and each is followed by another dial.
/// </summary>
public sealed class NotificationScriptTests : ScriptedTest
{
    public static TheoryData<byte, byte, string> Codes => new()
    {
        { 1, 0, "Message Header Error" },
        { 1, 1, "Message Header Error/Connection Not Synchronized" },
        { 1, 2, "Message Header Error/Bad Message Length" },
        { 1, 3, "Message Header Error/Bad Message Type" },
        { 1, 99, "Message Header Error/subcode 99" },
        { 2, 0, "OPEN Message Error" },
        { 2, 1, "OPEN Message Error/Unsupported Version Number" },
        { 2, 2, "OPEN Message Error/Bad Peer AS" },
        { 2, 3, "OPEN Message Error/Bad BGP Identifier" },
        { 2, 4, "OPEN Message Error/Unsupported Optional Parameter" },
        { 2, 5, "OPEN Message Error/Authentication Failure" },
        { 2, 6, "OPEN Message Error/Unacceptable Hold Time" },
        { 2, 7, "OPEN Message Error/Unsupported Capability" },
        { 2, 11, "OPEN Message Error/Role Mismatch" },
        { 2, 200, "OPEN Message Error/subcode 200" },
        { 3, 0, "UPDATE Message Error" },
        { 3, 1, "UPDATE Message Error/Malformed Attribute List" },
        { 3, 2, "UPDATE Message Error/Unrecognized Well-known Attribute" },
        { 3, 3, "UPDATE Message Error/Missing Well-known Attribute" },
        { 3, 4, "UPDATE Message Error/Attribute Flags Error" },
        { 3, 5, "UPDATE Message Error/Attribute Length Error" },
        { 3, 6, "UPDATE Message Error/Invalid ORIGIN Attribute" },
        { 3, 7, "UPDATE Message Error/subcode 7" },
        { 3, 8, "UPDATE Message Error/Invalid NEXT_HOP Attribute" },
        { 3, 9, "UPDATE Message Error/Optional Attribute Error" },
        { 3, 10, "UPDATE Message Error/Invalid Network Field" },
        { 3, 11, "UPDATE Message Error/Malformed AS_PATH" },
        { 4, 0, "Hold Timer Expired" },
        { 5, 0, "Finite State Machine Error" },
        { 5, 1, "Finite State Machine Error/Unexpected Message in OpenSent State" },
        { 5, 2, "Finite State Machine Error/Unexpected Message in OpenConfirm State" },
        { 5, 3, "Finite State Machine Error/Unexpected Message in Established State" },
        { 6, 0, "Cease" },
        { 6, 1, "Cease/Maximum Number of Prefixes Reached" },
        { 6, 2, "Cease/Administrative Shutdown" },
        { 6, 3, "Cease/Peer De-configured" },
        { 6, 4, "Cease/Administrative Reset" },
        { 6, 5, "Cease/Connection Rejected" },
        { 6, 6, "Cease/Other Configuration Change" },
        { 6, 7, "Cease/Connection Collision Resolution" },
        { 6, 8, "Cease/Out of Resources" },
        { 6, 9, "Cease/Hard Reset" },
        { 6, 10, "Cease/BFD Down" },
        { 6, 77, "Cease/subcode 77" },
        { 7, 0, "ROUTE-REFRESH Message Error" },
        { 7, 1, "ROUTE-REFRESH Message Error/Invalid Message Length" },
        { 8, 0, "Send Hold Timer Expired" },
        { 0, 0, "error 0" },
        { 9, 0, "error 9" },
        { 255, 255, "error 255/subcode 255" },
    };

    [Theory]
    [MemberData(nameof(Codes))]
    public async Task Established_NotificationOfTheNeighbor_IsShownInWords_NotAnswered_AndDialledAgain(byte code, byte subcode, string words)
    {
        var connection = await EstablishedAsync();

        await connection.SendAsync(Octets.Notification(code, subcode));

        await NeighborEndedItAsync(SessionState.Idle, "the neighbor says " + words, code, subcode);
        Assert.Empty(await connection.ReadRestAsync());
        var received = (await DiagnosticsAsync()).Session.LastNotificationReceived!;
        Assert.Equal((code, subcode), (received.Code, received.Subcode));
        Pass(TimeSpan.FromSeconds(1.5));
        await OpenSentAsync();
    }

    [Theory]
    [InlineData(SessionState.OpenSent)]
    [InlineData(SessionState.OpenConfirm)]
    public async Task BeforeItIsEstablished_NotificationOfTheNeighbor_IsNotAnsweredEither(SessionState at)
    {
        var connection = await InAsync(at);

        await connection.SendAsync(Octets.Notification(6, 5));

        await NeighborEndedItAsync(SessionState.Idle, "the neighbor says Cease/Connection Rejected", 6, 5);
        Assert.Empty(await connection.ReadRestAsync());
    }

    [Fact]
    public async Task ShutdownWithAText_IsShownWithIt()
    {
        var connection = await EstablishedAsync();

        await connection.SendAsync(Octets.Notification(6, 2, [21, .. "maintenance till 04:00"u8[..21]]));

        await NeighborEndedItAsync(SessionState.Idle, "the neighbor says Cease/Administrative Shutdown: maintenance till 04:0", 6, 2);
    }

    [Fact]
    public async Task DataOfFourThousandOctets_IsTakenAndChangesNothing()
    {
        var connection = await EstablishedAsync();

        await connection.SendAsync(Octets.Notification(1, 2, new byte[4096 - 21]));

        await NeighborEndedItAsync(SessionState.Idle, "the neighbor says Message Header Error/Bad Message Length", 1, 2);
    }

    [Fact]
    public async Task WeAreStopped_TheNeighborIsToldWhy_BehindTheWithdrawal()
    {
        var connection = await EstablishedAsync();

        Speaker!.Stop("bye");

        await connection.ReadAsync(Octets.UpdateType, "A withdrawal");
        Assert.Equal("06 02 03627965", await connection.ReadNotificationAsync());
    }
}
