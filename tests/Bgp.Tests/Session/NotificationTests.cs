using System.Text;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Tests.Session;

public sealed class NotificationTests
{
    [Theory]
    [InlineData(SessionState.OpenSent)]
    [InlineData(SessionState.OpenConfirm)]
    [InlineData(SessionState.Established)]
    public void Notification_InAnyState_EndsTheSessionWithoutAnAnswer(SessionState state)
    {
        var neighbor = new ScriptedNeighbor();
        _ = state switch
        {
            SessionState.OpenSent => neighbor.InOpenSent(),
            SessionState.OpenConfirm => neighbor.InOpenConfirm(),
            _ => neighbor.InEstablished(),
        };

        neighbor.Says(new NotificationMessage(new NotificationCode(6, 5), default));

        Assert.Equal(
            [typeof(SessionEffect.Close), typeof(SessionEffect.Failed), typeof(SessionEffect.StateChanged)],
            neighbor.Effects.Select(effect => effect.GetType()));
        Assert.Equal(new SessionError("the neighbor says Cease/Connection Rejected", true, 6, 5), neighbor.Error with { Advice = null });
        Assert.Contains("is the address shared with it yet", neighbor.Error.Advice, StringComparison.Ordinal);
        Assert.Equal(SessionState.Idle, neighbor.State);
        Assert.Single(neighbor.Wait(5).OfType<SessionEffect.Dial>());
    }

    [Fact]
    public void Shutdown_WithText_ShowsTheText()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Says(new NotificationMessage(NotificationCode.AdministrativeReset, ShutdownText.Write("Wartung, zurück um 14:00")));

        Assert.Equal("the neighbor says Cease/Administrative Reset: Wartung, zurück um 14:00", neighbor.Error.Text);
    }

    [Theory]
    [InlineData("05 68 69")]
    [InlineData("00")]
    [InlineData("")]
    [InlineData("01 0a")]
    public void Shutdown_WithUnusableText_IsShownWithoutOne(string data)
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Says(new NotificationMessage(NotificationCode.AdministrativeShutdown, Wire.Codec.Hex(data).ToArray()));

        Assert.Equal("the neighbor says Cease/Administrative Shutdown", neighbor.Error.Text);
    }

    [Fact]
    public void Shutdown_WithControlCharactersOrBadUtf8_CannotForgeLogLines()
    {
        var text = ShutdownText.Read([.. "\u000d"u8, .. "a\nb\u001b[31m"u8, 0xff, 0xfe, .. "\r\nx"u8]);

        Assert.NotNull(text);
        Assert.DoesNotContain(text, char.IsControl);
    }

    [Fact]
    public void UnknownCodes_AreShownAsNumbers()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Says(new NotificationMessage(new NotificationCode(42, 7), Encoding.UTF8.GetBytes("?")));

        Assert.Equal("the neighbor says error 42/subcode 7", neighbor.Error.Text);
    }

    [Fact]
    public void UnsupportedOptionalParameter_TheNextOpenHasNoCapabilitiesAndTheOneAfterHas()
    {
        // RFC 5492 3.
        var neighbor = new ScriptedNeighbor().InOpenSent();
        neighbor.Says(new NotificationMessage(NotificationCode.UnsupportedOptionalParameter, default));
        neighbor.Wait(2);

        neighbor.Give(new SessionInput.Connected(neighbor.Local, neighbor.Remote));
        Assert.Empty(Assert.Single(neighbor.Sent<OpenMessage>()).Capabilities);

        neighbor.Says(ScriptedNeighbor.Open with { Capabilities = [] });
        Assert.Equal(SessionState.OpenConfirm, neighbor.State);
        neighbor.Give(new SessionInput.Disconnected("connection closed by the neighbor"));
        neighbor.Wait(5);
        neighbor.Give(new SessionInput.Connected(neighbor.Local, neighbor.Remote));
        Assert.NotEmpty(Assert.Single(neighbor.Sent<OpenMessage>()).Capabilities);
    }

    [Fact]
    public void OpenWithoutCapabilities_NothingIsAgreedThatWeDidNotOffer()
    {
        var neighbor = new ScriptedNeighbor().InOpenSent();
        neighbor.Says(new NotificationMessage(NotificationCode.UnsupportedOptionalParameter, default));
        neighbor.Wait(2);
        neighbor.Give(new SessionInput.Connected(neighbor.Local, neighbor.Remote));

        neighbor.Says([.. Wire.Codec.Encode(ScriptedNeighbor.Open), .. Wire.Codec.Encode(KeepaliveMessage.Instance)]);

        var parameters = Assert.Single(neighbor.Effects.OfType<SessionEffect.Established>()).Parameters;
        Assert.Equal([Bgp.Routes.RouteFamily.Ipv4Unicast], parameters.Families);
        Assert.False(parameters.FourOctetAs);
        Assert.False(parameters.Ipv4WithIpv6NextHop);
    }
}
