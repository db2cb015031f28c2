using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Tests.Wire.Rfc7606;

// What is wrong with an UPDATE as a whole: its lengths, its prefixes, several errors at once, attributes that nobody knows.
public sealed class UpdateStructureTests
{
    private const string Mandatory = "400101 00 400206 0201 0000fde9 400304 c0000209 ";
    private const string Route = "20 c0000201";
    private const string Reach = "800e1e 0002 01 10 20010db8000000000000000000000001 00 40 20010db800000001 ";
    private const string EmptyReach = "800e15 0002 01 10 20010db8000000000000000000000001 00 ";
    private const string OtherFamily = "800e09 0019 46 04 c0000209 00 ";
    private const string Unreach = "800f0c 0002 01 40 20010db800000001 ";

    [Theory]
    [InlineData("RFC 7606 3 a: the withdrawn routes overrun the message", "0005 20 c0000201", 1)]
    [InlineData("RFC 7606 3 a: the attributes overrun the message", "0000 0005 400101 00", 1)]
    [InlineData("RFC 7606 3 a: no length of the attributes", "0000", 1)]
    [InlineData("RFC 7606 3 i, 5.3: a withdrawn prefix of 33 bits", "0006 21 c0000201 00 0000", 10)]
    [InlineData("RFC 7606 3 i, 5.3: a withdrawn prefix cut short", "0004 20 c00002 0000", 10)]
    public void WithdrawnRoutesOrLengths_ThatCannotBeRead_EndTheSession(string clause, string body, byte subcode) => AssertReset(clause, body, subcode);

    [Theory]
    [InlineData("RFC 7606 5.3: a prefix of 33 bits", Mandatory, "21 c0000201 00", 10)]
    [InlineData("RFC 7606 5.3: a prefix cut short", Mandatory, "20 c00002", 10)]
    [InlineData("RFC 7606 5.2: attributes with an error and no route", "400101 03", "", 1)]
    [InlineData("RFC 7606 5.2: attributes that overrun and no route", "400102 00", "", 1)]
    [InlineData("RFC 7606 5.2: an error beside an MP_REACH_NLRI without prefixes", EmptyReach + "400101 03", "", 1)]
    [InlineData("RFC 7606 5.2: an error beside MP_UNREACH_NLRI", Unreach + "400101 03", "", 1)]
    [InlineData("RFC 7606 3 h: treat-as-withdraw and a reset", Mandatory + "c00800 800e02 0002", Route, 9)]
    [InlineData("RFC 7606 3 g, h: discard and a reset", Mandatory + "400600 400600 " + Unreach + Unreach, Route, 1)]
    [InlineData("RFC 4271 6.3: a well-known attribute that nobody knows", Mandatory + "40fe01 07", Route, 2)]
    public void Error_ThatLeavesOpenWhichRoutesAreMeant_EndsTheSession(string clause, string attributes, string announced, byte subcode) =>
        AssertReset(clause, Body(attributes, announced), subcode);

