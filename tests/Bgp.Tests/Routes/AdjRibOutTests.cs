using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Tests.Session;
using FailoverHub.Bgp.Tests.Wire;

namespace FailoverHub.Bgp.Tests.Routes;

public sealed class AdjRibOutTests
{
    [Fact]
    public void Announcements_AreToTheByteWhatBirdSends()
    {
        var theirs = CapturedMessages.From("bird").Where(captured => captured.Type == "UPDATE").SelectMany(captured => captured.Bytes).ToArray();
        var neighbor = new ScriptedNeighbor { Local = IPAddress.Parse("fd00:10::2") }.InEstablished();

        neighbor.Announce(Announcements.Ipv4(), Announcements.Ipv6());

        AssertSends(neighbor, theirs);
    }

    [Fact]
    public void Withdrawals_AreToTheByteWhatBirdAndFrrSend()
    {
        foreach (var daemon in (string[])["bird-lab", "frr-lab"])
        {
            var theirs = CapturedMessages.From(daemon).Where(captured => captured.Bytes.Length is 35 or 39).SelectMany(captured => captured.Bytes).ToArray();
            var neighbor = new ScriptedNeighbor().InEstablished();
            neighbor.Announce(Announcements.Ipv4(prefix: "203.0.113.10/32"), Announcements.Ipv6(prefix: "2600:3c0f:18:100::/64"));

            neighbor.Announce();

            AssertSends(neighbor, theirs);
        }
    }

    [Fact]
    public void VendorsAnnouncement_HasTheSameMeaningAsOurs()
    {
        var neighbor = new ScriptedNeighbor { Local = IPAddress.Parse("fd00:10:34::1") }.InEstablished();

        neighbor.Announce(Announcements.Ipv4());

        var theirs = Codec.Decode(CapturedMessages.From("vendor-equivalent").First(captured => captured.Type == "UPDATE").Bytes);
        Assert.Equal(MessageText.Of(theirs), MessageText.Of(Assert.Single(neighbor.Sent<UpdateMessage>())));
    }

