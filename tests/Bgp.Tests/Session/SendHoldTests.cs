using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Bgp.Tests.Session;

// RFC 9687: a neighbor that talks and does not listen.
public sealed class SendHoldTests
{
    [Fact]
    public void OutputTakenNowhere_EndsTheSessionAfterTwiceTheHoldTime()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Give(SessionInput.OutputBlocked.Instance);

        Assert.DoesNotContain(TalksFor(neighbor, 17.9), effect => effect is SessionEffect.Close);
        neighbor.Wait(0.2);

        neighbor.AssertFailsWith(NotificationCode.SendHoldTimerExpired);
        Assert.Equal("the neighbor took nothing of what we sent for 18 s (Send Hold Timer Expired)", neighbor.Error.Text);
        Assert.Equal((8, 0), (neighbor.Diagnostics.LastNotificationSent!.Code, neighbor.Diagnostics.LastNotificationSent.Subcode));
        Assert.Null(neighbor.Diagnostics.OutputBlockedSince);
    }

    [Fact]
    public void SomeOutputTaken_StartsTheTimerAgain()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Give(SessionInput.OutputBlocked.Instance);
        for (var i = 0; i < 10; i++)
        {
            TalksFor(neighbor, 17);
            neighbor.Give(SessionInput.OutputProgress.Some);
            Assert.Equal(neighbor.Now, neighbor.Diagnostics.OutputBlockedSince);
        }

        TalksFor(neighbor, 17.9);
        Assert.Equal(SessionState.Established, neighbor.State);
        neighbor.Wait(0.2);

        neighbor.AssertFailsWith(NotificationCode.SendHoldTimerExpired);
    }

    [Fact]
    public void AllOutputTaken_StopsTheTimer()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Give(SessionInput.OutputBlocked.Instance);
        TalksFor(neighbor, 10);
        neighbor.Give(SessionInput.OutputProgress.All);

        TalksFor(neighbor, 300);

        Assert.Equal(SessionState.Established, neighbor.State);
        Assert.Null(neighbor.Diagnostics.OutputBlockedSince);
    }

    [Fact]
    public void BlockedAgainWhileBlocked_DoesNotStartTheTimerAgain()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Give(SessionInput.OutputBlocked.Instance);
        TalksFor(neighbor, 10);
        neighbor.Give(SessionInput.OutputBlocked.Instance);

        TalksFor(neighbor, 8.5);

        Assert.Equal(SessionState.Idle, neighbor.State);
    }

    [Theory]
    [InlineData(30, 9, 30)]
    [InlineData(9, 9, 10)]
    [InlineData(1, 9, 10)]
    [InlineData(null, 9, 18)]
    [InlineData(null, 3, 6)]
    public void SendHoldTime_IsMoreThanTheHoldTime(int? configured, int negotiated, int expected)
    {
        var options = SessionPair.AgentOptions with
        {
            SendHoldTime = configured is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        };
        var neighbor = new ScriptedNeighbor(options).InEstablished(ScriptedNeighbor.Open with { HoldTimeSeconds = (ushort)negotiated });
        neighbor.Give(SessionInput.OutputBlocked.Instance);

        TalksFor(neighbor, expected - 0.1);
        Assert.Equal(SessionState.Established, neighbor.State);
        TalksFor(neighbor, 0.2);

        Assert.Equal(SessionState.Idle, neighbor.State);
        Assert.Equal(8, neighbor.Diagnostics.LastNotificationSent!.Code);
    }

    [Theory]
    [InlineData(0, 9)]
    [InlineData(1, 0)]
    [InlineData(null, 0)]
    public void SendHoldTimeOrHoldTimeZero_WaitsForEver(int? configured, ushort hold)
    {
        var options = SessionPair.AgentOptions with
        {
            HoldTime = new HoldTime(hold),
            SendHoldTime = configured is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        };
        var neighbor = new ScriptedNeighbor(options).InEstablished(ScriptedNeighbor.Open with { HoldTimeSeconds = hold });
        neighbor.Give(SessionInput.OutputBlocked.Instance);

        TalksFor(neighbor, 3600);

        Assert.Equal(SessionState.Established, neighbor.State);
        Assert.NotNull(neighbor.Diagnostics.OutputBlockedSince);
    }

    [Fact]
    public void OutputThatWaitsBeforeEstablished_IsTheHoldTimersBusiness_AndTheSendHoldTimersFromThenOn()
    {
        var neighbor = new ScriptedNeighbor(SessionPair.AgentOptions with { SendHoldTime = TimeSpan.FromSeconds(10) }).InOpenSent();
        neighbor.Give(SessionInput.OutputBlocked.Instance);
        neighbor.Wait(239);
        Assert.Equal(SessionState.OpenSent, neighbor.State);
        neighbor.Says(ScriptedNeighbor.Open);
        neighbor.Says(KeepaliveMessage.Instance);

        TalksFor(neighbor, 9.9);
        Assert.Equal(SessionState.Established, neighbor.State);
        neighbor.Wait(0.2);

        neighbor.AssertFailsWith(NotificationCode.SendHoldTimerExpired);
    }

    [Fact]
    public void NewConnection_HasNothingWaiting()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Give(SessionInput.OutputBlocked.Instance);
        neighbor.Give(new SessionInput.Disconnected("connection reset by the neighbor"));
        Assert.Null(neighbor.Diagnostics.OutputBlockedSince);

        neighbor.Wait(2);
        neighbor.Give(new SessionInput.Connected(neighbor.Local, neighbor.Remote));
        neighbor.Says(ScriptedNeighbor.Open);
        neighbor.Says(KeepaliveMessage.Instance);
        TalksFor(neighbor, 60);

        Assert.Equal(SessionState.Established, neighbor.State);
    }

    [Fact]
    public void WithoutAConnection_OutputIsNobodys()
    {
        var neighbor = new ScriptedNeighbor();

        Assert.Empty(neighbor.Give(SessionInput.OutputBlocked.Instance));
        Assert.Empty(neighbor.Give(SessionInput.OutputProgress.Some));
        Assert.Empty(neighbor.Give(SessionInput.OutputProgress.All));
        Assert.Null(neighbor.NextDeadline);
        Assert.Null(neighbor.Diagnostics.OutputBlockedSince);
    }

    // The neighbor's keepalives come all the time.
    private static List<SessionEffect> TalksFor(ScriptedNeighbor neighbor, double seconds)
    {
        var effects = new List<SessionEffect>();
        for (var left = seconds; left > 0 && neighbor.State == SessionState.Established; left -= 1)
        {
            effects.AddRange(neighbor.Says(KeepaliveMessage.Instance));
            effects.AddRange(neighbor.Wait(Math.Min(1, left)));
        }

        return effects;
    }
}
