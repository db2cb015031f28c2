using FailoverHub.Bgp.Session;

namespace FailoverHub.Bgp.Tests.Session;

public sealed class PassiveTests
{
    [Fact]
    public void Start_WaitsInActiveAndNeverDials()
    {
        var neighbor = new ScriptedNeighbor(SessionPair.RouterOptions);

        neighbor.Give(new SessionInput.Start());

        Assert.Equal(SessionState.Active, neighbor.State);
        Assert.Null(neighbor.NextDeadline);
        Assert.DoesNotContain(neighbor.Effects, effect => effect is SessionEffect.Dial);
    }

    [Fact]
    public void Failure_ReturnsThroughIdleToActive()
    {
        var pair = SessionPair.Up();

        pair.Break("connection reset by the neighbor");

        var states = pair.Router.Seen<SessionEffect.StateChanged>().TakeLast(2).Select(change => (change.From, change.To));
        Assert.Equal([(SessionState.Established, SessionState.Idle), (SessionState.Idle, SessionState.Active)], states);
        Assert.StartsWith("connection reset by the neighbor", pair.Router.Seen<SessionEffect.StateChanged>().Last().Reason, StringComparison.Ordinal);
        Assert.Empty(pair.Router.Dials);
    }

    [Fact]
    public void Failure_ThenDialledAgain_IsEstablishedAgain()
    {
        var pair = SessionPair.Up();
        pair.Break();

        pair.Run(TimeSpan.FromSeconds(5));

        Assert.Equal(2, pair.Router.Seen<SessionEffect.Established>().Count());
        Assert.Equal(SessionState.Established, pair.Router.State);
    }

    [Fact]
    public void OpenSent_NeighborCloses_IsActiveAgainWithoutATimer()
    {
        var neighbor = new ScriptedNeighbor(SessionPair.RouterOptions).InOpenSent();

        neighbor.Give(new SessionInput.Disconnected("connection closed by the neighbor"));

        Assert.Equal(SessionState.Active, neighbor.State);
        Assert.Null(neighbor.NextDeadline);
    }

    [Fact]
    public void Stop_InActive_IsIdleAndRefusesConnections()
    {
        var neighbor = new ScriptedNeighbor(SessionPair.RouterOptions);
        neighbor.Give(new SessionInput.Start());

        neighbor.Give(new SessionInput.Stop("maintenance"));

        Assert.Equal(SessionState.Idle, neighbor.State);
        Assert.IsType<SessionEffect.Close>(Assert.Single(neighbor.Give(new SessionInput.Connected(neighbor.Local, neighbor.Remote))));
    }
}
