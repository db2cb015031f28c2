using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Tests.Session;

namespace FailoverHub.Bgp.Tests.Routes;

public sealed class NextHopTests
{
    [Theory]
    [InlineData("127.0.0.11")]
    [InlineData("::ffff:127.0.0.11")]
    public void Ipv4OnAnIpv4Session_IsClassic(string local)
    {
        var neighbor = new ScriptedNeighbor { Local = IPAddress.Parse(local) }.InEstablished();

        neighbor.Announce(Announcements.Ipv4());
        var update = Assert.Single(neighbor.Sent<UpdateMessage>());
        Assert.Equal(IPAddress.Parse("127.0.0.11"), update.Attributes.NextHop);
        Assert.Equal([Announcements.Ipv4().Prefix], update.Announced);
        Assert.Null(update.Attributes.MpReach);

        neighbor.Announce();
        Assert.Equal([Announcements.Ipv4().Prefix], Assert.Single(neighbor.Sent<UpdateMessage>()).Withdrawn);
    }

    [Fact]
    public void Ipv6OnAnIpv4Session_HasTheMappedAddressAsNextHop()
    {
        var neighbor = new ScriptedNeighbor { Local = IPAddress.Parse("127.0.0.11") }.InEstablished();

        neighbor.Announce(Announcements.Ipv6());

        var reach = Assert.Single(neighbor.Sent<UpdateMessage>()).Attributes.MpReach!;
        Assert.Equal(IPAddress.Parse("::ffff:127.0.0.11"), reach.NextHop);
        Assert.Equal([Announcements.Ipv6().Prefix], reach.Prefixes);
    }

    [Fact]
    public void BothOnAnIpv6Session_HaveOurIpv6AddressAsNextHop()
    {
        var neighbor = new ScriptedNeighbor { Local = IPAddress.Parse("2001:db8::a%3") }.InEstablished();

        neighbor.Announce(Announcements.Ipv4(), Announcements.Ipv6());

        Assert.All(neighbor.Sent<UpdateMessage>(), update => Assert.Equal(IPAddress.Parse("2001:db8::a"), update.Attributes.MpReach!.NextHop));
        Assert.Equal([1, 2], neighbor.Sent<UpdateMessage>().Select(update => (int)update.Attributes.MpReach!.Family.Afi));
        Assert.All(neighbor.Sent<UpdateMessage>(), update => Assert.Null(update.Attributes.NextHop));
    }

    [Fact]
    public void Ipv4OnAnIpv6Session_WithoutExtendedNextHop_IsNotSent()
    {
        var open = ScriptedNeighbor.Open with { Capabilities = [.. ScriptedNeighbor.Open.Capabilities.Where(one => one is not Capability.ExtendedNextHop)] };
        var neighbor = new ScriptedNeighbor().InEstablished(open);

        neighbor.Announce(Announcements.Ipv4(), Announcements.Ipv6());

        Assert.Equal([Announcements.Ipv6().Prefix], Assert.Single(neighbor.Sent<UpdateMessage>()).Attributes.MpReach!.Prefixes);
        Assert.Equal(1, Assert.Single(neighbor.Effects.OfType<SessionEffect.AdvertisementsSent>()).Announced);
        neighbor.Announce(Announcements.Ipv6());
        Assert.Empty(neighbor.Sent<UpdateMessage>());
    }

    [Fact]
    public void FamilyThatWasNotAgreed_IsNotSent()
    {
        var neighbor = new ScriptedNeighbor { Local = IPAddress.Parse("127.0.0.11") }.InEstablished(ScriptedNeighbor.Open with { Capabilities = [] });

        neighbor.Announce(Announcements.Ipv4(), Announcements.Ipv6());

        Assert.Equal([Announcements.Ipv4().Prefix], neighbor.Effects.OfType<SessionEffect.Send>().SelectMany(TwoOctetUpdates).Single().Announced);
    }

    [Fact]
    public void TwoOctetNeighbor_OurBigAsNumber_IsAsTransAndStandsInAs4Path()
    {
        var options = SessionPair.AgentOptions with { LocalAs = 4200000001 };
        var neighbor = new ScriptedNeighbor(options) { Local = IPAddress.Parse("127.0.0.11") }.InEstablished(ScriptedNeighbor.Open with { Capabilities = [] });

        neighbor.Announce(Announcements.Ipv4());

        var update = neighbor.Effects.OfType<SessionEffect.Send>().SelectMany(TwoOctetUpdates).Single();
        Assert.Equal([(uint)OpenMessage.AsTrans], Assert.Single(update.Attributes.AsPath!.Value).AsNumbers);
        Assert.Equal([4200000001u], Assert.Single(update.Attributes.As4Path!.Value).AsNumbers);
    }

    [Fact]
    public void BigAsNumber_ComesOutWhole_OnTheOtherSide()
    {
        var agent = SessionPair.AgentOptions with { LocalAs = 4200000001 };
        var router = SessionPair.RouterOptions with { PeerAs = 4200000001 };
        var pair = SessionPair.Up(agent, router);
        pair.Agent.Announce(Announcements.Ipv6());
        pair.Run(TimeSpan.FromSeconds(1));

        Assert.Equal([4200000001u], pair.Router.Seen<SessionEffect.RoutesReceived>().Single().Update.AsPath);
    }

    [Fact]
    public void SameAs_EmptyPathAndLocalPref()
    {
        var options = SessionPair.AgentOptions with { PeerAs = 65001 };
        var neighbor = new ScriptedNeighbor(options).InEstablished(
            OpenNegotiation.OurOpen(SessionPair.AgentOptions with { RouterId = new RouterId(99) }, withCapabilities: true));

        neighbor.Announce(Announcements.Ipv6());

        var attributes = Assert.Single(neighbor.Sent<UpdateMessage>()).Attributes;
        Assert.Empty(attributes.AsPath!.Value);
        Assert.Equal(100u, attributes.LocalPref);
    }

    private static IEnumerable<UpdateMessage> TwoOctetUpdates(SessionEffect.Send send) =>
        Wire.Codec.DecodeAll(send.Bytes.Span, Wire.Codec.TwoOctets).Select(decoded => decoded.Message).OfType<UpdateMessage>();
}
