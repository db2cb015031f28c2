using System.Collections.Immutable;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Bgp.Tests.Session;

public sealed class OpenNegotiationTests
{
    private static readonly Capability Ipv4 = new Capability.Multiprotocol(AfiSafi.Of(RouteFamily.Ipv4Unicast));
    private static readonly Capability Ipv6 = new Capability.Multiprotocol(AfiSafi.Of(RouteFamily.Ipv6Unicast));
    private static readonly Capability ExtendedNextHop = new Capability.ExtendedNextHop([ExtendedNextHopEntry.Ipv4OverIpv6]);

    [Fact]
    public void OurOpen_IsTheVendorsButForTheHostName()
    {
        // Capabilities in another order and without the FQDN capability of the vendor's client: otherwise the same values.
        Assert.Equal(
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF003B01" + "04" + "FDE9" + "0009" + "0A000001" + "1E021C"
            + "010400010001" + "010400020001" + "0200" + "0506000100010002" + "41040000FDE9",
            Convert.ToHexString(Wire.Codec.Encode(OpenNegotiation.OurOpen(SessionPair.AgentOptions, withCapabilities: true))));
    }

    [Fact]
    public void AnotherVersion_IsRefusedWithOurs() =>
        Assert.Equal([0, 4], Refused(ScriptedNeighbor.Open with { Version = 3, Capabilities = [] }, NotificationCode.UnsupportedVersion));

    [Theory]
    [InlineData(65009u)]
    [InlineData(0u)]
    public void AnotherAs_IsRefused(uint asNumber) =>
        Refused(ScriptedNeighbor.Open with { Capabilities = [Ipv4, Ipv6, new Capability.FourOctetAs(asNumber)] }, NotificationCode.BadPeerAs);

    [Fact]
    public void AnotherAs_OfATwoOctetNeighbor_IsRefused() =>
        Refused(ScriptedNeighbor.Open with { MyAs = 64512, Capabilities = [Ipv4, Ipv6] }, NotificationCode.BadPeerAs);

    [Theory]
    [InlineData(0)]
    [InlineData(64512)]
    public void ShortAsThatIsNeitherTheCapabilitysNorAsTrans_IsRefused(ushort myAs) =>
        Refused(ScriptedNeighbor.Open with { MyAs = myAs }, NotificationCode.BadPeerAs);

    [Fact]
    public void AsTransBesideTheCapability_IsAccepted_AlsoForANumberOfTwoOctets() =>
        Assert.Equal(65000u, Agreed(ScriptedNeighbor.Open with { MyAs = OpenMessage.AsTrans }).PeerAs);

    [Fact]
    public void RouterIdZero_IsRefused() => Refused(ScriptedNeighbor.Open with { BgpIdentifier = 0 }, NotificationCode.BadBgpIdentifier);

    [Fact]
    public void OurRouterId_InAnotherAs_IsAccepted()
    {
        // RFC 6286 2.1. The vendor's client has the same one on every node, and somebody's route server may have it too.
        var neighbor = new ScriptedNeighbor().InOpenConfirm(ScriptedNeighbor.Open with { BgpIdentifier = SessionPair.AgentOptions.RouterId.Value });

        Assert.Equal(SessionState.OpenConfirm, neighbor.State);
    }

