using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Session.Diagnostics;
using FailoverHub.Bgp.Tests.Wire;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Tests.Session.Diagnostics;

public sealed class DiagnosticsTests
{
    [Fact]
    public void NeverStarted_SaysSo()
    {
        var diagnostics = new ScriptedNeighbor().Diagnostics;

        Assert.Equal((SessionState.Idle, null, ""), (diagnostics.State, diagnostics.Since, diagnostics.Reason));
        Assert.Null(diagnostics.LastFailure);
        Assert.Equal(0, diagnostics.Sent.Total + diagnostics.Received.Total);
    }

    [Fact]
    public void Established_ShowsSinceWhenAndWhatWasAgreedOn()
    {
        var neighbor = new ScriptedNeighbor();
        neighbor.Wait(7);
        neighbor.InEstablished();
        neighbor.Announce(Announcements.Ipv4(), Announcements.Ipv6());
        neighbor.Wait(1);

        var diagnostics = neighbor.Diagnostics;

        Assert.Equal((SessionState.Established, "the neighbor has confirmed"), (diagnostics.State, diagnostics.Reason));
        Assert.Equal(TimeSpan.FromSeconds(7), diagnostics.Since);
        Assert.Equal(TimeSpan.FromSeconds(7), diagnostics.EstablishedAt);
        Assert.Equal(65000u, diagnostics.Negotiated!.PeerAs);
        Assert.Equal((1, 0, 2), (diagnostics.TimesEstablished, diagnostics.Flaps, diagnostics.Announced));
        Assert.Equal(new MessageCounts { Open = 1, Keepalive = 1 }, diagnostics.Received);
        Assert.Equal(new MessageCounts { Open = 1, Keepalive = 1, Update = 2 }, diagnostics.Sent);
    }

    [Fact]
    public void Lost_ShowsTheFailureWhoSaidSoAndWhenItDialsAgain()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Wait(1);

        neighbor.Says(new NotificationMessage(NotificationCode.AdministrativeReset, ShutdownText.Write("new filters")));

