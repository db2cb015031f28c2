using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Tests.Session;
using FailoverHub.Bgp.Wire;
using FailoverHub.Bgp.Wire.Attributes;

namespace FailoverHub.Bgp.Tests.Wire;

// RFC 7606: a row per error, each in an UPDATE that is otherwise right and announces 192.0.2.1/32.
public sealed class UpdateErrorTests
{
    private const string Origin = "400101 02";
    private const string AsPath = "400206 0201 0000fde9";
    private const string NextHop = "400304 c0000209";
    private const string Right = Origin + AsPath + NextHop;

    [Theory]
    [InlineData("ORIGIN too long", "400102 0202" + AsPath + NextHop)]
    [InlineData("ORIGIN of no known value", "400101 03" + AsPath + NextHop)]
    [InlineData("ORIGIN with the wrong flags", "c00101 02" + AsPath + NextHop)]
    [InlineData("ORIGIN missing", AsPath + NextHop)]
    [InlineData("AS_PATH with an unknown segment", Origin + "400206 0501 0000fde9" + NextHop)]
    [InlineData("AS_PATH with an empty segment", Origin + "400202 0200" + NextHop)]
    [InlineData("AS_PATH that overruns", Origin + "400206 0202 0000fde9" + NextHop)]
    [InlineData("AS_PATH with one octet left", Origin + "400207 0201 0000fde9 02" + NextHop)]
    [InlineData("AS_PATH with AS 0", Origin + "400206 0201 00000000" + NextHop)]
    [InlineData("AS_PATH missing", Origin + NextHop)]
    [InlineData("NEXT_HOP too short", Origin + AsPath + "400303 c00002")]
    [InlineData("NEXT_HOP missing", Origin + AsPath)]
    [InlineData("MULTI_EXIT_DISC too short", Right + "800403 000000")]
    [InlineData("COMMUNITIES empty", Right + "c00800")]
    [InlineData("COMMUNITIES not in fours", Right + "c00803 fde800")]
    [InlineData("COMMUNITIES with the wrong flags", Right + "400804 fde80001")]
    [InlineData("an attribute that overruns the list", Right + "c008ff fde80001")]
    [InlineData("an attribute header that is cut short", Right + "c008")]
    public void ErrorOfTheRoute_CountsAsWithdrawal_AndTheSessionStands(string what, string attributes)
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Says(Update(attributes));

