using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Tests.Wire;

// What graceful restart and enhanced route refresh put on the wire.
public sealed class RefreshAndRestartTests
{
    [Theory]
    [InlineData("4600", 70)]
    [InlineData("0600", 6)]
    // BIRD, FRR after a restart, and a helper that knows Hard Reset.
    [InlineData("40024078", 64)]
    [InlineData("400a c078 0001 01 80 0002 01 00", 64)]
    [InlineData("4002 4000", 64)]
    public void Capability_IsReadAndWrittenToTheSameBytes(string hex, int code)
    {
        var capabilities = System.Collections.Immutable.ImmutableArray.CreateBuilder<Capability>();
        CapabilityCodec.Read(Codec.Hex(hex).AsSpan(), capabilities);

        var capability = Assert.Single(capabilities);
        Assert.IsNotType<Capability.Other>(capability);
        var writer = new WireWriter();
        CapabilityCodec.Write(writer, capability);
        var written = writer.Finish();
        Assert.Equal(code, written.Span[0]);
        Assert.Equal(hex.Replace(" ", "", StringComparison.Ordinal).ToUpperInvariant(), Convert.ToHexString(written.Span));
    }

    [Fact]
    public void GracefulRestart_SaysWhatItsBitsSay()
    {
        var capabilities = System.Collections.Immutable.ImmutableArray.CreateBuilder<Capability>();
        CapabilityCodec.Read(Codec.Hex("400a 8fff 0001 01 80 0002 01 7f").AsSpan(), capabilities);

        var restart = Assert.IsType<Capability.GracefulRestart>(Assert.Single(capabilities));
        Assert.Equal((true, false, 4095), (restart.Restarted, restart.Notification, restart.RestartTimeSeconds));
        Assert.Equal([new GracefulRestartFamily(new AfiSafi(1, 1), true), new GracefulRestartFamily(new AfiSafi(2, 1), false)], restart.Families);
    }

    [Theory]
    [InlineData("0601 00")]
    [InlineData("4001 00")]
    [InlineData("4004 4078 0001")]
    [InlineData("4601 00")]
    public void Convenience_ThatIsCutWrongly_IsNotAgreedOnAndNotAnError(string hex)
    {
        var capabilities = System.Collections.Immutable.ImmutableArray.CreateBuilder<Capability>();
        CapabilityCodec.Read(Codec.Hex(hex).AsSpan(), capabilities);

        Assert.IsType<Capability.Other>(Assert.Single(capabilities));
    }

    [Theory]
    [InlineData("0001 00 01", true, 0)]
    [InlineData("0001 01 01", true, 1)]
    [InlineData("0002 02 01", true, 2)]
    [InlineData("0002 63 01", true, 99)]
    // Not agreed on: the octet means nothing (RFC 2918 3).
    [InlineData("0002 01 01", false, 0)]
    [InlineData("0002 63 01", false, 0)]
    public void RouteRefresh_HasASubtypeWhereAgreedOn(string body, bool enhanced, byte subtype) =>
        Assert.Equal((RouteRefreshSubtype)subtype, MessageCodec.ReadRouteRefresh(Codec.Hex(body).AsSpan(), enhanced).Subtype);

    [Theory]
    [InlineData("", true, 7, 1)]
    [InlineData("0001 01", true, 7, 1)]
    [InlineData("0001 02 01 00", true, 7, 1)]
    // A request: an ordinary wrong length.
    [InlineData("0001 00 01 00", true, 1, 2)]
    [InlineData("0001 01", false, 1, 2)]
    [InlineData("0001 01 01 00", false, 1, 2)]
    public void RouteRefresh_OfTheWrongLength_EndsTheSession(string hex, bool enhanced, byte code, byte subcode)
    {
        var body = Codec.Hex(hex).ToArray();

        var fault = Assert.Throws<SessionFaultException>(() => MessageCodec.ReadRouteRefresh(body, enhanced));

        Assert.Equal(new NotificationCode(code, subcode), fault.Code);
        byte[] message = [.. Enumerable.Repeat((byte)0xff, 16), 0, (byte)(19 + body.Length), 5, .. body];
        Assert.Equal(code == 7 ? message : message[16..18], fault.NotificationData.ToArray());
    }

    [Theory]
    [InlineData(RouteFamily.Ipv4Unicast, "0017", "00000000", true)]
    [InlineData(RouteFamily.Ipv6Unicast, "001E", "00000007900F0003000201", true)]
    public void EndOfRib_IsWrittenAndRecognized(RouteFamily family, string length, string body, bool recognized)
    {
        var bytes = MessageCodec.EndOfRib(family).ToArray();

        Assert.Equal(new string('F', 32) + length + "02" + body, Convert.ToHexString(bytes));
        Assert.Equal(recognized ? family : null, UpdateCodec.Read(bytes.AsSpan(19), Codec.FourOctets).EndOfRib);
    }

    [Theory]
    [InlineData("0000 0006 800f03 000201", RouteFamily.Ipv6Unicast)]
    [InlineData("0000 0006 800f03 000101", RouteFamily.Ipv4Unicast)]
    // Of a family that was not agreed on, with a prefix, a withdrawal, an announcement of another family.
    [InlineData("0000 0006 800f03 001946", null)]
    [InlineData("0000 0007 800f04 000201 00", null)]
    [InlineData("0001 00 0000", null)]
    [InlineData("0000 0003 e0fe00", null)]
    public void OnlyAnUpdateThatSaysNothing_IsAnEndOfRib(string body, RouteFamily? family) =>
        Assert.Equal(family, UpdateCodec.Read(Codec.Hex(body).AsSpan(), Codec.FourOctets).EndOfRib);

    [Fact]
    public void HardReset_CarriesTheTrueReason()
    {
        var reason = new NotificationMessage(NotificationCode.AdministrativeShutdown, new byte[] { 2, 0x62, 0x79 });

        var hard = reason.AsHardReset();

        Assert.Equal("NOTIFICATION 6/9 0602026279", MessageText.Of(hard));
        Assert.Equal(MessageText.Of(reason), MessageText.Of(hard.Meaning));
        Assert.Equal(MessageText.Of(reason), MessageText.Of(reason.Meaning));
        Assert.Equal("NotificationMessage { Cease/Hard Reset, 5 octets }", hard.ToString());
        var bare = new NotificationMessage(NotificationCode.HardReset, new byte[] { 6 });
        Assert.Equal(NotificationCode.HardReset, bare.Meaning.Code);
    }

    [Fact]
    public void ManyCapabilities_AreWrittenWithLongLengths_AndFewAreNot()
    {
        // Two octets of parameter header and 253 of capabilities are the most that one octet can count (RFC 9072 2).
        Assert.Equal(29 + 2 + 253, Codec.Encode(Open(2, 124)).Length);
        Assert.Equal([255, 2, 253], Codec.Encode(Open(2, 124))[28..31]);
        Assert.Equal(29 + 3 + 3 + 254, Codec.Encode(Open(3, 124)).Length);
        Assert.Equal([255, 255, 1, 1, 2, 0, 254], Codec.Encode(Open(3, 124))[28..35]);
        Assert.Equal(MessageText.Of(Open(255, 250)), MessageText.Of(Codec.Decode(Codec.Encode(Open(255, 250)))));
    }

    private static OpenMessage Open(int first, int second) => new()
    {
        MyAs = 65000,
        HoldTimeSeconds = 9,
        BgpIdentifier = 1,
        Capabilities = [new Capability.Other(200, new byte[first]), new Capability.Other(201, new byte[second]), new Capability.Other(202, new byte[121])],
    };
}
