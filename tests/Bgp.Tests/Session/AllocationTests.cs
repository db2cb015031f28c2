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

    [Fact]
    public void TenThousandHours_OfKeepalivesAreCheapAndLeaveNothingBehind()
    {
        var session = new BgpSession(SessionPair.AgentOptions, new Random(1));
        var now = TimeSpan.Zero;
        session.Handle(new SessionInput.Start(), now);
        session.Handle(new SessionInput.Connected(System.Net.IPAddress.IPv6Loopback, System.Net.IPAddress.IPv6Loopback), now);
        session.Handle(new SessionInput.Received(Codec.Encode(ScriptedNeighbor.Open)), now);
        var keepalive = new SessionInput.Received(Codec.Encode(KeepaliveMessage.Instance));
        var tick = new SessionInput.Tick();
        session.Handle(keepalive, now);

        // What the runtime makes once, at the first time that something is done, is over after an hour.
        LiveUntil(TimeSpan.FromHours(1));
        var before = GC.GetAllocatedBytesForCurrentThread();
        LiveUntil(TimeSpan.FromHours(10_000));

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal((SessionState.Established, 0L), (session.State, allocated));
        var trace = session.ReadTrace();
        Assert.Equal(4, trace.Length);
        Assert.All(trace[2..], run => Assert.InRange(run.Count, 12_000_000, 16_000_000));
        Assert.Equal(trace[2..].Sum(run => run.Count), session.Diagnostics.Sent.Keepalive + session.Diagnostics.Received.Keepalive);

        void LiveUntil(TimeSpan end)
        {
            while (now < end)
            {
                now = session.NextDeadline!.Value;
                session.Handle(tick, now);
                session.Handle(keepalive, now);
            }
        }
    }

    // What is learned while output waits is kept in a fixed place too.
    [Fact]
    public void RefreshesWithoutEnd_WhileOutputWaits_AllocateOnlyTheirRowsInTheTrace()
    {
        var session = new BgpSession(SessionPair.AgentOptions, new Random(1));
        var now = TimeSpan.Zero;
        session.Handle(new SessionInput.Start(), now);
        session.Handle(new SessionInput.Connected(System.Net.IPAddress.IPv6Loopback, System.Net.IPAddress.IPv6Loopback), now);
        session.Handle(new SessionInput.Received(Codec.Encode(ScriptedNeighbor.Open)), now);
        session.Handle(new SessionInput.Received(Codec.Encode(KeepaliveMessage.Instance)), now);
        session.Handle(SessionInput.OutputBlocked.Instance, now);
        var request = new SessionInput.Received(Codec.Encode(new RouteRefreshMessage(new AfiSafi(1, 1))));
        session.Handle(request, now);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var answered = 0;
        for (var i = 0; i < 10_000; i++)
        {
            answered += session.Handle(request, now).Count;
        }

        Assert.Equal(0, answered);
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 10_000, 0, 200);
        Assert.Equal(200, session.ReadTrace().Length);
    }
}