    [Fact]
    public void RoleChange_AnnouncesTheSamePrefixAgainWithoutAWithdrawal()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv4(Announcements.Primary), Announcements.Ipv6(Announcements.Primary));

        neighbor.Announce(Announcements.Ipv4(Announcements.Secondary), Announcements.Ipv6(Announcements.Primary));

        var update = Assert.Single(neighbor.Sent<UpdateMessage>());
        Assert.Equal([Announcements.Ipv4().Prefix], update.Attributes.MpReach!.Prefixes);
        Assert.Equal([Announcements.Secondary], update.Attributes.Communities);
        Assert.Null(update.Attributes.MpUnreach);
        Assert.Empty(update.Withdrawn);
        Assert.Equal(2, AdvertisementsSent(neighbor));
    }

    [Fact]
    public void OriginChange_AnnouncesAgain()
    {
        // The takeover ahead of the hold timer is such a change.
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv4());

        neighbor.Announce(Announcements.Ipv4() with { Origin = Origin.Igp });

        Assert.Equal(Origin.Igp, Assert.Single(neighbor.Sent<UpdateMessage>()).Attributes.Origin);
    }

    [Fact]
    public void TheSameAgain_SendsNothingAndSaysThatAllIsSent()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv4());

        neighbor.Announce(Announcements.Ipv4());

        Assert.Empty(neighbor.Sent<UpdateMessage>());
        Assert.Equal(1, AdvertisementsSent(neighbor));
    }

    [Fact]
    public void DrainedAndBack_WithdrawsAndAnnounces()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv4());

        neighbor.Announce();
        Assert.Equal([Announcements.Ipv4().Prefix], Assert.Single(neighbor.Sent<UpdateMessage>()).Attributes.MpUnreach!.Prefixes);
        Assert.Equal(0, AdvertisementsSent(neighbor));
        Assert.Equal(SessionState.Established, neighbor.State);

        neighbor.Announce(Announcements.Ipv4());
        Assert.Equal([Announcements.Ipv4().Prefix], Assert.Single(neighbor.Sent<UpdateMessage>()).Attributes.MpReach!.Prefixes);
    }

    [Fact]
    public void OnePrefixGoesAnotherComes_BothAreInOneBatch()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv4());

        neighbor.Announce(Announcements.Ipv6());

        Assert.Single(neighbor.Effects.OfType<SessionEffect.Send>());
        Assert.Equal(2, neighbor.Sent<UpdateMessage>().Count);
    }

    [Fact]
    public void SetBeforeEstablished_TheLastOneCounts()
    {
        var neighbor = new ScriptedNeighbor();
        Assert.Empty(neighbor.Announce(Announcements.Ipv4(), Announcements.Ipv6()));
        Assert.Empty(neighbor.Announce(Announcements.Ipv6(Announcements.Secondary)));

        neighbor.InEstablished();

        var update = Assert.Single(neighbor.Sent<UpdateMessage>());
        Assert.Equal([Announcements.Ipv6().Prefix], update.Attributes.MpReach!.Prefixes);
        Assert.Equal([Announcements.Secondary], update.Attributes.Communities);
    }

    [Fact]
    public void NewSession_HasEverythingAnnouncedAgain()
    {
        var pair = SessionPair.Up();
        pair.Agent.Announce(Announcements.Ipv4(), Announcements.Ipv6());
        pair.Run(TimeSpan.FromSeconds(1));
        pair.Break();
        pair.Run(TimeSpan.FromSeconds(5));

        var announced = pair.Router.Seen<SessionEffect.RoutesReceived>().SelectMany(received => received.Update.Announced);
        Assert.Equal(
            [Announcements.Ipv4().Prefix, Announcements.Ipv6().Prefix, Announcements.Ipv4().Prefix, Announcements.Ipv6().Prefix], announced);
    }

    [Fact]
    public void NothingToAnnounce_NoEndOfRib()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        Assert.Empty(neighbor.Sent<UpdateMessage>());
        Assert.Equal(0, AdvertisementsSent(neighbor));
    }

    [Fact]
    public void RouteRefresh_SendsThatFamilyAgain()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv4(), Announcements.Ipv6());

        neighbor.Says(new RouteRefreshMessage(new AfiSafi(2, 1)));

        Assert.Equal([Announcements.Ipv6().Prefix], Assert.Single(neighbor.Sent<UpdateMessage>()).Attributes.MpReach!.Prefixes);
    }

    [Fact]
    public void RouteRefresh_OfAFamilyNobodyKnows_IsIgnored()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv4());

        Assert.Empty(neighbor.Says(new RouteRefreshMessage(new AfiSafi(25, 70))));
        Assert.Equal(SessionState.Established, neighbor.State);
    }

    [Fact]
    public void RouteRefresh_OfADrainedNode_SendsNothing()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv4());
        neighbor.Announce();

        Assert.Empty(neighbor.Says(new RouteRefreshMessage(new AfiSafi(1, 1))));
    }

    [Fact]
    public void ThousandsOfPrefixes_ArePackedIntoAsFewUpdatesAsFit()
    {
        var all = Enumerable.Range(0, 5000).Select(i => Announcements.Ipv4(prefix: $"10.{i / 256}.{i % 256}.1/32")).ToArray();
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Announce(all);

        var send = Assert.Single(neighbor.Effects.OfType<SessionEffect.Send>());
        var updates = neighbor.Sent<UpdateMessage>();
        Assert.Equal(all.Select(one => one.Prefix), updates.SelectMany(update => update.Attributes.MpReach!.Prefixes));
        // 23 octets of header and lengths, 20 of other attributes, 25 before the prefixes, 5 a prefix.
        var each = (4096 - 23 - 20 - 25) / 5;
        Assert.Equal((all.Length + each - 1) / each, updates.Count);
        Assert.InRange(send.Bytes.Length, 25_000, 26_000);

        neighbor.Announce();
        Assert.Equal(all.Length, neighbor.Sent<UpdateMessage>().Sum(update => update.Attributes.MpUnreach!.Prefixes.Length));
        Assert.Equal(7, neighbor.Sent<UpdateMessage>().Count);
    }

    [Fact]
    public void PrefixesThatFitExactly_AreOneFullUpdate()
    {
        // 4066 octets are left beside MP_UNREACH_NLRI: 810 prefixes of five octets and four of four.
        var all = Enumerable.Range(0, 810).Select(i => Announcements.Ipv4(prefix: $"10.{i / 256}.{i % 256}.1/32"))
            .Concat(Enumerable.Range(0, 4).Select(i => Announcements.Ipv4(prefix: $"10.9.{i}.0/24")))
            .ToArray();
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(all);

        neighbor.Announce();

        Assert.Single(neighbor.Sent<UpdateMessage>());
        Assert.Equal(4096, neighbor.Effects.OfType<SessionEffect.Send>().Single().Bytes.Length);
    }

    [Fact]
    public void ManyCommunities_LeaveRoomForPrefixes()
    {
        var communities = Enumerable.Range(0, 255).Select(i => new Community(65000, (ushort)i)).ToArray();
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Announce(Announcements.Ipv4() with { Communities = [.. communities] }, Announcements.Ipv6());

        Assert.Equal(communities, neighbor.Sent<UpdateMessage>()[0].Attributes.Communities);
        Assert.Throws<ArgumentException>(() => neighbor.Announce(Announcements.Ipv4() with { Communities = [.. communities, Announcements.Primary] }));
    }

    [Fact]
    public void SamePrefixTwice_TheLastOneCounts()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Announce(Announcements.Ipv4(Announcements.Primary), Announcements.Ipv4(Announcements.Secondary));

        Assert.Equal([Announcements.Secondary], Assert.Single(neighbor.Sent<UpdateMessage>()).Attributes.Communities);
    }

    [Fact]
    public void FamilyThatTheNeighborDidNotOffer_IsSkipped_AndSaidToBe()
    {
        var ipv6Only = ScriptedNeighbor.Open with { Capabilities = [new Capability.Multiprotocol(AfiSafi.Of(RouteFamily.Ipv6Unicast)), new Capability.FourOctetAs(65000)] };
        var neighbor = new ScriptedNeighbor().InEstablished(ipv6Only);

        neighbor.Announce(Announcements.Ipv4(), Announcements.Ipv6());

        var sent = Assert.Single(neighbor.Effects.OfType<SessionEffect.AdvertisementsSent>());
        Assert.Equal(1, sent.Announced);
        Assert.Equal([new SkippedPrefix(Announcements.Ipv4().Prefix, SkipReason.FamilyNotNegotiated)], sent.Skipped);
    }

    [Fact]
    public void Ipv4OnAnIpv6SessionWithoutIpv6NextHops_IsSkipped_AndSaidToBe()
    {
        var neighbor = new ScriptedNeighbor().InEstablished(ScriptedNeighbor.Open with { Capabilities = [.. ScriptedNeighbor.Open.Capabilities.Where(capability => capability is not Capability.ExtendedNextHop)] });

        neighbor.Announce(Announcements.Ipv4());

        var sent = Assert.Single(neighbor.Effects.OfType<SessionEffect.AdvertisementsSent>());
        Assert.Equal(0, sent.Announced);
        Assert.Equal([new SkippedPrefix(Announcements.Ipv4().Prefix, SkipReason.NoNextHop)], sent.Skipped);
    }

    private static int AdvertisementsSent(ScriptedNeighbor neighbor) => Assert.Single(neighbor.Effects.OfType<SessionEffect.AdvertisementsSent>()).Announced;

    private static void AssertSends(ScriptedNeighbor neighbor, byte[] expected) =>
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(Assert.Single(neighbor.Effects.OfType<SessionEffect.Send>()).Bytes.Span));
}
