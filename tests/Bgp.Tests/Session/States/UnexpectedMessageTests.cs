using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Bgp.Tests.Session.States;

// RFC 6608: which message in which state, and the message's type as data.
public sealed class UnexpectedMessageTests
{
    public static TheoryData<SessionState, BgpMessageType, byte> Cases => new()
    {
        { SessionState.OpenSent, BgpMessageType.Update, 1 },
        { SessionState.OpenSent, BgpMessageType.Keepalive, 1 },
        { SessionState.OpenSent, BgpMessageType.RouteRefresh, 1 },
        { SessionState.OpenConfirm, BgpMessageType.Open, 2 },
        { SessionState.OpenConfirm, BgpMessageType.Update, 2 },
        { SessionState.OpenConfirm, BgpMessageType.RouteRefresh, 2 },
        { SessionState.Established, BgpMessageType.Open, 3 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void MessageThatDoesNotBelongThere_EndsTheSessionWithItsSubcode(SessionState state, BgpMessageType type, byte subcode)
    {
        var neighbor = new ScriptedNeighbor();
        _ = state switch
        {
            SessionState.OpenSent => neighbor.InOpenSent(),
            SessionState.OpenConfirm => neighbor.InOpenConfirm(),
            _ => neighbor.InEstablished(),
        };

        neighbor.Says(type switch
        {
            BgpMessageType.Open => ScriptedNeighbor.Open,
            BgpMessageType.Update => new UpdateMessage(),
            BgpMessageType.RouteRefresh => new RouteRefreshMessage(new AfiSafi(1, 1)),
            _ => KeepaliveMessage.Instance,
        });

        var notification = neighbor.AssertFailsWith(new NotificationCode(5, subcode));
        Assert.Equal([(byte)type], notification.Data.ToArray());
    }

    [Theory]
    [InlineData("00ffffffffffffffffffffffffffffff 0013 04", 1, 1, "")]
    [InlineData("ffffffffffffffffffffffffffffffff 0012 04", 1, 2, "0012")]
    [InlineData("ffffffffffffffffffffffffffffffff 0014 04", 1, 2, "0014")]
    [InlineData("ffffffffffffffffffffffffffffffff 1001 02", 1, 2, "1001")]
    [InlineData("ffffffffffffffffffffffffffffffff 001c 01", 1, 2, "001C")]
    [InlineData("ffffffffffffffffffffffffffffffff 0016 02", 1, 2, "0016")]
    [InlineData("ffffffffffffffffffffffffffffffff 0014 03", 1, 2, "0014")]
    [InlineData("ffffffffffffffffffffffffffffffff 0018 05", 1, 2, "0018")]
    [InlineData("ffffffffffffffffffffffffffffffff 0013 06", 1, 3, "06")]
    [InlineData("ffffffffffffffffffffffffffffffff 0013 00", 1, 3, "00")]
    public void BadHeader_EndsTheSessionBeforeTheBodyIsThere(string header, byte code, byte subcode, string data)
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Says([.. Wire.Codec.Hex(header)]);

        Assert.Equal(data, Convert.ToHexString(neighbor.AssertFailsWith(new NotificationCode(code, subcode)).Data.Span));
    }

    [Fact]
    public void WhatStandsBehindTheMessageThatEndedTheSession_IsNotRead()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        var cease = Wire.Codec.Encode(new NotificationMessage(NotificationCode.AdministrativeShutdown, default));

        neighbor.Says([.. cease, 1, 2, 3, .. cease]);

        Assert.Single(neighbor.Effects.OfType<SessionEffect.Failed>());
        Assert.Empty(neighbor.Effects.OfType<SessionEffect.Send>());
    }
}
