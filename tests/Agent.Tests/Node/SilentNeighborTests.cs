using FailoverHub.Agent.Node;
using FailoverHub.Bgp.Session;
using static FailoverHub.Agent.Tests.Node.NodeUnderTest;

namespace FailoverHub.Agent.Tests.Node;

/// <summary>A neighbor that takes our connection and then says nothing.</summary>
public sealed class SilentNeighborTests
{
    private readonly NodeUnderTest _node = new NodeUnderTest().Start(Shared).Establish(Second);

    [Fact]
    public void OpenNotAnswered_IsSaidAfterTenSeconds_AndOnce()
    {
        Change(SessionState.Connect);
        Assert.Null(_node.State.NextDeadline);
        Change(SessionState.OpenSent);
        Assert.Equal(_node.Now + SilentNeighbors.Patience, _node.State.NextDeadline);

        _node.After(SilentNeighbors.Patience).Give(new NodeEvent.Tick());
        Assert.Equal(
            "no session with 192.0.2.1 yet: the neighbor takes the connection and does not answer our OPEN, for 10 s now (something on the way may let the handshake through and nothing else); the session waits four minutes for it, 1 of 2 sessions are established",
            Assert.Single(_node.Effects.OfType<NodeEffect.Log>()).Text);
        Assert.Null(_node.State.NextDeadline);

        // The next connection of the same outage.
        Change(SessionState.Idle);
        Change(SessionState.OpenSent);
        _node.After(SilentNeighbors.Patience).Give(new NodeEvent.Tick());
        Assert.Empty(_node.Effects.OfType<NodeEffect.Log>());
        Assert.Null(_node.State.NextDeadline);
    }

    [Fact]
    public void OpenAnsweredInTime_NothingIsSaid()
    {
        Change(SessionState.OpenSent);
        _node.After(SilentNeighbors.Patience / 2);
        Change(SessionState.OpenConfirm);

        Assert.Null(_node.State.NextDeadline);
        _node.After(SilentNeighbors.Patience).Give(new NodeEvent.Tick());
        Assert.Empty(_node.Effects);
    }

    private void Change(SessionState to) => _node.Give(new NodeEvent.SessionChanged(First, to, "test"));
}
