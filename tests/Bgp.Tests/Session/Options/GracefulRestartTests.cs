using System.Collections.Immutable;
using System.Text;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Tests.Wire;

namespace FailoverHub.Bgp.Tests.Session.Options;

// RFC 4724 as a helper, RFC 8538.
public sealed class GracefulRestartTests
{
    private static readonly SessionOptions _on = SessionPair.AgentOptions with { GracefulRestartHelper = true };

    [Fact]
    public void Offer_HasNoFamilyNoTimeAndTheNotificationBit()
    {
        var offer = Assert.Single(OpenNegotiation.OurOpen(_on, withCapabilities: true).Capabilities.OfType<Capability.GracefulRestart>());

        Assert.Equal((false, true, (ushort)0), (offer.Restarted, offer.Notification, offer.RestartTimeSeconds));
        Assert.Empty(offer.Families);
    }

    [Fact]
    public void Off_NothingIsOffered()
    {
        Assert.DoesNotContain(OpenNegotiation.OurOpen(SessionPair.AgentOptions, withCapabilities: true).Capabilities, capability => capability is Capability.GracefulRestart);
    }

    [Fact]
    public void BothOffer_EndOfRibOfEachFamilyFollowsTheInitialRoutes()
    {
        var neighbor = new ScriptedNeighbor(_on);
        neighbor.Announce(Announcements.Ipv4(), Announcements.Ipv6());
        neighbor.InEstablished(Theirs());

        var updates = Updates(neighbor);

        Assert.Equal([null, null, RouteFamily.Ipv4Unicast, RouteFamily.Ipv6Unicast], updates.Select(update => update.EndOfRib));
        Assert.Contains(neighbor.Effects, effect => effect is SessionEffect.AdvertisementsSent { Announced: 2 });
    }

    [Fact]
    public void BothOffer_NothingToAnnounce_EndOfRibComesAllTheSame()
    {
        var neighbor = new ScriptedNeighbor(_on).InEstablished(Theirs());

        Assert.Equal([RouteFamily.Ipv4Unicast, RouteFamily.Ipv6Unicast], Updates(neighbor).Select(update => update.EndOfRib));
    }

    [Fact]
    public void BothOffer_EndOfRibOnlyOfFamiliesThatBothHave()
    {
        var neighbor = new ScriptedNeighbor(_on with { Families = [RouteFamily.Ipv6Unicast] }).InEstablished(Theirs());

        Assert.Equal([RouteFamily.Ipv6Unicast], Updates(neighbor).Select(update => update.EndOfRib));
    }

