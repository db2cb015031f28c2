using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Tests.Wire;

namespace FailoverHub.Bgp.Tests.Session;

// An idle session makes no garbage: a collection is what could make a keepalive late.
public sealed class AllocationTests
{
    [Fact]
    public void KeepalivesInBothDirections_AllocateNothing()
    {
        var session = new BgpSession(SessionPair.AgentOptions, new Random(1));
        var now = TimeSpan.Zero;
        session.Handle(new SessionInput.Start(), now);
        session.Handle(new SessionInput.Connected(System.Net.IPAddress.IPv6Loopback, System.Net.IPAddress.IPv6Loopback), now);
        session.Handle(new SessionInput.Received(Codec.Encode(ScriptedNeighbor.Open)), now);
        var keepalive = new SessionInput.Received(Codec.Encode(KeepaliveMessage.Instance));
        var tick = new SessionInput.Tick();
        session.Handle(keepalive, now);
        Assert.Equal(SessionState.Established, session.State);

        var sent = 0;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            now = session.NextDeadline!.Value;
            sent += session.Handle(tick, now).Count;
            sent += session.Handle(keepalive, now).Count;
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(1000, sent);
        Assert.Equal(0, allocated);
    }
}
