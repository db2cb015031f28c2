using System.Text;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Tests.Session;

public sealed class StoppingTests
{
    [Fact]
    public void Established_Stop_WithdrawsThenSaysWhyThenCloses()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv4(), Announcements.Ipv6());

        neighbor.Give(new SessionInput.Stop("planned failover to node-b"));

        Assert.Equal(
            [typeof(SessionEffect.Send), typeof(SessionEffect.Send), typeof(SessionEffect.Close), typeof(SessionEffect.StateChanged)],
            neighbor.Effects.Select(effect => effect.GetType()));
        var withdrawn = neighbor.Sent<UpdateMessage>().SelectMany(update => update.Attributes.MpUnreach!.Prefixes);
        Assert.Equal([Announcements.Ipv4().Prefix, Announcements.Ipv6().Prefix], withdrawn);
        var notification = Assert.Single(neighbor.Sent<NotificationMessage>());
        Assert.Equal(NotificationCode.AdministrativeShutdown, notification.Code);
        Assert.Equal("planned failover to node-b", Encoding.UTF8.GetString(notification.Data.Span[1..]));
        Assert.Equal(SessionState.Idle, neighbor.State);
        Assert.Null(neighbor.NextDeadline);
    }

    [Theory]
    [InlineData(StopReason.PeerDeconfigured, 3)]
    [InlineData(StopReason.ConfigurationChange, 6)]
    public void Established_StopForTheConfiguration_WithdrawsAndSaysSoWithoutAText(StopReason reason, byte subcode)
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv4());

        neighbor.Give(new SessionInput.Stop("its options were changed") { Reason = reason });

        Assert.NotEmpty(neighbor.Sent<UpdateMessage>().SelectMany(update => update.Attributes.MpUnreach!.Prefixes));
        var notification = Assert.Single(neighbor.Sent<NotificationMessage>());
        Assert.Equal(new NotificationCode(6, subcode), notification.Code);
        Assert.True(notification.Data.IsEmpty);
        Assert.Equal(SessionState.Idle, neighbor.State);
    }

    [Fact]
    public void Established_Stop_NeighborSeesTheTextAndTheWithdrawal()
    {
        var pair = SessionPair.Up();
        pair.Agent.Announce(Announcements.Ipv4());
        pair.Run(TimeSpan.FromSeconds(1));

        pair.Agent.Give(new SessionInput.Stop("planned failover to node-b"));
        pair.Run(TimeSpan.FromMinutes(10));

        Assert.Equal([Announcements.Ipv4().Prefix], pair.Router.Seen<SessionEffect.RoutesReceived>().Last().Update.Withdrawn);
        Assert.Equal("the neighbor says Cease/Administrative Shutdown: planned failover to node-b", pair.Router.LastError.Text);
        Assert.Equal((6, 2, true), (pair.Router.LastError.Code, pair.Router.LastError.Subcode, pair.Router.LastError.FromPeer));
        Assert.Single(pair.Agent.Dials);
    }

    [Fact]
    public void StoppedSession_StartedAgain_AnnouncesWhatItLastWasTold()
    {
        var pair = SessionPair.Up();
        pair.Agent.Announce(Announcements.Ipv4());
        pair.Agent.Give(new SessionInput.Stop("restart"));
        pair.Run(TimeSpan.FromSeconds(1));

        pair.Agent.Give(new SessionInput.Start());
        pair.Run(TimeSpan.FromSeconds(1));

        Assert.Equal([Announcements.Ipv4().Prefix], pair.Router.Seen<SessionEffect.RoutesReceived>().Last().Update.Announced);
    }

    [Fact]
    public void Stop_InOpenSentAndOpenConfirm_SaysCease()
    {
        foreach (var neighbor in (ScriptedNeighbor[])[new ScriptedNeighbor().InOpenSent(), new ScriptedNeighbor().InOpenConfirm()])
        {
            neighbor.Give(new SessionInput.Stop("maintenance"));

            Assert.Equal(NotificationCode.AdministrativeShutdown, Assert.Single(neighbor.Sent<NotificationMessage>()).Code);
            Assert.Contains(neighbor.Effects, effect => effect is SessionEffect.Close);
            Assert.Equal(SessionState.Idle, neighbor.State);
            Assert.Null(neighbor.NextDeadline);
        }
    }

    [Fact]
    public void Stop_WhileDialling_AbandonsTheDial()
    {
        var neighbor = new ScriptedNeighbor();
        neighbor.Give(new SessionInput.Start());

        neighbor.Give(new SessionInput.Stop("maintenance"));

        Assert.IsType<SessionEffect.AbandonDial>(neighbor.Effects[0]);
        Assert.Null(neighbor.NextDeadline);
    }

    [Fact]
    public void Stop_WhileWaiting_EndsTheWait()
    {
        var inActive = new ScriptedNeighbor();
        inActive.Give(new SessionInput.Start());
        inActive.Give(new SessionInput.ConnectFailed("connection refused"));
        var inIdle = new ScriptedNeighbor().InEstablished();
        inIdle.Give(new SessionInput.Disconnected("connection closed by the neighbor"));

        foreach (var neighbor in (ScriptedNeighbor[])[inActive, inIdle])
        {
            neighbor.Give(new SessionInput.Stop("maintenance"));

            Assert.Equal(SessionState.Idle, neighbor.State);
            Assert.Null(neighbor.NextDeadline);
            Assert.DoesNotContain(neighbor.Effects, effect => effect is SessionEffect.Send or SessionEffect.Close);
        }
    }

    [Theory]
    [InlineData(200, 200)]
    [InlineData(255, 255)]
    [InlineData(256, 255)]
    [InlineData(5000, 255)]
    public void Stop_LongText_IsCutTo255Octets(int length, int sent)
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Give(new SessionInput.Stop(new string('x', length)));

        var data = Assert.Single(neighbor.Sent<NotificationMessage>()).Data.Span;
        Assert.Equal(sent, data[0]);
        Assert.Equal(sent + 1, data.Length);
    }

    [Fact]
    public void Stop_LongTextInManyOctets_IsCutAtACharacter()
    {
        // 127 characters of two octets and the beginning of a four-octet one: 254 octets are whole.
        var text = new string('ü', 127) + "🚀🚀";

        var data = ShutdownText.Write(text).Span;

        Assert.Equal(254, data[0]);
        Assert.Equal(new string('ü', 127), Encoding.UTF8.GetString(data[1..]));
    }

    [Fact]
    public void Stop_TextWithHalfACharacter_IsStillUtf8()
    {
        var data = ShutdownText.Write("broken \ud83d here").Span;

        Assert.Equal("broken � here", new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(data[1..]));
    }

    [Fact]
    public void Stop_EmptyText_HasNoData()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Give(new SessionInput.Stop(""));

        Assert.Equal(0, Assert.Single(neighbor.Sent<NotificationMessage>()).Data.Length);
    }

    [Fact]
    public void Established_Reset_SaysSoWithTheTextAndComesUpAgainByItself()
    {
        var pair = SessionPair.Up();
        pair.Agent.Announce(Announcements.Ipv4());
        pair.Run(TimeSpan.FromSeconds(1));

        pair.Agent.Give(new SessionInput.Reset("stale routes"));
        Assert.Equal(SessionState.Idle, pair.Agent.State);
        pair.Run(TimeSpan.FromSeconds(30));

        Assert.Equal("the neighbor says Cease/Administrative Reset: stale routes", pair.Router.LastError.Text);
        Assert.Equal((6, 4, true), (pair.Router.LastError.Code, pair.Router.LastError.Subcode, pair.Router.LastError.FromPeer));
        Assert.Equal(SessionState.Established, pair.Agent.State);
        Assert.Equal([Announcements.Ipv4().Prefix], pair.Router.Seen<SessionEffect.RoutesReceived>().Last(seen => !seen.Update.Announced.IsEmpty).Update.Announced);
    }

    [Fact]
    public void WithoutAConnection_Reset_ChangesNothing()
    {
        var neighbor = new ScriptedNeighbor();

        neighbor.Give(new SessionInput.Reset("stale routes"));

        Assert.Empty(neighbor.Effects);
        Assert.Equal(SessionState.Idle, neighbor.State);
    }
}