    [Fact]
    public void NeighborHasRestarted_RoutesAndEndOfRibComeAtOnce()
    {
        // R bit: it waits for nobody to wait for it (RFC 4724 3), and for our End-of-RIB before it chooses (4.1).
        var neighbor = new ScriptedNeighbor(_on);
        neighbor.Announce(Announcements.Ipv4());
        neighbor.InEstablished(Theirs(restarted: true, time: 120));

        Assert.Equal([null, RouteFamily.Ipv4Unicast, RouteFamily.Ipv6Unicast], Updates(neighbor).Select(update => update.EndOfRib));
        var negotiated = neighbor.Diagnostics.Negotiated!;
        Assert.Equal((true, true, true, TimeSpan.FromSeconds(120)), (negotiated.GracefulRestart, negotiated.GracefulNotification, negotiated.PeerRestarted, negotiated.PeerRestartTime));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void OneDoesNotOffer_NoEndOfRib(bool weOffer, bool theyOffer)
    {
        var neighbor = new ScriptedNeighbor(weOffer ? _on : null).InEstablished(theyOffer ? Theirs() : null);

        Assert.Empty(Updates(neighbor));
        Assert.Equal((false, false, false), (neighbor.Diagnostics.Negotiated!.GracefulRestart, neighbor.Diagnostics.Negotiated.GracefulNotification, neighbor.Diagnostics.Negotiated.PeerRestarted));
    }

    [Fact]
    public void SeveralOffersOfTheNeighbor_TheLastCounts()
    {
        // RFC 4724 3.
        var open = ScriptedNeighbor.Open with
        {
            Capabilities = [.. ScriptedNeighbor.Open.Capabilities, new Capability.GracefulRestart(true, true, 9, []), new Capability.GracefulRestart(false, false, 30, [])],
        };
        var neighbor = new ScriptedNeighbor(_on).InEstablished(open);

        var negotiated = neighbor.Diagnostics.Negotiated!;
        Assert.Equal((false, false, TimeSpan.FromSeconds(30)), (negotiated.GracefulNotification, negotiated.PeerRestarted, negotiated.PeerRestartTime));
    }

    [Fact]
    public void Stop_BothHaveTheNotificationBit_IsAHardResetWithTheRealReasonInside()
    {
        var neighbor = new ScriptedNeighbor(_on).InEstablished(Theirs());
        neighbor.Announce(Announcements.Ipv4());

        neighbor.Give(new SessionInput.Stop("planned failover to node-b"));

        var notification = Assert.Single(neighbor.Sent<NotificationMessage>());
        Assert.Equal(NotificationCode.HardReset, notification.Code);
        Assert.Equal(NotificationCode.AdministrativeShutdown, notification.Meaning.Code);
        Assert.Equal("planned failover to node-b", Encoding.UTF8.GetString(notification.Meaning.Data.Span[1..]));
        // The routes are taken back first, as always.
        Assert.Equal([Announcements.Ipv4().Prefix], Assert.Single(neighbor.Sent<UpdateMessage>()).Attributes.MpUnreach!.Prefixes);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Stop_OneHasNotTheNotificationBit_IsAPlainCease(bool weOffer, bool theirBit)
    {
        // RFC 8538 3.1: whoever has not set the bit may not know what a Hard Reset is.
        var neighbor = new ScriptedNeighbor(weOffer ? _on : null).InEstablished(Theirs(notification: theirBit));

        neighbor.Give(new SessionInput.Stop("maintenance"));

        Assert.Equal(NotificationCode.AdministrativeShutdown, Assert.Single(neighbor.Sent<NotificationMessage>()).Code);
    }

    [Fact]
    public void Stop_BeforeTheNeighborsOpen_IsAPlainCease()
    {
        var neighbor = new ScriptedNeighbor(_on).InOpenSent();

        neighbor.Give(new SessionInput.Stop("maintenance"));

        Assert.Equal(NotificationCode.AdministrativeShutdown, Assert.Single(neighbor.Sent<NotificationMessage>()).Code);
    }

    [Fact]
    public void StopOfTheLongestText_StillFits()
    {
        var pair = SessionPair.Up(_on, SessionPair.RouterOptions with { GracefulRestartHelper = true });

        pair.Agent.Give(new SessionInput.Stop(new string('x', 255)));
        pair.Run(TimeSpan.FromSeconds(1));

        Assert.Equal($"the neighbor says Cease/Hard Reset (Cease/Administrative Shutdown: {new string('x', 255)})", pair.Router.LastError.Text);
    }

    [Fact]
    public void SessionFaults_AreNotHardResets()
    {
        // We keep nothing of the neighbor's and it keeps nothing of ours: there is nothing that a hard reset would add.
        var neighbor = new ScriptedNeighbor(_on).InEstablished(Theirs());

        neighbor.Wait(9);

        neighbor.AssertFailsWith(NotificationCode.HoldTimerExpired);
    }

    [Fact]
    public void EndOfRibOfTheNeighbor_IsNoNews()
    {
        var neighbor = new ScriptedNeighbor(_on).InEstablished(Theirs());

        Assert.Empty(neighbor.Says(new UpdateMessage()));
        Assert.Equal(SessionState.Established, neighbor.State);
    }

    [Fact]
    public void LostAndBack_EverythingIsSentAgainWithEndOfRib()
    {
        var pair = SessionPair.Up(_on, SessionPair.RouterOptions with { GracefulRestartHelper = true });
        pair.Agent.Announce(Announcements.Ipv4());
        pair.Run(TimeSpan.FromSeconds(1));

        pair.Break();
        pair.Run(TimeSpan.FromSeconds(5));

        Assert.Equal(2, pair.Router.Seen<SessionEffect.RoutesReceived>().Count(routes => routes.Update.Announced.Contains(Announcements.Ipv4().Prefix)));
        Assert.Equal(6, pair.Agent.Diagnostics.Sent.Update);
    }

    private static OpenMessage Theirs(bool restarted = false, bool notification = true, ushort time = 0) => ScriptedNeighbor.Open with
    {
        Capabilities =
        [
            .. ScriptedNeighbor.Open.Capabilities,
            new Capability.GracefulRestart(restarted, notification, time, [new GracefulRestartFamily(new AfiSafi(1, 1), true)]),
        ],
    };

    private static ImmutableArray<Bgp.Wire.DecodedUpdate> Updates(ScriptedNeighbor neighbor) =>
    [
        .. neighbor.Trace
            .Where(entry => entry is { Direction: Bgp.Session.Diagnostics.MessageDirection.Sent, Type: BgpMessageType.Update })
            .Select(entry => Bgp.Wire.UpdateCodec.Read(entry.Body.Span, Codec.FourOctets)),
    ];
}