        var diagnostics = neighbor.Diagnostics;
        Assert.Equal(SessionState.Idle, diagnostics.State);
        Assert.Equal("the neighbor says Cease/Administrative Reset: new filters", diagnostics.LastFailure!.Error.Text);
        Assert.Equal((true, TimeSpan.FromSeconds(1)), (diagnostics.LastFailure.Error.FromPeer, diagnostics.LastFailure.At));
        Assert.Equal(new NotificationRecord(TimeSpan.FromSeconds(1), 6, 4, "Cease/Administrative Reset: new filters"), diagnostics.LastNotificationReceived);
        Assert.Null(diagnostics.LastNotificationSent);
        Assert.Equal((1, 1, 1), (diagnostics.TimesEstablished, diagnostics.Flaps, diagnostics.FailuresInARow));
        Assert.Null(diagnostics.EstablishedAt);
        Assert.Null(diagnostics.Negotiated);
        Assert.Equal(0, diagnostics.Announced);
        Assert.Equal(neighbor.NextDeadline, diagnostics.NextDialAt);
    }

    [Fact]
    public void HoldTimerExpired_ShowsTheNotificationThatWeSent()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Wait(9);

        Assert.Equal(new NotificationRecord(TimeSpan.FromSeconds(9), 4, 0, "Hold Timer Expired"), neighbor.Diagnostics.LastNotificationSent);
    }

    [Fact]
    public void OurOwnStop_IsNeitherAFlapNorAFailure()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Give(new SessionInput.Stop("maintenance"));

        var diagnostics = neighbor.Diagnostics;
        Assert.Equal((0, 0, "stopped: maintenance"), (diagnostics.Flaps, diagnostics.FailuresInARow, diagnostics.Reason));
        Assert.Null(diagnostics.LastFailure);
        Assert.Equal("Cease/Administrative Shutdown: maintenance", diagnostics.LastNotificationSent!.Text);
        Assert.Null(diagnostics.NextDialAt);
    }

    [Fact]
    public void StopWhileItWaitsToTryAgain_IsShown()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Give(new SessionInput.Disconnected("connection reset by the neighbor"));
        neighbor.Wait(0.5);

        neighbor.Give(new SessionInput.Stop("maintenance"));

        var diagnostics = neighbor.Diagnostics;
        Assert.Equal(("stopped: maintenance", neighbor.Now, null), (diagnostics.Reason, diagnostics.Since, diagnostics.NextDialAt));
        Assert.Equal("connection reset by the neighbor", diagnostics.LastFailure!.Error.Text);
    }

    [Fact]
    public void FailuresInARow_EndWithASessionThatComesUp()
    {
        var pair = new SessionPair { RefuseDials = "connection refused" };
        pair.Start();
        pair.Run(TimeSpan.FromSeconds(30));
        Assert.InRange(pair.Agent.Diagnostics.FailuresInARow, 5, 12);

        pair.RefuseDials = null;
        pair.Run(TimeSpan.FromSeconds(10));

        Assert.Equal(0, pair.Agent.Diagnostics.FailuresInARow);
        Assert.Equal("connection refused", pair.Agent.Diagnostics.LastFailure!.Error.Text);
    }

    [Fact]
    public void MalformedUpdate_IsCountedAndSaidInWords()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Wait(2);

        // ORIGIN 9, AS_PATH 65000, NEXT_HOP, 203.0.113.57/32.
        neighbor.Says(Codec.Hex("ffffffffffffffffffffffffffffffff 0030 02 0000 0014 40010109 40020602010000fde8 400304 c0000201 20cb007139").ToArray());

        Assert.Equal(SessionState.Established, neighbor.State);
        neighbor.Wait(2);
        Assert.Equal((1, new UpdateProblem(TimeSpan.FromSeconds(2), "ORIGIN is malformed")), (neighbor.Diagnostics.MalformedUpdates, neighbor.Diagnostics.LastUpdateProblem));
    }

    // A number of its own for each: who says it is who has to be looked at.
    [Theory]
    [InlineData(3, "set the neighbor's")]
    [InlineData(4, "switch it off there")]
    [InlineData(7, "compare the families")]
    public void OpenErrorThatWeFind_ComesWithAdviceAboutTheNeighbor(byte subcode, string advice)
    {
        var code = new NotificationCode(2, subcode);

        Assert.Contains(advice, NotificationWords.Advice(code, fromPeer: false)!, StringComparison.Ordinal);
        Assert.DoesNotContain(advice, NotificationWords.Advice(code, fromPeer: true)!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SessionState.OpenSent)]
    [InlineData(SessionState.OpenConfirm)]
    [InlineData(SessionState.Established)]
    public void ConnectionThatThisSideLost_IsNotTheNeighborsDoing(SessionState state)
    {
        var neighbor = new ScriptedNeighbor();
        _ = state switch
        {
            SessionState.OpenSent => neighbor.InOpenSent(),
            SessionState.OpenConfirm => neighbor.InOpenConfirm(),
            _ => neighbor.InEstablished(),
        };

        neighbor.Give(new SessionInput.Disconnected("not permitted: a firewall rule on this node", ByNeighbor: false));

        Assert.Equal((false, null), (neighbor.Error.FromPeer, neighbor.Error.Advice));
    }

    [Fact]
    public void Snapshot_DoesNotChangeWhenTheSessionDoes()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        var before = neighbor.Diagnostics;

        neighbor.Give(new SessionInput.Disconnected("connection closed by the neighbor"));

        Assert.Equal(SessionState.Established, before.State);
        Assert.Null(before.LastFailure);
    }

    [Fact]
    public void EveryCeaseAndEveryOpenError_ComesWithAdvice()
    {
        foreach (var code in (NotificationCode[])[.. Enumerable.Range(1, 8).Select(sub => new NotificationCode(6, (byte)sub)), new NotificationCode(6, 10), .. Enumerable.Range(2, 6).Select(sub => new NotificationCode(2, (byte)sub))])
        {
            Assert.NotNull(NotificationWords.Advice(code, fromPeer: true));
        }
    }

    [Fact]
    public void HardReset_IsShownAndAdvisedByWhatIsInside()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Says(new NotificationMessage(NotificationCode.AdministrativeShutdown, ShutdownText.Write("moving out")).AsHardReset());

        Assert.Equal("the neighbor says Cease/Hard Reset (Cease/Administrative Shutdown: moving out)", neighbor.Error.Text);
        Assert.Equal((6, 9), (neighbor.Error.Code, neighbor.Error.Subcode));
        Assert.Contains("switched the session off", neighbor.Error.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void HardResetInsideOfHardResets_IsUnpackedOnce()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        var nested = Enumerable.Repeat<byte[]>([6, 9], 2000).SelectMany(pair => pair).ToArray();

        neighbor.Says(new NotificationMessage(NotificationCode.HardReset, nested));

        Assert.Equal("the neighbor says Cease/Hard Reset (Cease/Hard Reset)", neighbor.Error.Text);
    }
}