    [Theory]
    [InlineData("RFC 7606 3 h: discard and treat-as-withdraw", Mandatory + "400600 400600 c00800", Route, "TreatAsWithdraw")]
    [InlineData("RFC 7606 3 d: nothing but a next hop", "400304 c0000209", Route, "TreatAsWithdraw")]
    [InlineData("RFC 7606 3 d: no attributes at all", "", Route, "TreatAsWithdraw")]
    [InlineData("RFC 7606 3 d: MP_REACH_NLRI without ORIGIN", Reach + "400206 0201 0000fde9", "", "TreatAsWithdraw")]
    [InlineData("RFC 4760 3: MP_REACH_NLRI needs no NEXT_HOP", Reach + "400101 00 400206 0201 0000fde9", "", "None")]
    [InlineData("RFC 4760 3: withdrawing needs no attributes", Unreach, "", "None")]
    [InlineData("RFC 7606 5.2: MP_UNREACH_NLRI alone is complete", "c00f0c 0002 01 40 20010db800000001", "", "TreatAsWithdraw")]
    [InlineData("RFC 7606 5.2: an error beside routes of a family that was not agreed on", OtherFamily + "400101 03", "", "TreatAsWithdraw")]
    [InlineData("RFC 7606 3 c: MP_REACH_NLRI with wrong flags is read all the same", "c00e1e 0002 01 10 20010db8000000000000000000000001 00 40 20010db800000001" + "400101 00 400206 0201 0000fde9", "", "TreatAsWithdraw")]
    [InlineData("RFC 7606 3 g: an attribute that nobody knows, twice", Mandatory + "c0fe00 c0fe00", Route, "Discard")]
    [InlineData("RFC 4271 5: an optional attribute that nobody knows", Mandatory + "c0fe0107 80fd0107", Route, "None")]
    [InlineData("RFC 7606 4: two octets left over", Mandatory + "4001", Route, "TreatAsWithdraw")]
    public void Error_WithTheRoutesKnown_LeavesTheSessionAlone(string clause, string attributes, string announced, string outcome)
    {
        var decoded = UpdateCodec.Read(Codec.Hex(Body(attributes, announced)).AsSpan(), Codec.FourOctets);

        Assert.Equal(outcome, decoded.Worst.ToString());
        Assert.NotEmpty(clause);
    }

    [Fact]
    public void FamilyThatWasNotAgreed_InTheClassicFields_IsPassedOver()
    {
        var ipv6Only = Codec.FourOctets with { Ipv4Unicast = false };

        var decoded = UpdateCodec.Read(Codec.Hex(Body("", Route)).AsSpan(), ipv6Only);

        Assert.Equal(AttributeFault.None, decoded.Worst);
        Assert.Empty(decoded.Message.Announced);
    }

    [Theory]
    // AGGREGATOR with an AS of its own: somebody on the way did not know four octets and has aggregated (RFC 6793 4.2.3).
    [InlineData("c00706 fde9 0a000001", "AS 65001 10.0.0.1", false)]
    [InlineData("c00706 5ba0 0a000001", "AS 4200000001 10.0.0.2", true)]
    public void TwoOctetNeighbor_AggregatorsArePutTogether(string aggregator, string expected, bool keepsPath)
    {
        var attributes = "400101 00 400206 0202 fde95ba0 400304 c0000209" + aggregator + "c01106 0201 fa56ea01 c01208 fa56ea01 0a000002";

        var decoded = UpdateCodec.Read(Codec.Hex(Body(attributes, Route)).AsSpan(), Codec.TwoOctets).Message.Attributes;

        Assert.Equal(expected, Bgp.Wire.Attributes.AttributeText.Of(decoded.Aggregator!.Value));
        Assert.Null(decoded.As4Aggregator);
        Assert.Equal(keepsPath, decoded.As4Path is not null);
    }

    [Fact]
    public void SetWithinSetWithinSet_IsRefusedWithoutGoingDeep()
    {
        // The deepest that fits into an extended message; each level read inside of the other would end the process.
        var list = new List<byte>();
        for (var level = 0; level < 5000; level++)
        {
            list.InsertRange(0, [0xd0, 128, (byte)((list.Count + 4) >> 8), (byte)(list.Count + 4), 0, 0, 0, 1]);
        }

        var attributes = Convert.ToHexString([.. list]);

        Assert.Equal(
            AttributeFault.TreatAsWithdraw, UpdateCodec.Read(Codec.Hex(Body(Mandatory + attributes, Route)).AsSpan(), Codec.Extended).Worst);
    }

    private static void AssertReset(string clause, string body, byte subcode)
    {
        var fault = Assert.Throws<SessionFaultException>(() => UpdateCodec.Read(Codec.Hex(body).AsSpan(), Codec.FourOctets));
        Assert.Equal(new NotificationCode(3, subcode), fault.Code);
        Assert.NotEmpty(clause);
    }

    private static string Body(string attributes, string announced) => $"0000 {Codec.Hex(attributes).Length:x4} {attributes} {announced}";
}