    [Fact]
    public void OurRouterId_InOurAs_IsRefused()
    {
        var neighbor = new ScriptedNeighbor(SessionPair.AgentOptions with { PeerAs = 65001 }).InOpenSent();

        neighbor.Says(OpenNegotiation.OurOpen(SessionPair.AgentOptions, withCapabilities: true));

        neighbor.AssertFailsWith(NotificationCode.BadBgpIdentifier);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void HoldTimeOfOneOrTwoSeconds_IsRefused(ushort seconds) =>
        Refused(ScriptedNeighbor.Open with { HoldTimeSeconds = seconds }, NotificationCode.UnacceptableHoldTime);

    [Theory]
    [InlineData(180, 9)]
    [InlineData(3, 3)]
    public void HoldTime_IsTheSmallerOne(ushort theirs, ushort agreed)
    {
        var parameters = Agreed(ScriptedNeighbor.Open with { HoldTimeSeconds = theirs });

        Assert.Equal(agreed, parameters.HoldTime.Seconds);
        Assert.Equal(TimeSpan.FromSeconds(agreed / 3.0), parameters.KeepaliveInterval);
    }

    [Fact]
    public void NoHoldTime_IsRefused_WhereOneIsWanted() =>
        Refused(ScriptedNeighbor.Open with { HoldTimeSeconds = 0 }, NotificationCode.UnacceptableHoldTime);

    [Fact]
    public void NoHoldTime_WhereNoneIsWanted_IsAgreed()
    {
        var neighbor = new ScriptedNeighbor(SessionPair.AgentOptions with { HoldTime = new HoldTime(0) }).InEstablished(ScriptedNeighbor.Open with { HoldTimeSeconds = 0 });

        Assert.True(Assert.Single(neighbor.Effects.OfType<SessionEffect.Established>()).Parameters.HoldTime.IsZero);
    }

    [Fact]
    public void NoFamilyInCommon_IsRefusedNamingOurs()
    {
        var other = new Capability.Multiprotocol(new AfiSafi(25, 70));

        var data = Refused(ScriptedNeighbor.Open with { Capabilities = [other, new Capability.FourOctetAs(65000)] }, NotificationCode.UnsupportedCapability);

        Assert.Equal(Convert.FromHexString("010400010001010400020001"), data);
    }

    [Fact]
    public void NeighborWithoutCapabilities_MeansIpv4InTwoOctets()
    {
        var parameters = Agreed(ScriptedNeighbor.Open with { Capabilities = [] });

        Assert.Equal([RouteFamily.Ipv4Unicast], parameters.Families);
        Assert.False(parameters.FourOctetAs);
        Assert.False(parameters.Ipv4WithIpv6NextHop);
        Assert.False(parameters.RouteRefresh);
        Assert.Equal(65000u, parameters.PeerAs);
    }

    [Fact]
    public void OnlyWhatBothOffer_IsAgreed()
    {
        var parameters = Agreed(
            ScriptedNeighbor.Open with { Capabilities = [Ipv6, ExtendedNextHop, new Capability.FourOctetAs(65000), new Capability.Other(70, default)] });

        Assert.Equal([RouteFamily.Ipv6Unicast], parameters.Families);
        Assert.False(parameters.Ipv4WithIpv6NextHop);
        Assert.False(parameters.RouteRefresh);
        Assert.True(parameters.FourOctetAs);
    }

    [Fact]
    public void OneFamilyConfigured_OnlyThatIsOffered()
    {
        var neighbor = new ScriptedNeighbor(SessionPair.AgentOptions with { Families = [RouteFamily.Ipv6Unicast] }).InOpenConfirm();
        neighbor.Says(KeepaliveMessage.Instance);

        Assert.Equal([RouteFamily.Ipv6Unicast], Assert.Single(neighbor.Effects.OfType<SessionEffect.Established>()).Parameters.Families);
    }

    [Fact]
    public void OurAsInFourOctets_StandsAsAsTransInTheOpen()
    {
        var open = OpenNegotiation.OurOpen(SessionPair.AgentOptions with { LocalAs = 4200000001 }, withCapabilities: true);

        Assert.Equal(OpenMessage.AsTrans, open.MyAs);
        Assert.Contains(new Capability.FourOctetAs(4200000001), open.Capabilities);
    }

    [Theory]
    [InlineData("04 fde8 0009 c0000201 02 0206", 0)]
    [InlineData("04 fde8 0009 c0000201 04 0202 0104", 0)]
    [InlineData("04 fde8 0009 c0000201 06 0204 01020001", 0)]
    [InlineData("04 fde8 0009 c0000201 05 0203 410100", 0)]
    [InlineData("04 fde8 0009 c0000201 05 0203 050100", 0)]
    [InlineData("04 fde8 0009 c0000201 05 0203 020100", 0)]
    [InlineData("04 fde8 0009 c0000201 01 02", 0)]
    [InlineData("04 fde8 0009 c0000201 00 02", 0)]
    [InlineData("04 fde8 0009 c0000201 00 ff 0009 02 0006 010400010001", 0)]
    [InlineData("04 fde8 0009 c0000201 03 0101 00", 4)]
    public void MalformedOpen_IsRefused(string body, byte subcode)
    {
        var neighbor = new ScriptedNeighbor().InOpenSent();
        var bytes = Wire.Codec.Hex(body);

        neighbor.Says([.. Enumerable.Repeat((byte)0xff, 16), 0, (byte)(bytes.Length + 19), 1, .. bytes]);

        neighbor.AssertFailsWith(new NotificationCode(2, subcode));
    }

    // RFC 9072 2: it is the type 255 that tells; what the length before it says does not matter, as long as it is not zero.
    [Theory]
    [InlineData("04 fde8 0009 c0000201 ff ff 000f 02 0006 010400010001 02 0003 460100")]
    [InlineData("04 fde8 0009 c0000201 01 ff 0009 02 0006 010400010001")]
    public void ExtendedParametersOfRfc9072_AreRead(string body)
    {
        var bytes = Wire.Codec.Hex(body);
        var neighbor = new ScriptedNeighbor().InOpenSent();

        neighbor.Says([.. Enumerable.Repeat((byte)0xff, 16), 0, (byte)(bytes.Length + 19), 1, .. bytes]);

        Assert.Equal(SessionState.OpenConfirm, neighbor.State);
    }

    private static NegotiatedParameters Agreed(OpenMessage open)
    {
        var neighbor = new ScriptedNeighbor().InEstablished(open);
        return Assert.Single(neighbor.Effects.OfType<SessionEffect.Established>()).Parameters;
    }

    private static ImmutableArray<byte> Refused(OpenMessage open, NotificationCode code)
    {
        var neighbor = new ScriptedNeighbor().InOpenSent();
        neighbor.Says(open);
        return [.. neighbor.AssertFailsWith(code).Data.Span];
    }
}