        var routes = Assert.Single(neighbor.Effects.OfType<SessionEffect.RoutesReceived>()).Update;
        Assert.True(routes.Announced.IsEmpty, what);
        Assert.Equal([IPNetwork.Parse("192.0.2.1/32")], routes.Withdrawn);
        Assert.False(string.IsNullOrEmpty(routes.Problem), what);
        Assert.Equal(SessionState.Established, neighbor.State);
    }

    [Theory]
    [InlineData("ATOMIC_AGGREGATE with a value", Right + "400601 00")]
    [InlineData("LOCAL_PREF too short", Right + "400501 00")]
    [InlineData("ORIGIN twice", Right + "400101 00")]
    [InlineData("an unknown attribute twice", Right + "c0fe00 c0fe00")]
    public void ErrorOfAnAttributeThatDoesNotMatter_IsForgotten_AndTheRouteStands(string what, string attributes)
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Says(Update(attributes));

        var routes = Assert.Single(neighbor.Effects.OfType<SessionEffect.RoutesReceived>()).Update;
        Assert.Equal([IPNetwork.Parse("192.0.2.1/32")], routes.Announced);
        Assert.Equal(Messages.Origin.Incomplete, routes.Origin);
        Assert.False(string.IsNullOrEmpty(routes.Problem), what);
    }

    [Theory]
    [InlineData("an unknown attribute that claims to be well-known", Right + "40fe01 07", 2, "40FE0107")]
    [InlineData("MP_REACH_NLRI twice", Right + "800e16 0002 01 10 20010db8000000000000000000000001 00 00 800e16 0002 01 10 20010db8000000000000000000000001 00 00", 1, "")]
    [InlineData("MP_REACH_NLRI with an impossible next hop length", Right + "800e0a 0002 01 05 2001 0db8 00 00", 9, "800E0A0002010520010DB80000")]
    [InlineData("MP_REACH_NLRI with an impossible prefix", Right + "800e16 0002 01 10 20010db8000000000000000000000001 00 81", 9, "800E160002011020010DB80000000000000000000000010081")]
    [InlineData("MP_REACH_NLRI cut short", Right + "800e02 0002", 9, "800E020002")]
    [InlineData("MP_UNREACH_NLRI with a prefix cut short", Right + "800f05 0002 01 40 20", 9, "800F050002014020")]
    public void ErrorThatHidesWhatTheRoutesAre_EndsTheSession(string what, string attributes, byte subcode, string data)
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Says(Update(attributes));

        Assert.Equal(data, Convert.ToHexString(neighbor.AssertFailsWith(new NotificationCode(3, subcode)).Data.Span));
        Assert.NotEmpty(what);
    }

    [Theory]
    [InlineData("0005 20 c0000201 0000 21 c0000201", 10)]
    [InlineData("0005 21 c0000201 0000", 10)]
    [InlineData("0000 0000 20 c00002", 10)]
    [InlineData("0006 20 c0000201 0000", 1)]
    [InlineData("0000 0005 40010102", 1)]
    [InlineData("ffff 0000", 1)]
    public void UpdateWhoseFieldsDoNotFit_EndsTheSession(string body, byte subcode)
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Says(Frame([.. Codec.Hex(body)]));

        neighbor.AssertFailsWith(new NotificationCode(3, subcode));
    }

    [Fact]
    public void BrokenAttributes_WithoutAnyRoute_EndTheSession()
    {
        // RFC 7606 5.2: there is nothing to withdraw, and the error may have hidden it.
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Says(Frame([.. Codec.Hex("0000 0004 400101 09")]));

        neighbor.AssertFailsWith(NotificationCode.MalformedAttributeList);
    }

    [Fact]
    public void BrokenAttributes_BehindMpReach_WithdrawItsPrefixes()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Says(Frame(Attributes("800e1e 0002 01 10 fd000010003400000000000000000001 00 40 20010db8e0011b8c" + Origin + AsPath + "c008ff", "")));

        Assert.Equal(
            [IPNetwork.Parse("2001:db8:e001:1b8c::/64")],
            Assert.Single(neighbor.Effects.OfType<SessionEffect.RoutesReceived>()).Update.Withdrawn);
    }

    [Fact]
    public void BothEncodingsInOneUpdate_EachKeepItsNextHop()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Says(Frame(Attributes(
            "800e1e 0002 01 10 fd000010003400000000000000000001 00 40 20010db8e0011b8c 800f04 0001 01 00" + Right, "20 c0000201")));

        var routes = neighbor.Effects.OfType<SessionEffect.RoutesReceived>().Select(effect => effect.Update).ToList();
        Assert.Equal([IPAddress.Parse("192.0.2.9"), IPAddress.Parse("fd00:10:34::1")], routes.Select(one => one.NextHop));
        Assert.Equal([IPNetwork.Parse("192.0.2.1/32"), IPNetwork.Parse("2001:db8:e001:1b8c::/64")], routes.Select(one => one.Announced.Single()));
        Assert.Equal([IPNetwork.Parse("0.0.0.0/0")], routes[0].Withdrawn);
        Assert.Empty(routes[1].Withdrawn);
    }

    [Fact]
    public void EndOfRib_IsNoNews()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        Assert.Empty(neighbor.Says(Frame([0, 0, 0, 0])));
        Assert.Empty(neighbor.Says(Frame(Attributes("800f03 0002 01", ""))));
    }

    [Fact]
    public void FamilyThatWasNotAgreed_IsPassedOver()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        // L2VPN EVPN, whose prefixes look different.
        Assert.Empty(neighbor.Says(Frame(Attributes("800e09 0019 46 04 c0000209 00" + Origin + AsPath, ""))));
        Assert.Equal(SessionState.Established, neighbor.State);
    }

    [Fact]
    public void TwoNextHops_TheGlobalOneCounts()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Says(Frame(Attributes(
            "800e2e 0002 01 20 20010db8000000000000000000000001 fe800000000000000000000000000001 00 40 20010db8e0011b8c" + Origin + AsPath, "")));

        Assert.Equal(IPAddress.Parse("2001:db8::1"), Assert.Single(neighbor.Effects.OfType<SessionEffect.RoutesReceived>()).Update.NextHop);
    }

    [Fact]
    public void UnknownOptionalTransitiveAttribute_IsKept_AndUnknownNonTransitiveIsNot()
    {
        var update = Assert.IsType<UpdateMessage>(Codec.Decode(Update(Right + "e0fe02 0102" + "80fd02 0304")));

        var other = Assert.Single(update.Attributes.Other);
        Assert.Equal((0xe0, 0xfe), (other.Flags, other.Code));
        Assert.Equal([1, 2], other.Value.ToArray());
    }

    [Fact]
    public void TrailingBitsOfAPrefix_MeanNothing()
    {
        var update = Assert.IsType<UpdateMessage>(Codec.Decode(Frame(Attributes(Right, "14 c0001f"))));

        Assert.Equal([IPNetwork.Parse("192.0.16.0/20")], update.Announced);
    }

    [Theory]
    // The tail of AS_PATH is replaced by what AS4_PATH knows (RFC 6793 4.2.3).
    [InlineData("400206 0202 fde8 5ba0" + "c01106 0201 fa56ea01", new uint[] { 65000, 4200000001 })]
    // A longer AS4_PATH is not believed, a malformed one forgotten.
    [InlineData("400204 0201 fde8" + "c0110a 0202 fa56ea01 fa56ea02", new uint[] { 65000 })]
    [InlineData("400204 0201 fde8" + "c01103 020100", new uint[] { 65000 })]
    public void TwoOctetNeighbor_PathIsPutTogether(string path, uint[] expected)
    {
        var neighbor = new ScriptedNeighbor { Local = IPAddress.Parse("192.0.2.1") }.InEstablished(ScriptedNeighbor.Open with { Capabilities = [] });

        neighbor.Says(Update(Origin + path + NextHop));

        Assert.Equal(expected, Assert.Single(neighbor.Effects.OfType<SessionEffect.RoutesReceived>()).Update.AsPath);
    }

    [Fact]
    public void Attributes_AreWrittenWithTheOneThatNamesTheRoutesFirst()
    {
        var writer = new WireWriter();
        var update = Assert.IsType<UpdateMessage>(Codec.Decode(CapturedMessages.From("vendor-equivalent").First(captured => captured.Type == "UPDATE").Bytes));
        AttributeListCodec.Write(writer, update.Attributes, Codec.FourOctets);

        Assert.Equal([0x90, 14], writer.Finish().Span[..2].ToArray());
    }

    private static byte[] Update(string attributes) => Frame(Attributes(attributes, "20 c0000201"));

    private static byte[] Attributes(string attributes, string announced)
    {
        var list = Codec.Hex(attributes);
        return [0, 0, (byte)(list.Length >> 8), (byte)list.Length, .. list, .. Codec.Hex(announced)];
    }

    private static byte[] Frame(byte[] body) =>
        [.. Enumerable.Repeat((byte)0xff, 16), (byte)((body.Length + 19) >> 8), (byte)(body.Length + 19), 2, .. body];
}
