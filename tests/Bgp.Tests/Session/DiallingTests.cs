using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Bgp.Tests.Session;

public sealed class DiallingTests
{
    [Fact]
    public void Start_DialsAtOnce()
    {
        var neighbor = new ScriptedNeighbor();

        neighbor.Give(new SessionInput.Start());

        Assert.IsType<SessionEffect.Dial>(neighbor.Effects[0]);
        Assert.Equal(SessionState.Connect, neighbor.State);
    }

    [Fact]
    public void Start_WhenStarted_ChangesNothing()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        Assert.Empty(neighbor.Give(new SessionInput.Start()));
    }

    [Fact]
    public void Connect_DialFails_WaitsInActiveAndDialsAgain()
    {
        var neighbor = new ScriptedNeighbor();
        neighbor.Give(new SessionInput.Start());

        neighbor.Give(new SessionInput.ConnectFailed("connection refused"));

        Assert.Equal(SessionState.Active, neighbor.State);
        Assert.Equal(new SessionError("connection refused", false, 0, 0), neighbor.Error);
        Assert.Single(neighbor.Wait(2).OfType<SessionEffect.Dial>());
        Assert.Equal(SessionState.Connect, neighbor.State);
    }

    [Fact]
    public void Connect_DialUnanswered_IsToldOf_AndDialledAgainAtOnce()
    {
        var neighbor = new ScriptedNeighbor();
        neighbor.Give(new SessionInput.Start());

        var effects = neighbor.Give(new SessionInput.ConnectFailed("no answer") { Unanswered = true });

        Assert.Equal(new SessionError("no answer", false, 0, 0), neighbor.Error);
        Assert.IsType<SessionEffect.Dial>(effects[^1]);
        Assert.Equal(SessionState.Connect, neighbor.State);
        Assert.Equal(1, neighbor.Diagnostics.FailuresInARow);
        neighbor.Wait(5);
        Assert.Contains(neighbor.Effects, effect => effect is SessionEffect.Dial);
    }

    [Fact]
    public void Connect_NoAnswer_GivesUpAndDialsAgainWithinTheConnectRetryTime()
    {
        var neighbor = new ScriptedNeighbor();
        neighbor.Give(new SessionInput.Start());

        neighbor.Wait(5);

        Assert.IsType<SessionEffect.AbandonDial>(neighbor.Effects[0]);
        Assert.Contains(neighbor.Effects, effect => effect is SessionEffect.Dial);
        Assert.Equal(SessionState.Connect, neighbor.State);
    }

    [Fact]
    public void DialsThatFail_AreSpacedBetweenASecondAndTheConnectRetryTime_AndGrow()
    {
        foreach (var seed in Enumerable.Range(0, 50))
        {
            var pair = new SessionPair(seed: seed) { RefuseDials = "connection refused" };
            pair.Start();
            pair.Run(TimeSpan.FromMinutes(2));

            var waits = pair.Agent.Dials.Zip(pair.Agent.Dials.Skip(1), (first, second) => (second - first).TotalSeconds).ToList();
            // The answer to a dial takes 2 ms here.
            Assert.All(waits, wait => Assert.InRange(wait, 1, 5.003));
            Assert.InRange(waits[0], 1, 1.503);
            Assert.InRange(waits[1], 2.25, 3.003);
            Assert.All(waits.Skip(2), wait => Assert.InRange(wait, 3.75, 5.003));
        }
    }

    [Fact]
    public void DialsThatFail_OfManySessions_DoNotStayInStep()
    {
        var second = Enumerable.Range(0, 20).Select(seed =>
        {
            var pair = new SessionPair(seed: seed * 10) { RefuseDials = "connection refused" };
            pair.Start();
            pair.Run(TimeSpan.FromSeconds(10));
            return pair.Agent.Dials.ElementAt(1);
        }).Distinct();

        Assert.True(second.Count() > 15);
    }

    [Fact]
    public void ShortConnectRetry_IsNeverExceeded()
    {
        var pair = new SessionPair(SessionPair.AgentOptions with { ConnectRetry = TimeSpan.FromMilliseconds(200) }) { RefuseDials = "connection refused" };
        pair.Start();
        pair.Run(TimeSpan.FromSeconds(10));

        Assert.InRange(pair.Agent.Dials.Count(), 40, 80);
    }

    [Fact]
    public void Established_LongEnough_ThenLost_StartsWithTheShortWaitAgain()
    {
        var pair = new SessionPair { RefuseDials = "connection refused" };
        pair.Start();
        pair.Run(TimeSpan.FromMinutes(1));
        pair.RefuseDials = null;
        pair.Run(TimeSpan.FromMinutes(1));
        Assert.Equal(SessionState.Established, pair.Agent.State);

        var lost = pair.Now;
        pair.Break();
        pair.Run(TimeSpan.FromSeconds(10));

        Assert.InRange((pair.Agent.Dials.Last() - lost).TotalSeconds, 1, 1.5);
        Assert.Equal(SessionState.Established, pair.Agent.State);
    }

    [Fact]
    public void SessionsThatBreakAtOnce_AreNotDialledEverySecond()
    {
        // A neighbor that lets us in and throws us out, for ever.
        var neighbor = new ScriptedNeighbor();
        neighbor.Give(new SessionInput.Start());
        var dials = new List<TimeSpan>();
        for (var i = 0; i < 20; i++)
        {
            dials.Add(neighbor.Now);
            neighbor.Give(new SessionInput.Connected(neighbor.Local, neighbor.Remote));
            neighbor.Says(ScriptedNeighbor.Open);
            neighbor.Says(KeepaliveMessage.Instance);
            neighbor.Give(new SessionInput.Disconnected("connection closed by the neighbor"));
            Assert.Equal(SessionState.Idle, neighbor.State);
            neighbor.Wait(neighbor.NextDeadline!.Value - neighbor.Now);
            Assert.Contains(neighbor.Effects, effect => effect is SessionEffect.Dial);
        }

        Assert.All(dials.Skip(3).Zip(dials.Skip(4), (first, second) => (second - first).TotalSeconds), wait => Assert.InRange(wait, 3.75, 5));
    }

    [Fact]
    public void NotificationsOneAfterTheOther_MakeTheWaitGrowToSixTimesTheConnectRetryTime()
    {
        var neighbor = new ScriptedNeighbor();
        neighbor.Give(new SessionInput.Start());

        var waits = Enumerable.Range(0, 12).Select(_ => Refused(neighbor, NotificationCode.ConnectionRejected)).ToList();

        Assert.InRange(waits[0], 1, 1.5);
        Assert.InRange(waits[1], 2.25, 3);
        Assert.InRange(waits[2], 3.75, 5);
        Assert.InRange(waits[3], 7.5, 10);
        Assert.InRange(waits[4], 15, 20);
        Assert.All(waits.Skip(5), wait => Assert.InRange(wait, 22.5, 30));
    }

    [Fact]
    public void NotificationsAboutSilence_KeepTheConnectRetryTime()
    {
        var neighbor = new ScriptedNeighbor();
        neighbor.Give(new SessionInput.Start());

        Assert.All(Enumerable.Range(0, 8).Select(_ => Refused(neighbor, NotificationCode.HoldTimerExpired)), wait => Assert.InRange(wait, 1, 5));
    }

    [Fact]
    public void AfterNotifications_AnotherKindOfFailure_GoesBackToTheConnectRetryTime()
    {
        var neighbor = new ScriptedNeighbor();
        neighbor.Give(new SessionInput.Start());
        for (var i = 0; i < 8; i++)
        {
            Refused(neighbor, NotificationCode.ConnectionRejected);
        }

        neighbor.Give(new SessionInput.ConnectFailed("connection refused"));

        Assert.InRange((neighbor.NextDeadline!.Value - neighbor.Now).TotalSeconds, 3.75, 5);
    }

    [Fact]
    public void AfterNotifications_ASessionThatHolds_StartsWithTheShortWaitAgain()
    {
        var neighbor = new ScriptedNeighbor();
        neighbor.Give(new SessionInput.Start());
        for (var i = 0; i < 8; i++)
        {
            Refused(neighbor, NotificationCode.ConnectionRejected);
        }

        neighbor.Give(new SessionInput.Connected(neighbor.Local, neighbor.Remote));
        neighbor.Says(ScriptedNeighbor.Open);
        neighbor.Says(KeepaliveMessage.Instance);
        neighbor.Wait(5);
        neighbor.Says(KeepaliveMessage.Instance);
        neighbor.Wait(6);
        neighbor.Says(new NotificationMessage(NotificationCode.AdministrativeReset, default));

        Assert.InRange((neighbor.NextDeadline!.Value - neighbor.Now).TotalSeconds, 1, 1.5);
    }

    // Let in and sent away with a NOTIFICATION; then the wait, in seconds, and the next dial.
    private static double Refused(ScriptedNeighbor neighbor, NotificationCode code)
    {
        neighbor.Give(new SessionInput.Connected(neighbor.Local, neighbor.Remote));
        neighbor.Says(new NotificationMessage(code, default));
        var wait = neighbor.NextDeadline!.Value - neighbor.Now;
        Assert.Contains(neighbor.Wait(wait), effect => effect is SessionEffect.Dial);
        return wait.TotalSeconds;
    }

    [Fact]
    public void Idle_WaitingToTryAgain_StartDialsNow()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Give(new SessionInput.Disconnected("connection closed by the neighbor"));
        Assert.Equal(SessionState.Idle, neighbor.State);

        neighbor.Give(new SessionInput.Start());

        Assert.IsType<SessionEffect.Dial>(neighbor.Effects[0]);
    }

    [Fact]
    public void Connected_WhenNobodyWantsIt_IsClosed()
    {
        var neighbor = new ScriptedNeighbor();
        neighbor.Give(new SessionInput.Start());
        neighbor.Give(new SessionInput.Stop("maintenance"));

        var effects = neighbor.Give(new SessionInput.Connected(IPAddress.Loopback, IPAddress.Loopback));

        Assert.IsType<SessionEffect.Close>(Assert.Single(effects));
        Assert.Equal(SessionState.Idle, neighbor.State);
    }

    [Fact]
    public void OpenSent_NeighborClosesWithoutAWord_WaitsInActive()
    {
        // As the platform's route servers do until the address is shared (RFC 4271 8.2.2, OpenSent, TcpConnectionFails).
        var neighbor = new ScriptedNeighbor().InOpenSent();

        neighbor.Give(new SessionInput.Disconnected("connection closed by the neighbor"));

        Assert.Equal(SessionState.Active, neighbor.State);
        Assert.True(neighbor.Error.FromPeer);
        Assert.Contains("is the address shared with it yet", neighbor.Error.Advice, StringComparison.Ordinal);
        Assert.Single(neighbor.Wait(5).OfType<SessionEffect.Dial>());
    }

    [Fact]
    public void InputsOfAConnectionThatIsGone_ChangeNothing()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Give(new SessionInput.Disconnected("connection closed by the neighbor"));
        var deadline = neighbor.NextDeadline;

        Assert.Empty(neighbor.Give(new SessionInput.Disconnected("again")));
        Assert.Empty(neighbor.Give(new SessionInput.ConnectFailed("late")));
        Assert.Empty(neighbor.Says(ScriptedNeighbor.Open));
        Assert.Empty(neighbor.Says(1, 2, 3));
        Assert.Empty(neighbor.Give(new SessionInput.Tick()));
        Assert.Equal(deadline, neighbor.NextDeadline);
        Assert.Equal(SessionState.Idle, neighbor.State);
    }

    [Fact]
    public void Connected_Twice_TheSecondChangesNothing()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        Assert.Empty(neighbor.Give(new SessionInput.Connected(neighbor.Local, neighbor.Remote)));
        Assert.Equal(SessionState.Established, neighbor.State);
    }

    [Fact]
    public void HalfAMessageOfTheOldConnection_IsNotTheBeginningOfTheNew()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Says(0xff, 0xff, 0xff);
        neighbor.Give(new SessionInput.Disconnected("connection closed by the neighbor"));
        neighbor.Wait(2);
        neighbor.Give(new SessionInput.Connected(neighbor.Local, neighbor.Remote));

        neighbor.Says(ScriptedNeighbor.Open);

        Assert.Equal(SessionState.OpenConfirm, neighbor.State);
    }
}
