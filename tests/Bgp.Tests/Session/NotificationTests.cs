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
    [InlineData("00")]
    [InlineData("")]
    [InlineData("01 0a")]
    public void Shutdown_WithoutText_IsShownWithoutOne(string data)
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Says(new NotificationMessage(NotificationCode.AdministrativeShutdown, Wire.Codec.Hex(data).ToArray()));

        Assert.Equal("the neighbor says Cease/Administrative Shutdown", neighbor.Error.Text);
    }

    [Fact]
    public void Shutdown_WithALengthThatCannotBe_ShowsTheOctets()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Says(new NotificationMessage(NotificationCode.AdministrativeShutdown, Wire.Codec.Hex("05 68 69").ToArray()));

        Assert.Equal("the neighbor says Cease/Administrative Shutdown: (its text is cut short: 056869)", neighbor.Error.Text);
    }

    [Theory]
    [InlineData(128)]
    [InlineData(129)]
    [InlineData(255)]
    public void Shutdown_WithALongText_IsReadWhole(int octets)
    {
        // RFC 8203 ended at 128, RFC 9003 ends at 255.
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Says(new NotificationMessage(NotificationCode.AdministrativeShutdown, ShutdownText.Write(new string('x', octets))));

        Assert.EndsWith(": " + new string('x', octets), neighbor.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Shutdown_WithControlCharacters_CannotForgeLogLines()
    {
        Assert.Equal("a b [31m c", ShutdownText.Read([.. "\u000d"u8, .. "a\nb\u001b[31m\u2028"u8, .. "c\r\n"u8]));
    }

    [Fact]
    public void Shutdown_WithOtherDirectionOfWriting_ShowsWhatIsThere()
    {
        Assert.Equal("ok \\u{202e}txt", ShutdownText.Read([9, .. "ok \u202etxt"u8]));
    }

    [Theory]
    [InlineData("03 61fe62", "a\\xfe" + "b")]
    [InlineData("04 61c3 6263", "a\\xc3" + "bc")]
    [InlineData("03 eda080", "\\xed\\xa0\\x80")]
    [InlineData("02 c3bc", "ü")]
    [InlineData("02 c080", "\\xc0\\x80")]
    public void Shutdown_WithInvalidUtf8_ShowsTheOctets(string data, string text)
    {
        Assert.Equal(text, ShutdownText.Read(Wire.Codec.Hex(data).AsSpan()));
    }

    [Fact]
    public void Shutdown_WithAnyOctets_IsOneHarmlessLine()
    {
        var random = new Random(3);
        for (var i = 0; i < 20_000; i++)
        {
            var data = new byte[random.Next(0, 300)];
            random.NextBytes(data);

            var text = ShutdownText.Read(data) ?? "";

            Assert.DoesNotContain(text, char.IsControl);
            Assert.InRange(text.Length, 0, 255 * 8);
        }
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
