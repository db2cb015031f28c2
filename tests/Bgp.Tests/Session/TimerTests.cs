using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Bgp.Tests.Session;

public sealed class TimerTests
{
    [Fact]
    public void Established_WireCut_ClosesAfterTheSmallerHoldTime()
    {
        var pair = SessionPair.Up(router: SessionPair.RouterOptions with { HoldTime = new HoldTime(6) });
        pair.Run(TimeSpan.FromSeconds(30));

        var cut = pair.Now;
        pair.WireCut = true;
        pair.Run(TimeSpan.FromSeconds(20));

        foreach (var end in (SessionEnd[])[pair.Agent, pair.Router])
        {
            var failure = end.Log.First(entry => entry.Effect is SessionEffect.Failed);
            // The last keepalive came up to 2 s before the cut.
            Assert.InRange((failure.At - cut).TotalSeconds, 4, 6);
            var error = ((SessionEffect.Failed)failure.Effect).Error;
            Assert.Equal((4, 0, false), (error.Code, error.Subcode, error.FromPeer));
            Assert.Contains("6 s", error.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Established_WireHealed_IsEstablishedAgainByItself()
    {
        var pair = SessionPair.Up();
        pair.WireCut = true;
        pair.Run(TimeSpan.FromMinutes(3));
        Assert.NotEqual(SessionState.Established, pair.Agent.State);

        pair.WireCut = false;
        pair.Run(TimeSpan.FromSeconds(6));

        Assert.Equal(SessionState.Established, pair.Agent.State);
        Assert.Equal(SessionState.Established, pair.Router.State);
    }

    [Fact]
    public void Established_HoldTimerExpires_SaysSoAndCloses()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Wait(8.9);
        Assert.Equal(SessionState.Established, neighbor.State);
        neighbor.Wait(0.1);

        neighbor.AssertFailsWith(NotificationCode.HoldTimerExpired);
    }

    [Fact]
    public void OpenConfirm_NoKeepalive_EndsAfterTheHoldTime()
    {
        var neighbor = new ScriptedNeighbor().InOpenConfirm();

        neighbor.Wait(9);

        neighbor.AssertFailsWith(NotificationCode.HoldTimerExpired);
    }

    [Fact]
    public void OpenSent_NoOpen_EndsAfterFourMinutes()
    {
        var neighbor = new ScriptedNeighbor().InOpenSent();

        neighbor.Wait(239);
        Assert.Equal(SessionState.OpenSent, neighbor.State);
        neighbor.Wait(1);

        neighbor.AssertFailsWith(NotificationCode.HoldTimerExpired);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void Established_KeepaliveAndUpdate_RestartTheHoldTimer_AndARefreshDoesNot(int which, bool restarts)
    {
        BgpMessage message = which switch
        {
            0 => KeepaliveMessage.Instance,
            1 => new UpdateMessage(),
            _ => new RouteRefreshMessage(new AfiSafi(1, 1)),
        };
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Wait(8.5);
        neighbor.Says(message);

        neighbor.Wait(8.5);

        Assert.Equal(restarts, neighbor.State == SessionState.Established);
    }

    [Fact]
    public void Keepalives_AreSentBetweenThreeQuartersAndAllOfAThirdOfTheHoldTime()
    {
        var pair = SessionPair.Up();
        pair.Run(TimeSpan.FromMinutes(10));

        // The first belongs to the OPEN.
        var times = pair.Agent.TimesOf(BgpMessageType.Keepalive).ToList();
        var waits = times.Zip(times.Skip(1), (first, second) => (second - first).TotalSeconds).ToList();

        Assert.All(waits, wait => Assert.InRange(wait, 2.25, 3));
        Assert.True(waits.Max() - waits.Min() > 0.5, "without jitter (RFC 4271 10) all sessions would send in step");
    }

    [Fact]
    public void Keepalives_AreNeverSentMoreOftenThanOnceASecond()
    {
        var pair = SessionPair.Up(router: SessionPair.RouterOptions with { HoldTime = new HoldTime(3) });
        pair.Run(TimeSpan.FromMinutes(10));

        // RFC 4271 4.4. The smallest hold time there is, a third of it, and the jitter.
        var times = pair.Agent.TimesOf(BgpMessageType.Keepalive).ToList();
        Assert.All(times.Zip(times.Skip(1)), two => Assert.InRange((two.Second - two.First).TotalSeconds, 1, 1.1));
        Assert.Equal(SessionState.Established, pair.Agent.State);
    }

    [Theory]
    [InlineData(9, 2.25)]
    [InlineData(90, 22.5)]
    [InlineData(3, 1)]
    public void TickedAgainAndAgain_KeepalivesAreSentAtThreeQuartersOfTheirInterval_AndNotMoreOftenThanOnceASecond(ushort hold, double interval)
    {
        var neighbor = new ScriptedNeighbor(SessionPair.AgentOptions with { HoldTime = new HoldTime(hold) }).InEstablished(ScriptedNeighbor.Open with { HoldTimeSeconds = hold });
        var sent = new List<TimeSpan>();
        for (var step = 0; step < 400; step++)
        {
            neighbor.Says(KeepaliveMessage.Instance);
            List<SessionEffect> effects = [.. neighbor.Give(new SessionInput.Tick()), .. neighbor.Wait(interval / 25)];
            if (effects.OfType<SessionEffect.Send>().Any(send => send.Type == BgpMessageType.Keepalive))
            {
                sent.Add(neighbor.Now);
            }
        }

        Assert.InRange(sent.Count, 15, 17);
        Assert.All(sent.Zip(sent.Skip(1)), two => Assert.InRange((two.Second - two.First).TotalSeconds, interval * 0.95, interval * 1.05));
    }

    [Fact]
    public void Early_OutputWaits_NoKeepaliveIsAddedToIt_BeforeItHasTo()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        var due = neighbor.NextDeadline!.Value;
        neighbor.Give(SessionInput.OutputBlocked.Instance);
        neighbor.Wait(due - neighbor.Now - TimeSpan.FromMilliseconds(1));

        Assert.Empty(neighbor.Give(new SessionInput.Tick()));
    }

    [Fact]
    public void Keepalive_IsTheSameBytesEveryTime()
    {
        var pair = SessionPair.Up();
        pair.Run(TimeSpan.FromMinutes(1));

        Assert.Single(pair.Agent.Seen<SessionEffect.Send>().Where(send => send.Type == BgpMessageType.Keepalive).Distinct(ReferenceEqualityComparer.Instance));
    }

    [Fact]
    public void Update_RestartsTheKeepaliveTimer()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Wait(2);

        neighbor.Announce(Announcements.Ipv4());

        Assert.InRange((neighbor.NextDeadline!.Value - neighbor.Now).TotalSeconds, 2.25, 3);
    }

    [Fact]
    public void HoldTimeZero_NeitherKeepalivesNorHoldTimer()
    {
        var pair = SessionPair.Up(agent: SessionPair.AgentOptions with { HoldTime = new HoldTime(0) });
        pair.WireCut = true;
        pair.Run(TimeSpan.FromDays(2));

        Assert.Equal(SessionState.Established, pair.Agent.State);
        Assert.Equal(SessionState.Established, pair.Router.State);
        Assert.Single(pair.Agent.TimesOf(BgpMessageType.Keepalive));
        Assert.Null(pair.Agent.NextDeadline);
    }

    [Fact]
    public void HoldTimeZero_NeighborNeverConfirms_StillEnds()
    {
        var neighbor = new ScriptedNeighbor(SessionPair.AgentOptions with { HoldTime = new HoldTime(0) }).InOpenConfirm(ScriptedNeighbor.Open with { HoldTimeSeconds = 0 });

        neighbor.Wait(240);

        neighbor.AssertFailsWith(NotificationCode.HoldTimerExpired);
    }

    [Fact]
    public void Tick_TooEarly_ChangesNothing()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        var deadline = neighbor.NextDeadline;

        Assert.Empty(neighbor.Give(new SessionInput.Tick()));
        Assert.Equal(deadline, neighbor.NextDeadline);
    }

    [Fact]
    public void SlowAndSplitWire_StillEstablishesAndStaysUp()
    {
        var pair = new SessionPair { Delay = TimeSpan.FromMilliseconds(400), SplitAt = 1 };
        pair.Start();

        pair.Run(TimeSpan.FromHours(1));

        Assert.Equal(SessionState.Established, pair.Agent.State);
        Assert.Single(pair.Agent.Seen<SessionEffect.Established>());
    }
}
